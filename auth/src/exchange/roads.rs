//! Every mechanism, with what is right for `alice`: for tests of what holds on every road.

use super::ntlm_tests::plain;
use super::scram_client::{Client as Scram, PLAIN};
use super::*;
use crate::caller::Standing;
use crate::certificate::tests::certificate;
use crate::clock::Clock;
use crate::extended_protection::{Bound, Ruling};
use crate::gssapi::Proven;
use crate::house::{House, Records, bound, caller, house_with, tls_with_all};
use crate::ntlm::client::CLIENT;
use crate::scram::ScramKeys;
use crate::throttle::Throttle;
use crate::{Audit, Channel, Directory, NtHash, Policy, Principal, RefusalKind, Secret};

/// The password behind everything here.
const RIGHT: &[u8] = b"right";

/// The NT hash of the password: MD4 of it in UTF-16.
pub(super) fn nt_hash() -> NtHash {
    let octets = 0xfff1_399e_403b_f6c6_98c9_f38e_19a3_c196_u128.to_be_bytes();
    NtHash::from_octets(octets)
}

/// SCRAM keys of the password.
pub(super) fn scram_keys() -> ScramKeys {
    ScramKeys::derive(&Secret::new(RIGHT.to_vec()), b"a salt".to_vec(), 4096).unwrap()
}

/// What a login by each mechanism comes to, by the word in its record. USER is USER with PASS. Refusals are
/// alike in kind and, where the clock stands still, in time.
pub(super) async fn each(
    policy: Policy,
    directory: &Arc<dyn Directory>,
) -> Vec<(&'static str, Reason)> {
    let house = house_with(policy.clone(), Arc::clone(directory));
    let plus = Scram {
        mechanism: "SCRAM-SHA-256-PLUS",
        gs2: "p=tls-exporter,,",
        binding: &[7; 32],
        ..PLAIN
    };
    let certificate = certificate(&[], &["alice@corp.test"], 2099);
    let ends = [
        timed(house.pass("alice", "right", &mut caller())).await,
        timed(house.plain("\0alice\0right", &mut caller())).await,
        timed(steps(&house, "LOGIN", bound(None), &[b"alice", RIGHT])).await,
        timed(plain(&house, &bound(None), CLIENT)).await,
        timed(steps(&house, "EXTERNAL", bound(Some(certificate)), &[b""])).await,
        timed(scram(&house, PLAIN)).await,
        timed(scram(&house, plus)).await,
    ];
    for (end, took) in ends {
        match end {
            Progress::Granted(identity) => assert_eq!(identity.account().name, "alice"),
            Progress::Refused(refusal) => {
                assert_eq!(refusal.kind, RefusalKind::Credentials);
                assert_eq!(took, policy.refusal_delay);
            }
            Progress::Challenge(_) => panic!("no end"),
        }
    }
    let mut ends: Vec<_> = {
        let records = house.records.0.lock().unwrap();
        let ends = records
            .iter()
            .map(|record| (record.mechanism, record.reason));
        ends.collect()
    };
    for mechanism in ["GSSAPI", "GSS-SPNEGO"] {
        ends.push((
            mechanism,
            ticket(policy.clone(), Arc::clone(directory)).await,
        ));
    }
    ends
}

async fn timed(road: impl Future<Output = Progress>) -> (Progress, Duration) {
    let begun = clock::instant();
    (road.await, begun.elapsed())
}

async fn scram(house: &House, client: Scram<'_>) -> Progress {
    let seen = client.attempt(house, &tls_with_all(), &mut caller()).await;
    seen.outcome
}

async fn steps(house: &House, mechanism: &str, channel: Channel, answers: &[&[u8]]) -> Progress {
    let mut caller = caller();
    let mut exchange = house.desk.begin(mechanism, &channel, &mut caller).unwrap();
    for answer in answers {
        match exchange.step(Some(answer)).await {
            Progress::Challenge(_) => {}
            over @ (Progress::Granted(_) | Progress::Refused(_)) => return over,
        }
    }
    panic!("no end")
}

/// What becomes of a good ticket of alice's.
async fn ticket(policy: Policy, directory: Arc<dyn Directory>) -> Reason {
    let desk = Desk {
        policy,
        directory,
        winbind: None,
        throttle: Arc::new(Throttle::default()),
        clock: Clock::start(),
        gssapi: None,
    };
    let proven = Proven {
        client: Principal::parse("alice@CORP.TEST").unwrap(),
        login: Ok("alice@CORP.TEST".to_owned()),
        authzid: String::new(),
        bound: Bound::Nothing,
        ruling: Ruling::Accepted,
    };
    let audit: Arc<dyn Audit> = Arc::new(Records::default());
    let mut entry = Entry::open(&audit, "GSSAPI", true, &caller());
    let evidence = Evidence::Context(Ok(Box::new(proven)));
    let standing = Standing::default();
    match desk.verify(evidence, &standing, &mut entry).await {
        Ok(approved) => {
            drop(desk.grant(approved));
            Reason::Granted
        }
        Err(Fault::Refused(reason) | Fault::Unavailable(reason)) => reason,
    }
}
