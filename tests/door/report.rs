//! `postern report auth` on the log that a server wrote.

use std::io::Write as _;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::wire::house::House;
use crate::wire::postern::{Setup, start, start_on, users};

/// What the report says of the log of three logins: one in clear text, one under TLS, one refused.
fn report(arguments: &[&str]) -> String {
    let house = start(&Setup::new());
    assert!(house.session("alice").ask("QUIT").starts_with("+OK"));
    let mut safe = house.tls_client();
    assert!(safe.ask("USER paula").starts_with("+OK"));
    assert!(safe.ask("PASS two of us").starts_with("+OK"));
    let mut wrong = house.client();
    assert!(wrong.ask("USER alice\"account=\"root").starts_with("+OK"));
    assert!(wrong.ask("PASS wrong").starts_with("-ERR"));
    house.logged(&["unknown-user"]);
    report_of(&house, arguments)
}

/// What the report says of the log of a server, which ends.
fn report_of(house: &House, arguments: &[&str]) -> String {
    let log = house.log.lock().expect("the log").join("\n");
    house.signal(Signal::SIGTERM);
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["report", "auth"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(log.as_bytes()).expect("writing");
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_password_in_clear_text_is_reported() {
    let said = report(&[]);
    assert!(said.starts_with("3 attempts"), "{said}");
    let clear = said.split_once("Logins in clear text").expect("a table").1;
    let rows: Vec<_> = clear.lines().skip(2).collect();
    assert_eq!(rows.len(), 1, "{said}");
    let cells: Vec<_> = rows[0].split_whitespace().collect();
    assert_eq!(cells[..4], ["alice", "127.0.0.1", "USER", "1"], "{said}");
}

#[test]
fn the_report_is_there_for_programs_too() {
    let said = report(&["--json", "--since", "1h"]);
    assert!(said.contains(r#""attempts":3"#), "{said}");
    assert!(
        said.contains(r#""kind":"cleartext","account":"alice""#),
        "{said}"
    );
    let said = report(&["--json", "--since", "0s"]);
    assert!(said.contains(r#""attempts":0"#), "{said}");
}

/// curl logs in by NTLM; whether it got in.
fn curl_by_ntlm(url: &str, password: &str) -> bool {
    Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "30"])
        .args(["--login-options", "AUTH=NTLM", "--user"])
        .args([&format!("alice:{password}"), url])
        .stdout(Stdio::null())
        .status()
        .expect("curl")
        .success()
}

#[test]
fn logins_by_ntlm_are_reported_with_what_would_refuse_them() {
    let setup = Setup::new()
        .set("login.mechanisms", "[\"NTLM\"]")
        .set("ntlm.mode", "\"audit\"");
    let house = start_on(&setup, |ground| {
        // alice's name, and the NT hash of her password, which curl proves to know.
        let hash = "name = \"alice\"\nnt_hash = \"cfc43211ba8dc470832267827cac1407\"";
        ground.secret("users.toml", &users().replace("name = \"alice\"", hash));
    });
    assert!(curl_by_ntlm(
        &format!("pop3://{}/", house.clear),
        "correct horse"
    ));
    assert!(curl_by_ntlm(
        &format!("pop3s://{}/", house.implicit),
        "correct horse"
    ));
    assert!(!curl_by_ntlm(&format!("pop3://{}/", house.clear), "wrong"));
    house.logged(&["wrong-password"]);
    let said = report_of(&house, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&report["attempts"], &report["granted"][0]["logins"]),
        (&3.into(), &2.into())
    );
    let uses = report["uses"].as_array().expect("a list");
    let times = |kind: &str| {
        let one = uses.iter().find(|one| one["kind"] == kind);
        let one = one.unwrap_or_else(|| panic!("{kind}: {said}"));
        assert_eq!(
            (&one["account"], &one["address"]),
            (&"alice".into(), &"127.0.0.1".into())
        );
        assert!(one["machine"].is_string(), "{said}");
        (one["times"].as_u64(), one["refused"].as_u64())
    };
    assert_eq!(times("ntlm"), (Some(2), Some(0)));
    assert_eq!(times("ntlm-off"), (Some(2), Some(0)));
    // The one in clear text could not be bound either.
    assert_eq!(times("no-channel-binding"), (Some(2), Some(0)));
    assert_eq!(times("cleartext"), (Some(1), Some(0)));
}
