//! Whole logins against a users file: the likeness of refusals, the delay, the records.

use super::*;
use crate::house::{
    Broken, House, caller, caller_from, granted, house, house_with, policy, refused, tls,
};
use crate::{Authenticator, Overloaded, Policy, Secret};

#[tokio::test]
async fn user_pass_and_plain_lead_to_the_same_identity() {
    let house = house(policy());
    for login in [
        "alice",
        "ALICE",
        "alice@example.test",
        "corp\\alice",
        "CORP/alice",
    ] {
        let identity = granted(house.pass(login, "right", &mut caller()).await);
        assert_eq!(
            (identity.account().name.as_str(), identity.actor()),
            ("alice", "alice")
        );
        let identity = granted(
            house
                .plain(&format!("\0{login}\0right"), &mut caller())
                .await,
        );
        assert_eq!(identity.account().name, "alice");
    }
    let record = house.last();
    assert_eq!(
        (record.mechanism, record.reason),
        ("PLAIN", Reason::Granted)
    );
    assert_eq!(record.login.as_deref(), Some("CORP/alice"));
    assert_eq!(record.account.as_deref(), Some("alice"));
    assert_eq!(record.site.as_deref(), Some("LONDON"));
    assert_eq!(record.delegate, None);
    assert_eq!(house.records.0.lock().unwrap().len(), 10, "one record each");
}

/// Every way to be refused: how it is tried, and the reason that only the log hears.
const REFUSALS: [(&str, &str, &str); 14] = [
    ("", "nobody", "unknown-user"),
    ("", "alice", "wrong-password"),
    ("", "bob", "disabled"),
    ("", "carol", "pop3-off"),
    ("", "dave", "other-site"),
    ("", "administrator@corp.test", "blocked"),
    ("", "sales", "no-password"),
    ("dave", "alice", "no-right"),
    ("nobody", "alice", "unknown-mailbox"),
    ("paris-sales", "alice", "other-site"),
    ("shut", "alice", "disabled"),
    ("sales", "bob", "disabled"),
    ("sales", "nobody", "unknown-user"),
    ("", "al\u{7}ice", "malformed"),
];

