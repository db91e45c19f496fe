//! What is refused: changed, cut, overlapping and contradictory messages.

use proptest::prelude::*;

use super::super::Malformed;
use super::super::acceptor::Weakness;
use super::messages::{EXCHANGED, PLAIN, recorded};
use super::*;

/// What becomes of a recorded exchange after a change.
fn after(change: impl Fn(&mut [Vec<u8>; 3])) -> Result<(), Weakness> {
    let mut messages = EXCHANGED.map(base64);
    change(&mut messages);
    let [negotiate, challenge, authenticate] = &messages;
    let transcript = transcript(negotiate, challenge, authenticate);
    let key = Key::new(array("92de0ea945dccb9a2d6079423a3017ad"));
    transcript.judge(v2(&transcript), &key, &demands(), TIME)
}

#[test]
fn every_octet_that_the_integrity_code_covers_is_missed() {
    assert!(after(|_| ()).is_ok());
    // The flags of NEGOTIATE, its version, the reserved part of CHALLENGE, the flags of
    // AUTHENTICATE (SEAL), the workstation, the code itself.
    for (message, octet) in [
        (0, 13),
        (0, 36),
        (1, 33),
        (2, 60),
        (2, 64),
        (2, 108),
        (2, 72),
        (2, 87),
    ] {
        let changed = after(|messages| messages[message][octet] ^= 0x20);
        assert_eq!(
            changed,
            Err(Weakness::Integrity),
            "message {message} octet {octet}"
        );
    }
}

#[test]
fn a_code_that_was_cut_off_is_missed() {
    let mut messages = PLAIN.map(base64);
    // The payload moves to 72, over the place of the code; the proof does not change.
    messages[2].drain(72..88);
    for at in [12, 20, 28, 36, 44] {
        let offset = u32::from_le_bytes(messages[2][at + 4..at + 8].try_into().unwrap());
        messages[2][at + 4..at + 8].copy_from_slice(&(offset - 16).to_le_bytes());
    }
    let [negotiate, challenge, authenticate] = &messages;
    let transcript = transcript(negotiate, challenge, authenticate);
    let key = transcript
        .prove(v2(&transcript), &nt_hash("Password"))
        .unwrap();
    let judged = transcript.judge(v2(&transcript), &key, &Demands::default(), TIME);
    assert_eq!(judged, Err(Weakness::Integrity));
}

#[test]
fn clearing_the_flag_of_the_code_spoils_the_proof() {
    let mut messages = EXCHANGED.map(base64);
    let pair = [6, 0, 4, 0, 2, 0, 0, 0];
    let at = messages[2]
        .windows(8)
        .position(|octets| octets == pair)
        .unwrap();
    messages[2][at + 4] = 0;
    let [negotiate, challenge, authenticate] = &messages;
    let transcript = transcript(negotiate, challenge, authenticate);
    assert!(
        transcript
            .prove(v2(&transcript), &nt_hash("Password"))
            .is_none()
    );
}

#[test]
fn the_right_proof_for_another_user_or_challenge_is_none() {
    let mut other = recorded(EXCHANGED);
    other.authenticate.user = "Other".to_owned();
    assert!(other.prove(v2(&other), &nt_hash("Password")).is_none());
    let mut replayed = recorded(EXCHANGED);
    replayed.challenge.server_challenge = [1; 8];
    assert!(
        replayed
            .prove(v2(&replayed), &nt_hash("Password"))
            .is_none()
    );
    let mut zero = recorded(EXCHANGED);
    if let Response::V2(response) = &mut zero.authenticate.response {
        response.proof = [0; 16];
    }
    assert!(zero.prove(v2(&zero), &nt_hash("Password")).is_none());
}

