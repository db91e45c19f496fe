//! What server and client agree on: flags, names, and the key that protects the messages.

use super::super::acceptor::Weakness;
use super::super::av_pair::{AvPairs, id};
use super::super::challenge::NtlmNames;
use super::super::flags::answer;
use super::super::text::utf16;
use super::messages::{EXCHANGED, PLAIN, recorded};
use super::*;

fn answered(asked: Flags) -> Flags {
    answer(asked, Flags::TARGET_TYPE_SERVER).expect("a client that can be served")
}

/// §2.2.2.5.
#[test]
fn flags_are_answered_as_the_specification_says() {
    let unicode = Flags::UNICODE;
    let always = Flags::REQUEST_TARGET
        | Flags::NTLM
        | Flags::ALWAYS_SIGN
        | Flags::TARGET_INFO
        | Flags::TARGET_TYPE_SERVER;
    assert_eq!(answered(unicode), unicode | always);
    assert_eq!(answered(Flags::OEM), Flags::OEM | always);
    assert_eq!(answered(unicode | Flags::OEM), unicode | always);
    let both = Flags::EXTENDED_SESSION_SECURITY | Flags::LM_KEY;
    let ess = unicode | Flags::EXTENDED_SESSION_SECURITY | always;
    assert_eq!(answered(unicode | both), ess);
    assert_eq!(
        answered(unicode | Flags::LM_KEY),
        unicode | Flags::LM_KEY | always
    );
    let strengths = Flags::KEY_56 | Flags::KEY_128;
    assert_eq!(answered(unicode | strengths), unicode | always);
    for layer in [Flags::SIGN, Flags::SEAL] {
        let asked = unicode | strengths | layer;
        assert_eq!(answered(asked), asked | always);
    }
    assert_eq!(
        answer(unicode | Flags::DATAGRAM, Flags::TARGET_TYPE_SERVER),
        None
    );
}

#[test]
fn the_pairs_of_a_challenge_name_the_server_and_the_time() {
    let names = NtlmNames {
        domain: None,
        computer: "POP".to_owned(),
        dns_domain: None,
        dns_computer: "pop.test".to_owned(),
    };
    let negotiate = Negotiate::parse(&base64(PLAIN[0])).unwrap();
    let challenge = Challenge::answer(&negotiate, &names, [7; 8], TIME).unwrap();
    let pairs = AvPairs::parse(&challenge.target_info).unwrap();
    assert_eq!(pairs.get(id::NB_DOMAIN_NAME), Some(&*utf16("POP")));
    assert_eq!(pairs.get(id::NB_COMPUTER_NAME), Some(&*utf16("POP")));
    assert_eq!(pairs.get(id::DNS_COMPUTER_NAME), Some(&*utf16("pop.test")));
    assert_eq!(pairs.get(id::DNS_DOMAIN_NAME), None);
    assert_eq!(pairs.get(id::TIMESTAMP), Some(&TIME.to_le_bytes()[..]));
    assert!(challenge.target_info.ends_with(&[0; 4]));
}

#[test]
fn a_key_that_must_be_exchanged_has_to_be_there() {
    let mut transcript = recorded(EXCHANGED);
    let key = transcript
        .prove(v2(&transcript), &nt_hash("Password"))
        .unwrap();
    transcript.authenticate.session_key = None;
    let judged = transcript.judge(v2(&transcript), &key, &Demands::default(), TIME);
    assert_eq!(judged, Err(Weakness::Malformed));
}

/// A client that exchanges a key without a layer to use it for has the other key, and so may we.
#[test]
fn a_key_without_a_layer_is_not_exchanged() {
    let mut transcript = recorded(PLAIN);
    let key = transcript
        .prove(v2(&transcript), &nt_hash("Password"))
        .unwrap();
    let judged =
        |transcript: &Transcript| transcript.judge(v2(transcript), &key, &Demands::default(), TIME);
    assert_eq!(judged(&transcript), Ok(()));
    transcript.authenticate.session_key = Some([3; 16]);
    assert_eq!(judged(&transcript), Ok(()));
}

#[test]
fn the_domain_counts_as_sent_and_the_user_does_not() {
    let mut transcript = recorded(PLAIN);
    let proven = |transcript: &Transcript| {
        let hash = nt_hash("Password");
        transcript.prove(v2(transcript), &hash).is_some()
    };
    transcript.authenticate.user = "uSER".to_owned();
    assert!(proven(&transcript));
    // In upper case it is that of the proof.
    transcript.authenticate.domain = "domain".to_owned();
    assert!(proven(&transcript));
    transcript.authenticate.domain = "OTHER".to_owned();
    assert!(!proven(&transcript));
}

/// What stands behind the pairs is part of what is proven.
#[test]
fn octets_behind_the_pairs_belong_to_the_proof() {
    let mut transcript = recorded(PLAIN);
    if let Response::V2(response) = &mut transcript.authenticate.response {
        response.temp.push(0);
    }
    let hash = nt_hash("Password");
    assert!(transcript.prove(v2(&transcript), &hash).is_none());
}

/// MaxLen of each field.
#[test]
fn the_maximal_length_of_a_field_says_nothing() {
    let mut message = base64(EXCHANGED[2]);
    for at in [12, 20, 28, 36, 44, 52] {
        message[at + 2..at + 4].copy_from_slice(&[0xff, 0]);
    }
    let parsed = Authenticate::parse(&message, Encoding::Unicode).unwrap();
    assert_eq!((&*parsed.user, &*parsed.domain), ("User", "DOMAIN"));
}

/// A client that was told the name by a stranger says so with bit 4 of its flags, and does not count on it.
#[test]
fn a_target_that_the_client_does_not_trust_is_not_looked_at() {
    let mut transcript = recorded(PLAIN);
    let key = Key::new(array("92de0ea945dccb9a2d6079423a3017ad"));
    let elsewhere = Demands {
        targets: vec!["pop/other.example".to_owned()],
        ..Demands::default()
    };
    let judged = |transcript: &Transcript| transcript.judge(v2(transcript), &key, &elsewhere, TIME);
    assert_eq!(judged(&transcript), Err(Weakness::OtherServer));
    if let Response::V2(response) = &mut transcript.authenticate.response {
        let pair = [6, 0, 4, 0, 2, 0, 0, 0];
        let found = response.temp.windows(8).position(|octets| octets == pair);
        // Without the bit of the integrity code, which would now be wrong.
        response.temp[found.unwrap() + 4] = 4;
    }
    assert_eq!(judged(&transcript), Ok(()));
}
