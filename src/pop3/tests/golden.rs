//! The tables print themselves, and the print is reviewed: a change of behaviour shows as a line of
//! difference in `tests/golden/`. `POSTERN_BLESS=1` writes them anew.
#![expect(
    clippy::disallowed_methods,
    reason = "golden files are written on request"
)]

use super::{Offer, Played, open_offer, settings};
use crate::pop3::Next;
use crate::pop3::verb::{Legal, VERBS};

fn golden(name: &str, now: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("POSTERN_BLESS").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        now, then,
        "{path} differs: review it and run the test with POSTERN_BLESS=1"
    );
}

#[test]
fn verbs() {
    let mut text =
        String::from("verb  arguments                      legal in       logged  source\n");
    for row in VERBS {
        let legal = match row.legal {
            Legal::Authorization => "authorization",
            Legal::Both => "both",
            Legal::Transaction => "transaction",
        };
        let logged = if row.loggable { "whole" } else { "verb" };
        let (keyword, arguments, source) = (row.keyword, row.arguments, row.source);
        text.push_str(&format!(
            "{keyword:<5} {arguments:<30} {legal:<14} {logged:<7} {source}\n"
        ));
    }
    golden("verbs.txt", &text);
}

/// Every verb in every state: the class of the reply, and what the driver must do.
#[test]
fn states() {
    let clear = || {
        let offer = Offer {
            mechanisms: Vec::new(),
            password: false,
            starttls: true,
        };
        Played::new(settings(), offer)
    };
    let named = || {
        let mut played = Played::new(settings(), open_offer());
        played.line("USER alice");
        played
    };
    let states: [(&str, &dyn Fn() -> Played); 5] = [
        ("authorization, nothing permitted", &clear),
        ("authorization", &|| Played::new(settings(), open_offer())),
        ("authorization, after USER", &named),
        ("authenticating", &|| {
            let mut played = Played::new(settings(), open_offer());
            played.line("AUTH PLAIN");
            played
        }),
        ("transaction", &|| Played::logged_in(settings())),
    ];
    let mut text = String::new();
    for (name, state) in states {
        text.push_str(&format!("{name}\n"));
        for line in LINES {
            let turn = state().session.line(line.as_bytes(), false);
            text.push_str(&format!(
                "  {line:<22} {:<8} {}\n",
                class(&turn.reply),
                next(&turn.next)
            ));
        }
    }
    golden("states.txt", &text);
}

const LINES: [&str; 24] = [
    "",
    "APOP a b",
    "AUTH",
    "AUTH PLAIN",
    "AUTH PLAIN AGEAYg==",
    "*",
    "CAPA",
    "DELE 1",
    "LANG",
    "LIST",
    "LIST 1",
    "NOOP",
    "PASS x",
    "QUIT",
    "RETR 1",
    "RETR 9",
    "RSET",
    "STAT",
    "STLS",
    "TOP 1 0",
    "UIDL",
    "USER alice",
    "UTF8",
    "XYZZ",
];

fn class(reply: &[u8]) -> &'static str {
    match reply {
        [] => "-",
        [b'+', b' ', ..] => "+",
        [b'+', ..] => "+OK",
        _ => "-ERR",
    }
}

fn next(next: &Next) -> String {
    let word = match next {
        Next::Begin { .. } => "begin",
        Next::Close(ending) => return format!("close {ending:?}"),
        Next::Password { .. } => "password",
        Next::Read => "read",
        Next::Resume => "resume",
        Next::Retrieve { .. } => "retrieve",
        Next::StartTls => "start TLS",
        Next::Step(_) => "step",
        Next::Update(_) => "update",
    };
    word.to_owned()
}
