//! A client's first Kerberos token: what is read of it stands in it, and a token with the same
//! ticket says the same, bare and within SPNEGO, and says nothing when its end is missing. The input
//! is the token.

use postern_auth::readers::ticket as read;
use postern_auth::{Enctype, Principal};

use super::principal::parts;

const KRB5: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
const SEQUENCE: u8 = 0x30;

/// Reads the token, and one that is made of what was read.
pub fn run(token: &[u8]) {
    let ticket = read(token);
    let Some((service, kvno, enctype)) = ticket.clone() else {
        return;
    };
    let text = service.to_string();
    assert_eq!(
        Principal::parse(&text),
        Some(service).filter(|_| text.len() <= 1024)
    );
    let mut components = parts(&text);
    for part in &components {
        assert!(
            !part.is_empty() && contains(token, part.as_bytes()),
            "{part}"
        );
    }
    let realm = components.pop().expect("a realm");
    assert!(components.len() <= 8);
    let bare = write(&components, &realm, kvno, enctype);
    for whole in [spnego(&bare), response(&bare), bare] {
        assert_eq!(read(&whole), ticket);
        for cut in [whole.len() - 1, whole.len() / 2, 4] {
            assert_eq!(read(&whole[..cut]), None, "{cut} octets of it");
        }
    }
}

fn contains(token: &[u8], part: &[u8]) -> bool {
    token.windows(part.len()).any(|octets| octets == part)
}

/// A value of DER, with the shortest length.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len().to_be_bytes();
    let from = length.iter().position(|octet| *octet != 0).unwrap_or(7);
    let digits = &length[from..];
    let mut value = vec![tag];
    if digits.len() > 1 || digits[0] > 0x7f {
        value.push(0x80 | u8::try_from(digits.len()).expect("at most eight"));
    }
    value.extend(digits);
    value.extend(contents);
    value
}

/// RFC 4121 §4.1 around RFC 4120 §5.5.1.
fn write(components: &[String], realm: &str, kvno: Option<u32>, enctype: Enctype) -> Vec<u8> {
    let text = |text: &str| der(0x1b, &[text.as_bytes()]);
    let names: Vec<u8> = components.iter().flat_map(|name| text(name)).collect();
    let kind = der(0xa0, &[&signed(2)]);
    let name = der(SEQUENCE, &[&kind, &der(0xa1, &[&der(SEQUENCE, &[&names])])]);
    let kvno = kvno.map_or(Vec::new(), |kvno| der(0xa1, &[&unsigned(kvno)]));
    let etype = der(0xa0, &[&signed(enctype.0)]);
    let cipher = der(0xa2, &[&der(4, &[&[9; 300]])]);
    let encrypted = der(0xa3, &[&der(SEQUENCE, &[&etype, &kvno, &cipher])]);
    let version = der(0xa0, &[&signed(5)]);
    let realm = der(0xa1, &[&text(realm)]);
    let name = der(0xa2, &[&name]);
    let ticket = der(SEQUENCE, &[&version, &realm, &name, &encrypted]);
    let ticket = der(0xa3, &[&der(0x61, &[&ticket])]);
    let kind = der(0xa1, &[&signed(14)]);
    let options = der(0xa2, &[&der(3, &[&[0; 5]])]);
    let request = der(SEQUENCE, &[&version, &kind, &options, &ticket]);
    framed(KRB5, &[&[1, 0][..], &der(0x6e, &[&request])].concat())
}

fn signed(number: i32) -> Vec<u8> {
    der(2, &[&number.to_be_bytes()])
}

/// UInt32: with a zero before it where it would be negative otherwise.
fn unsigned(number: u32) -> Vec<u8> {
    let octets = [&[0][..], &number.to_be_bytes()].concat();
    let from = usize::from(number < 0x8000_0000);
    der(2, &[&octets[from..]])
}

/// RFC 2743 §3.1.
fn framed(mechanism: &[u8], inner: &[u8]) -> Vec<u8> {
    der(0x60, &[&der(6, &[mechanism]), inner])
}

/// RFC 4178 §4.2.1.
fn spnego(token: &[u8]) -> Vec<u8> {
    let mechanisms = der(0xa0, &[&der(SEQUENCE, &[&der(6, &[KRB5])])]);
    let token = der(0xa2, &[&der(4, &[token])]);
    let init = der(0xa0, &[&der(SEQUENCE, &[&mechanisms, &token])]);
    framed(SPNEGO, &init)
}

/// RFC 4178 §4.2.2.
fn response(token: &[u8]) -> Vec<u8> {
    let state = der(0xa0, &[&der(0x0a, &[&[1]])]);
    let token = der(0xa2, &[&der(4, &[token])]);
    der(0xa1, &[&der(SEQUENCE, &[&state, &token])])
}
