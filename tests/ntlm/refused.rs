//! Nobody comes in without the password: one row for each way to try, against a real server.
//!
//! Every refusal is the same for the client, in words and in time; the log has the true reason. A row that
//! begins with a login that is right is seen to be let in when nothing is changed: `untouched_logins_work`.

use std::time::{Duration, Instant};

use crate::by_hand::Hand;
use crate::exchange::{WELCOME, begin, encode};
use crate::lab::world::{ALICE, BOB};
use crate::message::{CODE, Field, Message, flag, pair, utf16};
use crate::speaker::Speaker as _;
use crate::stage::{Stage, TWIN, alice};

/// What is tried, the reason in the log, and how.
struct Row(&'static str, &'static str, fn(&mut Stage) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // The proof.
    Row("a wrong password", "wrong-password", |stage|
        stage.hand(Hand { password: "wrong".into(), ..alice() }, |_| ())),
    Row("a proof of zeros", "wrong-password", |stage|
        stage.edited(|message| zero(message, Field::Nt, 0..16))),
    Row("a proof of zeros, and no integrity code promised", "wrong-password", |stage|
        stage.hand(Hand { code: false, ..alice() }, |message| zero(message, Field::Nt, 0..16))),
    Row("one bit of the proof", "wrong-password", |stage|
        stage.edited(|message| flip(message, Field::Nt, 15))),
    Row("one bit of the client's challenge", "wrong-password", |stage|
        stage.edited(|message| flip(message, Field::Nt, 16 + 16))),
    Row("the right proof of Alice, for Bob", "wrong-password", |stage|
        stage.edited(|message| message.replace(Field::User, &utf16(BOB.name)))),
    Row("the right proof of Alice, for somebody with the same password", "wrong-password", |stage|
        stage.edited(|message| message.replace(Field::User, &utf16(TWIN)))),
    Row("an empty password", "wrong-password", |stage|
        stage.hand(Hand { password: String::new(), ..alice() }, |_| ())),
    Row("an unknown user", "unknown-user", |stage|
        stage.hand(Hand { user: "nobody-here".into(), ..alice() }, |_| ())),
    Row("an unknown domain", "unknown-user", |stage|
        stage.hand(Hand { domain: "ELSEWHERE".into(), ..alice() }, |_| ())),

    // The integrity code.
    Row("one bit of the integrity code", "bad-mic", |stage|
        stage.edited(|message| message.flip(CODE.start))),
    Row("an integrity code of zeros", "bad-mic", |stage|
        stage.edited(|message| message.0[CODE].fill(0))),
    Row("the integrity code cut out", "bad-mic", |stage|
        stage.edited(|message| cut_out(message, CODE))),
    Row("the version and the integrity code cut out", "bad-mic", |stage|
        stage.edited(|message| cut_out(message, 64..88))),
    Row("the promise of a code taken back", "wrong-password", |stage|
        stage.edited(take_back_the_code)),
    Row("NEGOTIATE changed: no signing", "bad-mic", |stage|
        stage.between(|message| clear(message, 12, flag::SIGN), |_| (), |_| ())),
    Row("NEGOTIATE changed: its version", "bad-mic", |stage|
        stage.between(|message| message.flip(34), |_| (), |_| ())),
    Row("CHALLENGE changed: no key exchange", "bad-mic", |stage|
        stage.between(|_| (), |message| clear(message, 20, flag::KEY_EXCHANGE), |_| ())),
    Row("CHALLENGE changed: another target", "bad-mic", |stage|
        stage.between(|_| (), |message| message.flip(56), |_| ())),
    Row("AUTHENTICATE changed: no signing", "bad-mic", |stage|
        stage.edited(|message| clear(message, 60, flag::SIGN))),
    Row("AUTHENTICATE changed: its version", "bad-mic", |stage|
        stage.edited(|message| message.flip(66))),
    Row("AUTHENTICATE changed: another workstation", "bad-mic", |stage|
        stage.edited(|message| message.replace(Field::Workstation, &utf16("ELSEWHERE")))),
    Row("AUTHENTICATE changed: another session key", "bad-mic", |stage|
        stage.edited(|message| flip(message, Field::Key, 0))),
    Row("AUTHENTICATE changed: no session key", "malformed", |stage|
        stage.edited(|message| message.describe(Field::Key, 0, 0))),

    // Weaker answers than NTLMv2, with the right password.
    Row("LMv2 alone", "lm-only", |stage|
        stage.responses(alice(), |hand, challenge| (hand.lm_v2(challenge), Vec::new()))),
    Row("LMv2 and zeros for NT", "ntlmv1", |stage|
        stage.responses(alice(), |hand, challenge| (hand.lm_v2(challenge), vec![0; 24]))),
    Row("LMv2 in the place of NT", "ntlmv1", |stage|
        stage.responses(alice(), |hand, challenge| (vec![0; 24], hand.lm_v2(challenge)))),
    Row("an NT response of one octet", "malformed", |stage|
        stage.responses(alice(), |_, _| (vec![0; 24], vec![0]))),
    Row("an NT response between the two kinds", "malformed", |stage|
        stage.responses(alice(), |_, _| (vec![0; 24], vec![1; 30]))),

    // Nobody.
    Row("anonymous, LM empty", "anonymous", |stage|
        stage.responses(Hand::new("", "", ""), |_, _| (Vec::new(), Vec::new()))),
    Row("anonymous, LM one zero", "anonymous", |stage|
        stage.responses(Hand::new("", "", ""), |_, _| (vec![0], Vec::new()))),
    Row("anonymous, with a domain", "anonymous", |stage|
        stage.responses(Hand::new("", "HOUSE", ""), |_, _| (vec![0], Vec::new()))),
    Row("no name and an empty password", "malformed", |stage|
        stage.hand(Hand::new("", "HOUSE", ""), |_| ())),
    Row("a guest without a password", "blocked", |stage|
        stage.hand(Hand::new("Guest", "HOUSE", ""), |_| ())),
    Row("a name and no responses", "lm-only", |stage|
        stage.responses(alice(), |_, _| (Vec::new(), Vec::new()))),

    // Another time, another server.
    Row("a clock 37 hours ahead", "stale", |stage|
        stage.hand(Hand { ahead: 37 * 3600, ..alice() }, |_| ())),
    Row("a clock 37 hours behind", "stale", |stage|
        stage.hand(Hand { ahead: -37 * 3600, ..alice() }, |_| ())),
    Row("the timestamp of another challenge", "stale", |stage|
        stage.hand(Hand { pairs: vec![(pair::TIMESTAMP, vec![1; 8])], ..alice() }, |_| ())),
    Row("the challenge of a server of another name", "other-server", |stage|
        stage.hand(Hand { pairs: vec![(pair::NB_COMPUTER, utf16("EVIL"))], ..alice() }, |_| ())),
    Row("the challenge of a server of another DNS name", "other-server", |stage|
        stage.hand(Hand { pairs: vec![(pair::DNS_COMPUTER, utf16("evil.test"))], ..alice() }, |_| ())),

    // Fields.
    Row("the user behind the end", "malformed", |stage|
        stage.edited(|message| message.set_offset(Field::User, message.0.len()))),
    Row("the user half behind the end", "malformed", |stage|
        stage.edited(|message| message.set_offset(Field::User, message.0.len() - 2))),
    Row("an offset that wraps", "malformed", |stage|
        stage.edited(|message| message.set_offset(Field::User, 0xffff_fffc))),
    Row("65,535 octets of NT response", "malformed", |stage|
        stage.edited(|message| message.set_u16(Field::Nt as usize, u16::MAX))),
    Row("the user within the header", "malformed", |stage|
        stage.edited(|message| message.set_offset(Field::User, 8))),
    Row("half a character", "malformed", |stage|
        stage.edited(|message| message.set_u16(Field::User as usize, 9))),
    Row("half a surrogate", "malformed", |stage|
        stage.edited(|message| message.replace(Field::User, &[0x00, 0xd8]))),
    Row("a NUL in the name", "malformed", |stage|
        stage.edited(|message| message.replace(Field::User, &utf16("alice\0")))),
    Row("pairs without an end", "malformed", |stage|
        stage.edited(|message| shorten(message, Field::Nt, 8))),
    Row("a pair that is longer than the response", "malformed", |stage|
        stage.edited(|message| set_in(message, Field::Nt, 16 + 28 + 2, 0xff))),
    Row("a pair twice", "malformed", |stage|
        stage.hand(Hand { tail: Vec::new(), ..alice() }, repeat_the_pairs)),
    Row("another version of the response", "malformed", |stage|
        stage.edited(|message| set_in(message, Field::Nt, 16, 2))),

    // Messages.
    Row("another signature", "malformed", |stage|
        stage.edited(|message| message.flip(0))),
    Row("our own challenge reflected", "malformed", reflected),
    Row("NEGOTIATE twice", "malformed", |stage| {
        let mut client = stage.client();
        let negotiate = alice().negotiate();
        begin(&mut client, &negotiate);
        client.ask(&encode(&negotiate))
    }),
    Row("AUTHENTICATE first", "malformed", |stage| {
        let challenge = begin(&mut stage.client(), &alice().negotiate());
        let mut client = stage.client();
        assert_eq!(client.ask("AUTH NTLM"), "+ ");
        client.ask(&encode(&alice().authenticate(&challenge)))
    }),
    Row("a challenge from the client first", "malformed", |stage| {
        let challenge = begin(&mut stage.client(), &alice().negotiate());
        stage.client().ask(&format!("AUTH NTLM {}", encode(&challenge)))
    }),
    Row("neither Unicode nor OEM", "malformed", |stage|
        stage.client().ask(&format!("AUTH NTLM {}", encode(&with_flags(0, flag::UNICODE))))),
    Row("connectionless", "malformed", |stage|
        stage.client().ask(&format!("AUTH NTLM {}", encode(&with_flags(flag::DATAGRAM, 0))))),
    Row("an empty NEGOTIATE", "malformed", |stage| stage.client().ask("AUTH NTLM =")),
    Row("an empty AUTHENTICATE", "malformed", |stage| {
        let mut client = stage.client();
        begin(&mut client, &alice().negotiate());
        client.ask("")
    }),

    // Again.
    Row("the same AUTHENTICATE on a second connection", "wrong-password", replayed),
    Row("the challenge of an attempt before", "wrong-password", second_attempt),
    Row("16 KiB of workstation", "malformed", |stage|
        stage.edited(|message| message.replace(Field::Workstation, &vec![b'a'; 16 * 1024]))),
];

