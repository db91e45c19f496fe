//! What is offered on which channel: `LoginType` of Set-PopSettings.

use std::sync::Arc;
use std::time::Duration;

use crate::house::{caller, channel, granted, house, policy, refused, tls};
use crate::{Channel, LoginRule, LoginType, Progress, Reason, Refusal, RefusalKind, Secret};

#[test]
fn each_login_type_offers_what_it_permits() {
    let house = house(policy());
    for (login_type, tls, offers) in [
        (LoginType::PlainText, false, true),
        (LoginType::PlainText, true, true),
        (LoginType::PlainTextAuthentication, false, false),
        (LoginType::PlainTextAuthentication, true, true),
        (LoginType::Secure, false, false),
        (LoginType::Secure, true, true),
    ] {
        let channel = channel(login_type, tls);
        let listed = house.desk.mechanisms(&channel, caller().address());
        assert_eq!(
            listed,
            if offers { vec!["PLAIN"] } else { vec![] },
            "{channel:?}"
        );
        assert_eq!(house.desk.permits_password(&channel), offers, "{channel:?}");
        for name in ["PLAIN", "plain", "Plain"] {
            assert_eq!(
                house.desk.begin(name, &channel, &mut caller()).is_ok(),
                offers
            );
        }
    }
}

#[test]
fn mechanisms_that_are_not_plaintext_need_tls_under_secure_only() {
    for (login_type, tls, permitted) in [
        (LoginType::PlainText, false, true),
        (LoginType::PlainTextAuthentication, false, true),
        (LoginType::Secure, false, false),
        (LoginType::Secure, true, true),
    ] {
        assert_eq!(super::permits(&channel(login_type, tls), false), permitted);
    }
}

#[test]
fn what_is_not_offered_is_refused_and_recorded() {
    let house = house(policy());
    let clear = channel(LoginType::Secure, false);
    let tls = channel(LoginType::Secure, true);
    let mut recorded = 0;
    for (name, channel, shown) in [
        ("PLAIN", &clear, Some("PLAIN")),
        ("pLaIn", &clear, Some("PLAIN")),
        // Known, but there is no key of Kerberos.
        ("GSSAPI", &tls, Some("GSSAPI")),
        // Known, but not in the rule.
        ("NTLM", &tls, Some("NTLM")),
        // Offered by the rule, but not known; and perhaps a password in the wrong place: neither is
        // an attempt to log in.
        ("X-NONE", &tls, None),
        ("S3cr3t", &tls, None),
        ("", &tls, None),
    ] {
        let refusal = house.desk.begin(name, channel, &mut caller()).unwrap_err();
        assert_eq!(
            refusal,
            Refusal {
                kind: RefusalKind::Mechanism,
                close: false
            }
        );
        if let Some(shown) = shown {
            recorded += 1;
            assert_eq!(house.last().reason, Reason::MechanismNotOffered);
            assert_eq!(house.last().mechanism, shown);
        }
        assert_eq!(house.reasons().len(), recorded, "{name}");
    }
}

#[test]
fn asking_for_mechanisms_has_an_end() {
    let house = house(policy());
    let mut connection = caller();
    let tls = channel(LoginType::Secure, true);
    let closes: Vec<bool> = (0..9)
        .map(|_| {
            house
                .desk
                .begin("NTLM", &tls, &mut connection)
                .unwrap_err()
                .close
        })
        .collect();
    assert_eq!(closes.iter().position(|close| *close), Some(8));
}

/// What is seen of an attempt that was turned away: it is answered at once, and to close.
const TURNED: Refusal = Refusal {
    kind: RefusalKind::Credentials,
    close: true,
};

#[tokio::test(start_paused = true)]
async fn exchanges_given_up_have_an_end_and_so_have_their_records() {
    let house = house(policy());
    let (mut connection, tls) = (caller(), tls());
    for _ in 0..9 {
        let mut exchange = house.desk.begin("PLAIN", &tls, &mut connection).unwrap();
        let progress = exchange.step(None).await;
        assert!(matches!(progress, Progress::Challenge(_)));
    }
    let begun = crate::clock::instant();
    for _ in 0..50 {
        let turned = house.desk.begin("PLAIN", &tls, &mut connection);
        assert_eq!(turned.unwrap_err(), TURNED);
        assert_eq!(
            refused(house.pass("alice", "right", &mut connection).await),
            TURNED
        );
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let reasons = house.reasons();
    assert_eq!(reasons[..9], ["cancelled"; 9]);
    assert_eq!(reasons[9..], ["too-many-attempts"]);
    granted(house.pass("alice", "right", &mut caller()).await);
}

#[tokio::test(start_paused = true)]
async fn granted_logins_on_one_connection_have_an_end_too() {
    // A user at the limit of sessions is granted the login, and then refused the maildrop.
    let house = house(policy());
    let mut connection = caller();
    for _ in 0..9 {
        granted(house.pass("alice", "right", &mut connection).await);
    }
    for _ in 0..2 {
        assert_eq!(
            refused(house.pass("alice", "right", &mut connection).await),
            TURNED
        );
    }
    assert_eq!(house.last().reason, Reason::TooManyAttempts);
    assert_eq!(house.last().login, None, "not looked at");
    assert_eq!(house.reasons().len(), 10);
}

#[tokio::test]
async fn a_password_where_none_is_permitted_is_not_even_looked_at() {
    let house = house(policy());
    let rule = LoginRule {
        user_pass: false,
        ..(*channel(LoginType::PlainText, true).rule).clone()
    };
    let off = Channel {
        tls: Some(Arc::default()),
        rule: rule.into(),
        extra_end_points: Arc::default(),
    };
    for channel in [channel(LoginType::Secure, false), off] {
        let right = Secret::new(b"right".to_vec());
        let mut exchange = house
            .desk
            .begin_password(b"alice", right, &channel, &mut caller());
        assert_eq!(
            refused(exchange.step(None).await).kind,
            RefusalKind::Mechanism
        );
        assert_eq!(house.last().reason, Reason::MechanismNotOffered);
        assert_eq!(house.last().login, None);
    }
    let clear = channel(LoginType::PlainText, false);
    let right = Secret::new(b"right".to_vec());
    let mut exchange = house
        .desk
        .begin_password(b"alice", right, &clear, &mut caller());
    granted(exchange.step(None).await);
    assert!(!house.last().tls);
}
