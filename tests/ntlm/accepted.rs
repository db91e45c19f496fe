//! What must not be refused: every form of message that honest clients send, with the right password.

use crate::by_hand::Hand;
use crate::exchange::{WELCOME, let_in};
use crate::lab::world::CAROL;
use crate::message::{FIELDS, Field, Message, flag, pair, utf16};
use crate::stage::{Stage, alice};

fn unkept() -> Hand {
    Hand {
        code: false,
        ..alice()
    }
}

fn named(user: &str, domain: &str) -> Hand {
    Hand {
        user: user.into(),
        domain: domain.into(),
        ..alice()
    }
}

/// What the client does, and its message.
struct Row(&'static str, fn() -> Hand, fn(&mut Message));

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row("nothing special", alice, |_| ()),
    Row("the longest lengths are nonsense", unkept, |message| {
        FIELDS
            .iter()
            .for_each(|field| message.set_u16(*field as usize + 2, 0xbeef));
    }),
    Row("an empty field points nowhere", unkept, |message| message.describe(Field::Key, 0, 0xffff_fff0)),
    Row("no version and no code", || Hand { header: 64, ..unkept() }, |_| ()),
    Row("a version and no code", || Hand { header: 72, ..unkept() }, |_| ()),
    Row("room for a code and none promised", unkept, |_| ()),
    Row("an empty LM response", unkept, |message| message.describe(Field::Lm, 0, 0)),
    Row("fields in the place of others", unkept, |message| {
        // Two names that are the same need not stand there twice.
        let user = message.place(Field::User);
        message.describe(Field::Workstation, user.len(), user.start);
    }),
    Row("nothing behind the end of the pairs", || Hand { tail: Vec::new(), ..alice() }, |_| ()),
    Row("much behind the end of the pairs", || Hand { tail: vec![0x2a; 500], ..alice() }, |_| ()),
    Row("flags of AUTHENTICATE that say nothing", unkept, |message| message.set_u32(60, 0)),
    Row("an unknown pair", || Hand { pairs: vec![(42, vec![1, 2, 3])], ..alice() }, |_| ()),
    Row("a session key that nobody asked for", || Hand { key: Some(vec![9; 16]), ..unkept() }, |_| ()),
    Row("signing", || Hand { flags: alice().flags | flag::SIGN, ..alice() }, |_| ()),
    Row("sealing and a session key", || Hand {
        flags: alice().flags | flag::SEAL | flag::KEY_EXCHANGE | flag::KEY_128 | flag::KEY_56, ..alice() }, |_| ()),
    Row("key exchange without signing", || Hand { flags: alice().flags | flag::KEY_EXCHANGE, ..alice() }, |_| ()),
    Row("OEM text", || Hand { flags: (alice().flags & !flag::UNICODE) | flag::OEM, ..alice() }, |_| ()),
    Row("no NTLM2 session security", || Hand {
        flags: alice().flags & !flag::EXTENDED_SESSION_SECURITY, ..alice() }, |_| ()),
    Row("a clock 35 hours ahead", || Hand { ahead: 35 * 3600, ..alice() }, |_| ()),
    Row("a clock 35 hours behind", || Hand { ahead: -35 * 3600, ..alice() }, |_| ()),

    // Names.
    Row("the user in capitals", || named("ALICE", "HOUSE"), |_| ()),
    Row("the domain in small letters", || named("alice", "house"), |_| ()),
    Row("no domain", || named("alice", ""), |_| ()),
    Row("the server as the domain", || named("alice", "POP"), |_| ()),
    Row("a domain that is hashed as if there were none", || Hand {
        hashed_domain: Some(String::new()), ..alice() }, |_| ()),
    Row("a domain that is hashed in capitals", || Hand {
        domain: "house".into(), hashed_domain: Some("HOUSE".into()), ..alice() }, |_| ()),
    Row("an alias with a realm", || named("alice@example.test", ""), |_| ()),
];

