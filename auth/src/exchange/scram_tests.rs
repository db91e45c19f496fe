//! Whole logins by SCRAM: every refusal, step for step alike.

use super::scram_client::{Client, PLAIN, shape};
use super::*;
use crate::house::{
    bound, caller, caller_from, channel, granted, house, house_of, policy, refused, tls_with_all,
};
use crate::scram::ScramKeys;
use crate::{Binding, Channel, LoginType, Policy, Secret};

#[tokio::test(start_paused = true)]
async fn the_right_proof_opens_the_mailbox_and_the_server_proves_itself() {
    let house = house(policy());
    let seen = PLAIN.attempt(&house, &tls_with_all(), &mut caller()).await;
    assert_eq!(seen.challenges.len(), 2);
    assert_eq!(granted(seen.outcome).account().name, "alice");
    let record = house.last();
    assert_eq!(
        (record.mechanism, record.reason),
        ("SCRAM-SHA-256", Reason::Granted)
    );
    assert_eq!(record.login.as_deref(), Some("alice"));
    assert_eq!(record.binding, Binding::None);
    assert_eq!(house.reasons().len(), 1, "one record");
    // A delegate, by the authorization identity.
    let client = Client {
        gs2: "n,a=sales,",
        ..PLAIN
    };
    let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
    let identity = granted(seen.outcome);
    assert_eq!(
        (identity.account().name.as_str(), identity.actor()),
        ("sales", "alice")
    );
}