fn exchanging() -> Hand {
    let flags = alice().flags | flag::SIGN | flag::KEY_EXCHANGE | flag::KEY_128;
    Hand { flags, ..alice() }
}

fn with_flags(more: u32, less: u32) -> Message {
    let flags = (alice().flags | more) & !less;
    Hand { flags, ..alice() }.negotiate()
}

fn clear(message: &mut Message, at: usize, flags: u32) {
    assert_ne!(message.u32(at) & flags, 0, "the flag is not set");
    message.set_u32(at, message.u32(at) & !flags);
}

fn zero(message: &mut Message, field: Field, range: std::ops::Range<usize>) {
    let place = message.place(field);
    message.0[place][range].fill(0);
}

fn flip(message: &mut Message, field: Field, at: usize) {
    let place = message.place(field);
    message.flip(place.start + at);
}

fn set_in(message: &mut Message, field: Field, at: usize, octet: u8) {
    let place = message.place(field);
    message.0[place.start + at] = octet;
}

fn shorten(message: &mut Message, field: Field, by: u16) {
    let length = message.u16(field as usize);
    message.set_u16(field as usize, length - by);
}

/// Takes octets out of the header and moves every field up, as an older client would have sent it.
fn cut_out(message: &mut Message, range: std::ops::Range<usize>) {
    let gone = u32::try_from(range.len()).expect("a short range");
    for field in crate::message::FIELDS {
        let at = field as usize + 4;
        message.set_u32(at, message.u32(at).saturating_sub(gone));
    }
    message.set_u32(60, message.u32(60) & !flag::VERSION);
    message.0.drain(range);
}

