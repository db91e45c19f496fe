//! Messages on the wire: RETR, TOP and the dots.

use proptest::prelude::*;

use super::client::{normal, unstuffed};
use crate::pop3::Extent;
use crate::pop3::stuffing::Stuffer;

fn wire(chunks: &[&[u8]], extent: Extent) -> Vec<u8> {
    let mut stuffer = Stuffer::new(extent);
    let mut wire = Vec::new();
    for chunk in chunks {
        stuffer.push(chunk, &mut wire);
    }
    stuffer.finish(&mut wire);
    wire
}

#[test]
fn dots_are_doubled_and_the_end_is_a_dot() {
    assert_eq!(
        wire(&[b"a\n.\n..\n.x\r\n"], Extent::Whole),
        b"a\r\n..\r\n...\r\n..x\r\n.\r\n"
    );
    assert_eq!(wire(&[b"no end"], Extent::Whole), b"no end\r\n.\r\n");
    assert_eq!(wire(&[b""], Extent::Whole), b".\r\n");
}

/// RFC1939-7a: the header, the blank line and so many lines of the body; never the whole for 0.
#[test]
fn top_counts_lines_of_the_body() {
    let message: &[u8] = b"A: 1\nB: 2\n\none\n.two\nthree";
    assert_eq!(
        wire(&[message], Extent::Top(0)),
        b"A: 1\r\nB: 2\r\n\r\n.\r\n"
    );
    assert_eq!(
        wire(&[message], Extent::Top(2)),
        b"A: 1\r\nB: 2\r\n\r\none\r\n..two\r\n.\r\n"
    );
    assert_eq!(
        wire(&[message], Extent::Top(9)),
        wire(&[message], Extent::Whole)
    );
    assert_eq!(
        wire(&[b"A: 1\r\n\r\nx\r\n"], Extent::Top(0)),
        b"A: 1\r\n\r\n.\r\n"
    );
    assert_eq!(
        wire(&[b"no header end"], Extent::Top(0)),
        b"no header end\r\n.\r\n"
    );
    assert_eq!(wire(&[b"\nbody\n"], Extent::Top(0)), b"\r\n.\r\n");
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![
        3 => Just(b'\n'), 2 => Just(b'\r'), 3 => Just(b'.'), 1 => Just(0u8), 3 => any::<u8>()
    ];
    prop::collection::vec(octet, 0..120)
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_wire(message in octets(), at in 0usize..120, again in 0usize..120) {
        let (first, rest) = message.split_at(at.min(message.len()));
        let (second, third) = rest.split_at(again.min(rest.len()));
        for extent in [Extent::Whole, Extent::Top(2)] {
            prop_assert_eq!(wire(&[first, second, third], extent), wire(&[&message], extent));
        }
    }

    #[test]
    fn a_client_gets_the_message_back(message in octets()) {
        prop_assert_eq!(unstuffed(&wire(&[&message], Extent::Whole)), normal(&message));
    }

    #[test]
    fn top_is_a_prefix_of_retr(message in octets(), lines in 0u64..9) {
        let whole = wire(&[&message], Extent::Whole);
        let top = wire(&[&message], Extent::Top(lines));
        let top = top.strip_suffix(b".\r\n").unwrap();
        prop_assert!(whole.starts_with(top));
    }
}
