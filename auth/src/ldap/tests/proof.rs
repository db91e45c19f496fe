//! Passwords: by bind, by a name made of the account's, and by the stored value.

use super::*;

#[tokio::test]
async fn passwords_that_prove_nothing_never_reach_the_network() {
    // Nobody listens there: whoever asks is told that there is trouble.
    let directory = directory(settings(&["ldap://127.0.0.1:9".to_owned()]));
    let account = Account {
        entry: Some("uid=alice,ou=people,dc=example,dc=test".into()),
        ..Account::default()
    };
    for password in [
        b"".as_slice(),
        b"\0",
        b"right\0",
        b"  ",
        b"\xff",
        "\u{ad}".as_bytes(),
    ] {
        let password = Secret::new(password.to_vec());
        for account in [Some(&account), None] {
            let verdict = directory.verify(account, &password, CLIENT).await;
            assert_eq!(verdict, Ok(Verdict::Wrong), "{:?}", password.expose());
        }
    }
    let right = Secret::new(b"right".to_vec());
    let verdict = directory.verify(Some(&account), &right, CLIENT).await;
    assert_eq!(verdict, Err(Unavailable::Trouble));
}

#[tokio::test]
async fn an_account_without_an_entry_is_never_bound_as_nobody() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    for entry in [None, Some("".into()), Some(" ".into())] {
        let account = Account {
            entry,
            ..Account::default()
        };
        let password = Secret::new(b"right".to_vec());
        let verdict = directory.verify(Some(&account), &password, CLIENT).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
    }
}

#[tokio::test]
async fn a_template_makes_the_name_of_the_bind() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    let template = NameTemplate::parse("uid={user},ou=people,dc=example,dc=test").unwrap();
    settings.proof = Proof::BindAs(template);
    let directory = directory(settings);
    for (typed, password) in [
        ("alice", "right"),
        ("pat+x", "p*t)(\\"),
        ("w(ei*rd)\\x", "right"),
    ] {
        assert_password(&directory, typed, password).await;
    }
}

#[tokio::test]
async fn stored_values_are_compared_where_they_may_be_read() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.proof = Proof::Read;
    settings.service = ServiceAccount::Simple {
        name: READER.to_owned(),
        password: Secret::new(b"reader".to_vec()),
    };
    let directory = directory(settings);
    // {SSHA}, {CRYPT}, {ARGON2} and {SSHA512}.
    for typed in ["alice", "bob", "carol", "dave"] {
        assert_password(&directory, typed, "right").await;
    }
    assert_eq!(
        directory.login("nopass", "right").await,
        Ok(Verdict::NoPassword)
    );
    assert_eq!(directory.login("nobody", "right").await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn who_has_no_password_or_is_locked_is_refused_by_the_bind() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    for typed in ["nopass", "locked"] {
        let verdict = directory.login(typed, "right").await.unwrap();
        assert_ne!(verdict, Verdict::Right, "{typed}");
    }
    // The connection that was bound as somebody else is as good as any.
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
}
