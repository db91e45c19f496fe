//! An account that its directory bars: refused on every road, and like everybody else.

use std::net::IpAddr;

use super::ntlm_tests::plain;
use super::*;
use crate::caller::Standing;
use crate::clock::Clock;
use crate::extended_protection::{Bound, Ruling};
use crate::gssapi::Proven;
use crate::house::{Records, bound, caller, granted, house_with, policy, refused};
use crate::ntlm::client::CLIENT;
use crate::throttle::Throttle;
use crate::{
    Account, Answer, Audit, Directory, Login, NtHash, Principal, RefusalKind, Secret, Verdict,
};

/// Everybody is this account, whose password is `right`.
struct One {
    account: Account,
    verdict: Verdict,
}

impl Directory for One {
    fn find<'a>(&'a self, _: &'a Login, _: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
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

    fn nt_hash<'a>(&'a self, _: &'a Account, _: IpAddr) -> Answer<'a, Option<NtHash>> {
        // MD4 of `right` in UTF-16.
        let octets = 0xfff1_399e_403b_f6c6_98c9_f38e_19a3_c196_u128.to_be_bytes();
        Box::pin(async move { Ok(Some(NtHash::from_octets(octets))) })
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

/// What becomes of a good ticket of alice's.
async fn ticket(directory: Arc<dyn Directory>) -> Result<(), Fault> {
    let desk = Desk {
        policy: policy(),
        directory,
        winbind: None,
        throttle: Arc::new(Throttle::default()),
        clock: Clock::start(),
        gssapi: None,
    };
    let proven = Proven {
        client: Principal::parse("alice@EXAMPLE.TEST").unwrap(),
        login: Ok("alice".to_owned()),
        authzid: String::new(),
        bound: Bound::Nothing,
        ruling: Ruling::Accepted,
    };
    let audit: Arc<dyn Audit> = Arc::new(Records::default());
    let mut entry = Entry::open(&audit, "GSSAPI", true, &caller());
    let evidence = Evidence::Context(Ok(Box::new(proven)));
    let standing = Standing::default();
    let outcome = desk.verify(evidence, &standing, &mut entry).await;
    outcome.map(|approved| drop(desk.grant(approved)))
}

#[tokio::test(start_paused = true)]
async fn who_is_not_barred_is_let_in_on_every_road() {
    let house = house_with(policy(), one(None, Verdict::Right));
    granted(house.pass("alice", "right", &mut caller()).await);
    granted(plain(&house, &bound(None), CLIENT).await);
    assert_eq!(ticket(one(None, Verdict::Right)).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn who_is_barred_is_let_in_on_no_road() {
    for reason in [
        Reason::LockedOut,
        Reason::AccountExpired,
        Reason::NotInGroup,
        Reason::NoMailbox,
    ] {
        let directory = || one(Some(reason), Verdict::Right);
        let house = house_with(policy(), directory());
        let roads = [
            house.pass("alice", "right", &mut caller()).await,
            house.plain("\0alice\0right", &mut caller()).await,
            plain(&house, &bound(None), CLIENT).await,
        ];
        for progress in roads {
            assert_eq!(refused(progress).kind, RefusalKind::Credentials);
        }
        assert_eq!(house.reasons(), [reason.as_str(); 3]);
        assert_eq!(ticket(directory()).await, Err(Fault::Refused(reason)));
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
