//! Names that are meant to lead somewhere else, and clients that do not behave.

use crate::wire::client::Client;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start};
use crate::wire::text::base64;

/// Each of them has led a mail server somewhere.
const NAMES: [&str; 16] = [
    "../paula",
    "../../../../etc",
    ".",
    "..",
    "/",
    "/etc/passwd",
    "paula/../alice",
    "%{user}",
    "%u",
    "${alice}",
    "{user}",
    "*",
    "*)(uid=*",
    "alice' OR '1'='1",
    "\u{202e}ecila",
    "al\u{ad}ice",
];

#[test]
fn no_name_is_a_path_or_a_pattern() {
    let house = start(
        &Setup::new()
            .set("login.attempts", "100")
            .set("login.failures_per_source", "0"),
    );
    let mut client = house.client();
    client.ask("USER alice");
    let wrong = client.ask("PASS wrong");
    for name in NAMES {
        client.ask(&format!("USER {name}"));
        // `USER` may refuse a name that is not ASCII; then PASS is refused as well.
        let answer = client.ask("PASS correct horse");
        assert!(
            answer == wrong || (!name.is_ascii() && answer.starts_with("-ERR")),
            "{name}: {answer}"
        );
        client.ask("AUTH PLAIN");
        let answer = client.ask(&base64(format!("\0{name}\0correct horse").as_bytes()));
        assert_eq!(answer, wrong, "{name}");
        client.ask("AUTH PLAIN");
        let answer = client.ask(&base64(format!("{name}\0alice\0correct horse").as_bytes()));
        assert_eq!(answer, wrong, "as {name}");
    }
    let long = "n".repeat(8000);
    client.ask("AUTH PLAIN");
    assert_eq!(
        client.ask(&base64(format!("\0{long}\0x").as_bytes())),
        wrong
    );
    let left: Vec<_> = std::fs::read_dir(house.ground.path("mail"))
        .expect("the mail")
        .collect();
    assert_eq!(
        left.len(),
        crate::wire::fixture::USERS.len(),
        "a folder was made"
    );
}

#[test]
fn a_client_that_stops_in_the_middle_of_anything_harms_nobody() {
    let house = start(&Setup::new());
    let pieces = [
        "U",
        "USER",
        "USER alice\r",
        "USER alice\r\nPASS",
        "AUTH PLAIN\r\nAGF",
        "STLS\r",
        "CAPA\r\nQU",
        "*\r\n",
    ];
    for piece in pieces {
        for reset in [false, true] {
            let mut client = house.client();
            client.send(piece.as_bytes()).expect("sending");
            Box::new(client).hang_up(reset);
        }
    }
    let mut session = house.session("alice");
    assert!(session.ask("STAT").starts_with("+OK 2 "));
}

#[test]
fn every_octet_gets_one_answer_as_a_command() {
    let house = start(&Setup::new());
    for octet in 0..=u8::MAX {
        if octet == b'\n' {
            continue;
        }
        let mut client = Client::connect(house.clear).expect("connecting");
        assert!(client.answer().starts_with("+OK"));
        client.send(&[octet, octet, b'\r', b'\n']).expect("sending");
        assert!(client.answer().starts_with("-ERR"), "octet {octet:#04x}");
        assert!(client.ask("QUIT").starts_with("+OK"), "octet {octet:#04x}");
    }
}
