//! Each client against the authenticator, on a channel of TLS 1.3 with every mechanism.

use super::*;
use crate::house::{House, bound, caller, house, policy};
use crate::{Channel, Progress};

async fn attempt(house: &House, mechanism: &str, typed: &str, password: &str) -> Progress {
    let channel = bound(None);
    attempt_on(house, mechanism, (typed, password), &channel, &channel).await
}

/// `seen` is the channel as the client sees it.
async fn attempt_on(
    house: &House,
    mechanism: &str,
    (typed, password): (&str, &str),
    channel: &Channel,
    seen: &Channel,
) -> Progress {
    let password = Secret::new(password.as_bytes().to_vec());
    let mut client = Client::new(mechanism, typed, &password, seen).unwrap();
    let mut exchange = house.desk.begin(mechanism, channel, &mut caller()).unwrap();
    let mut progress = exchange.step(None).await;
    while let Progress::Challenge(challenge) = &progress {
        let answer = client.answer(challenge).unwrap();
        progress = exchange.step(Some(answer.expose())).await;
    }
    progress
}

#[tokio::test(start_paused = true)]
async fn the_right_password_is_granted_and_another_is_not_by_each_mechanism() {
    let house = house(policy());
    for mechanism in [
        "PLAIN",
        "LOGIN",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "NTLM",
    ] {
        let progress = attempt(&house, mechanism, "alice", "right").await;
        let granted = matches!(progress, Progress::Granted(_));
        assert!(granted, "{mechanism}: {progress:?} {:?}", house.last());
        let progress = attempt(&house, mechanism, "alice", "wrong").await;
        let refused = matches!(progress, Progress::Refused(_));
        assert!(refused, "{mechanism}: {progress:?}");
        assert_eq!(
            house.last().reason.as_str(),
            "wrong-password",
            "{mechanism}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sees_another_channel_is_found_out() {
    let house = house(policy());
    let mut other = bound(None);
    let facts = crate::TlsFacts {
        exporter: Some([8; 32]),
        server_end_point: Some([9; 48].as_slice().into()),
        ..crate::TlsFacts::default()
    };
    other.tls = Some(std::sync::Arc::new(facts));
    for mechanism in ["SCRAM-SHA-256-PLUS", "NTLM"] {
        let password = ("alice", "right");
        let progress = attempt_on(&house, mechanism, password, &bound(None), &other).await;
        assert!(matches!(progress, Progress::Refused(_)), "{mechanism}");
        assert_eq!(house.last().reason.as_str(), "wrong-binding", "{mechanism}");
    }
}

#[tokio::test(start_paused = true)]
async fn plain_names_the_mailbox_of_somebody_else() {
    let house = house(policy());
    let typed = "alice@example.test/sales";
    let progress = attempt(&house, "PLAIN", typed, "right").await;
    assert!(matches!(progress, Progress::Granted(_)), "{progress:?}");
    assert_eq!(house.last().mailbox.as_deref(), Some("sales"));
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let password = Secret::new(b"right".to_vec());
    let mut client = Client::new("SCRAM-SHA-256", "a,b=c", &password, &bound(None)).unwrap();
    let first = client.answer(b"").unwrap();
    let first = std::str::from_utf8(first.expose()).unwrap();
    let (head, nonce) = first.split_once(",r=").unwrap();
    assert_eq!(head, "n,,n=a=2Cb=3Dc");
    let server_first = format!("r={nonce}x,s=c2FsdHNhbHQ=,i=4096");
    client.answer(server_first.as_bytes()).unwrap();
    let outcome = client.answer(b"v=AAAA");
    assert_eq!(outcome, Err(ClientError::NotProven));

    let mut client = Client::new("SCRAM-SHA-256", "a", &password, &bound(None)).unwrap();
    client.answer(b"").unwrap();
    // Another's nonce.
    let outcome = client.answer(b"r=abc,s=c2FsdHNhbHQ=,i=4096");
    assert_eq!(outcome, Err(ClientError::Malformed));
    let mut client = Client::new("SCRAM-SHA-256", "a", &password, &bound(None)).unwrap();
    client.answer(b"").unwrap();
    assert!(!format!("{client:?}").contains("right"));
}
