//! StartTLS (RFC 4511 §4.14): TLS before anything else is said.
//!
//! The answer is read to its last octet and no further. Whatever somebody on the way puts behind it
//! is the first thing that TLS sees, which refuses it: nothing that came in the clear is ever taken
//! for something that came under TLS.

use std::io;

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::bounds::{Excess, Outline};
use super::fault::Answer;

/// An ExtendedRequest with message number 1 and the name of StartTLS.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The longest answer: a code and a few words about it.
const MOST: usize = 4096;

/// Asks the server to begin TLS, and says what it answered. With code 0, TLS comes next.
pub(super) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Answer> {
    stream.write_all(REQUEST).await?;
    let message = message(stream).await?;
    answer(&message).ok_or_else(garbage)
}

/// One message, without a single octet of what comes behind it.
async fn message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 2];
    stream.read_exact(&mut message).await?;
    let length = match message.as_slice() {
        [0x30, short @ 0..=0x7f] => usize::from(*short),
        [0x30, long @ 0x81..=0x84] => {
            let mut octets = vec![0; usize::from(long & 0x7f)];
            stream.read_exact(&mut octets).await?;
            let append = |length, octet: &u8| length << 8 | usize::from(*octet);
            let length = octets.iter().fold(0, append);
            message.append(&mut octets);
            length
        }
        _ => return Err(garbage()),
    };
    if length > MOST {
        return Err(garbage());
    }
    let head = message.len();
    message.resize(head + length, 0);
    if let Some(rest) = message.get_mut(head..) {
        stream.read_exact(rest).await?;
    }
    Ok(message)
}

/// The result in an ExtendedResponse to our request.
fn answer(message: &[u8]) -> Option<Answer> {
    // The library reads by recursion.
    Outline::default().read(message).ok()?;
    let (_, message) = parse_tag(message).ok()?;
    let PL::C(parts) = message.payload else {
        return None;
    };
    let [number, operation, ..] = parts.as_slice() else {
        return None;
    };
    let ours = number.payload == PL::P(vec![1]);
    let extended = operation.class == TagClass::Application && operation.id == 24;
    let PL::C(result) = &operation.payload else {
        return None;
    };
    let [code, _matched, text, ..] = result.as_slice() else {
        return None;
    };
    let [code] = value(code)? else { return None };
    let text = String::from_utf8_lossy(value(text)?);
    (ours && extended).then(|| Answer::new(u32::from(*code), &text))
}

fn value(tag: &StructureTag) -> Option<&[u8]> {
    match &tag.payload {
        PL::P(octets) => Some(octets),
        PL::C(_) => None,
    }
}

fn garbage() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Excess::Form)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// What comes of this answer, and what is left in the stream behind it.
    async fn after(sent: &[u8]) -> (io::Result<Answer>, Vec<u8>) {
        let (mut ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(sent).await.unwrap();
        theirs.shutdown().await.unwrap();
        let answer = ask(&mut ours).await;
        let mut asked = [0; REQUEST.len()];
        theirs.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked, REQUEST);
        drop(theirs);
        let mut left = Vec::new();
        ours.read_to_end(&mut left).await.unwrap();
        (answer, left)
    }

    const WELL: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[tokio::test]
    async fn nothing_behind_the_answer_is_read_with_it() {
        let (answer, left) = after(WELL).await;
        assert_eq!((answer.unwrap().code, left), (0, Vec::new()));
        // The answer to a bind that was not made yet, put behind it by somebody on the way.
        let injected = b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
        let (answer, left) = after(&[WELL, injected].concat()).await;
        assert_eq!((answer.unwrap().code, left), (0, injected.to_vec()));
        // With a length as Active Directory writes it, a name and a refusal.
        let refused = b"\x30\x84\0\0\0\x18\x02\x01\x01\x78\x84\0\0\0\x0f\x0a\x01\x34\x04\0\x04\x02no\x8a\x04name";
        let (answer, left) = after(refused).await;
        let answer = answer.unwrap();
        assert_eq!((answer.code, answer.text.as_str()), (52, "no"));
        assert_eq!(left, []);
    }

    #[tokio::test]
    async fn what_is_no_answer_is_refused() {
        for sent in [
            b"\x30\x84\x7f\xff\xff\xff".as_slice(),
            b"\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x30\x08\x02\x01\x01\x78\x03\x0a\x01\x00",
            b"\x30\x00",
            b"+OK ready\r\n",
        ] {
            let (answer, _) = after(sent).await;
            assert!(answer.is_err(), "{sent:x?}");
        }
        let (mut ours, theirs) = duplex(64);
        drop(theirs);
        assert!(ask(&mut ours).await.is_err());
    }
}
