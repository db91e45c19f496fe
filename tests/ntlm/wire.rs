//! The steps of AUTH NTLM on the wire, and what the CHALLENGE says ([MS-OXPOP3] §2.2.1 and §3.2.5,
//! [MS-NLMP] §2.2.2.5 and §3.2.5.1.1).

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::by_hand::{Hand, SECOND};
use crate::exchange::{WELCOME, begin, decode, encode, let_in, login};
use crate::lab::tool::Tool;
use crate::lab::world::{ALICE, BOB, HOST};
use crate::message::{Message, flag, pair, text, value};
use crate::stage::{Stage, alice};

const CANCELLED: &str = "-ERR The AUTH protocol exchange was canceled by the client.";

fn with_flags(flags: u32) -> Message {
    Hand { flags, ..alice() }.negotiate()
}

#[test]
fn the_steps_are_those_of_the_specification() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    assert_eq!(client.ask("auth ntlm"), "+ ");
    let challenge = client.ask(&encode(&alice().negotiate()));
    let challenge = decode(&challenge);
    assert!(challenge.0.starts_with(b"NTLMSSP\0\x02\0\0\0"));
    assert_eq!(
        client.ask(&encode(&alice().authenticate(&challenge))),
        WELCOME
    );
    client.refused("AUTH NTLM");
    client.ok("STAT");
}

#[test]
fn an_initial_response_is_answered_with_the_challenge() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    let challenge = client.ask(&format!("AUTH NTLM {}", encode(&alice().negotiate())));
    let authenticate = alice().authenticate(&decode(&challenge));
    assert_eq!(client.ask(&encode(&authenticate)), WELCOME);
}

#[test]
fn an_asterisk_cancels_at_both_steps() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    assert_eq!(client.ask("AUTH NTLM"), "+ ");
    assert_eq!(client.ask("*"), CANCELLED);
    begin(&mut client, &alice().negotiate());
    assert_eq!(client.ask("*"), CANCELLED);
    let_in(&mut client, &mut alice());
}

/// A command in the middle is a wrong response: it is not carried out, and the attempt is over.
#[test]
fn a_command_in_the_middle_is_not_carried_out() {
    let stage = Stage::open(&[]);
    for command in [
        "CAPA",
        "QUIT",
        "STLS",
        "NOOP",
        "AUTH NTLM",
        "USER bob",
        "AUTH PLAIN",
    ] {
        let mut client = stage.client();
        assert_eq!(client.ask("AUTH NTLM"), "+ ");
        client.refused(command);
        begin(&mut client, &alice().negotiate());
        client.refused(command);
        let_in(&mut client, &mut alice());
    }
}

/// Sent with the attempt in one segment, each line is taken for what it is when its turn comes.
#[test]
fn lines_that_come_early_are_taken_in_turn() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    client.send(b"AUTH NTLM\r\nQUIT\r\nCAPA\r\n");
    assert_eq!(client.line(), "+ ");
    assert!(client.line().starts_with("-ERR"));
    assert!(client.line().starts_with("+OK"));
    client.rest().expect("a list");
    let_in(&mut client, &mut alice());
}

#[test]
fn what_is_no_base64_is_refused_at_both_steps() {
    let stage = Stage::open(&[]);
    for line in [
        "!",
        "TlRM=TVN",
        "TlRMTVNTUAAB ",
        "TlRMT",
        "TlRMTVNTUAAB====",
        "é",
    ] {
        let mut client = stage.client();
        assert_eq!(client.ask("AUTH NTLM"), "+ ");
        client.refused(line);
        begin(&mut client, &alice().negotiate());
        client.refused(line);
        let_in(&mut client, &mut alice());
    }
}

/// As much as a SASL line may have, and more: refused, and nobody else notices.
#[test]
fn long_lines_are_refused() {
    let stage = Stage::open(&[]);
    for octets in [48 * 1024, 72 * 1024, 1 << 20] {
        for step in [1, 2] {
            let mut client = stage.client();
            assert_eq!(client.ask("AUTH NTLM"), "+ ");
            if step == 2 {
                decode(&client.ask(&encode(&alice().negotiate())));
            }
            let mut message = alice().negotiate();
            message.0.resize(octets, 0);
            if let Some(said) = client.try_ask(&encode(&message)) {
                assert!(said.starts_with("-ERR"), "{octets} octets: {said}");
            }
            let_in(&mut stage.client(), &mut alice());
        }
    }
}

/// NEGOTIATE of every length that clients send, and longer ones.
#[test]
fn short_negotiates_are_understood() {
    let stage = Stage::open(&[]);
    let whole = alice().negotiate().0;
    for length in [16, 32, 37, 40] {
        let challenge = begin(&mut stage.client(), &Message(whole[..length].to_vec()));
        assert_eq!(
            challenge.challenge_flags() & flag::UNICODE,
            flag::UNICODE,
            "{length}"
        );
    }
    let longer = [&whole[..], &[0; 100]].concat();
    begin(&mut stage.client(), &Message(longer));
    // The domain and the workstation of NEGOTIATE are nobody's business.
    let mut odd = alice().negotiate();
    odd.0[16..32].fill(0xff);
    begin(&mut stage.client(), &odd);
}