#[test]
fn time_names_and_target_must_be_ours() {
    let transcript = recorded(EXCHANGED);
    let key = Key::new(array("92de0ea945dccb9a2d6079423a3017ad"));
    let judged = |transcript: &Transcript, demands: &Demands, now| {
        transcript.judge(v2(transcript), &key, demands, now)
    };
    let hour = 3600 * 10_000_000;
    assert!(judged(&transcript, &demands(), TIME + 36 * hour).is_ok());
    assert!(judged(&transcript, &demands(), TIME - 36 * hour).is_ok());
    for now in [TIME + 37 * hour, TIME - 37 * hour] {
        assert_eq!(judged(&transcript, &demands(), now), Err(Weakness::Stale));
    }
    let unlimited = Demands {
        window: 0,
        ..demands()
    };
    assert!(judged(&transcript, &unlimited, 0).is_ok());
    let elsewhere = Demands {
        targets: vec!["pop/other.example".to_owned()],
        ..demands()
    };
    assert_eq!(
        judged(&transcript, &elsewhere, TIME),
        Err(Weakness::OtherServer)
    );
    let mut older = transcript.clone();
    older.challenge.timestamp -= 1;
    assert_eq!(judged(&older, &demands(), TIME), Err(Weakness::Stale));
    let mut renamed = transcript.clone();
    let at = renamed.challenge.target_info.len() - 20;
    renamed.challenge.target_info[at] ^= 1;
    assert_eq!(
        judged(&renamed, &demands(), TIME),
        Err(Weakness::OtherServer)
    );
}

#[test]
fn anonymous_and_legacy_responses_are_recognised() {
    let message = |lm: &[u8], nt: &[u8], user: &[u8]| {
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        let mut payload: Vec<u8> = Vec::new();
        for part in [lm, nt, b"", user, b"", b""] {
            let length = u16::try_from(part.len()).unwrap().to_le_bytes();
            let offset = u32::try_from(64 + payload.len()).unwrap();
            message.extend([length, length].concat());
            message.extend(offset.to_le_bytes());
            payload.extend(part);
        }
        message.extend([0; 4]);
        message.extend(payload);
        Authenticate::parse(&message, Encoding::Oem).map(|parsed| parsed.response)
    };
    assert!(matches!(message(b"", b"", b""), Ok(Response::Anonymous)));
    assert!(matches!(message(b"\0", b"", b""), Ok(Response::Anonymous)));
    assert!(matches!(
        message(&[1; 24], b"", b"guest"),
        Ok(Response::LmOnly)
    ));
    assert!(matches!(
        message(&[1; 24], &[1; 24], b"user"),
        Ok(Response::V1(_))
    ));
    for length in [25, 47] {
        assert_eq!(
            message(b"", &vec![1; length], b"user").err(),
            Some(Malformed::Response)
        );
    }
}

#[test]
fn fields_must_lie_within_the_message_and_behind_the_header() {
    let right = base64(EXCHANGED[2]);
    for (at, value, fault) in [
        (24, 0x1000_u32, Malformed::Field),
        (24, u32::MAX, Malformed::Field),
        (40, 63, Malformed::Field),
        (8, 1, Malformed::Header),
        (0, 0, Malformed::Header),
    ] {
        let mut message = right.clone();
        message[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(
            Authenticate::parse(&message, Encoding::Unicode).err(),
            Some(fault),
            "{at}"
        );
    }
    let mut odd = right.clone();
    odd[36] = 7;
    assert_eq!(
        Authenticate::parse(&odd, Encoding::Unicode).err(),
        Some(Malformed::Text)
    );
    for length in 0..right.len() {
        assert!(
            Authenticate::parse(&right[..length], Encoding::Unicode).is_err(),
            "{length}"
        );
    }
    let long = [right, vec![0; 16 * 1024]].concat();
    assert_eq!(
        Authenticate::parse(&long, Encoding::Unicode).err(),
        Some(Malformed::TooLong)
    );
}

#[test]
fn a_client_that_cannot_be_served_gets_no_challenge() {
    use super::super::flags::answer;
    for asked in [0x0000_8204_u32, 0x0000_8245] {
        assert_eq!(
            answer(Flags::from_bits(asked), Flags::TARGET_TYPE_SERVER),
            None
        );
    }
}

proptest! {
    #[test]
    fn no_octets_bring_a_parser_down(
        negotiate in prop::collection::vec(any::<u8>(), 0..64),
        at in 0_usize..400,
        with in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let _ = Negotiate::parse(&negotiate);
        let mut message = base64(EXCHANGED[2]);
        for (place, octet) in message.iter_mut().skip(at).zip(with) {
            *place = octet;
        }
        if let Ok(parsed) = Authenticate::parse(&message, Encoding::Unicode) {
            let _ = parsed.integrity_code();
            if let Response::V2(response) = &parsed.response {
                prop_assert!(response.pairs().is_ok());
            }
        }
    }
}
