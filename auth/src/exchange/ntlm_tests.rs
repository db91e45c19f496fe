//! NTLM: what is let in, that every refusal looks alike, and the rules on the way out of it.

use super::*;
use crate::audit::{NtlmForm, WouldBreak};
use crate::house::{House, bound, caller, caller_from, channel, granted, house, policy, refused};
use crate::ntlm::binding;
use crate::ntlm::client::{CLIENT, Client, Form, NEGOTIATE};
use crate::{
    Binding, Caller, Channel, ExtendedProtection, LoginRule, LoginType, NtlmMode, NtlmPolicy,
    Policy, TlsFacts,
};

/// A channel of TLS whose listener has this rule.
fn with_rule(change: impl Fn(&mut LoginRule)) -> Channel {
    let mut channel = bound(None);
    let mut rule = (*channel.rule).clone();
    change(&mut rule);
    channel.rule = rule.into();
    channel
}

pub(super) fn with_ntlm(change: impl Fn(&mut NtlmPolicy)) -> Policy {
    let mut policy = policy();
    change(&mut policy.ntlm);
    policy
}

/// The binding to the house's certificate.
fn right_binding() -> [u8; 16] {
    binding(&[8; 48]).unwrap()
}

/// One attempt; the answer may be changed on its way.
async fn attempt(
    (house, channel): (&House, &Channel),
    caller: &mut Caller,
    client: Client<'_>,
    change: impl Fn(&mut Vec<u8>),
) -> Progress {
    let mut exchange = house.desk.begin("ntlm", channel, caller).unwrap();
    let Progress::Challenge(empty) = exchange.step(None).await else {
        panic!("no empty challenge");
    };
    assert!(empty.is_empty(), "MS-OXPOP3 2.2.1");
    let Progress::Challenge(challenge) = exchange.step(Some(NEGOTIATE)).await else {
        panic!("no challenge");
    };
    let mut answer = client.answer(&challenge);
    change(&mut answer);
    exchange.step(Some(&answer)).await
}

pub(super) async fn plain(house: &House, channel: &Channel, client: Client<'_>) -> Progress {
    attempt((house, channel), &mut caller(), client, |_| ()).await
}

#[tokio::test(start_paused = true)]
async fn each_form_of_a_name_reaches_the_account() {
    let house = house(policy());
    let (channel, typed) = (bound(None), |domain, user| Client {
        domain,
        user,
        ..CLIENT
    });
    for (client, login) in [
        (typed("", "alice"), "alice"),
        (typed("", "ALICE"), "ALICE"),
        (typed("CORP", "alice"), "CORP\\alice"),
        (typed("corp", "Alice"), "corp\\Alice"),
        (typed("", "alice@example.test"), "alice@example.test"),
        (typed("HOUSE", "alice"), "HOUSE\\alice"),
        (typed(".", "alice"), ".\\alice"),
    ] {
        let identity = granted(plain(&house, &channel, client).await);
        assert_eq!(identity.account().name, "alice", "{login}");
        let record = house.last();
        assert_eq!(record.login.as_deref(), Some(login));
        assert_eq!(record.account.as_deref(), Some("alice"));
        assert_eq!(
            (record.mechanism, record.ntlm),
            ("NTLM", Some(NtlmForm::V2))
        );
        assert_eq!(record.workstation.as_deref(), Some("DESK7"));
        assert_eq!((record.mic, record.binding), (Some(false), Binding::None));
        assert!(record.would_break.is_empty());
    }
    let full = Client {
        mic: true,
        binding: Some(right_binding()),
        target: Some("pop/anything"),
        ..CLIENT
    };
    granted(plain(&house, &channel, full).await);
    let record = house.last();
    assert_eq!(record.mic, Some(true));
    assert_eq!(record.binding, Binding::TlsServerEndPoint);
}

#[tokio::test(start_paused = true)]
async fn an_initial_response_saves_the_empty_challenge() {
    let (house, channel) = (house(policy()), bound(None));
    let mut exchange = house.desk.begin("NTLM", &channel, &mut caller()).unwrap();
    let Progress::Challenge(challenge) = exchange.step(Some(NEGOTIATE)).await else {
        panic!("no challenge");
    };
    granted(exchange.step(Some(&CLIENT.answer(&challenge))).await);
}

