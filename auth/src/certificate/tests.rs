//! Certificates of every kind, made for the test.

use rcgen::{CertificateParams, KeyPair, OtherNameValue, SanType, date_time_ymd};

use super::*;

/// The middle of 2026.
pub(crate) const NOW: i64 = 1_782_000_000;

/// A certificate for some names, valid from 2020 to the end of a year.
pub(crate) fn certificate(emails: &[&str], upns: &[&str], until: i32) -> Vec<u8> {
    let mut params = CertificateParams::default();
    let email = |name: &&str| SanType::Rfc822Name((*name).try_into().unwrap());
    let upn = |name: &&str| {
        let value = OtherNameValue::Utf8String((*name).to_owned());
        SanType::OtherName((vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3], value))
    };
    params.subject_alt_names = emails
        .iter()
        .map(email)
        .chain(upns.iter().map(upn))
        .collect();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 12, 31);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn names_of_both_kinds_are_read_and_words_are_not() {
    let der = certificate(
        &["Alice@Example.test", "admin", "@x", "corp\\a@b"],
        &["alice@corp.test", "root"],
        2099,
    );
    let names = read(&der, NOW).unwrap();
    assert_eq!(names.email, ["Alice@Example.test"]);
    assert_eq!(names.upn, ["alice@corp.test"]);
    assert_eq!(
        read(&certificate(&[], &[], 2099), NOW),
        Ok(Names::default())
    );
}

#[test]
fn a_certificate_before_or_after_its_time_is_nobodys() {
    let der = certificate(&["a@b"], &[], 2025);
    assert_eq!(read(&der, NOW), Err(Unfit::NotValidNow));
    assert_eq!(read(&der, 1_000_000_000), Err(Unfit::NotValidNow));
    assert!(read(&der, 1_700_000_000).is_ok());
    assert_eq!(read(&der, i64::MAX), Err(Unfit::NotValidNow));
}

#[test]
fn what_is_no_certificate_is_nobodys() {
    let mut der = certificate(&["a@b"], &[], 2099);
    for end in [0, 1, 10, der.len() - 1] {
        assert_eq!(read(&der[..end], NOW), Err(Unfit::Unreadable), "{end}");
    }
    der.push(0);
    assert_eq!(read(&der, NOW), Err(Unfit::Unreadable));
}

#[test]
fn only_so_many_names_are_looked_at() {
    let many: Vec<String> = (0..40).map(|number| format!("a{number}@b")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let names = read(&certificate(&many, &[], 2099), NOW).unwrap();
    assert_eq!(names.email.len(), MAX_NAMES);
}

#[test]
fn a_fingerprint_may_have_colons() {
    let fingerprint = Fingerprint::of(b"some octets");
    let text = fingerprint.to_string();
    assert_eq!(Fingerprint::parse(&text), Some(fingerprint));
    let digits = text.strip_prefix("sha256:").unwrap().to_uppercase();
    let pairs: Vec<&str> = (0..32).map(|at| &digits[2 * at..2 * at + 2]).collect();
    let colons = format!("sha256:{}", pairs.join(":"));
    assert_eq!(Fingerprint::parse(&colons), Some(fingerprint));
    for odd in [
        "",
        "sha256:",
        &digits,
        &text[..70],
        "sha1:00",
        &format!("{text}0"),
    ] {
        assert_eq!(Fingerprint::parse(odd), None, "{odd}");
    }
    assert_eq!(
        Fingerprint::parse(&format!("sha256:{}", "é".repeat(32))),
        None
    );
}