/// Clears MsvAvFlags in the response, which the proof protects.
fn take_back_the_code(message: &mut Message) {
    let place = message.place(Field::Nt);
    let flags = [&pair::FLAGS.to_le_bytes()[..], &[4, 0, 2, 0, 0, 0]].concat();
    let response = &message.0[place.clone()];
    let at = response.windows(8).position(|octets| octets == flags);
    message.0[place.start + at.expect("MsvAvFlags") + 4] = 0;
}

/// Puts the pairs of the response into it a second time.
fn repeat_the_pairs(message: &mut Message) {
    let response = message.field(Field::Nt).to_vec();
    let (before, end) = response.split_at(response.len() - 4);
    let twice = [before, &before[16 + 28..], end].concat();
    message.replace(Field::Nt, &twice);
}

fn reflected(stage: &mut Stage) -> String {
    let mut client = stage.client();
    let challenge = begin(&mut client, &alice().negotiate());
    client.ask(&encode(&challenge))
}

fn replayed(stage: &mut Stage) -> String {
    let negotiate = stage.alice.negotiate();
    let mut first = stage.client();
    let challenge = begin(&mut first, &negotiate);
    let authenticate = encode(&stage.alice.authenticate(&challenge));
    assert_eq!(first.ask(&authenticate), WELCOME);
    let mut second = stage.client();
    begin(&mut second, &negotiate);
    second.ask(&authenticate)
}

