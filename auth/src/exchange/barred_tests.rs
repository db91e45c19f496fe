//! An account that its directory bars: refused on every road, and like everybody else.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::directory::{Name, ScramAnswer};
use crate::house::{caller, house_with, policy, refused};
use crate::mechanism::MECHANISMS;
use crate::{Account, Answer, Directory, Login, NtHash, RefusalKind, Secret, Site, Verdict};

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

fn one(account: Account, verdict: Verdict) -> Arc<dyn Directory> {
    let account = Account {
        name: "alice".to_owned(),
        ..account
    };
    Arc::new(One { account, verdict })
}

fn barred(reason: Reason) -> Account {
    Account {
        barred: Some(reason),
        ..Account::default()
    }
}

/// Each mechanism that there is, with this outcome.
async fn assert_all(account: Account, outcome: Reason) {
    let ends = roads::each(policy(), &one(account, Verdict::Right)).await;
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
    assert_all(Account::default(), Reason::Granted).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_is_let_in_on_no_road() {
    for reason in [
        Reason::LockedOut,
        Reason::AccountExpired,
        Reason::NotInGroup,
        Reason::NoMailbox,
    ] {
        assert_all(barred(reason), reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_else_keeps_an_account_out_does_so_on_every_road() {
    let with = |change: fn(&mut Account)| {
        let mut account = Account::default();
        change(&mut account);
        account
    };
    let paris = |account: &mut Account| account.site = Some(Site::new("paris"));
    assert_all(with(paris), Reason::OtherSite).await;
    assert_all(with(|account| account.pop3_off = true), Reason::Pop3Off).await;
    assert_all(with(|account| account.disabled = true), Reason::Disabled).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_when_the_password_is_verified_is_refused() {
    let reason = Reason::MustChangePassword;
    let house = house_with(policy(), one(Account::default(), Verdict::Barred(reason)));
    let refusal = refused(house.pass("alice", "right", &mut caller()).await);
    assert_eq!(refusal.kind, RefusalKind::Credentials);
    assert_eq!(house.last().reason, reason);
}
