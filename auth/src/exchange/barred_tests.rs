//! An account that its directory bars: refused on every road, and like everybody else.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::directory::{Name, ScramAnswer};
use crate::house::{caller, house_with, policy, refused};
use crate::mechanism::MECHANISMS;
use crate::{Account, Answer, Directory, Login, NtHash, RefusalKind, Secret, Verdict};

/// Everybody is this account, whose password is `right`.
struct One {
    account: Account,
    verdict: Verdict,
}

impl Directory for One {
    fn find<'a>(&'a self, _: Name<'a>, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async { Ok(Some(Arc::new(self.account.clone()))) })
    }

    fn verify<'a>(
        &'a self,
        _: Option<&'a Account>,
        _: &'a Secret,
        _: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async { Ok(self.verdict) })
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

fn one(barred: Option<Reason>, verdict: Verdict) -> Arc<dyn Directory> {
    let account = Account {
        name: "alice".to_owned(),
        barred,
        ..Account::default()
    };
    Arc::new(One { account, verdict })
}

/// Each mechanism that there is, with this outcome.
async fn assert_all(barred: Option<Reason>, outcome: Reason) {
    let ends = roads::each(policy(), &one(barred, Verdict::Right)).await;
    for (mechanism, reason) in &ends {
        assert_eq!(*reason, outcome, "{mechanism}");
    }
    let taken: BTreeSet<_> = ends.iter().map(|(mechanism, _)| *mechanism).collect();
    let known = MECHANISMS.iter().map(|spec| spec.name());
    let known: BTreeSet<_> = known.chain(["USER"]).collect();
    assert_eq!(taken, known, "a mechanism without a road here");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_barred_is_let_in_on_every_road() {
    assert_all(None, Reason::Granted).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_is_let_in_on_no_road() {
    for reason in [
        Reason::LockedOut,
        Reason::AccountExpired,
        Reason::NotInGroup,
        Reason::NoMailbox,
    ] {
        assert_all(Some(reason), reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_when_the_password_is_verified_is_refused() {
    let reason = Reason::MustChangePassword;
    let house = house_with(policy(), one(None, Verdict::Barred(reason)));
    let refusal = refused(house.pass("alice", "right", &mut caller()).await);
    assert_eq!(refusal.kind, RefusalKind::Credentials);
    assert_eq!(house.last().reason, reason);
}
