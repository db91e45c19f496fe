//! NTLMv1, which is all that fetchmail, mpop, mutt and nmh can do: refused, with the remedy in the log; and let in
//! where an administrator says so.

use std::os::unix::fs::PermissionsExt as _;

use crate::exchange::{WELCOME, login};
use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::tool::Tool;
use crate::lab::world::ALICE;
use crate::speaker::{Login, Python};
use crate::stage::Stage;

/// The listeners, of which the first takes NTLMv1 from this network.
fn accepting(network: &str) -> Stage {
    Stage::open_with(|lab| {
        let listener = |more: &str| format!(r#"{{ address = "{}:0", {more} }}"#, lab.address);
        let listeners = [
            listener(&format!(
                r#"tls = "starttls", accept_ntlmv1 = ["{network}"]"#
            )),
            listener(r#"tls = "starttls""#),
            listener(r#"tls = "implicit""#),
        ];
        vec![("listener".to_owned(), format!("[{}]", listeners.join(",")))]
    })
}

/// The record of the refusal names the client, and what to do.
fn assert_told(stage: &Stage) {
    let record = stage.server.told("login", &["\"reason\":\"ntlmv1\""]);
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let field = |name: &str| record["fields"][name].as_str().unwrap_or_default();
    assert!(field("address").starts_with("127."), "{record}");
    assert!(field("login").to_lowercase().contains("alice"), "{record}");
    assert_eq!(field("ntlm"), "v1", "{record}");
    // A record of its own says what to do; it may come a moment later.
    until("the remedy in the log", || {
        let log = stage.server.daemon.log();
        log.contains("accept_ntlmv1").then_some(())
    });
}

fn fetchmail(stage: &Stage) -> std::process::Output {
    let address = stage.server.doors.plain;
    let rc = format!(
        "set no bouncemail\npoll {} protocol POP3 port {} auth ntlm\n  user 'alice' password '{}' sslproto ''\n  fetchall keep mda '/bin/cat'\n",
        address.ip(),
        address.port(),
        ALICE.password
    );
    let path = stage.lab.write("fetchmailrc", rc);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    Tool::new(&stage.lab, "fetchmail")
        .args(["--nosyslog", "--nodetach", "-v", "-v", "-f"])
        .arg(&path)
        .output()
}

fn mpop(stage: &Stage) -> std::process::Output {
    let address = stage.server.doors.plain;
    Tool::new(&stage.lab, "mpop")
        .args(["--host", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .args(["--user=alice", "--auth=ntlm", "--tls=off", "--keep=on"])
        .arg(format!("--passwordeval=echo {}", ALICE.password))
        .args(["--delivery", "mbox,/dev/null"])
        .output()
}

#[test]
fn fetchmail_is_refused_and_the_log_names_the_remedy() {
    let stage = Stage::open(&[]);
    let output = fetchmail(&stage);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("AUTH NTLM"), "{said}");
    // 3 is fetchmail's word for a refused login.
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_told(&stage);
}

#[test]
fn mpop_is_refused_and_the_log_names_the_remedy() {
    let stage = Stage::open(&[]);
    assert!(!mpop(&stage).status.success());
    assert_told(&stage);
}

#[test]
fn they_are_let_in_from_a_network_that_is_excepted() {
    let stage = accepting("127.0.0.0/8");
    // 1 is fetchmail's word for a mailbox without mail.
    assert_eq!(fetchmail(&stage).status.code(), Some(1));
    assert!(mpop(&stage).status.success());
    stage
        .server
        .told("login", &["granted", "\"ntlm\":\"v1\"", "alice"]);
}

/// Each form of it, as a library makes it: without and with the session security of NTLM2.
#[test]
fn an_exception_is_for_its_listener_and_its_network_alone() {
    for level in ["0", "1"] {
        let mut speaker = Python::at_level(level, Login::new("HOUSE\\alice", ALICE.password));
        let stage = accepting("127.0.0.0/8");
        assert_eq!(
            login(&mut stage.client(), &mut speaker),
            WELCOME,
            "level {level}"
        );
        let mut other = Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki);
        assert!(
            login(&mut other, &mut speaker).starts_with("-ERR"),
            "level {level}"
        );
        let stage = accepting("10.0.0.0/8");
        assert!(
            login(&mut stage.client(), &mut speaker).starts_with("-ERR"),
            "level {level}"
        );
        assert_told(&stage);
        speaker.login.password = "wrong".to_owned();
        let stage = accepting("127.0.0.0/8");
        assert!(
            login(&mut stage.client(), &mut speaker).starts_with("-ERR"),
            "level {level}"
        );
        stage.server.told("login", &["wrong-password"]);
    }
}
