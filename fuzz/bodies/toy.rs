//! A small world for exchanges: a directory that grants on demand, an audit that keeps its records,
//! and a clock that stands still.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postern_auth::{
    Account, Answer, Audit, Authenticator, Caller, CertificateName, Channel, CrossSite, Directory,
    Exchange, ExtendedProtection, Fingerprint, Identity, Login, LoginRecord, LoginRule, LoginType,
    Name, NtHash, NtlmNames, NtlmPolicy, Policy, Progress, ScramAnswer, Secret, Site, TlsFacts,
    Unavailable, Verdict,
};
use tokio::runtime::{Builder, Runtime};

use super::scram;

/// The NT hash of everybody but `sales`, who has none: of `Password` ([MS-NLMP] §4.2.2.1.2).
pub(crate) const NT_HASH: [u8; 16] = [
    164, 244, 156, 64, 101, 16, 189, 202, 182, 130, 78, 231, 195, 15, 216, 82,
];

/// Says yes to every password, unless its first octet says otherwise: `w` wrong, `n` no password,
/// `o` overloaded, `t` trouble. Names say the rest: see [`account`].
#[derive(Default)]
struct Toy {
    asked: Mutex<Vec<Asked>>,
}

/// One question to the directory, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) account: Option<String>,
    pub(crate) password: Vec<u8>,
    pub(crate) right: bool,
}

#[derive(Default)]
struct Records(Mutex<Vec<LoginRecord>>);

/// An authenticator with this directory, and one connection to it.
pub(crate) struct House {
    directory: Arc<Toy>,
    records: Arc<Records>,
    pub(crate) authenticator: Authenticator,
    pub(crate) channel: Channel,
    pub(crate) caller: Caller,
}

fn account(name: &str) -> Option<Account> {
    let site = (name == "carol").then(|| Site::new("elsewhere"));
    (name != "nobody").then(|| Account {
        name: name.to_owned(),
        site,
        disabled: name == "bob",
        pop3_off: name == "dave",
        delegates: vec!["alice".to_owned()],
        ..Account::default()
    })
}

impl Directory for Toy {
    fn find<'a>(&'a self, name: Name<'a>, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        let answer = match name.login().key() {
            "trouble" => Err(Unavailable::Trouble),
            name => Ok(account(name).map(Arc::new)),
        };
        Box::pin(std::future::ready(answer))
    }

    fn scram_keys<'a>(
        &'a self,
        login: &'a Login,
        account: Option<&'a Account>,
        _: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        let keys = scram::keys();
        Box::pin(std::future::ready(Ok(match account {
            Some(account) if account.name == login.key() => ScramAnswer::Stored(keys),
            _ => ScramAnswer::MadeUp(keys),
        })))
    }

    fn find_certificate<'a>(
        &'a self,
        _: Fingerprint,
        _: IpAddr,
    ) -> Answer<'a, Option<Arc<Account>>> {
        locked(&self.asked).push(Asked {
            account: Some("alice".to_owned()),
            password: Vec::new(),
            right: true,
        });
        Box::pin(std::future::ready(Ok(account("alice").map(Arc::new))))
    }

    fn nt_hash<'a>(&'a self, account: &'a Account, _: IpAddr) -> Answer<'a, Option<NtHash>> {
        let hash = (account.name != "sales").then(|| NtHash::from_octets(NT_HASH));
        Box::pin(std::future::ready(Ok(hash)))
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        _: IpAddr,
    ) -> Answer<'a, Verdict> {
        let answer = match (account, password.expose().first()) {
            (_, Some(b'o')) => Err(Unavailable::Overloaded),
            (_, Some(b't')) => Err(Unavailable::Trouble),
            (None, _) | (_, Some(b'w') | None) => Ok(Verdict::Wrong),
            (_, Some(b'n')) => Ok(Verdict::NoPassword),
            _ => Ok(Verdict::Right),
        };
        locked(&self.asked).push(Asked {
            account: account.map(|account| account.name.clone()),
            password: password.expose().to_vec(),
            right: answer == Ok(Verdict::Right),
        });
        Box::pin(std::future::ready(answer))
    }
}

impl Audit for Records {
    fn login(&self, record: &LoginRecord) {
        locked(&self.0).push(record.clone());
    }
}

