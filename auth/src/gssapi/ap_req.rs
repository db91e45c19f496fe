//! What a client's first token says in the clear: for which service its ticket is, and under which key.
//!
//! Nothing here is proven: it is read to choose the acceptor's name and to tell an administrator
//! what a refused client came with. DER is read with lengths that must fit into what there is, at
//! most 64 KiB deep in fixed steps, and nothing is allocated but the names.

use std::fmt;

use super::enctype::Enctype;
use super::principal::Principal;
use crate::audit::shown;

/// The object identifier of Kerberos V5 (RFC 1964 §1), in DER.
const KRB5: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
/// The object identifier of SPNEGO (RFC 4178), in DER.
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
/// The identifier of an AP-REQ in a token (RFC 4121 §4.1).
const AP_REQ: [u8; 2] = [1, 0];

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// A ticket as its outside says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Whom it is for.
    pub(crate) service: Principal,
    /// The version of the key that it is encrypted with.
    pub(crate) kvno: Option<u32>,
    /// The type of that key.
    pub(crate) enctype: Enctype,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.service.to_string()))?;
        if let Some(kvno) = self.kvno {
            write!(f, " kvno {kvno}")?;
        }
        write!(f, " {}", self.enctype)
    }
}

/// The ticket in a token of Kerberos (RFC 4121 §4.1), or in one of SPNEGO.
pub(crate) fn read(token: &[u8]) -> Option<Ticket> {
    let (KRB5, inner) = framed(of_krb5(token)?)? else {
        return None;
    };
    ticket(inner.strip_prefix(&AP_REQ)?)
}

/// The token of Kerberos in one of SPNEGO; one that is not of SPNEGO as it is.
pub(super) fn of_krb5(token: &[u8]) -> Option<&[u8]> {
    if let Some(response) = Der(token).optional(0xa1) {
        return response_token(response);
    }
    match framed(token)? {
        (SPNEGO, inner) => mech_token(inner),
        _ => Some(token),
    }
}

/// RFC 2743 §3.1: `[APPLICATION 0] { thisMech, innerContextToken }`.
fn framed(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut frame = Der(Der(token).value(0x60)?);
    let oid = frame.value(OBJECT_IDENTIFIER)?;
    Some((oid, frame.0))
}

/// RFC 4178 §4.2.1: `NegTokenInit`, whose `mechToken` is the optimistic token.
fn mech_token(inner: &[u8]) -> Option<&[u8]> {
    let mut fields = Der(Der(Der(inner).value(0xa0)?).value(SEQUENCE)?);
    fields.value(0xa0)?;
    let _flags = fields.optional(0xa1);
    Der(fields.value(0xa2)?).value(OCTET_STRING)
}

/// RFC 4178 §4.2.2: `NegTokenResp`, with which a client comes back when its first guess was not taken.
fn response_token(response: &[u8]) -> Option<&[u8]> {
    let mut fields = Der(Der(response).value(SEQUENCE)?);
    let (_state, _mechanism) = (fields.optional(0xa0), fields.optional(0xa1));
    Der(fields.value(0xa2)?).value(OCTET_STRING)
}

/// RFC 4120 §5.5.1 and §5.3.
fn ticket(ap_req: &[u8]) -> Option<Ticket> {
    let mut request = Der(Der(Der(ap_req).value(0x6e)?).value(SEQUENCE)?);
    for field in [0xa0, 0xa1, 0xa2] {
        request.value(field)?;
    }
    let mut ticket = Der(Der(Der(request.value(0xa3)?).value(0x61)?).value(SEQUENCE)?);
    ticket.value(0xa0)?;
    let realm = text(&mut Der(ticket.value(0xa1)?))?;
    let mut name = Der(Der(ticket.value(0xa2)?).value(SEQUENCE)?);
    name.value(0xa0)?;
    let mut strings = Der(Der(name.value(0xa1)?).value(SEQUENCE)?);
    let mut components = Vec::new();
    while !strings.0.is_empty() && components.len() < 9 {
        components.push(text(&mut strings)?);
    }
    let mut encrypted = Der(Der(ticket.value(0xa3)?).value(SEQUENCE)?);
    let enctype = integer(Der(encrypted.value(0xa0)?).value(INTEGER)?)?;
    let kvno = match encrypted.optional(0xa1) {
        Some(field) => Some(integer(Der(field).value(INTEGER)?)?),
        None => None,
    };
    Some(Ticket {
        service: Principal::new(components, realm)?,
        // RFC 4120 §5.2.4 has UInt32, and some write what does not fit as a negative number.
        kvno: kvno.map(i32::cast_unsigned),
        enctype: Enctype(enctype),
    })
}

/// A KerberosString: a GeneralString that is ASCII in practice, and UTF-8 where it is not.
fn text(der: &mut Der<'_>) -> Option<String> {
    const GENERAL_STRING: u8 = 0x1b;
    String::from_utf8(der.value(GENERAL_STRING)?.to_vec()).ok()
}