#[tokio::test(start_paused = true)]
async fn both_bindings_hold_and_are_recorded() {
    let house = house(policy());
    for (gs2, binding, kind) in [
        ("p=tls-exporter,,", &[7; 32][..], Binding::TlsExporter),
        (
            "p=tls-server-end-point,,",
            &[8; 48][..],
            Binding::TlsServerEndPoint,
        ),
    ] {
        let client = Client {
            mechanism: "SCRAM-SHA-256-PLUS",
            gs2,
            binding,
            ..PLAIN
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        granted(seen.outcome);
        assert_eq!(house.last().binding, kind);
        // In the middle sits somebody with another connection to us.
        let client = Client {
            binding: &[9; 32],
            ..client
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        refused(seen.outcome);
        assert_eq!(seen.challenges.len(), 1);
        assert_eq!(house.last().reason, Reason::WrongBinding);
    }
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_was_taken_away_is_refused() {
    let house = house(policy());
    let plus = "SCRAM-SHA-256-PLUS";
    for (mechanism, gs2, reason) in [
        ("SCRAM-SHA-256", "y,,", Reason::BindingStripped),
        ("SCRAM-SHA-256", "p=tls-exporter,,", Reason::WrongBinding),
        (plus, "n,,", Reason::WrongBinding),
        (plus, "y,,", Reason::WrongBinding),
        (plus, "p=tls-unique,,", Reason::WrongBinding),
    ] {
        let client = Client {
            mechanism,
            gs2,
            binding: &[7; 32],
            ..PLAIN
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        assert_eq!(refused(seen.outcome).kind, RefusalKind::Credentials);
        assert_eq!(seen.took, Duration::from_secs(1));
        assert_eq!(house.last().reason, reason, "{mechanism} {gs2}");
    }
    // Where no -PLUS is offered, a client that could bind is right to say so.
    let mut rule = (*tls_with_all().rule).clone();
    rule.mechanisms.retain(|name| name != plus);
    let channel = Channel {
        rule: rule.into(),
        ..tls_with_all()
    };
    let client = Client {
        gs2: "y,,",
        ..PLAIN
    };
    granted(
        client
            .attempt(&house, &channel, &mut caller())
            .await
            .outcome,
    );
}

#[test]
fn what_a_channel_has_decides_what_is_offered() {
    let house = house(policy());
    let all = tls_with_all();
    let clear = |login_type| Channel {
        rule: crate::LoginRule {
            login_type,
            ..(*all.rule).clone()
        }
        .into(),
        ..channel(login_type, false)
    };
    assert_eq!(
        house.desk.mechanisms(&all, caller().address()),
        [
            "PLAIN",
            "LOGIN",
            "SCRAM-SHA-256",
            "SCRAM-SHA-256-PLUS",
            "NTLM"
        ]
    );
    let with_certificate = bound(Some(vec![0]));
    assert_eq!(
        house
            .desk
            .mechanisms(&with_certificate, caller().address())
            .last(),
        Some(&"EXTERNAL")
    );
    let authentication = clear(LoginType::PlainTextAuthentication);
    assert_eq!(
        house.desk.mechanisms(&authentication, caller().address()),
        ["SCRAM-SHA-256", "NTLM"]
    );
    let plain = clear(LoginType::PlainText);
    assert_eq!(
        house.desk.mechanisms(&plain, caller().address()),
        ["PLAIN", "LOGIN", "SCRAM-SHA-256", "NTLM"]
    );
    assert!(
        house
            .desk
            .mechanisms(&clear(LoginType::Secure), caller().address())
            .is_empty()
    );
    // TLS that proves nothing, as with a certificate of Ed25519 under TLS 1.2.
    let bare = Channel {
        tls: Some(Arc::default()),
        ..all.clone()
    };
    assert_eq!(
        house.desk.mechanisms(&bare, caller().address()),
        ["PLAIN", "LOGIN", "SCRAM-SHA-256", "NTLM"]
    );
    for name in ["SCRAM-SHA-256-PLUS", "EXTERNAL"] {
        assert!(
            house.desk.begin(name, &bare, &mut caller()).is_err(),
            "{name}"
        );
    }
}

/// Every way to be refused by SCRAM: who, with which password, and what the log hears.
const REFUSALS: [(&str, &str, &str, &str); 12] = [
    ("n,,", "alice", "wrong", "wrong-password"),
    ("n,,", "nobody", "right", "unknown-user"),
    ("n,,", "sales", "right", "no-keys"),
    ("n,,", "bob", "right", "disabled"),
    ("n,,", "bob", "wrong", "wrong-password"),
    ("n,,", "carol", "right", "pop3-off"),
    ("n,,", "dave", "right", "other-site"),
    ("n,,", "administrator@corp.test", "right", "blocked"),
    ("n,a=dave,", "alice", "right", "no-right"),
    ("n,a=nobody,", "alice", "right", "unknown-mailbox"),
    ("n,a=shut,", "alice", "right", "disabled"),
    // An alias would have the salt of the name, and so tell that both are one account.
    ("n,,", "alice@example.test", "right", "no-keys"),
];

#[tokio::test(start_paused = true)]
async fn all_refusals_are_alike_in_steps_kind_and_time() {
    let house = house(policy());
    for (gs2, login, password, reason) in REFUSALS {
        let client = Client {
            gs2,
            login,
            password,
            ..PLAIN
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        assert_eq!(house.last().reason.as_str(), reason, "{gs2} {login}");
        assert_eq!(seen.challenges.len(), 1, "{reason}: no server-final");
        let (salt, nonce, rounds) = shape(&seen.challenges[0]);
        assert_eq!((salt.len(), nonce, rounds), (26, 32, "i=4096"), "{reason}");
        assert_eq!(
            refused(seen.outcome),
            Refusal {
                kind: RefusalKind::Credentials,
                close: false
            },
            "{reason}"
        );
        assert_eq!(seen.took, Duration::from_secs(1), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_salt_of_a_name_stays_and_nonces_never_do() {
    let house = house(policy());
    let other_house = crate::house::house(policy());
    let mut nonces = std::collections::HashSet::new();
    for login in ["alice", "nobody", "sales", "NOBODY"] {
        let mut salts = std::collections::HashSet::new();
        // The second house is the first after a restart: the same file.
        for place in [&house, &house, &other_house] {
            let client = Client {
                login,
                password: "wrong",
                ..PLAIN
            };
            let seen = client.attempt(place, &tls_with_all(), &mut caller()).await;
            let first = &seen.challenges[0];
            salts.insert(shape(first).0.to_owned());
            assert!(nonces.insert(first.split(',').next().unwrap().to_owned()));
        }
        assert_eq!(salts.len(), 1, "{login}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_throttled_sees_the_same_steps_and_a_source_gets_no_more_salts() {
    let house = house(Policy {
        failures_per_account: 1,
        failures_per_source: 4,
        ..policy()
    });
    let attempt = async |login: &'static str, password: &'static str| {
        let client = Client {
            login,
            password,
            ..PLAIN
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        assert_eq!(seen.took, Duration::from_secs(1));
        refused(seen.outcome);
        (seen.challenges.len(), house.last().reason.as_str())
    };
    assert_eq!(attempt("alice", "wrong").await, (1, "wrong-password"));
    assert_eq!(attempt("alice", "right").await, (1, "throttled"));
    assert_eq!(attempt("nobody", "wrong").await, (1, "unknown-user"));
    assert_eq!(attempt("nobody", "wrong").await, (1, "throttled"));
    // Two names of one account: counted as one, and nothing to be seen of it.
    assert_eq!(attempt("CORP\\alice", "wrong").await, (1, "throttled"));
    assert_eq!(attempt("x", "wrong").await, (1, "unknown-user"));
    assert_eq!(attempt("y", "wrong").await, (1, "unknown-user"));
    assert_eq!(attempt("z", "wrong").await, (0, "throttled"));
}

#[tokio::test(start_paused = true)]
async fn a_salt_is_an_attempt_and_counts_once() {
    let house = house(Policy {
        failures_per_account: 2,
        ..policy()
    });
    let begin = || {
        house
            .desk
            .begin("SCRAM-SHA-256", &tls_with_all(), &mut caller())
            .unwrap()
    };
    let mut given_up = begin();
    assert!(matches!(
        given_up.step(Some(b"n,,n=alice,r=abc")).await,
        Progress::Challenge(_)
    ));
    drop(given_up);
    assert_eq!(house.reasons(), ["cancelled"]);
    refused(
        Client {
            password: "wrong",
            ..PLAIN
        }
        .attempt(&house, &tls_with_all(), &mut caller())
        .await
        .outcome,
    );
    assert_eq!(house.last().reason, Reason::WrongPassword, "the second");
    refused(
        PLAIN
            .attempt(&house, &tls_with_all(), &mut caller())
            .await
            .outcome,
    );
    assert_eq!(house.last().reason, Reason::Throttled);
    // A granted login clears what it counted.
    for _ in 0..5 {
        let mut elsewhere = caller_from("198.51.100.9");
        granted(
            PLAIN
                .attempt(&house, &tls_with_all(), &mut elsewhere)
                .await
                .outcome,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_message_must_be_answered_with_nothing() {
    let house = house(policy());
    let run = async |answer: Option<&[u8]>| {
        let mut caller = caller();
        let mut exchange = house
            .desk
            .begin("SCRAM-SHA-256", &tls_with_all(), &mut caller)
            .unwrap();
        let Progress::Challenge(first) = exchange.step(Some(b"n,,n=alice,r=client")).await else {
            panic!("no salt")
        };
        let first = String::from_utf8(first).unwrap();
        let (last, _) = PLAIN.answer("n=alice,r=client", &first);
        let told = exchange.step(Some(last.as_bytes())).await;
        assert!(matches!(told, Progress::Challenge(_)));
        let records = house.reasons().len();
        let progress = exchange.step(answer).await;
        assert_eq!(
            house.reasons().len(),
            records + 1,
            "only now it is recorded"
        );
        // Over is over.
        refused(exchange.step(Some(b"")).await);
        progress
    };
    granted(run(Some(b"")).await);
    for odd in [None, Some(&b"x"[..]), Some(b"v="), Some(b"*")] {
        refused(run(odd).await);
        assert_eq!(house.last().reason, Reason::Malformed);
    }
}

#[tokio::test(start_paused = true)]
async fn odd_messages_are_refused_and_never_reach_the_library() {
    let house = house(policy());
    for steps in [
        &["n"][..],
        &["n,,n,r"],
        &["n,a,n=x,r=y"],
        &["n,,n=alice,r=client", ""],
        &["n,,n=alice,r=client", "c"],
        &["n,,n=alice,r=client", "c=biws,r=client,p"],
        &["n,,n=alice,r=client", "c=biws,r=client,p=x,"],
        &["n,,n=alice,r=client", "n,,n=alice,r=client"],
    ] {
        let mut exchange = house
            .desk
            .begin(
                "SCRAM-SHA-256",
                &tls_with_all(),
                &mut caller_from("203.0.113.5"),
            )
            .unwrap();
        let mut last = None;
        for step in steps {
            last = Some(exchange.step(Some(step.as_bytes())).await);
        }
        assert_eq!(
            refused(last.unwrap()).kind,
            RefusalKind::Credentials,
            "{steps:?}"
        );
        assert_eq!(house.last().reason, Reason::Malformed, "{steps:?}");
        refused(exchange.step(Some(b"c=biws,r=client,p=")).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_of_no_use_a_second_time() {
    let house = house(policy());
    let begin = || {
        house
            .desk
            .begin("SCRAM-SHA-256", &tls_with_all(), &mut caller())
            .unwrap()
    };
    let mut exchange = begin();
    let Progress::Challenge(first) = exchange.step(Some(b"n,,n=alice,r=client")).await else {
        panic!("no salt")
    };
    let first = String::from_utf8(first).unwrap();
    let (last, _) = PLAIN.answer("n=alice,r=client", &first);
    let mut again = begin();
    again.step(Some(b"n,,n=alice,r=client")).await;
    refused(again.step(Some(last.as_bytes())).await);
    assert_eq!(house.last().reason, Reason::WrongPassword);
}

/// A file of users who have keys and no hash.
fn keys_alone() -> String {
    let right = Secret::new(b"right".to_vec());
    let keys = ScramKeys::derive(&right, b"another salt".to_vec(), 5000).unwrap();
    let user = |name| {
        format!(
            "[[user]]\nname = \"{name}\"\nscram = \"{}\"\n",
            keys.to_text()
        )
    };
    user("alice") + &user("bob") + "[[user]]\nname = \"carol\"\n"
}

#[tokio::test(start_paused = true)]
async fn keys_alone_open_the_mailbox_for_plain_too() {
    let house = house_of(policy(), &keys_alone());
    granted(house.pass("alice", "right", &mut caller()).await);
    granted(house.plain("\0bob\0right", &mut caller()).await);
    for (name, password, reason) in [
        ("alice", "wrong", Reason::WrongPassword),
        ("carol", "right", Reason::NoPassword),
        ("nobody", "right", Reason::UnknownUser),
    ] {
        refused(house.pass(name, password, &mut caller()).await);
        assert_eq!(house.last().reason, reason);
    }
}

#[tokio::test(start_paused = true)]
async fn made_up_keys_look_like_those_of_most_users() {
    let house = house_of(policy(), &keys_alone());
    for login in ["alice", "carol", "nobody"] {
        let client = Client {
            login,
            password: "wrong",
            ..PLAIN
        };
        let seen = client.attempt(&house, &tls_with_all(), &mut caller()).await;
        let (salt, _, rounds) = shape(&seen.challenges[0]);
        // Twelve octets are sixteen characters.
        assert_eq!((salt.len(), rounds), (18, "i=5000"), "{login}");
    }
}
