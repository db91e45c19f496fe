//! Answers that are kept: what they spare the directory, and what ends them.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// A directory whose answers are kept for so long.
fn keeping(slapd: &Slapd, accounts: Duration, passwords: Duration) -> Arc<LdapDirectory> {
    directory(LdapSettings {
        cache: CacheTimes {
            accounts,
            passwords,
        },
        ..settings(&[slapd.plain()])
    })
}

/// How often alice's password was tried, and her entry looked for.
fn asked(slapd: &Slapd) -> (usize, usize) {
    let log = slapd.log();
    (
        log.matches(" BIND dn=\"uid=alice,ou=people,dc=example,dc=test\" method=")
            .count(),
        log.matches(" SRCH base=\"dc=example,dc=test\" scope=2 ")
            .count(),
    )
}

#[tokio::test]
async fn a_kept_password_spares_the_bind_until_a_wrong_one_comes() {
    let slapd = Slapd::start();
    let directory = keeping(&slapd, Duration::ZERO, MINUTE);
    for logins in 1..=3 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        assert_eq!(
            asked(&slapd),
            (1, logins),
            "the entry is looked at each time"
        );
    }
    // By another of her names.
    let again = directory.login("alice@example.test", "right").await;
    assert_eq!((again, asked(&slapd).0), (Ok(Verdict::Right), 1));

    for wrong in ["wrong", "right ", "Right"] {
        assert_eq!(directory.login("alice", wrong).await, Ok(Verdict::Wrong));
    }
    assert_eq!(asked(&slapd).0, 4, "a wrong password is never kept");
    for _ in 0..2 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    }
    assert_eq!(asked(&slapd).0, 5, "the right one was forgotten");
    // bob has the same password, and his own verdict.
    assert_eq!(directory.login("bob", "wrong").await, Ok(Verdict::Wrong));
    assert_eq!(directory.login("mary", "right").await, Ok(Verdict::Right));
    assert_eq!(asked(&slapd).0, 5);
}

#[tokio::test]
async fn nothing_is_kept_as_delivered() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    for logins in 1..=3 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        assert_eq!(asked(&slapd), (logins, logins));
    }
}

/// As an administrator sets it; the policy is the same.
fn change_password(slapd: &Slapd, password: &str) {
    slapd.modify(&format!(
        "dn: uid=alice,ou=people,dc=example,dc=test\nchangetype: modify\n\
         replace: userPassword\nuserPassword: {password}\n"
    ));
}

#[tokio::test]
async fn a_changed_entry_ends_it_at_once() {
    let slapd = Slapd::start();
    let directory = keeping(&slapd, Duration::ZERO, MINUTE);
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    change_password(&slapd, "new");
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Wrong));
    assert_eq!(directory.login("alice", "new").await, Ok(Verdict::Right));
}

#[tokio::test]
async fn a_change_that_nobody_sees_ends_it_in_time() {
    let slapd = Slapd::start();
    let directory = keeping(&slapd, MINUTE, Duration::from_secs(8));
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    change_password(&slapd, "new");
    // The account is kept as it was, so that the change is not seen.
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    until(async || directory.login("alice", "right").await == Ok(Verdict::Wrong)).await;
    assert_eq!(directory.login("alice", "new").await, Ok(Verdict::Right));
}

#[tokio::test]
async fn what_is_kept_needs_no_directory_and_nothing_else_does_without() {
    let mut slapd = Slapd::start();
    let directory = keeping(&slapd, MINUTE, MINUTE);
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    assert_eq!(directory.login("bob", "wrong").await, Ok(Verdict::Wrong));
    slapd.kill();
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    for (name, password) in [("alice", "wrong"), ("bob", "right"), ("nobody", "right")] {
        let answer = directory.login(name, password).await;
        assert_eq!(answer, Err(Unavailable::Trouble), "{name}");
    }
    // Who has proven nothing gets no answer out of memory.
    let login = Login::parse("alice").unwrap();
    let answer = directory.look_up(&login, CLIENT).await;
    assert_eq!(answer.err(), Some(Unavailable::Trouble));
}