const fn named(user: &str) -> Client<'_> {
    Client { user, ..CLIENT }
}

const fn formed(form: Form) -> Client<'static> {
    Client { form, ..CLIENT }
}

fn keep(_: &mut Vec<u8>) {}

const PROTECTED: Client<'_> = Client {
    mic: true,
    ..CLIENT
};

/// Who tries, what happens on the way, and the reason in the log.
type Row = (Client<'static>, fn(&mut Vec<u8>), &'static str);

/// Everything that is refused.
const REFUSALS: [Row; 22] = [
    (named("nobody"), keep, "unknown-user"),
    (
        Client {
            domain: "OTHER",
            ..CLIENT
        },
        keep,
        "unknown-user",
    ),
    (
        Client {
            password: "wrong",
            ..CLIENT
        },
        keep,
        "wrong-password",
    ),
    (
        Client {
            password: "",
            ..CLIENT
        },
        keep,
        "wrong-password",
    ),
    (named("bob"), keep, "disabled"),
    (named("carol"), keep, "pop3-off"),
    (named("dave"), keep, "other-site"),
    (named("administrator@corp.test"), keep, "blocked"),
    (named("sales"), keep, "no-nt-hash"),
    (named("Guest"), keep, "blocked"),
    (named("alice/sales"), keep, "unknown-user"),
    (
        Client {
            user: "",
            form: Form::Anonymous,
            ..CLIENT
        },
        keep,
        "anonymous",
    ),
    (formed(Form::LmOnly), keep, "lm-only"),
    (formed(Form::V1), keep, "ntlmv1"),
    (PROTECTED, |message| message[72] ^= 1, "bad-mic"),
    (PROTECTED, |message| message[72..88].fill(0), "bad-mic"),
    // A flag that the client did not send: SEAL.
    (PROTECTED, |message| message[60] ^= 0x20, "bad-mic"),
    (
        Client {
            binding: Some([1; 16]),
            ..CLIENT
        },
        keep,
        "wrong-binding",
    ),
    (
        Client {
            skew: 48 * 3600,
            ..CLIENT
        },
        keep,
        "stale",
    ),
    (
        Client {
            target: Some("http/elsewhere"),
            ..CLIENT
        },
        keep,
        "other-server",
    ),
    (CLIENT, |message| message.truncate(80), "malformed"),
    (CLIENT, |message| message[8] = 2, "malformed"),
];

