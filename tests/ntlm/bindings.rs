//! Extended Protection: a login that is bound to another certificate, to nothing, or to zeros, under each
//! policy and on each transport (RFC 5929, [MS-NLMP] §3.2.5.1.2).

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use crate::by_hand::{Hand, binding};
use crate::exchange::{WELCOME, begin, encode, login};
use crate::lab::pop3::Client;
use crate::lab::world::{ALICE, Lab};
use crate::message::pair;
use crate::speaker::{Login, Python};
use crate::stage::{Stage, alice};

/// What the client binds itself to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Nothing,
    Zeros,
    Here,
    Elsewhere,
}

use Bound::{Elsewhere, Here, Nothing, Zeros};

/// The hash of the certificate that the server shows.
fn certificate_hash(path: &std::path::Path) -> Vec<u8> {
    let certificate = CertificateDer::from_pem_file(path).expect("a certificate");
    Sha256::digest(&certificate).to_vec()
}

fn hand(stage: &Stage, bound: Bound) -> Hand {
    let pairs = match bound {
        Nothing => Vec::new(),
        Zeros => vec![0; 16],
        Here => binding(
            &[
                b"tls-server-end-point:",
                certificate_hash(&stage.lab.pki.certificate).as_slice(),
            ]
            .concat(),
        ),
        Elsewhere => binding(&[&b"tls-server-end-point:"[..], &[7; 32]].concat()),
    };
    let pairs = if bound == Nothing {
        Vec::new()
    } else {
        vec![(pair::BINDINGS, pairs)]
    };
    Hand { pairs, ..alice() }
}

/// What becomes of the login: welcome, or the reason of the refusal.
fn outcome(stage: &Stage, client: &mut Client, bound: Bound) -> String {
    let before = stage.server.logins();
    let hand = hand(stage, bound);
    let challenge = begin(client, &hand.negotiate());
    let said = client.ask(&encode(&hand.authenticate(&challenge)));
    let expected = if said == WELCOME { "granted" } else { "" };
    let reasons = stage.server.reasons_after(before, expected);
    let reason = reasons.last().cloned().unwrap_or_default();
    assert_eq!(
        said == WELCOME,
        reason == "granted",
        "{bound:?}: {said} but {reason}"
    );
    reason
}

const OK: &str = "granted";
const WRONG: &str = "wrong-binding";
const NONE: &str = "no-binding";

/// Policy, and what becomes of a client that is bound to nothing, zeros, us, somebody else: under TLS.
const UNDER_TLS: [(&str, [&str; 4]); 4] = [
    ("none", [OK, OK, OK, OK]),
    ("audit", [OK, OK, OK, OK]),
    ("allow", [OK, OK, OK, WRONG]),
    ("require", [NONE, NONE, OK, WRONG]),
];

#[test]
fn every_policy_meets_every_binding_under_tls() {
    for (policy, expected) in UNDER_TLS {
        let stage = Stage::open(&[("login.extended_protection", &format!("{policy:?}"))]);
        let pki = &stage.lab.pki;
        for over in ["tls", "stls"] {
            let outcomes = [Nothing, Zeros, Here, Elsewhere].map(|bound| {
                let mut client = match over {
                    "tls" => Client::connect_tls(stage.server.doors.implicit, pki),
                    _ => Client::connect_stls(stage.server.doors.secure, pki),
                };
                outcome(&stage, &mut client, bound)
            });
            assert_eq!(outcomes, expected, "{policy} over {over}");
        }
    }
}

/// In the clear there is nothing that a client could rightly be bound to.
#[test]
fn every_policy_meets_every_binding_in_the_clear() {
    for (policy, expected) in [
        ("none", [OK, OK, OK, OK]),
        ("audit", [OK, OK, OK, OK]),
        ("allow", [OK, OK, WRONG, WRONG]),
    ] {
        let stage = Stage::open(&[("login.extended_protection", &format!("{policy:?}"))]);
        let outcomes = [Nothing, Zeros, Here, Elsewhere]
            .map(|bound| outcome(&stage, &mut stage.client(), bound));
        assert_eq!(outcomes, expected, "{policy}");
    }
}

