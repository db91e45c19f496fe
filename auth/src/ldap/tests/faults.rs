//! Servers in trouble: killed, held, slow, full, and with the wrong password for us. Whatever
//! happens, an answer comes in time, and it is never that a password was wrong.

use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_millis(700);

#[expect(
    clippy::disallowed_methods,
    reason = "how long an answer takes is what is tested"
)]
async fn timed<T>(question: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let answer = question.await;
    (answer, begun.elapsed())
}

fn impatient(servers: &[String]) -> LdapSettings {
    LdapSettings {
        timeout: SOON,
        ..settings(servers)
    }
}

/// Twice as much: the machine may be busy.
const BOUND: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn a_server_that_was_killed_is_trouble_and_comes_back_by_itself() {
    let mut slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    slapd.kill();
    for _ in 0..3 {
        let (answer, took) = timed(directory.login("alice", "wrong")).await;
        assert_eq!(answer, Err(Unavailable::Trouble));
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    slapd.restart();
    until(async || directory.login("alice", "right").await == Ok(Verdict::Right)).await;
    assert_eq!(directory.login("alice", "wrong").await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn a_restart_between_two_logins_is_not_noticed() {
    let mut slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    for _ in 0..3 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        slapd.kill();
        slapd.restart();
        assert_eq!(directory.login("alice", "wrong").await, Ok(Verdict::Wrong));
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_given_up_in_time() {
    let slapd = Slapd::start();
    let directory = directory(impatient(&[slapd.plain()]));
    // With open connections, and without any.
    for warm in [true, false] {
        if warm {
            assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        }
        slapd.hold();
        let (answer, took) = timed(directory.login("alice", "right")).await;
        assert_eq!(answer, Err(Unavailable::Trouble));
        assert!(took < BOUND, "{took:?}");
        // Nobody waits for a server that is known to be out of order.
        let (answer, took) = timed(directory.login("alice", "right")).await;
        assert_eq!(answer, Err(Unavailable::Trouble));
        assert!(took < SOON / 2, "{took:?}");
        assert_eq!(directory.servers.each()[0].open_connections(), (0, 0));
        slapd.release();
        until(async || directory.login("alice", "right").await == Ok(Verdict::Right)).await;
    }
}

#[tokio::test]
async fn held_connections_leave_the_next_server_its_time_and_the_first_one_returns() {
    let (first, second) = (Slapd::start(), Slapd::start());
    let directory = directory(impatient(&[first.plain(), second.plain()]));
    let open = |server: usize| directory.servers.each()[server].open_connections();
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    assert_eq!(
        (open(0), open(1)),
        ((1, 1), (0, 0)),
        "the preferred one is asked"
    );
    first.hold();
    let (answer, took) = timed(directory.login("alice", "right")).await;
    assert_eq!(answer, Ok(Verdict::Right));
    assert!(took < BOUND, "{took:?}");
    assert_eq!((open(0), open(1)), ((0, 0), (1, 1)));
    let (_, took) = timed(directory.login("alice", "right")).await;
    assert!(took < SOON / 2, "the first one costs nobody time: {took:?}");
    first.release();
    until(async || !directory.servers.each()[0].is_down()).await;
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    assert_eq!(open(0), (1, 1), "the preferred one is asked again");
}

#[tokio::test]
async fn one_dead_server_of_two_is_passed_over() {
    let slapd = Slapd::start();
    let directory = directory(settings(&["ldap://127.0.0.1:9".to_owned(), slapd.plain()]));
    for _ in 0..3 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        assert_eq!(directory.login("alice", "wrong").await, Ok(Verdict::Wrong));
    }
    assert!(directory.servers.each()[0].is_down());
}

#[tokio::test]
async fn a_service_account_that_is_refused_is_trouble() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.service = ServiceAccount::Simple {
        name: SERVICE.to_owned(),
        password: Secret::new(b"wrong".to_vec()),
    };
    let directory = directory(settings);
    for _ in 0..3 {
        assert_eq!(
            directory.login("alice", "right").await,
            Err(Unavailable::Trouble)
        );
    }
}

#[tokio::test]
async fn a_base_that_is_not_there_is_trouble_and_the_server_stays_in_order() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.base = "ou=gone,dc=example,dc=test".to_owned();
    let wrong = directory(settings);
    assert_eq!(
        wrong.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );
    assert!(!wrong.servers.each()[0].is_down());
    // Below a referral of the server's own.
    let mut settings = super::settings(&[slapd.plain()]);
    settings.base = "ou=people,ou=elsewhere,dc=example,dc=test".to_owned();
    let elsewhere = directory(settings);
    assert_eq!(
        elsewhere.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );
}

#[tokio::test]
async fn more_logins_than_connections_wait_their_turn() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    let logins = (0..200).map(|number| {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move {
            let password = if number % 2 == 0 { "right" } else { "wrong" };
            (number % 2 == 0, directory.login("alice", password).await)
        })
    });
    let logins: Vec<_> = logins.collect();
    for login in logins {
        let (right, verdict) = login.await.unwrap();
        let expected = if right {
            Verdict::Right
        } else {
            Verdict::Wrong
        };
        assert_eq!(verdict, Ok(expected));
    }
    assert_eq!(directory.servers.each()[0].open_connections(), (4, 2));
}

#[tokio::test]
async fn when_every_connection_hangs_the_waiting_are_told_in_time() {
    let slapd = Slapd::start();
    let directory = directory(impatient(&[slapd.plain()]));
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    slapd.hold();
    let ask = || {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move { timed(directory.login("alice", "right")).await })
    };
    let logins: Vec<_> = (0..50).map(|_| ask()).collect();
    for login in logins {
        let (answer, took) = login.await.unwrap();
        assert!(
            matches!(answer, Err(Unavailable::Trouble | Unavailable::Overloaded)),
            "{answer:?}"
        );
        assert!(took < BOUND, "{took:?}");
    }
    slapd.release();
    until(async || directory.login("alice", "right").await == Ok(Verdict::Right)).await;
}

/// After a while, connections are looked at before they are used. Behind a server that is gone that
/// takes time for each of them, and the login has no more of it than otherwise.
#[tokio::test]
async fn many_idle_connections_that_hang_cost_no_more_than_the_deadline() {
    let slapd = Slapd::start();
    let mut settings = impatient(&[slapd.plain()]);
    settings.search_connections = 8;
    let directory = directory(settings);
    let logins: Vec<_> = (0..64)
        .map(|_| {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move { directory.account("alice").await.unwrap().unwrap() })
        })
        .collect();
    for login in logins {
        login.await.unwrap();
    }
    assert!(directory.servers.each()[0].open_connections().0 >= 4);
    slapd.hold();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    let (answer, took) = timed(directory.login("alice", "right")).await;
    assert_eq!(answer, Err(Unavailable::Trouble));
    assert!(took < BOUND, "{took:?}");
    slapd.release();
    until(async || directory.login("alice", "right").await == Ok(Verdict::Right)).await;
}

#[tokio::test]
async fn who_goes_away_in_the_middle_takes_the_connection_along() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    assert_eq!(directory.servers.each()[0].open_connections(), (1, 1));
    slapd.hold();
    let gone = tokio::time::timeout(Duration::from_millis(50), directory.login("alice", "right"));
    assert!(gone.await.is_err());
    assert_eq!(directory.servers.each()[0].open_connections(), (0, 1));
    slapd.release();
    // Whoever comes next does not read the answer that the other was waiting for.
    assert!(directory.account("nobody").await.unwrap().is_none());
    assert_eq!(directory.login("bob", "wrong").await, Ok(Verdict::Wrong));
}