#[tokio::test(start_paused = true)]
async fn all_refusals_are_alike_in_kind_and_time() {
    let house = house(with_ntlm(|ntlm| {
        ntlm.targets = vec!["pop/house.example.test".to_owned()];
    }));
    let channel = bound(None);
    for (client, change, reason) in REFUSALS {
        let begun = clock::instant();
        let progress = attempt((&house, &channel), &mut caller(), client, change).await;
        let expected = Refusal {
            kind: RefusalKind::Credentials,
            close: false,
        };
        assert_eq!(refused(progress), expected, "{reason}");
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "{reason}");
        let record = house.last();
        assert_eq!(record.reason.as_str(), reason, "{}", client.user);
        assert!(record.would_break.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_of_no_use_on_another_connection() {
    let (house, channel) = (house(policy()), bound(None));
    let begin = async || {
        let mut exchange = house.desk.begin("NTLM", &channel, &mut caller()).unwrap();
        match exchange.step(Some(NEGOTIATE)).await {
            Progress::Challenge(challenge) => (exchange, challenge),
            other @ (Progress::Granted(_) | Progress::Refused(_)) => panic!("{other:?}"),
        }
    };
    let (mut first, challenge) = begin().await;
    let (mut second, other) = begin().await;
    assert_ne!(challenge[24..32], other[24..32]);
    let answer = CLIENT.answer(&challenge);
    refused(second.step(Some(&answer)).await);
    assert_eq!(house.last().reason, Reason::WrongPassword);
    granted(first.step(Some(&answer)).await);
    refused(first.step(Some(&answer)).await);
    // Our own challenge, sent back to us.
    let (mut third, challenge) = begin().await;
    refused(third.step(Some(&challenge)).await);
    assert_eq!(house.last().reason, Reason::Malformed);
}

#[tokio::test(start_paused = true)]
async fn each_rule_of_protection_meets_each_binding() {
    use ExtendedProtection::{Allow, Audit, None as Off, Require};
    let house = house(policy());
    for (rule, nothing, elsewhere) in [
        (Off, "granted", "granted"),
        (Audit, "protection-require", "protection-allow"),
        (Allow, "granted", "wrong-binding"),
        (Require, "no-binding", "wrong-binding"),
    ] {
        let channel = with_rule(|listener| listener.extended_protection = rule);
        for (said, expected, state) in [
            (None, nothing, Binding::None),
            (Some([0; 16]), nothing, Binding::None),
            (Some([1; 16]), elsewhere, Binding::Wrong),
            (Some(right_binding()), "granted", Binding::TlsServerEndPoint),
        ] {
            let client = Client {
                binding: said,
                ..CLIENT
            };
            let _ = plain(&house, &channel, client).await;
            let record = house.last();
            let would_break = record.would_break.first();
            let came_to = would_break.map_or(record.reason.as_str(), |rule| rule.as_str());
            assert_eq!(came_to, expected, "{rule:?} {said:?}");
            assert_eq!(record.binding, state);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_stand_in_for_the_certificate_and_who_may_not() {
    let house = house(policy());
    let require = |channel: Channel| Channel {
        rule: with_rule(|rule| rule.extended_protection = ExtendedProtection::Require).rule,
        ..channel
    };
    let offers = |channel: &Channel| {
        let offered = house.desk.mechanisms(channel, caller().address());
        offered.contains(&"NTLM")
    };
    let other = |octet: u8| Arc::<[u8]>::from(vec![octet; 32]);
    let channel = require(Channel {
        tls: Some(Arc::new(TlsFacts {
            server_end_point: Some(other(1)),
            previous_end_point: Some(other(2)),
            ..TlsFacts::default()
        })),
        extra_end_points: [other(3), other(4)].into(),
        ..bound(None)
    });
    assert!(offers(&channel));
    for octet in 1..=5 {
        let client = Client {
            binding: binding(&other(octet)),
            ..CLIENT
        };
        let _ = plain(&house, &channel, client).await;
        assert_eq!(house.last().reason.is_granted(), octet < 5, "{octet}");
    }
    // Nothing to bind to: a certificate of Ed25519, or no TLS at all.
    let bare = require(Channel {
        tls: Some(Arc::default()),
        ..bound(None)
    });
    let clear = require(channel_without_tls());
    for nothing in [&bare, &clear] {
        assert!(!offers(nothing));
        assert!(house.desk.begin("NTLM", nothing, &mut caller()).is_err());
    }
    let balanced = Channel {
        extra_end_points: [other(3)].into(),
        ..bare
    };
    assert!(offers(&balanced));
    // Where it is only compared, there has to be something to compare with.
    let allow = Channel {
        tls: Some(Arc::default()),
        ..bound(None)
    };
    let client = Client {
        binding: Some([1; 16]),
        ..CLIENT
    };
    refused(plain(&house, &allow, client).await);
    assert_eq!(house.last().reason, Reason::WrongBinding);
}

fn channel_without_tls() -> Channel {
    channel(LoginType::PlainTextAuthentication, false)
}

#[tokio::test(start_paused = true)]
async fn ntlmv1_is_taken_from_its_networks_and_never_where_more_is_required() {
    let old = Client {
        form: Form::V1,
        ..CLIENT
    };
    let accepting = |rule: &mut LoginRule| {
        rule.accept_ntlmv1 = vec!["192.0.2.0/24".parse().unwrap()];
    };
    let lenient = with_rule(accepting);
    let house_ = house(policy());
    granted(plain(&house_, &lenient, old).await);
    assert_eq!(house_.last().ntlm, Some(NtlmForm::V1));
    let wrong = Client {
        password: "wrong",
        ..old
    };
    refused(plain(&house_, &lenient, wrong).await);
    assert_eq!(house_.last().reason, Reason::WrongPassword);
    let mut elsewhere = caller_from("198.51.100.1");
    let stranger = attempt((&house_, &lenient), &mut elsewhere, old, |_| ());
    refused(stranger.await);
    assert_eq!(house_.last().reason, Reason::NtlmV1);
    // The same once more on this connection does not count; the name is not looked at.
    refused(attempt((&house_, &lenient), &mut elsewhere, old, |_| ()).await);
    assert_eq!(house_.last().reason, Reason::Repeated);
    assert_eq!(house_.last().account, None);
    let strict = with_rule(|rule| {
        accepting(rule);
        rule.extended_protection = ExtendedProtection::Require;
    });
    refused(plain(&house_, &strict, old).await);
    assert_eq!(house_.last().reason, Reason::NtlmV1);
    let coded = house(with_ntlm(|ntlm| ntlm.require_mic = true));
    refused(plain(&coded, &lenient, old).await);
    assert_eq!(coded.last().reason, Reason::NtlmV1);
    refused(plain(&coded, &lenient, CLIENT).await);
    assert_eq!(coded.last().reason, Reason::NoMic);
    granted(
        plain(
            &coded,
            &lenient,
            Client {
                mic: true,
                ..CLIENT
            },
        )
        .await,
    );
}

#[tokio::test(start_paused = true)]
async fn the_way_out_has_three_steps_and_exceptions() {
    let channel = bound(None);
    let audit = house(with_ntlm(|ntlm| {
        ntlm.mode = NtlmMode::Audit;
        ntlm.except_networks = vec!["198.51.100.0/24".parse().unwrap()];
    }));
    granted(plain(&audit, &channel, CLIENT).await);
    assert_eq!(audit.last().would_break, [WouldBreak::NtlmOff]);
    let mut excepted = caller_from("198.51.100.7");
    granted(attempt((&audit, &channel), &mut excepted, CLIENT, |_| ()).await);
    assert!(audit.last().would_break.is_empty());

    let by_network = house(with_ntlm(|ntlm| {
        ntlm.mode = NtlmMode::Off;
        ntlm.except_networks = vec!["198.51.100.0/24".parse().unwrap()];
    }));
    assert!(
        by_network
            .desk
            .begin("NTLM", &channel, &mut caller())
            .is_err()
    );
    let offered = by_network.desk.mechanisms(&channel, caller().address());
    assert!(!offered.contains(&"NTLM"));
    granted(attempt((&by_network, &channel), &mut excepted, CLIENT, |_| ()).await);

    let by_account = house(with_ntlm(|ntlm| {
        ntlm.mode = NtlmMode::Off;
        ntlm.except_accounts = vec!["alice".to_owned()];
    }));
    granted(plain(&by_account, &channel, CLIENT).await);
    for user in ["bob", "nobody"] {
        refused(plain(&by_account, &channel, Client { user, ..CLIENT }).await);
        assert_eq!(by_account.last().reason, Reason::NtlmOff, "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegate_stands_before_the_slash_where_the_rule_lets_it() {
    let house = house(with_ntlm(|ntlm| ntlm.delegate = true));
    let channel = bound(None);
    for (domain, user) in [
        ("", "alice/sales"),
        ("CORP", "alice/sales"),
        ("", "alice@example.test/sales"),
    ] {
        let client = Client {
            domain,
            user,
            ..CLIENT
        };
        let identity = granted(plain(&house, &channel, client).await);
        assert_eq!(
            (&*identity.account().name, identity.actor()),
            ("sales", "alice")
        );
        assert_eq!(house.last().mailbox.as_deref(), Some("sales"));
    }
    for (user, reason) in [
        ("alice/dave", "no-right"),
        ("alice/nobody", "unknown-mailbox"),
        ("alice/", "unknown-user"),
    ] {
        refused(plain(&house, &channel, Client { user, ..CLIENT }).await);
        assert_eq!(house.last().reason.as_str(), reason, "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_logins_are_counted_like_those_of_a_password() {
    let house = house(Policy {
        failures_per_account: 2,
        ..policy()
    });
    let channel = bound(None);
    let wrong = Client {
        password: "wrong",
        ..CLIENT
    };
    for (domain, user) in [("", "alice"), ("CORP", "alice")] {
        refused(
            plain(
                &house,
                &channel,
                Client {
                    domain,
                    user,
                    ..wrong
                },
            )
            .await,
        );
    }
    refused(plain(&house, &channel, CLIENT).await);
    assert_eq!(house.last().reason, Reason::Throttled);
    refused(house.pass("alice", "right", &mut caller()).await);
    assert_eq!(house.last().reason, Reason::Throttled);
}
