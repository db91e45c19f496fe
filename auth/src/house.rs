//! A house to log in to: a users file, a desk, and the records that it writes.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{
    Account, Answer, Audit, Authenticator, Caller, CertificateName, Channel, CrossSite, Directory,
    ExtendedProtection, Identity, LocalDirectory, LocalUsers, LoginRecord, LoginRule, LoginType,
    Name, NtlmNames, NtlmPolicy, Policy, Pool, Progress, Refusal, ScramKeys, Secret, Site,
    TlsFacts, Unavailable, Verdict,
};

/// Made by crypt(3): password `right`. Cheap, as many are checked here.
const RIGHT: &str = "$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0";

const USERS: &str = r#"
[[user]]
name = "Alice"
aliases = ["alice@example.test", 'CORP\Alice']
password = "RIGHT"
site = "LONDON"

[[user]]
name = "bob"
password = "RIGHT"
disabled = true

[[user]]
name = "carol"
password = "RIGHT"
pop3 = false

[[user]]
name = "dave"
password = "RIGHT"
site = "paris"

[[user]]
name = "administrator@corp.test"
password = "RIGHT"

[[user]]
name = "sales"
delegates = ["ALICE@example.test", "bob", "dave"]

[[user]]
name = "paris-sales"
site = "paris"
delegates = ["alice"]

[[user]]
name = "shut"
disabled = true
delegates = ["alice"]
"#;

/// MD4 of the same password in UTF-16.
const NT_HASH: &str = "fff1399e403bf6c698c9f38e19a3c196";

/// The users above: whoever has a password has SCRAM keys and an NT hash of it too.
fn users() -> String {
    let salt = b"a salt of a user".to_vec();
    let keys = ScramKeys::derive(&Secret::new(b"right".to_vec()), salt, 4096).unwrap();
    let both = format!(
        "{RIGHT}\"\nnt_hash = \"{NT_HASH}\"\nscram = \"{}",
        keys.to_text()
    );
    let secret = crate::scram::secret_text(&Secret::new(vec![9; 32]));
    format!(
        "scram_secret = \"{secret}\"\n{}",
        USERS.replace("RIGHT", &both)
    )
}

#[derive(Default)]
pub(crate) struct Records(pub(crate) Mutex<Vec<LoginRecord>>);

impl Audit for Records {
    fn login(&self, record: &LoginRecord) {
        self.0.lock().unwrap().push(record.clone());
    }
}

pub(crate) struct House {
    pub(crate) desk: Authenticator,
    pub(crate) records: Arc<Records>,
    pub(crate) _folder: tempfile::TempDir,
}

/// A house with the users above.
pub(crate) fn house(policy: Policy) -> House {
    house_of(policy, &users())
}

/// A house with the users of this text.
pub(crate) fn house_of(policy: Policy, text: &str) -> House {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    crate::local::tests::write(&path, text);
    let users = Arc::new(LocalUsers::open(&path, None).unwrap());
    let pool = Arc::new(Pool::new("hash", 2, 1000, 1000).unwrap());
    let records = Arc::new(Records::default());
    let audit: Arc<dyn Audit> = Arc::<Records>::clone(&records);
    let directory = Arc::new(LocalDirectory::new(users, pool));
    House {
        desk: Authenticator::with_directory(policy, directory, audit),
        records,
        _folder: folder,
    }
}

/// A house with another directory.
pub(crate) fn house_with(policy: Policy, directory: Arc<dyn Directory>) -> House {
    let records = Arc::new(Records::default());
    let audit: Arc<dyn Audit> = Arc::<Records>::clone(&records);
    let desk = Authenticator::with_directory(policy, directory, audit);
    House {
        desk,
        records,
        _folder: tempfile::tempdir().unwrap(),
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        site: Some(Site::new("London")),
        cross_site: CrossSite::Refuse,
        attempts_per_connection: 3,
        failures_per_account: 10,
        failures_per_source: 100,
        throttle_window: Duration::from_secs(600),
        refusal_delay: Duration::from_secs(1),
        blocked_accounts: vec!["Administrator".to_owned()],
        certificate_names: vec![
            CertificateName::Fingerprint,
            CertificateName::Upn,
            CertificateName::Email,
        ],
        ntlm: NtlmPolicy::new(names()),
    }
}

