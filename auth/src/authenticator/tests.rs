//! What is offered on which channel: `LoginType` of Set-PopSettings.

use crate::house::{caller, channel, granted, house, policy, refused};
use crate::{Channel, LoginRule, LoginType, Protection, Reason, Refusal, RefusalKind, Secret};

#[test]
fn each_login_type_offers_what_it_permits() {
    let house = house(policy());
    for (login_type, protection, offers) in [
        (LoginType::PlainText, Protection::Clear, true),
        (LoginType::PlainText, Protection::Tls, true),
        (LoginType::PlainTextAuthentication, Protection::Clear, false),
        (LoginType::PlainTextAuthentication, Protection::Tls, true),
        (LoginType::Secure, Protection::Clear, false),
        (LoginType::Secure, Protection::Tls, true),
    ] {
        let channel = channel(login_type, protection);
        let listed = house.desk.mechanisms(&channel);
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
    for (login_type, protection, permitted) in [
        (LoginType::PlainText, Protection::Clear, true),
        (LoginType::PlainTextAuthentication, Protection::Clear, true),
        (LoginType::Secure, Protection::Clear, false),
        (LoginType::Secure, Protection::Tls, true),
    ] {
        assert_eq!(
            super::permits(&channel(login_type, protection), false),
            permitted
        );
    }
}

#[test]
fn what_is_not_offered_is_refused_and_recorded() {
    let house = house(policy());
    let clear = channel(LoginType::Secure, Protection::Clear);
    let tls = channel(LoginType::Secure, Protection::Tls);
    for (name, channel, shown) in [
        ("PLAIN", &clear, "PLAIN"),
        ("GSSAPI", &tls, "GSSAPI"),
        ("x\r\ny", &tls, "x\\u{d}\\u{a}y"),
        ("", &tls, ""),
    ] {
        let refusal = house.desk.begin(name, channel, &mut caller()).unwrap_err();
        assert_eq!(
            refusal,
            Refusal {
                kind: RefusalKind::Mechanism,
                close: false
            }
        );
        assert_eq!(house.last().reason, Reason::MechanismNotOffered);
        assert_eq!(house.last().mechanism, shown);
    }
    assert_eq!(house.reasons().len(), 4);
}

#[test]
fn asking_for_mechanisms_has_an_end() {
    let house = house(policy());
    let mut connection = caller();
    let tls = channel(LoginType::Secure, Protection::Tls);
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

#[tokio::test]
async fn a_password_where_none_is_permitted_is_not_even_looked_at() {
    let house = house(policy());
    let rule = LoginRule {
        user_pass: false,
        ..(*channel(LoginType::PlainText, Protection::Tls).rule).clone()
    };
    let off = Channel {
        protection: Protection::Tls,
        rule: rule.into(),
    };
    for channel in [channel(LoginType::Secure, Protection::Clear), off] {
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
    let clear = channel(LoginType::PlainText, Protection::Clear);
    let right = Secret::new(b"right".to_vec());
    let mut exchange = house
        .desk
        .begin_password(b"alice", right, &clear, &mut caller());
    granted(exchange.step(None).await);
    assert_eq!(house.last().protection, Protection::Clear);
}
