//! Whole logins by EXTERNAL, with certificates made for the test.

use super::*;
use crate::certificate::tests::certificate;
use crate::house::{House, bound, caller, granted, house, house_of, policy, refused};
use crate::{CertificateName, Fingerprint, Policy};

async fn external(house: &House, der: &[u8], steps: &[Option<&[u8]>]) -> Progress {
    let channel = bound(Some(der.to_vec()));
    let mut caller = caller();
    let mut exchange = house.desk.begin("EXTERNAL", &channel, &mut caller).unwrap();
    for step in steps {
        match exchange.step(*step).await {
            Progress::Challenge(challenge) => assert_eq!(challenge, b""),
            over @ (Progress::Granted(_) | Progress::Refused(_)) => return over,
        }
    }
    panic!("no end")
}

#[tokio::test(start_paused = true)]
async fn names_in_the_certificate_open_the_mailbox() {
    let house = house(policy());
    for der in [
        certificate(&["ALICE@example.test"], &[], 2099),
        certificate(&[], &["alice@corp"], 2099),
        // The way that the policy names first decides.
        certificate(&["dave@nowhere"], &["alice@corp"], 2099),
    ] {
        for steps in [&[Some(&b""[..])][..], &[None, Some(b"")], &[Some(b"alice")]] {
            let identity = granted(external(&house, &der, steps).await);
            assert_eq!(identity.account().name, "alice");
            let record = house.last();
            assert_eq!(record.mechanism, "EXTERNAL");
            assert_eq!(record.login, Some(Fingerprint::of(&der).to_string()));
            assert_eq!(record.account.as_deref(), Some("alice"));
        }
    }
    let der = certificate(&["alice@example.test"], &[], 2099);
    let identity = granted(external(&house, &der, &[Some(b"sales")]).await);
    assert_eq!(
        (identity.account().name.as_str(), identity.actor()),
        ("sales", "alice")
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_are_alike() {
    let house = house(policy());
    let alice = certificate(&["alice@example.test"], &[], 2099);
    for (der, asked, reason) in [
        (
            certificate(&["nobody@example.test"], &[], 2099),
            &b""[..],
            Reason::UnknownCertificate,
        ),
        (certificate(&[], &[], 2099), b"", Reason::UnknownCertificate),
        (
            certificate(&["alice@example.test"], &[], 2025),
            b"",
            Reason::InvalidCertificate,
        ),
        (b"no certificate".to_vec(), b"", Reason::InvalidCertificate),
        (
            certificate(
                &["alice@example.test", "administrator@corp.test"],
                &[],
                2099,
            ),
            b"",
            Reason::AmbiguousCertificate,
        ),
        (
            certificate(&["administrator@corp.test"], &[], 2099),
            b"",
            Reason::Blocked,
        ),
        (alice.clone(), b"dave", Reason::NoRight),
        (alice.clone(), b"nobody", Reason::UnknownMailbox),
        (alice.clone(), b"shut", Reason::Disabled),
        (alice.clone(), b"a\0b", Reason::NoEvidence),
        (alice.clone(), b"\xff", Reason::Malformed),
    ] {
        let begun = clock::instant();
        let refusal = refused(external(&house, &der, &[Some(asked)]).await);
        assert_eq!(
            refusal,
            Refusal {
                kind: RefusalKind::Credentials,
                close: false
            }
        );
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "{reason:?}");
        assert_eq!(house.last().reason, reason);
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_ways_of_the_policy_are_gone() {
    let ways = vec![CertificateName::Fingerprint, CertificateName::Upn];
    let house = house(Policy {
        certificate_names: ways,
        ..policy()
    });
    let der = certificate(&["alice@example.test"], &[], 2099);
    refused(external(&house, &der, &[Some(b"")]).await);
    assert_eq!(house.last().reason, Reason::UnknownCertificate);
}

#[tokio::test(start_paused = true)]
async fn a_fingerprint_in_the_users_file_opens_the_mailbox() {
    let der = certificate(&["bob@example.test"], &[], 2099);
    let digits = Fingerprint::of(&der).to_string().to_uppercase();
    let text = format!(
        "[[user]]\nname = \"scanner\"\ncertificates = [\"{}\"]\n\n\
         [[user]]\nname = \"bob\"\naliases = [\"bob@example.test\"]\n",
        digits.replace("SHA256", "sha256")
    );
    let house = house_of(policy(), &text);
    // The first way decides, though the mail address reaches somebody else.
    let identity = granted(external(&house, &der, &[Some(b"")]).await);
    assert_eq!(identity.account().name, "scanner");
    let other = certificate(&["bob@example.test"], &[], 2099);
    let identity = granted(external(&house, &other, &[Some(b"")]).await);
    assert_eq!(identity.account().name, "bob");
}