#[tokio::test(start_paused = true)]
async fn all_refusals_are_alike_in_kind_and_time() {
    let house = house(policy());
    for (mailbox, login, reason) in REFUSALS {
        let begun = clock::instant();
        let password = if reason == "wrong-password" {
            "wrong"
        } else {
            "right"
        };
        let progress = house
            .plain(&format!("{mailbox}\0{login}\0{password}"), &mut caller())
            .await;
        let refusal = refused(progress);
        assert_eq!(
            refusal,
            Refusal {
                kind: RefusalKind::Credentials,
                close: false
            },
            "{reason}"
        );
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "{reason}");
        assert_eq!(
            house.last().reason.as_str(),
            reason,
            "{mailbox:?} {login:?}"
        );
        assert_eq!(
            house.last().duration,
            Duration::ZERO,
            "the delay is not part of it"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_repeated_and_throttled_look_like_a_wrong_password() {
    let house = house(Policy {
        failures_per_account: 1,
        ..policy()
    });
    let mut connection = caller();
    let mut look = async |message: &str, reason: &str| {
        let begun = clock::instant();
        let refusal = refused(house.plain(message, &mut connection).await);
        assert_eq!(house.last().reason.as_str(), reason);
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "{reason}");
        (refusal.kind, refusal.close)
    };
    assert_eq!(
        look("\0alice\0wrong", "wrong-password").await,
        (RefusalKind::Credentials, false)
    );
    assert_eq!(
        look("\0alice\0wrong", "repeated").await,
        (RefusalKind::Credentials, false)
    );
    assert_eq!(
        look("\0alice\0right", "throttled").await,
        (RefusalKind::Credentials, false)
    );
    assert_eq!(
        look("no nul", "malformed").await,
        (RefusalKind::Credentials, true)
    );
}

#[tokio::test(start_paused = true)]
async fn the_reason_is_true_only_after_the_password_was_right() {
    let house = house(policy());
    for login in ["bob", "carol", "dave", "administrator@corp.test"] {
        refused(house.pass(login, "wrong", &mut caller()).await);
        assert_eq!(house.last().reason, Reason::WrongPassword, "{login}");
    }
    let record = house.last();
    assert_eq!(record.account.as_deref(), Some("administrator@corp.test"));
    assert_eq!(record.site, None, "nothing is said of a site before");
}

#[tokio::test(start_paused = true)]
async fn a_delegate_opens_the_mailbox_and_both_names_are_recorded() {
    let house = house(policy());
    let identity = granted(
        house
            .plain("Sales\0alice@example.test\0right", &mut caller())
            .await,
    );
    assert_eq!(
        (identity.account().name.as_str(), identity.actor()),
        ("sales", "alice")
    );
    let record = house.last();
    assert_eq!(record.login.as_deref(), Some("alice@example.test"));
    assert_eq!(record.mailbox.as_deref(), Some("Sales"));
    assert_eq!(record.account.as_deref(), Some("sales"));
    assert_eq!(record.delegate.as_deref(), Some("alice"));
    // C0010: the site of the mailbox counts, not the delegate's own.
    let identity = granted(house.plain("sales\0dave\0right", &mut caller()).await);
    assert_eq!(identity.actor(), "dave");
    // One's own name as authorization identity, in any form, is no delegation.
    let own = granted(
        house
            .plain("CORP\\alice\0alice\0right", &mut caller())
            .await,
    );
    assert_eq!(own.account().name, "alice");
    assert_eq!(house.last().delegate, None);
}

#[tokio::test(start_paused = true)]
async fn another_site_is_served_where_the_policy_says_so() {
    for policy in [
        Policy {
            cross_site: crate::CrossSite::Direct,
            ..policy()
        },
        Policy {
            site: None,
            ..policy()
        },
    ] {
        let house = house(policy);
        granted(house.pass("dave", "right", &mut caller()).await);
        assert_eq!(house.last().site.as_deref(), Some("paris"));
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_guesses_at_once_are_ten() {
    let house = Arc::new(house(Policy {
        attempts_per_connection: 200,
        ..policy()
    }));
    let one = caller();
    let guesses: Vec<_> = (0..200)
        .map(|number| {
            // Half of them on one connection, half on one each.
            let mut connection = if number % 2 == 0 {
                one.twin()
            } else {
                caller()
            };
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                let typed = ["alice", "ALICE", "corp\\alice", "alice@example.test"][number % 4];
                house
                    .pass(typed, &format!("guess {number}"), &mut connection)
                    .await
            })
        })
        .collect();
    for guess in guesses {
        refused(guess.await.unwrap());
    }
    let reasons = house.reasons();
    let count = |wanted: &str| reasons.iter().filter(|reason| **reason == wanted).count();
    // Those that wait for the ten are late by this clock, which runs ahead of the hashes.
    let unseen = count("throttled") + count("overloaded");
    assert_eq!((count("wrong-password"), unseen), (10, 190));
    // The right password does not pass either, and after the window it does.
    refused(house.pass("alice", "right", &mut caller()).await);
    granted(
        house
            .pass("alice", "right", &mut caller_from("198.51.100.7"))
            .await,
    );
    tokio::time::advance(Duration::from_secs(600)).await;
    granted(house.pass("alice", "right", &mut caller()).await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_after_three_different_refusals_or_nine_attempts() {
    let house = house(policy());
    let mut connection = caller();
    for (guess, close) in [
        ("a", false),
        ("a", false),
        ("b", false),
        ("b", false),
        ("c", true),
    ] {
        assert_eq!(
            refused(house.pass("alice", guess, &mut connection).await).close,
            close
        );
    }
    let mut connection = caller();
    let closes: Vec<bool> = {
        let mut closes = Vec::new();
        for _ in 0..9 {
            closes.push(refused(house.pass("bob", "a", &mut connection).await).close);
        }
        closes
    };
    assert_eq!(closes, [[false; 8].as_slice(), &[true]].concat());
    // Eight repeats did not count against the account: nine more failures are left.
    let verified = async |guess: usize| {
        refused(
            house
                .pass("bob", &format!("guess {guess}"), &mut caller())
                .await,
        );
        house.last().reason == Reason::WrongPassword
    };
    for guess in 0..9 {
        assert!(verified(guess).await, "{guess}");
    }
    assert!(!verified(10).await);
}

#[tokio::test(start_paused = true)]
async fn what_the_throttle_refused_is_verified_once_its_window_is_over() {
    let house = house(Policy {
        failures_per_account: 1,
        ..policy()
    });
    let mut connection = caller();
    refused(house.pass("alice", "wrong", &mut connection).await);
    refused(house.pass("alice", "right", &mut connection).await);
    assert_eq!(house.reasons(), ["wrong-password", "throttled"]);
    tokio::time::advance(Duration::from_secs(600)).await;
    granted(house.pass("alice", "right", &mut connection).await);
}

#[tokio::test(start_paused = true)]
async fn granted_logins_are_never_too_many() {
    let house = house(Policy {
        failures_per_account: 1,
        failures_per_source: 1,
        ..policy()
    });
    for _ in 0..30 {
        granted(house.pass("alice", "right", &mut caller()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_given_up_leaves_one_record() {
    let house = house(policy());
    let mut connection = caller();
    let mut exchange = house.desk.begin("PLAIN", &tls(), &mut connection).unwrap();
    let Progress::Challenge(challenge) = exchange.step(None).await else {
        panic!("no challenge")
    };
    assert_eq!(challenge, b"", "RFC 5034 §4: an empty challenge");
    drop(exchange);
    assert_eq!(house.reasons(), ["cancelled"]);
    granted(house.pass("alice", "right", &mut connection).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_recorded_before_it_waits() {
    let directory = Broken {
        fault: None,
        takes: Duration::ZERO,
    };
    let house = house_with(policy(), Arc::new(directory));
    let mut connection = caller();
    let wait = house.pass("alice", "wrong", &mut connection);
    assert!(
        tokio::time::timeout(Duration::from_millis(500), wait)
            .await
            .is_err()
    );
    assert_eq!(house.reasons(), ["unknown-user"], "and not cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_verification_cut_off_stays_counted() {
    let directory = Broken {
        fault: None,
        takes: Duration::from_secs(5),
    };
    let house = house_with(
        Policy {
            failures_per_account: 1,
            ..policy()
        },
        Arc::new(directory),
    );
    let mut connection = caller();
    let wait = house.pass("alice", "guess", &mut connection);
    assert!(
        tokio::time::timeout(Duration::from_millis(500), wait)
            .await
            .is_err()
    );
    refused(house.pass("alice", "another", &mut caller()).await);
    assert_eq!(house.reasons(), ["cancelled", "throttled"]);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_the_mechanisms_are_refused() {
    let house = house(policy());
    for steps in [
        vec![Some(&b""[..])],
        vec![None, None],
        vec![None, Some(b"\0alice")],
    ] {
        let mut exchange = house.desk.begin("PLAIN", &tls(), &mut caller()).unwrap();
        let mut last = None;
        for step in &steps {
            last = Some(exchange.step(*step).await);
        }
        assert_eq!(
            refused(last.unwrap()).kind,
            RefusalKind::Credentials,
            "{steps:?}"
        );
        assert_eq!(house.last().reason, Reason::Malformed);
        // Over is over, and it is one record.
        let records = house.reasons().len();
        refused(exchange.step(Some(b"\0alice\0right")).await);
        assert_eq!(house.reasons().len(), records);
    }
    let mut exchange = house.desk.begin("PLAIN", &tls(), &mut caller()).unwrap();
    assert!(matches!(exchange.step(None).await, Progress::Challenge(_)));
    granted(exchange.step(Some(b"\0alice\0right")).await);
}

#[tokio::test(start_paused = true)]
async fn a_name_in_user_is_utf8_but_a_password_is_octets() {
    let house = house(policy());
    let secret = |octets: &[u8]| Secret::new(octets.to_vec());
    let mut exchange = house
        .desk
        .begin_password(b"\xff", secret(b"right"), &tls(), &mut caller());
    refused(exchange.step(None).await);
    assert_eq!(house.last().reason, Reason::Malformed);
    for odd in [&b"\xff\xfe"[..], b"", b"right\0", &[b'a'; 1025]] {
        let mut exchange = house
            .desk
            .begin_password(b"alice", secret(odd), &tls(), &mut caller());
        refused(exchange.step(None).await);
        assert_eq!(house.last().reason, Reason::WrongPassword, "{odd:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_is_told_at_once_and_is_nobodys_failure() {
    for (fault, reason) in [
        (Overloaded::Client.into(), Reason::Overloaded),
        (Overloaded::Lost.into(), Reason::DirectoryTrouble),
    ] {
        let directory = Broken {
            fault: Some(fault),
            takes: Duration::ZERO,
        };
        let house = house_with(
            Policy {
                failures_per_account: 1,
                ..policy()
            },
            Arc::new(directory),
        );
        let begun = clock::instant();
        let mut connection = caller();
        for _ in 0..5 {
            let refusal = refused(house.pass("alice", "right", &mut connection).await);
            assert_eq!(
                refusal,
                Refusal {
                    kind: RefusalKind::Unavailable,
                    close: false
                }
            );
            assert_eq!(house.last().reason, reason);
        }
        assert!(begun.elapsed() < Duration::from_millis(100));
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_delay_is_answered_at_its_next_multiple() {
    let directory = Broken {
        fault: None,
        takes: Duration::from_millis(1500),
    };
    let house = house_with(policy(), Arc::new(directory));
    let begun = clock::instant();
    refused(house.pass("alice", "right", &mut caller()).await);
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn without_a_delay_nothing_waits() {
    let house = house(Policy {
        refusal_delay: Duration::ZERO,
        ..policy()
    });
    let begun = clock::instant();
    refused(house.pass("alice", "wrong", &mut caller()).await);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_throttle_survives_a_reload() {
    let strict = Policy {
        failures_per_account: 1,
        ..policy()
    };
    let house = house(strict.clone());
    refused(house.pass("alice", "wrong", &mut caller()).await);
    let directory = Arc::new(Broken {
        fault: None,
        takes: Duration::ZERO,
    });
    let desk: Authenticator = house.desk.reloaded(strict, directory);
    let house = House { desk, ..house };
    refused(house.pass("alice", "right", &mut caller()).await);
    assert_eq!(house.last().reason, Reason::Throttled);
}

#[test]
fn a_step_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let house = house(policy());
    let mut exchange = house.desk.begin("PLAIN", &tls(), &mut caller()).unwrap();
    is_send(exchange.step(None));
}
