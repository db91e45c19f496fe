//! What a client is bound to, and what the server makes of it.

use super::*;
use crate::audit::WouldBreak;
use crate::extended_protection::{Bound, Ruling};
use crate::{ExtendedProtection, LoginType, TlsFacts};

const HERE: &str = "aa11";
const BALANCER: &str = "bb22";
const ELSEWHERE: &str = "cc33";

fn hash(text: &str) -> Arc<[u8]> {
    let octets = text.as_bytes().chunks(2);
    let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    octets.map(octet).collect()
}

/// The bindings of a connection with a certificate, which may also end at a balancer; or of one in
/// the clear.
fn bindings(protection: ExtendedProtection, tls: bool) -> Bindings {
    let mut channel = crate::house::channel(LoginType::PlainText, false);
    Arc::make_mut(&mut channel.rule).extended_protection = protection;
    if tls {
        channel.tls = Some(Arc::new(TlsFacts {
            server_end_point: Some(hash(HERE)),
            ..TlsFacts::default()
        }));
        channel.extra_end_points = Arc::new([hash(BALANCER)]);
    }
    Bindings::of(&channel)
}

/// What both mechanisms find of a client that is bound to this.
fn bound(
    realm: &Realm,
    gssapi: &Arc<Gssapi>,
    client: Option<&str>,
    bindings: &Bindings,
) -> [(Bound, Ruling); 2] {
    FLAVOURS.map(|(flavour, mechanism)| {
        let mut arguments = vec!["pop@localhost", "--mechanism", mechanism];
        arguments.extend(client.iter().flat_map(|hash| ["--binding", hash]));
        let mut talk = Talk::new(Arc::clone(gssapi), flavour, bindings.clone());
        let proven = realm.client(&arguments).talk(&mut talk).unwrap();
        (proven.bound, proven.ruling)
    })
}

#[test]
fn the_rule_of_extended_protection_meets_every_binding() {
    use ExtendedProtection::{Allow, Audit, None as Never, Require};
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    let wrong = Ruling::Refused(Reason::WrongBinding);
    let noted = Ruling::Noted(WouldBreak::ProtectionAllow);
    for (client, tls, seen, rulings) in [
        (
            None,
            true,
            Bound::Nothing,
            [
                Ruling::Noted(WouldBreak::ProtectionRequire),
                Ruling::Accepted,
                Ruling::Refused(Reason::NoBinding),
            ],
        ),
        (Some(HERE), true, Bound::Here, [Ruling::Accepted; 3]),
        (Some(BALANCER), true, Bound::Here, [Ruling::Accepted; 3]),
        (
            Some(ELSEWHERE),
            true,
            Bound::Elsewhere,
            [noted, wrong, wrong],
        ),
        (
            None,
            false,
            Bound::Nothing,
            [
                Ruling::Noted(WouldBreak::ProtectionRequire),
                Ruling::Accepted,
                Ruling::Refused(Reason::NoBinding),
            ],
        ),
        (Some(HERE), false, Bound::Unknown, [noted, wrong, wrong]),
    ] {
        for (protection, ruling) in [Audit, Allow, Require].into_iter().zip(rulings) {
            let found = bound(&realm, &gssapi, client, &bindings(protection, tls));
            assert_eq!(
                found,
                [(seen, ruling); 2],
                "{client:?} {tls} {protection:?}"
            );
        }
        let unasked = bound(&realm, &gssapi, client, &bindings(Never, tls));
        assert_eq!(
            unasked,
            [(Bound::Nothing, Ruling::Accepted); 2],
            "{client:?} {tls}"
        );
    }
}

#[test]
fn a_wrong_binding_cannot_be_tried_again() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (flavour, mechanism) in FLAVOURS {
        let token = realm.token(&[
            "pop@localhost",
            "--mechanism",
            mechanism,
            "--binding",
            ELSEWHERE,
        ]);
        let tries = |protection| {
            Talk::new(Arc::clone(&gssapi), flavour, bindings(protection, true)).step(&token)
        };
        assert!(
            tries(ExtendedProtection::Allow).is_ok(),
            "judged when it is known who it is"
        );
        for protection in [
            ExtendedProtection::Allow,
            ExtendedProtection::Audit,
            ExtendedProtection::None,
        ] {
            assert_eq!(refused(tries(protection)).0, Reason::Replayed);
        }
    }
}
