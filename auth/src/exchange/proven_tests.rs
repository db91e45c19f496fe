//! What a mechanism proved decides by which names an account is found: a name that is only an address
//! opens a mailbox where the account's own secret is checked, and nowhere else.

use std::net::IpAddr;
use std::sync::Mutex;

use super::ntlm_tests::{plain, with_ntlm};
use super::winbind_tests::{YES, saying, shell};
use super::*;
use crate::directory::{Name, ScramAnswer};
use crate::house::{bound, caller, granted, house_with, policy, refused};
use crate::ntlm::client::{CLIENT, Client};
use crate::{
    Account, Answer, Directory, Login, NtHash, NtlmVerify, Policy, Secret, Verdict, Winbind,
    WinbindSettings,
};

/// Every name is an address of alice's, and nobody's own name. Keeps what it was asked.
#[derive(Default)]
struct Addresses {
    asked: Mutex<Vec<String>>,
}

impl Directory for Addresses {
    fn find<'a>(&'a self, name: Name<'a>, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        let (kind, found) = match name {
            Name::Typed(_) => ("typed", true),
            Name::Own(_) => ("own", false),
            Name::Principal(_) => ("principal", false),
        };
        let asked = format!("{kind} {}", name.login().key());
        self.asked.lock().unwrap().push(asked);
        let alice = || Account {
            name: "alice".to_owned(),
            ..Account::default()
        };
        Box::pin(async move { Ok(found.then(|| Arc::new(alice()))) })
    }

    fn verify<'a>(
        &'a self,
        _: Option<&'a Account>,
        _: &'a Secret,
        _: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async { Ok(Verdict::Right) })
    }

    fn scram_keys<'a>(
        &'a self,
        _: &'a Login,
        _: Option<&'a Account>,
        _: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        Box::pin(async { Ok(ScramAnswer::Stored(roads::scram_keys())) })
    }

    fn nt_hash<'a>(&'a self, _: &'a Account, _: IpAddr) -> Answer<'a, Option<NtHash>> {
        Box::pin(async { Ok(Some(roads::nt_hash())) })
    }
}

impl Addresses {
    /// What was asked since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_opens_a_mailbox_only_where_its_own_secret_is_checked() {
    let directory: Arc<dyn Directory> = Arc::new(Addresses::default());
    let ends = roads::each(policy(), &directory).await;
    let outcome = |mechanism| match mechanism {
        "GSSAPI" | "GSS-SPNEGO" => Reason::NoAccount,
        "EXTERNAL" => Reason::UnknownCertificate,
        _ => Reason::Granted,
    };
    for (mechanism, reason) in ends {
        assert_eq!(reason, outcome(mechanism), "{mechanism}");
    }
}

/// Whom a domain controller that says yes to everything is asked about, and as whose own name that is
/// looked for.
#[tokio::test]
async fn what_a_controller_proves_is_looked_for_as_nothing_else() {
    let said_by = |domain: Option<&str>| {
        let mut policy = with_ntlm(|ntlm| {
            ntlm.verify = NtlmVerify::Winbind;
            ntlm.delegate = true;
            let mut names = (*ntlm.names).clone();
            names.domain = domain.map(str::to_owned);
            ntlm.names = Arc::new(names);
        });
        policy.refusal_delay = Duration::from_millis(1);
        policy
    };
    for (domain, user, corp, unnamed) in [
        ("CORP", "Alice", "own alice@corp", "own alice@corp"),
        ("OTHER", "alice", "own alice@other", "own alice@other"),
        // The controller's own domain need not be the directory's.
        ("", "alice", "own alice@corp", "own alice"),
        ("", "alice@corp.test", "principal alice@corp.test", "same"),
        ("CORP", "alice@x.test", "own alice@x.test@corp", "same"),
        // A local domain's names are dropped for local hashes alone.
        ("HOUSE", "alice", "own alice@house", "same"),
        // Whose proof it would be, the controller does not say.
        ("", "alice/sales", "", "same"),
        ("", "alice/sales@corp.test", "", "same"),
        ("", "corp/alice@corp.test", "", "same"),
        ("", "CORP\\alice", "", "same"),
        ("CORP", "ａｌｉｃｅ", "", "same"),
    ] {
        for (named, wanted) in [(Some("CORP"), corp), (None, unnamed)] {
            let wanted = if wanted == "same" { corp } else { wanted };
            let asked = by_controller(said_by(named), domain, user).await;
            let wanted: Vec<_> = [wanted].into_iter().filter(|one| !one.is_empty()).collect();
            assert_eq!(asked, wanted, "{domain} {user}");
        }
    }
}

/// The questions to the directory in a login that is refused because nobody has the name.
async fn by_controller(policy: Policy, domain: &str, user: &str) -> Vec<String> {
    let directory = Arc::new(Addresses::default());
    let mut house = house_with(policy, Arc::<Addresses>::clone(&directory));
    let settings = WinbindSettings {
        command: shell(&saying(YES)),
        helpers: 1,
        deadline: Duration::from_secs(5),
    };
    let winbind = Winbind::new(settings).unwrap();
    house.desk = house.desk.with_winbind(Some(Arc::new(winbind)));
    let client = Client {
        domain,
        user,
        ..CLIENT
    };
    refused(plain(&house, &bound(None), client).await);
    let record = house.last();
    assert_eq!(record.reason, Reason::NoAccount, "{domain} {user}");
    let detail = record.detail.unwrap();
    assert!(
        detail.contains("no account has the name"),
        "{domain} {user}: {detail}"
    );
    directory.asked()
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_asked_for_may_be_named_by_its_address() {
    let directory = Arc::new(Addresses::default());
    let house = house_with(policy(), Arc::<Addresses>::clone(&directory));
    granted(
        house
            .plain("a.liddell@corp.test\0alice\0right", &mut caller())
            .await,
    );
    assert_eq!(
        directory.asked(),
        ["typed alice", "typed a.liddell@corp.test"]
    );
}
