//! Delegate access seen by strangers: their clients get in, refusals tell nothing, and the log names
//! both (\[MS-OXPOP3\] 2.2.2, RFC 4616 §2, RFC 5802 §5.1).

use std::process::Command;
use std::time::Duration;

use crate::wire::client::Client;
use crate::wire::clock::timed;
use crate::wire::house::House;
use crate::wire::postern::{Setup, start};
use crate::wire::text::base64;

/// dan may open alice's mailbox, and neither paula's nor one that is not there. What he is refused
/// for, the password, and what the log says of it: as whom dan is named, and the reason.
const REFUSED: [(&str, &str, &str, &str); 3] = [
    ("paula", "delegate dan", "delegate", "no-right"),
    ("nosuch", "delegate dan", "delegate", "unknown-mailbox"),
    ("alice", "not his", "account", "wrong-password"),
];

const DELAY: Duration = Duration::from_millis(150);
const ROUNDS: usize = 7;

fn open() -> House {
    start(
        &Setup::new()
            .set("login.mechanisms", "[\"PLAIN\"]")
            .set("login.attempts", "100")
            .set("login.failures_per_account", "0")
            .set("login.failures_per_source", "0")
            .set("login.refusal_delay", "\"150ms\""),
    )
}

fn user(client: &mut Client, mailbox: &str, password: &str) -> String {
    let said = client.ask(&format!("USER dan@example.test/{mailbox}"));
    assert!(said.starts_with("+OK"), "{mailbox}: {said}");
    client.ask(&format!("PASS {password}"))
}

fn plain(client: &mut Client, mailbox: &str, password: &str) -> String {
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    client.ask(&base64(format!("{mailbox}\0dan\0{password}").as_bytes()))
}

/// One refusal of each kind, several times: all are alike in words, and none is told by its time.
fn assert_alike(house: &House, attempt: fn(&mut Client, &str, &str) -> String) {
    let mut times = vec![Vec::new(); REFUSED.len()];
    let mut words = Vec::new();
    for _ in 0..ROUNDS {
        for ((mailbox, password, ..), times) in REFUSED.iter().zip(&mut times) {
            let mut client = house.client();
            let (said, time) = timed(|| attempt(&mut client, mailbox, password));
            words.push(said);
            times.push(time);
        }
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].starts_with("-ERR [AUTH]"), "{words:?}");
    let medians = times.iter_mut().map(|times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = medians.collect();
    let (least, most) = (medians.iter().min(), medians.iter().max());
    let (least, most) = (*least.expect("kinds"), *most.expect("kinds"));
    assert!(least >= DELAY, "{medians:?}");
    // The noise of a busy machine.
    assert!(most < least + Duration::from_millis(25), "{medians:?}");
    for (mailbox, _, role, reason) in REFUSED {
        let named = [
            format!("\"{role}\":\"dan\""),
            format!("\"mailbox\":\"{mailbox}\""),
            format!("\"reason\":\"{reason}\""),
        ];
        house.logged(&named.each_ref().map(String::as_str));
    }
}

#[test]
fn a_refused_delegate_at_user_is_told_nothing() {
    assert_alike(&open(), user);
}

#[test]
fn a_refused_delegate_by_plain_is_told_nothing() {
    assert_alike(&open(), plain);
}

/// Python's poplib with USER and PASS; what it says.
fn poplib(house: &House, user: &str) -> String {
    let script = "import poplib, sys\n\
        box = poplib.POP3('127.0.0.1', int(sys.argv[1]))\n\
        try:\n    box.user(sys.argv[2]); box.pass_('delegate dan')\n    print(box.stat()[0])\n\
        except poplib.error_proto as error: print(error)\n";
    let port = house.clear.port().to_string();
    let output = Command::new("python3")
        .args(["-c", script, &port, user])
        .output()
        .expect("python3");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// curl with the mailbox as the authorization identity of PLAIN; its exit code and listing.
fn curl(house: &House, mailbox: &str) -> (Option<i32>, String) {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--max-time",
            "30",
            "--login-options",
            "AUTH=PLAIN",
        ])
        .args(["--sasl-authzid", mailbox, "--user", "dan:delegate dan"])
        .arg(format!("pop3://{}/", house.clear))
        .output()
        .expect("curl");
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), listing)
}

#[test]
fn clients_of_others_open_a_mailbox_as_delegates() {
    let house = open();
    for form in [
        "example.test/dan/alice",
        "example.test/dan/alice@example.test",
        "dan@example.test/alice",
        "DAN@EXAMPLE.TEST/Alice@example.test",
    ] {
        assert_eq!(poplib(&house, form), "2", "{form}");
        house.logged(&[
            "\"account\":\"alice\"",
            "\"delegate\":\"dan\"",
            "\"outcome\":\"granted\"",
        ]);
    }
    let (no_right, nobody) = (
        poplib(&house, "dan@example.test/paula"),
        poplib(&house, "dan@example.test/nosuch"),
    );
    assert!(no_right.contains("-ERR"), "{no_right}");
    assert_eq!(no_right, nobody);
    let (code, listing) = curl(&house, "alice");
    assert_eq!((code, listing.lines().count()), (Some(0), 2), "{listing}");
    // 67: the server denied the login.
    for mailbox in ["paula", "nosuch"] {
        assert_eq!(
            curl(&house, mailbox),
            (Some(67), String::new()),
            "{mailbox}"
        );
    }
}
