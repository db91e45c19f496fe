//! Two keepers of accounts behind one desk: who is asked, and what one in trouble does to the
//! users of the other.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Directories;
use crate::house::{caller, granted, house_with, policy, refused};
use crate::local::tests::write;
use crate::{
    Account, Answer, Directory, LocalDirectory, LocalUsers, Login, Name, Policy, Pool, Reason,
    RefusalKind, Secret, Site, Unavailable, Verdict,
};

/// Password `right`.
const USERS: &str = r#"
[[user]]
name = "alice"
aliases = ["boss"]
nt_hash = "fff1399e403bf6c698c9f38e19a3c196"
password = "$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0"

[[user]]
name = "sales"
delegates = ["erin"]
"#;

/// A directory of entries whose short names are typed, and whose password is `entry`; or one that
/// is out of order.
struct Entries {
    accounts: Vec<Account>,
    fault: Option<Unavailable>,
}

impl Directory for Entries {
    fn find<'a>(&'a self, name: Name<'a>, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        let found = self.accounts.iter().find(|account| {
            let entry = account.entry.as_deref();
            entry == Some(&format!("uid={}", name.login().key()))
        });
        let found = found.cloned().map(Arc::new);
        Box::pin(async move { self.fault.map_or(Ok(found), Err) })
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        _: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            if let Some(fault) = self.fault {
                return Err(fault);
            }
            assert!(account.is_none_or(|account| account.entry.is_some()));
            let right = account.is_some() && password.expose() == b"entry";
            Ok(if right {
                Verdict::Right
            } else {
                Verdict::Wrong
            })
        })
    }
}

/// Refusals are not waited for here.
fn quick() -> Policy {
    Policy {
        refusal_delay: Duration::from_millis(1),
        ..policy()
    }
}

fn entry(typed: &str, name: &str) -> Account {
    Account {
        name: name.to_owned(),
        entry: Some(format!("uid={typed}").into()),
        ..Account::default()
    }
}

fn directories(ldap: Entries) -> (Arc<dyn Directory>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, USERS);
    let users = Arc::new(LocalUsers::open(&path, None).unwrap());
    let pool = Arc::new(Pool::new("hash", 1, 100, 100).unwrap());
    let local = Arc::new(LocalDirectory::new(users, pool));
    (Arc::new(Directories::new(local, Arc::new(ldap))), folder)
}

#[tokio::test]
async fn each_account_is_verified_where_it_is_kept() {
    let mut paris = entry("frank", "frank");
    paris.site = Some(Site::new("paris"));
    let mut lost = entry("gina", "gina");
    lost.site = Some(Site::unknown());
    let mut barred = entry("hugo", "hugo");
    barred.barred = Some(Reason::LockedOut);
    let accounts = vec![entry("erin", "erin"), paris, lost, barred];
    let (directory, _folder) = directories(Entries {
        accounts,
        fault: None,
    });
    let house = house_with(quick(), directory);
    for (login, password) in [("alice", "right"), ("boss", "right"), ("erin", "entry")] {
        granted(house.pass(login, password, &mut caller()).await);
    }
    // Right in the other place is wrong; and what is wrong with an account comes after its password.
    for (login, password, reason) in [
        ("alice", "entry", "wrong-password"),
        ("erin", "right", "wrong-password"),
        ("hugo", "wrong", "wrong-password"),
        ("hugo", "entry", "locked-out"),
        ("frank", "entry", "other-site"),
        ("gina", "entry", "other-site"),
        ("nobody", "entry", "unknown-user"),
    ] {
        let refusal = refused(house.pass(login, password, &mut caller()).await);
        assert_eq!(refusal.kind, RefusalKind::Credentials);
        assert_eq!(house.last().reason.as_str(), reason, "{login}");
    }
    // A local mailbox may have a delegate in the directory.
    granted(house.plain("sales\0erin\0entry", &mut caller()).await);
}

#[tokio::test]
async fn a_local_account_has_its_nt_hash_and_its_description_beside_the_directory() {
    let (directory, _folder) = directories(Entries {
        accounts: vec![entry("erin", "erin")],
        fault: None,
    });
    let client = caller().address();
    for (name, is_local) in [("alice", true), ("erin", false)] {
        let login = Login::parse(name).unwrap();
        let account = directory
            .find(Name::Typed(&login), client)
            .await
            .unwrap()
            .unwrap();
        let hash = directory.nt_hash(&account, client).await.unwrap();
        let description = directory.describe(&account, client).await.unwrap();
        assert_eq!(
            (hash.is_some(), description.is_some()),
            (is_local, is_local),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_entry_never_gets_the_name_of_a_local_account() {
    // Typed `a.other`, it would open the maildrop of the local alice; and so by her alias.
    let accounts = vec![entry("a.other", "alice"), entry("b.other", "boss")];
    let (directory, _folder) = directories(Entries {
        accounts,
        fault: None,
    });
    let house = house_with(quick(), directory);
    for login in ["a.other", "b.other"] {
        refused(house.pass(login, "entry", &mut caller()).await);
        assert_eq!(house.last().reason, Reason::UnknownUser, "{login}");
    }
}

#[tokio::test]
async fn local_users_go_on_while_the_directory_is_in_trouble() {
    for (fault, reason) in [
        (Unavailable::Trouble, "directory-trouble"),
        (Unavailable::Overloaded, "overloaded"),
    ] {
        let fault = Some(fault);
        let (directory, _folder) = directories(Entries {
            accounts: Vec::new(),
            fault,
        });
        let house = house_with(quick(), directory);
        granted(house.pass("alice", "right", &mut caller()).await);
        refused(house.pass("alice", "wrong", &mut caller()).await);
        assert_eq!(house.last().reason, Reason::WrongPassword);
        // Whoever is not local may be in the directory: never a wrong password.
        let refusal = refused(house.pass("erin", "entry", &mut caller()).await);
        assert_eq!(refusal.kind, RefusalKind::Unavailable);
        assert_eq!(house.last().reason.as_str(), reason);
        assert!(house.last().duration < Duration::from_secs(1));
    }
}
