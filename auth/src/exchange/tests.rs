//! Whole logins against a users file: the likeness of refusals, the delay, the records.

use std::net::IpAddr;
use std::sync::Mutex;

use super::*;
use crate::{
    Audit, Authenticator, Caller, Channel, CrossSite, LocalUsers, LoginRecord, LoginRule,
    LoginType, Policy, Pool, Protection, Secret, Site,
};

/// Made by crypt(3): 1000 rounds of `$5$`, password `right`. Cheap, as many are checked here.
const RIGHT: &str = "$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0";

#[derive(Default)]
struct Records(Mutex<Vec<LoginRecord>>);

impl Audit for Records {
    fn login(&self, record: &LoginRecord) {
        self.0.lock().unwrap().push(record.clone());
    }
}

struct House {
    desk: Authenticator,
    records: Arc<Records>,
    _folder: tempfile::TempDir,
}

fn policy() -> Policy {
    Policy {
        site: Some(Site::new("London")),
        cross_site: CrossSite::Refuse,
        attempts_per_connection: 3,
        failures_per_account: 10,
        failures_per_source: 100,
        throttle_window: Duration::from_secs(600),
        refusal_delay: Duration::from_secs(1),
        blocked_accounts: vec!["administrator".to_owned()],
    }
}

fn house(policy: Policy) -> House {
    let user = |rest: &str| format!("[[user]]\npassword = \"{RIGHT}\"\n{rest}\n");
    let text = [
        user("name = \"Alice\"\naliases = [\"alice@example.test\", 'CORP\\Alice']\nsite = \"LONDON\""),
        user("name = \"bob\"\ndisabled = true"),
        user("name = \"carol\"\npop3 = false"),
        user("name = \"dave\"\nsite = \"paris\""),
        user("name = \"administrator@corp.test\""),
        "[[user]]\nname = \"sales\"\ndelegates = [\"ALICE@example.test\", \"bob\"]\n".to_owned(),
        "[[user]]\nname = \"paris-sales\"\nsite = \"paris\"\ndelegates = [\"alice\", \"dave\"]\n".to_owned(),
        "[[user]]\nname = \"shut\"\ndisabled = true\ndelegates = [\"alice\"]\n".to_owned(),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    crate::local::tests::write(&path, &text);
    let users = Arc::new(LocalUsers::open(&path).unwrap());
    let pool = Arc::new(Pool::new("hash", 2, 1000, 1000).unwrap());
    let records = Arc::new(Records::default());
    let audit: Arc<dyn Audit> = Arc::<Records>::clone(&records);
    House {
        desk: Authenticator::new(policy, users, audit, pool),
        records,
        _folder: folder,
    }
}

fn channel(login_type: LoginType, protection: Protection) -> Channel {
    let mechanisms = ["GSSAPI", "PLAIN", "X-NONE"].map(str::to_owned).to_vec();
    Channel {
        protection,
        rule: Arc::new(LoginRule {
            login_type,
            mechanisms,
            user_pass: true,
        }),
    }
}

fn tls() -> Channel {
    channel(LoginType::Secure, Protection::Tls)
}

fn caller() -> Caller {
    caller_from("192.0.2.1")
}

fn caller_from(address: &str) -> Caller {
    Caller::new(address.parse::<IpAddr>().unwrap(), 1)
}

impl House {
    async fn pass(&self, login: &str, password: &str, caller: &mut Caller) -> Progress {
        let password = Secret::new(password.as_bytes().to_vec());
        self.desk
            .begin_password(login.as_bytes(), password, &tls(), caller)
            .step(None)
            .await
    }

    async fn plain(&self, message: &str, caller: &mut Caller) -> Progress {
        let mut exchange = self.desk.begin("plain", &tls(), caller).unwrap();
        exchange.step(Some(message.as_bytes())).await
    }

    fn last(&self) -> LoginRecord {
        self.records.0.lock().unwrap().last().cloned().unwrap()
    }

    fn reasons(&self) -> Vec<&'static str> {
        self.records
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|record| record.reason.as_str())
            .collect()
    }
}

fn granted(progress: Progress) -> Identity {
    match progress {
        Progress::Granted(identity) => identity,
        Progress::Challenge(_) | Progress::Refused(_) => panic!("{progress:?}"),
    }
}

fn refused(progress: Progress) -> Refusal {
    match progress {
        Progress::Refused(refusal) => refusal,
        Progress::Challenge(_) | Progress::Granted(_) => panic!("{progress:?}"),
    }
}

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
        (record.mechanism.as_str(), record.reason),
        ("PLAIN", Reason::Granted)
    );
    assert_eq!(record.login.as_deref(), Some("CORP/alice"));
    assert_eq!(record.account.as_deref(), Some("alice"));
    assert_eq!(record.site.as_deref(), Some("LONDON"));
    assert_eq!(record.delegate, None);
    assert_eq!(house.records.0.lock().unwrap().len(), 10, "one record each");
}