/// An answer to the challenge of an attempt that was cancelled, in the next attempt.
fn second_attempt(stage: &mut Stage) -> String {
    let negotiate = stage.alice.negotiate();
    let mut client = stage.client();
    let challenge = begin(&mut client, &negotiate);
    let authenticate = encode(&stage.alice.authenticate(&challenge));
    client.refused("*");
    begin(&mut client, &negotiate);
    client.ask(&authenticate)
}

/// The words of a refusal of a wrong password.
fn words(stage: &mut Stage) -> String {
    let hand = Hand {
        password: "wrong".into(),
        ..alice()
    };
    let words = stage.hand(hand, |_| ());
    assert!(words.starts_with("-ERR "), "{words}");
    words
}

#[test]
fn nobody_comes_in_without_the_password() {
    let mut stage = Stage::open(&[]);
    let words = words(&mut stage);
    let mut wrong = Vec::new();
    for Row(attack, reason, play) in ROWS {
        let before = stage.server.logins();
        let said = play(&mut stage);
        if said != words {
            wrong.push(format!("{attack}: {said}"));
        }
        let reasons = stage.server.reasons_after(before, reason);
        if reasons.last().is_none_or(|last| last != reason) {
            wrong.push(format!("{attack}: the log says {reasons:?}, not {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The noise of a busy machine.
const NOISE: Duration = Duration::from_millis(25);
const DELAY: Duration = Duration::from_millis(150);
const ROUNDS: usize = 5;

/// One row of each reason, as the reasons take different ways through the server.
#[test]
fn refusals_are_alike_in_time() {
    let mut stage = Stage::open(&[("login.refusal_delay", r#""150ms""#)]);
    let mut seen = Vec::new();
    let mut rows: Vec<&Row> = ROWS.iter().collect();
    rows.retain(|row| {
        !seen.contains(&row.1) && {
            seen.push(row.1);
            true
        }
    });
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (Row(.., play), times) in rows.iter().zip(&mut times) {
            let begun = Instant::now();
            play(&mut stage);
            times.push(begun.elapsed());
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = rows.iter().map(|row| row.0).zip(medians).collect();
    let shortest = medians.iter().map(|(_, time)| *time).min().expect("rows");
    for (attack, time) in &medians {
        assert!(*time >= DELAY, "{attack} is answered early: {medians:?}");
        assert!(
            *time < shortest + NOISE,
            "{attack} waits longer: {medians:?}"
        );
    }
}

/// What the rows begin with is right: nothing but the change is refused.
#[test]
fn untouched_logins_work() {
    let mut stage = Stage::open(&[]);
    assert_eq!(stage.edited(|_| ()), WELCOME);
    for hand in [
        alice(),
        exchanging(),
        Hand {
            code: false,
            ..alice()
        },
        Hand {
            tail: Vec::new(),
            ..alice()
        },
    ] {
        assert_eq!(stage.hand(hand, |_| ()), WELCOME);
    }
    assert_eq!(
        stage.hand(Hand::new(TWIN, "HOUSE", ALICE.password), |_| ()),
        WELCOME
    );
}

/// A message that was cut anywhere is refused, in the same words, and the server goes on.
#[test]
fn a_message_cut_anywhere_is_refused() {
    let mut stage = Stage::open(&[]);
    let words = words(&mut stage);
    let hand = exchanging();
    let mut client = stage.client();
    let challenge = begin(&mut client, &hand.negotiate());
    let whole = hand.authenticate(&challenge);
    for length in 0..whole.0.len() {
        let mut client = stage.client();
        begin(&mut client, &hand.negotiate());
        let cut = Message(whole.0[..length].to_vec());
        assert_eq!(client.ask(&encode(&cut)), words, "{length} octets");
    }
    assert_eq!(client.ask(&encode(&whole)), WELCOME);
}

/// Key exchange was agreed upon, and the key is not there, or not whole (§3.2.5.1.2).
#[test]
fn key_exchange_needs_a_key() {
    let mut stage = Stage::open(&[]);
    for length in [0, 15, 17] {
        let hand = Hand {
            key: Some(vec![7; length]),
            code: false,
            ..exchanging()
        };
        assert!(
            stage.hand(hand, |_| ()).starts_with("-ERR"),
            "{length} octets"
        );
    }
}

/// After a refusal the connection is as before the attempt.
#[test]
fn a_refusal_leaves_nothing_behind() {
    let mut stage = Stage::open(&[]);
    let mut client = stage.client();
    let challenge = begin(&mut client, &stage.alice.negotiate());
    let mut last = stage.alice.authenticate(&challenge);
    last.flip(CODE.start);
    client.refused(&encode(&last));
    client.refused("STAT");
    crate::exchange::let_in(&mut client, &mut stage.alice);
}
