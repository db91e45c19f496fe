//! The one question that a KDC answers to everybody, and says its time: a ticket for a client that it does
//! not know (RFC 4120 §5.4.1, §5.9.1). Nobody is locked out by it.

use x509_parser::asn1_rs::{Any, FromDer as _, GeneralizedTime, Tag};

/// Whom no realm has.
const NOBODY: &str = "postern-doctor";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const GENERALIZED_TIME: u8 = 0x18;
const GENERAL_STRING: u8 = 0x1b;
const SEQUENCE: u8 = 0x30;
/// \[APPLICATION 10\]: AS-REQ.
const AS_REQ: u8 = 0x6a;
/// \[APPLICATION 11\]: AS-REP.
const AS_REP: u32 = 11;
/// \[APPLICATION 30\]: KRB-ERROR.
const KRB_ERROR: u32 = 30;

/// What a KDC said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An error, with its time in milliseconds since 1970.
    At(i64),
    /// A ticket: somebody is called so. The time is not to be read.
    Ticket,
}

/// The question, for the KDCs of this realm.
pub(super) fn request(realm: &str) -> Vec<u8> {
    let name = |kind: u8, words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| string(word)).collect();
        let words = der(SEQUENCE, &words.concat());
        let kind = der(INTEGER, &[kind]);
        der(SEQUENCE, &[field(0, &kind), field(1, &words)].concat())
    };
    let types = [der(INTEGER, &[18]), der(INTEGER, &[17])].concat();
    let body = [
        // No options.
        field(0, &der(BIT_STRING, &[0; 5])),
        // NT-PRINCIPAL, and NT-SRV-INST.
        field(1, &name(1, &[NOBODY])),
        field(2, &string(realm)),
        field(3, &name(2, &["krbtgt", realm])),
        // As long as the KDC likes.
        field(5, &der(GENERALIZED_TIME, b"19700101000000Z")),
        // A nonce keeps replies apart, and there is one alone.
        field(7, &der(INTEGER, &[1])),
        field(8, &der(SEQUENCE, &types)),
    ];
    let (version, kind) = (der(INTEGER, &[5]), der(INTEGER, &[10]));
    let body = field(4, &der(SEQUENCE, &body.concat()));
    let request = [field(1, &version), field(2, &kind), body].concat();
    der(AS_REQ, &der(SEQUENCE, &request))
}

/// Reads a reply; none when it is not of a KDC.
pub(super) fn reply(octets: &[u8]) -> Option<Reply> {
    let (_, outer) = Any::from_der(octets).ok()?;
    match outer.header.tag().0 {
        AS_REP => Some(Reply::Ticket),
        KRB_ERROR => {
            let (_, fields) = Any::from_der(outer.data).ok()?;
            let seconds = inside(fields.data, 4)?.generalizedtime().ok()?;
            let microseconds = inside(fields.data, 5)?.u32().ok()?;
            Some(Reply::At(milliseconds(&seconds, microseconds)?))
        }
        _ => None,
    }
}

fn milliseconds(seconds: &GeneralizedTime, microseconds: u32) -> Option<i64> {
    let seconds = seconds.utc_datetime().ok()?.unix_timestamp();
    seconds
        .checked_mul(1000)?
        .checked_add(i64::from(microseconds / 1000))
}

/// What is in the field of this number of a sequence.
fn inside(mut fields: &[u8], number: u32) -> Option<Any<'_>> {
    while let Ok((rest, field)) = Any::from_der(fields) {
        if field.header.tag() == Tag(number) {
            return Any::from_der(field.data).ok().map(|(_, value)| value);
        }
        fields = rest;
    }
    None
}

fn string(text: &str) -> Vec<u8> {
    der(GENERAL_STRING, text.as_bytes())
}

fn field(number: u8, contents: &[u8]) -> Vec<u8> {
    der(0xa0 | number, contents)
}

/// Lengths up to 65,535 octets, which no realm's name reaches.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap_or(u16::MAX);
    let mut value = vec![tag];
    match (u8::try_from(length), length.to_be_bytes()) {
        (Ok(short @ ..0x80), _) => value.push(short),
        (_, [high, low]) => value.extend([0x82, high, low]),
    }
    value.extend(contents);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(seconds: &[u8], microseconds: &[u8]) -> Vec<u8> {
        let fields = [
            field(0, &der(INTEGER, &[5])),
            field(1, &der(INTEGER, &[30])),
            field(4, &der(GENERALIZED_TIME, seconds)),
            field(5, &der(INTEGER, microseconds)),
            field(6, &der(INTEGER, &[6])),
        ];
        der(0x7e, &der(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_time_of_an_error_is_read() {
        let whole = error(b"20260308120001Z", &[0x07, 0xa1, 0x20]);
        assert_eq!(reply(&whole), Some(Reply::At(1_772_971_201_500)));
        for cut in 0..whole.len() {
            assert_eq!(reply(&whole[..cut]), None, "{cut} octets");
        }
        assert_eq!(reply(&error(b"yesterday", &[0])), None);
        assert_eq!(reply(&der(0x6b, &[])), Some(Reply::Ticket));
        assert_eq!(reply(b"HTTP/1.1 400"), None);
        assert_eq!(reply(b"\x7e\x82\xff\xff\x30"), None);
    }
}