#[test]
fn the_flags_are_answered_as_asked() {
    let stage = Stage::open(&[]);
    let answer = |flags: u32| begin(&mut stage.client(), &with_flags(flags)).challenge_flags();
    let always = flag::REQUEST_TARGET
        | flag::NTLM
        | flag::ALWAYS_SIGN
        | flag::TARGET_INFO
        | flag::TARGET_TYPE_DOMAIN;
    assert_eq!(answer(flag::UNICODE), always | flag::UNICODE);
    assert_eq!(answer(flag::OEM), always | flag::OEM);
    assert_eq!(answer(flag::UNICODE | flag::OEM), always | flag::UNICODE);
    let both = flag::EXTENDED_SESSION_SECURITY | flag::LM_KEY;
    assert_eq!(
        answer(flag::OEM | both),
        always | flag::OEM | flag::EXTENDED_SESSION_SECURITY
    );
    let keys = flag::KEY_56 | flag::KEY_128;
    assert_eq!(answer(flag::OEM | keys), always | flag::OEM);
    for asked in [flag::SIGN, flag::SEAL, flag::SIGN | flag::SEAL] {
        assert_eq!(
            answer(flag::OEM | keys | asked),
            always | flag::OEM | keys | asked
        );
    }
    // What the client says about the target is not taken up.
    assert_eq!(
        answer(flag::OEM | flag::TARGET_TYPE_SERVER),
        always | flag::OEM
    );
}

/// In the encoding that was agreed upon.
#[test]
fn the_target_is_the_domain() {
    let stage = Stage::open(&[]);
    let named = begin(&mut stage.client(), &with_flags(flag::UNICODE));
    assert_eq!(text(named.target()), "HOUSE");
    let oem = begin(&mut stage.client(), &with_flags(flag::OEM));
    assert_eq!(oem.target(), b"HOUSE");
}

/// Both NetBIOS names, the DNS names as configured, a time that is now, and an end.
#[test]
fn the_target_information_is_complete() {
    let stage = Stage::open(&[("ntlm.dns_domain", r#""house.test""#)]);
    let challenge = begin(&mut stage.client(), &with_flags(flag::UNICODE));
    let pairs = challenge.target_info();
    let name = |kind| text(value(&pairs, kind).expect("a name"));
    assert_eq!(name(pair::NB_DOMAIN), "HOUSE");
    assert_eq!(name(pair::NB_COMPUTER), "POP");
    assert_eq!(name(pair::DNS_DOMAIN), "house.test");
    assert_eq!(name(pair::DNS_COMPUTER), HOST);
    let time = value(&pairs, pair::TIMESTAMP).expect("a timestamp");
    let time = i64::from_le_bytes(time.try_into().expect("eight octets")) / SECOND - 11_644_473_600;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("now")
        .as_secs();
    assert!(
        now.abs_diff(u64::try_from(time).expect("a time")) < 60,
        "{time}"
    );
}

#[test]
fn a_thousand_challenges_are_a_thousand() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    let mut seen = BTreeSet::new();
    for count in 0..1000 {
        if count % 90 == 0 {
            client = stage.client();
        }
        let challenge = begin(&mut client, &alice().negotiate());
        client.refused("*");
        seen.insert(challenge.server_challenge());
    }
    assert_eq!(seen.len(), 1000);
}

/// Switched off it is refused like a mechanism that does not exist, and not offered.
#[test]
fn switched_off_it_is_not_there() {
    let stage = Stage::open(&[("ntlm.mode", r#""off""#)]);
    let mut client = stage.client();
    let unknown = client.refused("AUTH NOSUCH");
    assert_eq!(client.refused("AUTH NTLM"), unknown);
    assert!(
        !client
            .lines("CAPA")
            .iter()
            .any(|line| line.contains("NTLM"))
    );
    assert!(
        !client
            .lines("AUTH")
            .iter()
            .any(|line| line.contains("NTLM"))
    );
}

/// Off, but for a network: who is in it is offered NTLM, who is not is not.
#[test]
fn a_network_may_be_the_exception() {
    let stage = Stage::open(&[
        ("ntlm.mode", r#""off""#),
        ("ntlm.except", r#"["127.0.0.1"]"#),
    ]);
    let fetch = |from: &str| {
        let fetched = Tool::new(&stage.lab, "curl")
            .args(["--silent", "--max-time", "30", "--interface", from])
            .args(["--user", &format!("alice:{}", ALICE.password)])
            .args(["--login-options", "AUTH=NTLM"])
            .arg(format!("pop3://{}/", stage.server.doors.plain))
            .output();
        fetched.status.success()
    };
    assert!(fetch("127.0.0.1"));
    assert!(!fetch("127.0.0.2"));
}

/// For an account: everybody is offered NTLM, and the account alone is let in.
#[test]
fn an_account_may_be_the_exception() {
    let stage = Stage::open(&[("ntlm.mode", r#""off""#), ("ntlm.except", r#"["alice"]"#)]);
    let_in(&mut stage.client(), &mut alice());
    let mut bob = Hand::new(BOB.name, "HOUSE", BOB.password);
    let said = login(&mut stage.client(), &mut bob);
    assert!(said.starts_with("-ERR"), "{said}");
}

/// `audit` lets everybody in and says who could not be if it were off.
#[test]
fn an_audit_tells_who_uses_it() {
    let stage = Stage::open(&[("ntlm.mode", r#""audit""#)]);
    let_in(&mut stage.client(), &mut alice());
    stage
        .server
        .told("login", &["ntlm-off", "alice", "granted"]);
}
