//! What a scanner learns before a login: the names that are configured, and no more.

use std::collections::BTreeMap;

use crate::lab::tool::Tool;
use crate::stage::Stage;

/// What nmap's script `pop3-ntlm-info` reports.
fn scan(stage: &Stage) -> BTreeMap<String, String> {
    let report = report(stage);
    assert!(report.contains("pop3-ntlm-info"), "{report}");
    let lines = report.lines().filter_map(|line| {
        let (name, value) = line
            .strip_prefix('|')?
            .trim_start_matches('_')
            .split_once(": ")?;
        (!value.is_empty()).then(|| (name.trim().to_owned(), value.to_owned()))
    });
    lines.collect()
}

fn report(stage: &Stage) -> String {
    let door = stage.server.doors.plain;
    // The plus makes nmap run the script at a port that is not 110.
    let report = Tool::new(&stage.lab, "nmap")
        .args(["-Pn", "-n", "--script", "+pop3-ntlm-info"])
        .args(["-p", &door.port().to_string(), &door.ip().to_string()])
        .run();
    String::from_utf8(report).expect("text")
}

fn expect(stage: &Stage, expected: &[(&str, &str)]) {
    let expected = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(scan(stage), expected);
}

/// Out of the box it is the host's name, which the greeting and the certificate tell too.
#[test]
fn a_scanner_learns_what_is_configured() {
    let stage = Stage::open(&[("ntlm.domain", r#""HOUSE""#)]);
    expect(
        &stage,
        &[
            ("Target_Name", "HOUSE"),
            ("NetBIOS_Domain_Name", "HOUSE"),
            ("NetBIOS_Computer_Name", "POP"),
            ("DNS_Computer_Name", "pop.example.test"),
        ],
    );
}

#[test]
fn the_names_need_not_be_true() {
    let stage = Stage::open(&[
        ("ntlm.domain", r#""NOWHERE""#),
        ("ntlm.computer", r#""NOBODY""#),
        ("ntlm.dns_domain", r#""nowhere.invalid""#),
        ("ntlm.dns_computer", r#""nobody.invalid""#),
    ]);
    expect(
        &stage,
        &[
            ("Target_Name", "NOWHERE"),
            ("NetBIOS_Domain_Name", "NOWHERE"),
            ("NetBIOS_Computer_Name", "NOBODY"),
            ("DNS_Domain_Name", "nowhere.invalid"),
            ("DNS_Tree_Name", "nowhere.invalid"),
            ("DNS_Computer_Name", "nobody.invalid"),
        ],
    );
}

/// Where NTLM is off there is nothing to be learned.
#[test]
fn a_scanner_learns_nothing_where_it_is_off() {
    let stage = Stage::open(&[("ntlm.mode", r#""off""#)]);
    let report = report(&stage);
    assert!(!report.contains("NetBIOS"), "{report}");
}