/// What the house says of itself.
pub(crate) fn names() -> NtlmNames {
    NtlmNames {
        domain: None,
        computer: "HOUSE".to_owned(),
        dns_domain: None,
        dns_computer: "house.example.test".to_owned(),
    }
}

pub(crate) fn channel(login_type: LoginType, tls: bool) -> Channel {
    let mechanisms = ["GSSAPI", "PLAIN", "X-NONE"].map(str::to_owned).to_vec();
    Channel {
        tls: tls.then(Arc::default),
        rule: Arc::new(LoginRule {
            login_type,
            mechanisms,
            user_pass: true,
            extended_protection: ExtendedProtection::Allow,
            accept_ntlmv1: Vec::new(),
        }),
        extra_end_points: Arc::default(),
    }
}

/// A channel of TLS 1.3 with every mechanism, and with this client certificate.
pub(crate) fn bound(certificate: Option<Vec<u8>>) -> Channel {
    let all = crate::mechanism::MECHANISMS.iter();
    Channel {
        tls: Some(Arc::new(TlsFacts {
            exporter: Some([7; 32]),
            server_end_point: Some([8; 48].as_slice().into()),
            previous_end_point: None,
            client_certificate: certificate.map(Into::into),
        })),
        rule: Arc::new(LoginRule {
            login_type: LoginType::Secure,
            mechanisms: all.map(|spec| spec.name().to_owned()).collect(),
            user_pass: true,
            extended_protection: ExtendedProtection::Allow,
            accept_ntlmv1: Vec::new(),
        }),
        extra_end_points: Arc::default(),
    }
}

pub(crate) fn tls() -> Channel {
    channel(LoginType::Secure, true)
}

/// TLS 1.3 with every mechanism but EXTERNAL.
pub(crate) fn tls_with_all() -> Channel {
    bound(None)
}

pub(crate) fn caller() -> Caller {
    caller_from("192.0.2.1")
}

pub(crate) fn caller_from(address: &str) -> Caller {
    Caller::new(address.parse::<IpAddr>().unwrap(), 1)
}

impl House {
    pub(crate) async fn pass(&self, login: &str, password: &str, caller: &mut Caller) -> Progress {
        let password = Secret::new(password.as_bytes().to_vec());
        self.desk
            .begin_password(login.as_bytes(), password, &tls(), caller)
            .step(None)
            .await
    }

    pub(crate) async fn plain(&self, message: &str, caller: &mut Caller) -> Progress {
        let mut exchange = self.desk.begin("plain", &tls(), caller).unwrap();
        exchange.step(Some(message.as_bytes())).await
    }

    pub(crate) fn last(&self) -> LoginRecord {
        self.records.0.lock().unwrap().last().cloned().unwrap()
    }

    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.records
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|record| record.reason.as_str())
            .collect()
    }
}

pub(crate) fn granted(progress: Progress) -> Identity {
    match progress {
        Progress::Granted(identity) => identity,
        Progress::Challenge(_) | Progress::Refused(_) => panic!("{progress:?}"),
    }
}

pub(crate) fn refused(progress: Progress) -> Refusal {
    match progress {
        Progress::Refused(refusal) => refusal,
        Progress::Challenge(_) | Progress::Granted(_) => panic!("{progress:?}"),
    }
}

/// A directory that is out of order, or slow.
pub(crate) struct Broken {
    pub(crate) fault: Option<Unavailable>,
    pub(crate) takes: Duration,
}

impl Directory for Broken {
    fn find<'a>(&'a self, _: Name<'a>, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move { Ok(None) })
    }

    fn verify<'a>(
        &'a self,
        _: Option<&'a Account>,
        _: &'a Secret,
        _: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            self.fault.map_or(Ok(Verdict::Wrong), Err)
        })
    }
}