fn integer(octets: &[u8]) -> Option<i32> {
    let (first, more) = octets.split_first()?;
    // An unsigned number of 32 bits may have a zero before it.
    let more = if *first == 0 && more.len() == 4 {
        more
    } else {
        octets
    };
    if more.len() > 4 {
        return None;
    }
    let start = if *first & 0x80 == 0 { 0 } else { -1 };
    Some(
        more.iter()
            .fold(start, |number, octet| number << 8 | i32::from(*octet)),
    )
}

/// Values of DER, one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next value, which must have this tag.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag])?;
        let (length, rest) = match rest.split_first()? {
            (short @ ..0x80, rest) => (usize::from(*short), rest),
            (long @ 0x81..=0x83, rest) => {
                let (length, rest) = rest.split_at_checked(usize::from(long - 0x80))?;
                let length = length
                    .iter()
                    .fold(0, |length, octet| length << 8 | usize::from(*octet));
                (length, rest)
            }
            (0x80 | 0x84.., _) => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    /// The same, when the next value has this tag.
    fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&tag) {
            self.value(tag)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let contents = parts.concat();
        let length = contents.len();
        let mut value = vec![tag, 0x82];
        value.extend(u16::try_from(length).unwrap().to_be_bytes());
        value.extend(contents);
        value
    }

    /// A token for `pop/mail@R`, kvno as given, AES256.
    fn token(kvno: Option<&[u8]>) -> Vec<u8> {
        let text = |text: &str| der(0x1b, &[text.as_bytes()]);
        let name = der(0xa1, &[&der(SEQUENCE, &[&text("pop"), &text("mail")])]);
        let name = der(
            0xa2,
            &[&der(
                SEQUENCE,
                &[&der(0xa0, &[&der(INTEGER, &[&[2]])]), &name],
            )],
        );
        let kvno = kvno.map_or(Vec::new(), |kvno| der(0xa1, &[&der(INTEGER, &[kvno])]));
        let etype = der(0xa0, &[&der(INTEGER, &[&[18]])]);
        let cipher = der(0xa2, &[&der(OCTET_STRING, &[&[9; 300]])]);
        let part = der(0xa3, &[&der(SEQUENCE, &[&etype, &kvno, &cipher])]);
        let version = der(0xa0, &[&der(INTEGER, &[&[5]])]);
        let realm = der(0xa1, &[&text("R")]);
        let ticket = der(0x61, &[&der(SEQUENCE, &[&version, &realm, &name, &part])]);
        let ap_req = der(
            SEQUENCE,
            &[
                &version,
                &der(0xa1, &[&[2, 1, 14]]),
                &der(0xa2, &[&[3, 1, 0]]),
                &der(0xa3, &[&ticket]),
            ],
        );
        let ap_req = der(0x6e, &[&ap_req]);
        der(0x60, &[&der(OBJECT_IDENTIFIER, &[KRB5]), &AP_REQ, &ap_req])
    }

    fn spnego(token: &[u8]) -> Vec<u8> {
        let mechanisms = der(0xa0, &[&der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[KRB5])])]);
        let token = der(0xa2, &[&der(OCTET_STRING, &[token])]);
        let init = der(0xa0, &[&der(SEQUENCE, &[&mechanisms, &token])]);
        der(0x60, &[&der(OBJECT_IDENTIFIER, &[SPNEGO]), &init])
    }

    fn response(token: &[u8]) -> Vec<u8> {
        let state = der(0xa0, &[&der(0x0a, &[&[1]])]);
        let token = der(0xa2, &[&der(OCTET_STRING, &[token])]);
        der(0xa1, &[&der(SEQUENCE, &[&state, &token])])
    }

    #[test]
    fn a_ticket_says_whom_it_is_for_and_under_which_key() {
        let token = token(Some(&[3]));
        for token in [spnego(&token), response(&token), token] {
            let ticket = read(&token).unwrap();
            assert_eq!(ticket.service.to_string(), "pop/mail@R");
            assert_eq!((ticket.kvno, ticket.enctype), (Some(3), Enctype(18)));
        }
    }

    #[test]
    fn key_versions_have_up_to_thirty_two_bits() {
        for (octets, kvno) in [
            (&[0x7f][..], 127),
            (&[0, 0xff], 255),
            (&[1, 0, 0, 1], 0x0100_0001),
            (&[0, 0xff, 0xff, 0xff, 0xff], u32::MAX),
            (&[0xff], u32::MAX),
        ] {
            assert_eq!(read(&token(Some(octets))).unwrap().kvno, Some(kvno));
        }
        assert_eq!(read(&token(None)).unwrap().kvno, None);
        assert_eq!(read(&token(Some(&[1, 2, 3, 4, 5]))), None);
    }

    #[test]
    fn a_part_of_a_token_says_nothing() {
        let whole = token(Some(&[3]));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None, "{cut} octets");
        }
        assert_eq!(read(&spnego(b"NTLMSSP\0")), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(place in any::<proptest::sample::Index>(), octet in any::<u8>(), wrap in any::<bool>()) {
            let mut octets = token(Some(&[3]));
            if wrap {
                octets = spnego(&octets);
            }
            let place = place.index(octets.len());
            octets[place] = octet;
            let _ = read(&octets);
        }
    }
}