#[test]
fn honest_clients_are_let_in() {
    let mut stage = Stage::open(&[]);
    let mut refused = Vec::new();
    for Row(what, hand, edit) in ROWS {
        let said = stage.hand(hand(), *edit);
        if said != WELCOME {
            let why = stage.server.told("login", &["NTLM"]);
            refused.push(format!("{what}: {said}\n    {why}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// The upper case of a name is Windows': one character for one, and none for what has none.
#[test]
fn names_outside_ascii_are_found() {
    let mut stage = Stage::open(&[]);
    let hand = Hand::new(CAROL.name, "", CAROL.password);
    assert_eq!(stage.hand(hand, |_| ()), WELCOME);
    let hand = Hand {
        user: "JÖRG".into(),
        domain: String::new(),
        password: "Öl und Grieß".into(),
        ..alice()
    };
    assert_eq!(stage.hand(hand, |_| ()), WELCOME);
}

/// `ntlm.require_mic` refuses who keeps no integrity, and nobody else.
#[test]
fn an_integrity_code_may_be_demanded() {
    let mut stage = Stage::open(&[("ntlm.require_mic", "true")]);
    assert_eq!(stage.edited(|_| ()), WELCOME);
    assert!(stage.hand(unkept(), |_| ()).starts_with("-ERR"));
    stage.server.told("login", &["no-mic", "alice"]);
}

/// `ntlm.targets`: a client that meant another service is refused, unless it says that it does not know.
#[test]
fn the_target_name_is_looked_at() {
    let mut stage = Stage::open(&[("ntlm.targets", r#"["pop/pop.example.test"]"#)]);
    let meant = |name: &str| Hand {
        pairs: vec![(pair::TARGET_NAME, utf16(name))],
        ..alice()
    };
    assert_eq!(stage.edited(|_| ()), WELCOME);
    for name in ["pop/pop.example.test", "POP/pop.EXAMPLE.test", ""] {
        assert_eq!(stage.hand(meant(name), |_| ()), WELCOME, "{name:?}");
    }
    for name in [
        "cifs/pop.example.test",
        "pop/evil.test",
        "pop/pop.example.test.evil",
    ] {
        assert!(
            stage.hand(meant(name), |_| ()).starts_with("-ERR"),
            "{name}"
        );
    }
    let mut untrusted = meant("cifs/elsewhere");
    untrusted.pairs.push((pair::FLAGS, vec![2 | 4, 0, 0, 0]));
    assert_eq!(stage.hand(untrusted, |_| ()), WELCOME);
}

/// The window of time is a setting, and 0 switches it off.
#[test]
fn the_window_of_time_is_a_setting() {
    let ahead = |ahead| Hand { ahead, ..alice() };
    let mut narrow = Stage::open(&[("ntlm.max_skew", r#""5m""#)]);
    assert_eq!(narrow.hand(ahead(240), |_| ()), WELCOME);
    assert!(narrow.hand(ahead(360), |_| ()).starts_with("-ERR"));
    let mut without = Stage::open(&[("ntlm.max_skew", r#""0s""#)]);
    assert_eq!(without.hand(ahead(-400 * 24 * 3600), |_| ()), WELCOME);
}

/// Transcript 4.1 of [MS-POP3]: the messages of its client are understood, and refused as NTLMv1.
#[test]
fn the_transcript_of_the_specification_is_refused_by_policy() {
    const NEGOTIATE: &str = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAFASgKAAAADw==";
    const AUTHENTICATE: &str = "TlRMTVNTUAADAAAAGAAYAGIAAAAYABgAegAAAAAAAABIAAAACAAIAEgAAAASABIAUAAAAAAAAACSAAAABYKIogUBKAoAAAAPdQBzAGUAcgBOAEYALQBDAEwASQBFAE4AVABKMiQ4djhcSgAAAAAAAAAAAAAAAAAAAAC7zUSgB0Auy98bRi6h3mwHMJfbKNtxmmo=";
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    assert_eq!(client.ask("AUTH NTLM"), "+ ");
    assert!(client.ask(NEGOTIATE).starts_with("+ TlRM"));
    client.refused(AUTHENTICATE);
    stage.server.told("login", &["ntlmv1", "NF-CLIENT", "user"]);
    let_in(&mut client, &mut alice());
}