/// Under `require` NTLM is neither offered nor understood where nobody can be bound.
#[test]
fn required_bindings_refuse_the_clear() {
    let stage = Stage::open(&[("login.extended_protection", r#""require""#)]);
    let offers = |client: &mut Client| {
        let lines = client.lines("CAPA");
        lines
            .iter()
            .any(|line| line.starts_with("SASL ") && line.contains("NTLM"))
    };
    let mut clear = stage.client();
    assert!(!offers(&mut clear));
    clear.refused("AUTH NTLM");
    assert!(offers(&mut Client::connect_tls(
        stage.server.doors.implicit,
        &stage.lab.pki
    )));
}

/// The record of a login under `audit` says which rule would refuse it.
#[test]
fn an_audit_tells_who_would_be_refused() {
    let stage = Stage::open(&[("login.extended_protection", r#""audit""#)]);
    for (bound, rule) in [
        (Nothing, "protection-require"),
        (Zeros, "protection-require"),
        (Elsewhere, "protection-allow"),
    ] {
        let mut client = Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki);
        let before = stage.server.logins();
        assert_eq!(outcome(&stage, &mut client, bound), OK);
        let record = stage.server.login(before);
        assert!(record.to_string().contains(rule), "{bound:?}: {record}");
    }
    let mut client = Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki);
    let before = stage.server.logins();
    assert_eq!(outcome(&stage, &mut client, Here), OK);
    let record = stage.server.login(before);
    assert!(!record.to_string().contains("protection-"), "{record}");
}

/// Libraries that others wrote bind as the specification says.
#[test]
fn libraries_bind_to_the_certificate() {
    let stage = Stage::open(&[("login.extended_protection", r#""require""#)]);
    let right = certificate_hash(&stage.lab.pki.certificate);
    for library in ["pyspnego", "gss-ntlmssp"] {
        for (hash, welcome) in [(&right, true), (&vec![9; 32], false)] {
            let bound = Login::new("HOUSE\\alice", ALICE.password).bound(hash);
            let mut speaker = Python::new(library, bound);
            let mut client = Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki);
            let said = login(&mut client, &mut speaker);
            assert_eq!(said == WELCOME, welcome, "{library}: {said}");
        }
    }
}

/// A listener's own policy is the one that counts there.
#[test]
fn a_listener_has_a_policy_of_its_own() {
    let stage = Stage::open_with(|lab| {
        let address = lab.address;
        let listener = |more: &str| format!(r#"{{ address = "{address}:0", {more} }}"#);
        let listeners = [
            listener(r#"tls = "starttls", extended_protection = "none""#),
            listener(r#"tls = "starttls""#),
            listener(r#"tls = "implicit""#),
        ];
        vec![
            (
                "login.extended_protection".to_owned(),
                r#""require""#.to_owned(),
            ),
            ("listener".to_owned(), format!("[{}]", listeners.join(","))),
        ]
    });
    assert_eq!(outcome(&stage, &mut stage.client(), Elsewhere), OK);
    let mut client = Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki);
    assert_eq!(outcome(&stage, &mut client, Elsewhere), WRONG);
}

/// Whether Alice, bound to a certificate with this hash, is let in under TLS with the certificates of `seen`.
fn is_let_in(stage: &Stage, seen: &Lab, hash: &[u8]) -> bool {
    let bound = Login::new("HOUSE\\alice", ALICE.password).bound(hash);
    let mut client = Client::connect_tls(stage.server.doors.implicit, &seen.pki);
    login(&mut client, &mut Python::new("pyspnego", bound)) == WELCOME
}

/// A certificate that a balancer shows is as good as ours.
#[test]
fn the_certificate_of_a_balancer_counts() {
    let balancer = Lab::new();
    let stage = Stage::open_with(|_| {
        let certificate = balancer.pki.certificate.display();
        vec![
            (
                "login.extended_protection".to_owned(),
                r#""require""#.to_owned(),
            ),
            (
                "tls.extra_certificates".to_owned(),
                format!("[\"{certificate}\"]"),
            ),
        ]
    });
    let lab = &stage.lab;
    assert!(is_let_in(
        &stage,
        lab,
        &certificate_hash(&balancer.pki.certificate)
    ));
    assert!(is_let_in(
        &stage,
        lab,
        &certificate_hash(&lab.pki.certificate)
    ));
    assert!(!is_let_in(
        &stage,
        lab,
        &certificate_hash(&Lab::new().pki.certificate)
    ));
}

/// After the certificate was renewed, clients that saw the one before are still bound to us.
#[test]
fn the_certificate_before_a_reload_counts() {
    let stage = Stage::open(&[("login.extended_protection", r#""require""#)]);
    let (ours, renewed) = (&stage.lab.pki, Lab::new());
    let before = certificate_hash(&ours.certificate);
    let after = certificate_hash(&renewed.pki.certificate);
    assert!(!is_let_in(&stage, &stage.lab, &after));
    std::fs::copy(&renewed.pki.certificate, &ours.certificate).expect("a certificate");
    std::fs::copy(&renewed.pki.key, &ours.key).expect("a key");
    stage.server.daemon.signal(nix::sys::signal::Signal::SIGHUP);
    stage.server.told("reloaded", &[]);
    assert!(is_let_in(&stage, &renewed, &after));
    assert!(is_let_in(&stage, &renewed, &before), "the one before");
}
