//! Which account a typed name reaches, and what is known of it.

use super::*;
use crate::Reason;

#[tokio::test]
async fn a_name_or_an_address_reaches_one_account() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    for typed in [
        "alice",
        "ALICE",
        "alice@example.test",
        "A.Tester@Example.Test",
    ] {
        let account = directory.account(typed).await.unwrap().unwrap();
        assert_eq!(account.name, "alice", "{typed}");
        assert_eq!(
            account.entry.as_deref(),
            Some("uid=alice,ou=people,dc=example,dc=test")
        );
        assert_eq!(
            account.maildrop.as_deref().unwrap().to_str(),
            Some("/srv/mail/alice")
        );
        assert_eq!(
            directory.login(typed, "right").await,
            Ok(Verdict::Right),
            "{typed}"
        );
        assert_eq!(
            directory.login(typed, "wrong").await,
            Ok(Verdict::Wrong),
            "{typed}"
        );
    }
    for typed in [
        "nobody",
        "alice@other.test",
        "example\\alice",
        "*",
        "ali*",
        "alice)(uid=*",
    ] {
        assert!(directory.account(typed).await.unwrap().is_none(), "{typed}");
        assert_eq!(
            directory.login(typed, "right").await,
            Ok(Verdict::Wrong),
            "{typed}"
        );
    }
}

#[tokio::test]
async fn a_domain_makes_other_forms_of_the_short_name() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.schema.domain = Some("corp.test".to_owned());
    settings.schema.realms = vec!["CORP".to_owned()];
    let directory = directory(settings);
    for typed in [
        "alice",
        "alice@corp.test",
        "CORP\\alice",
        "corp/alice",
        "corp.test\\alice",
        "alice@example.test",
    ] {
        let account = directory.account(typed).await.unwrap().unwrap();
        assert_eq!(account.name, "alice@corp.test", "{typed}");
    }
    assert!(directory.account("OTHER\\alice").await.unwrap().is_none());
}

#[tokio::test]
async fn names_and_passwords_made_of_special_characters_log_in() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    let weird = directory.account("w(ei*rd)\\x").await.unwrap().unwrap();
    assert_eq!(weird.name, "w(ei*rd)\\x");
    assert_eq!(
        directory.login("W(ei*rd)\\x", "right").await,
        Ok(Verdict::Right)
    );
    assert_eq!(
        directory.login("pat+x", "p*t)(\\").await,
        Ok(Verdict::Right)
    );
    assert_eq!(directory.login("pat+x", "p*t").await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn two_entries_that_answer_to_one_name_are_nobody() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    assert!(
        directory
            .account("twins@example.test")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        directory.login("twins@example.test", "right").await,
        Ok(Verdict::Wrong)
    );
    assert_eq!(directory.login("twin1", "right").await, Ok(Verdict::Right));
    // Above the limit of the server's answer just as well.
    slapd.modify("dn: uid=twin3,ou=people,dc=example,dc=test\nchangetype: modify\ndelete: mail\n");
    assert!(
        directory
            .account("twins@example.test")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn states_and_settings_come_with_the_account() {
    let slapd = Slapd::start();
    let directory = directory(settings(&[slapd.plain()]));
    let account = async |typed| directory.account(typed).await.unwrap().unwrap();
    assert!(account("mary").await.pop3_off && !account("alice").await.pop3_off);
    assert_eq!(account("locked").await.barred, Some(Reason::LockedOut));
    assert_eq!(account("alice").await.barred, None);
    let mut delegates = account("sales").await.delegates.clone();
    delegates.sort();
    assert_eq!(
        delegates,
        ["alice", "dave"],
        "one is an entry, one a name, and one is gone"
    );
}

#[tokio::test]
async fn sites_follow_the_attribute_as_it_changes() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.site = Some(SiteRule {
        attribute: Attribute::parse("mailSite").unwrap(),
        in_directory: false,
        servers: Vec::new(),
        unknown: UnknownSite::Elsewhere,
    });
    let directory = directory(settings);
    let site = async |typed| {
        let account = directory.account(typed).await.unwrap().unwrap();
        account.site.as_ref().map(|site| site.as_str().to_owned())
    };
    assert_eq!(site("alice").await.as_deref(), Some("london"));
    assert_eq!(site("bob").await.as_deref(), Some("paris"));
    assert_eq!(site("carol").await.as_deref(), Some("?"));
    slapd.modify(
        "dn: uid=alice,ou=people,dc=example,dc=test\nchangetype: modify\nreplace: mailSite\nmailSite: paris\n",
    );
    assert_eq!(site("alice").await.as_deref(), Some("paris"));
}

#[tokio::test]
async fn only_members_of_a_group_may_use_pop3() {
    let slapd = Slapd::start();
    let mut settings = settings(&[slapd.plain()]);
    settings.groups = vec![
        "cn=gone,dc=example,dc=test".to_owned(),
        "cn=pop,dc=example,dc=test".to_owned(),
    ];
    let directory = directory(settings);
    let barred = async |typed| directory.account(typed).await.unwrap().unwrap().barred;
    assert_eq!(barred("alice").await, None);
    assert_eq!(barred("bob").await, None);
    assert_eq!(barred("carol").await, Some(Reason::NotInGroup));
    // Its own state comes first.
    assert_eq!(barred("locked").await, Some(Reason::LockedOut));
}
