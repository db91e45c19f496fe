//! The engine's tables print themselves, and the print is reviewed: a change of behaviour shows as a
//! line of difference in `tests/golden/`. `POSTERN_BLESS=1` writes them anew.
#![expect(
    clippy::disallowed_methods,
    reason = "outside the server: golden files are read, and written on request"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot write fails")]

use std::sync::Arc;

use postern::pop3::verb::{Legal, VERBS};
use postern::pop3::{Next, Offer, Order, Profile, Session, Settings, Utf8};
use postern::store::Listing;

fn settings() -> Settings {
    Settings {
        profile: Profile::Postern,
        greeting: "Postern is ready.".to_owned(),
        max_command: 512,
        max_response: 96 * 1024,
        long_initial_response: true,
        response_codes: true,
        pipelining: true,
        order: Order::Ascending,
        utf8: Utf8::On,
        lang: true,
    }
}

/// A session on a channel that permits PLAIN, USER and PASS, or nothing before STLS.
fn session(permits: bool) -> Session {
    let offer = Offer {
        mechanisms: if permits {
            vec!["PLAIN".to_owned()]
        } else {
            Vec::new()
        },
        password: permits,
        starttls: !permits,
    };
    Session::new(Arc::new(settings()), offer)
}

/// A session to which these lines were said.
fn after(lines: &[&str]) -> Session {
    let mut session = session(true);
    for line in lines {
        let turn = session.line(line.as_bytes(), false);
        if let Next::Begin {
            initial_response: None,
            ..
        } = turn.next
        {
            session.challenged(b"");
        }
    }
    session
}

/// A session in TRANSACTION, with three messages.
fn logged_in() -> Session {
    let mut session = after(&["AUTH PLAIN AGEAYg=="]);
    let mut listing = Listing::default();
    for uid in [7, 9, 12] {
        listing.push(100, uid, None);
    }
    session.opened(Arc::new(listing));
    session
}

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
    let states: [(&str, &dyn Fn() -> Session); 5] = [
        ("authorization, nothing permitted", &|| session(false)),
        ("authorization", &|| session(true)),
        ("authorization, after USER", &|| after(&["USER alice"])),
        ("authenticating", &|| after(&["AUTH PLAIN"])),
        ("transaction", &logged_in),
    ];
    let mut text = String::new();
    for (name, state) in states {
        text.push_str(&format!("{name}\n"));
        for line in LINES {
            let turn = state().line(line.as_bytes(), false);
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