impl House {
    /// A house whose throttle is off, and a connection that may do everything of this.
    pub(crate) fn new(mechanisms: &[&str], tls: Option<TlsFacts>) -> Self {
        Self::changed(mechanisms, tls, |_, _| ())
    }

    /// The same with other rules.
    pub(crate) fn changed(
        mechanisms: &[&str],
        tls: Option<TlsFacts>,
        change: impl FnOnce(&mut Policy, &mut LoginRule),
    ) -> Self {
        let (directory, records) = (Arc::new(Toy::default()), Arc::new(Records::default()));
        let mut policy = Policy {
            site: Some(Site::new("here")),
            cross_site: CrossSite::Refuse,
            attempts_per_connection: 3,
            failures_per_account: 0,
            failures_per_source: 0,
            throttle_window: Duration::from_mins(1),
            refusal_delay: Duration::from_secs(5),
            blocked_accounts: vec!["administrator".to_owned()],
            certificate_names: vec![CertificateName::Fingerprint],
            ntlm: NtlmPolicy::new(NtlmNames {
                domain: None,
                computer: "TOY".to_owned(),
                dns_domain: None,
                dns_computer: "toy.test".to_owned(),
            }),
        };
        let mut rule = LoginRule {
            login_type: LoginType::PlainText,
            mechanisms: mechanisms.iter().map(|name| (*name).to_owned()).collect(),
            user_pass: true,
            extended_protection: ExtendedProtection::Allow,
            accept_ntlmv1: Vec::new(),
        };
        change(&mut policy, &mut rule);
        Self {
            authenticator: Authenticator::with_directory(
                policy,
                directory.clone(),
                records.clone(),
            ),
            directory,
            records,
            channel: Channel {
                tls: tls.map(Arc::new),
                rule: rule.into(),
                extra_end_points: Arc::default(),
            },
            caller: Caller::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
        }
    }

    /// Takes a step; a refusal's delay passes at once. Nobody is let in whom the directory did not
    /// recognise in this very step, unless there was a `proof`.
    pub(crate) fn step(
        &self,
        exchange: &mut Exchange,
        response: Option<&[u8]>,
        proof: bool,
    ) -> Progress {
        let before = self.asked().len();
        let progress = RUNTIME.with(|runtime| runtime.block_on(exchange.step(response)));
        let right = self
            .asked()
            .get(before..)
            .is_some_and(|asked| asked.iter().any(|asked| asked.right));
        if let Progress::Granted(identity) = &progress {
            let name = &identity.account().name;
            assert!(right || proof, "{name} was let in unseen");
            let locked_out = ["nobody", "bob", "carol", "dave", "administrator"];
            assert!(!locked_out.contains(&name.as_str()), "{name} was let in");
        }
        progress
    }

    /// The directory's questions so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        locked(&self.directory.asked).clone()
    }

    /// The login records so far, without their times.
    pub(crate) fn records(&self) -> Vec<LoginRecord> {
        let timeless = |record: &LoginRecord| LoginRecord {
            duration: Duration::ZERO,
            ..record.clone()
        };
        locked(&self.records.0).iter().map(timeless).collect()
    }
}

/// Whether a mechanism has this name. To ask for any other one is no attempt to log in.
pub(crate) fn is_mechanism(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "EXTERNAL",
        "GSS-SPNEGO",
        "GSSAPI",
        "LOGIN",
        "NTLM",
        "PLAIN",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The permission to open somebody's maildrop, by the one way to it.
pub(crate) fn identity(name: &str) -> Identity {
    let mut house = House::new(&[], None);
    let House {
        authenticator,
        channel,
        caller,
        ..
    } = &mut house;
    let password = Secret::new(b"right".to_vec());
    let mut exchange = authenticator.begin_password(name.as_bytes(), password, channel, caller);
    match house.step(&mut exchange, None, false) {
        Progress::Granted(identity) => identity,
        other => panic!("{other:?}"),
    }
}

/// Another password of the same length and the same first octet. No two become the same.
pub(crate) fn disguise(password: &mut [u8]) {
    for octet in password.iter_mut().skip(1) {
        if matches!(octet, b' '..=0x7F) {
            *octet ^= 1;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O");
}
