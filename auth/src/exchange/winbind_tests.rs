//! NTLM that a domain controller verifies: routing, and what becomes of its trouble. The helper is a
//! script that speaks as Samba's does; Samba itself is asked where there is a controller.

use super::ntlm_tests::{plain, with_ntlm};
use super::*;
use crate::house::{House, bound, caller, granted, house, refused};
use crate::ntlm::client::{CLIENT, Client};
use crate::{NtlmVerify, Winbind, WinbindSettings};

/// Says this of every request, and of nothing else.
pub(super) fn saying(answer: &str) -> String {
    format!(
        "while read -r line; do case \"$line\" in Postern-Sync*) \
         printf '{answer}\\n.\\nError: Unknown request %s\\n.\\n' \"${{line%%:*}}\";; esac; done"
    )
}

/// Says the one of requests about this domain, written in base64, and the other of all others.
fn telling_apart(domain: &str, one: &str, other: &str) -> String {
    format!(
        "said='{other}'; while read -r line; do case \"$line\" in *{domain}) said='{one}';; \
         Postern-Sync*) printf \"$said\\n.\\nError: Unknown request %s\\n.\\n\" \"${{line%%:*}}\"; \
         said='{other}';; esac; done"
    )
}

pub(super) const YES: &str =
    "Authenticated: Yes\\nUser-Session-Key: 000102030405060708090A0B0C0D0E0F";
const NO: &str =
    "Authenticated: No\\nAuthentication-Error: The specified account does not exist.\\n.";
const NOBODY_THERE: &str =
    "Authenticated: No\\nAuthentication-Error: No logon servers are currently available.\\n.";

fn asks(verify: NtlmVerify, command: Vec<String>) -> House {
    let mut house = house(with_ntlm(|ntlm| ntlm.verify = verify));
    let settings = WinbindSettings {
        command,
        helpers: 2,
        deadline: Duration::from_millis(200),
    };
    house.desk = house
        .desk
        .with_winbind(Some(Arc::new(Winbind::new(settings).unwrap())));
    house
}

pub(super) fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

const CORP: Client<'_> = Client {
    domain: "CORP",
    ..CLIENT
};

#[tokio::test]
async fn the_controllers_word_and_key_count() {
    let yes = asks(NtlmVerify::Winbind, shell(&saying(YES)));
    // What the password is, the directory does not know.
    let other = Client {
        password: "only the controller knows",
        ..CORP
    };
    assert_eq!(
        granted(plain(&yes, &bound(None), other).await)
            .account()
            .name,
        "alice"
    );
    // The integrity code is one under another key than the controller gave.
    let protected = Client { mic: true, ..CORP };
    refused(plain(&yes, &bound(None), protected).await);
    assert_eq!(yes.last().reason, Reason::BadMic);
    let stranger = Client {
        user: "nobody",
        ..CORP
    };
    refused(plain(&yes, &bound(None), stranger).await);
    assert_eq!(yes.last().reason, Reason::NoAccount);
    let no = asks(NtlmVerify::Winbind, shell(&saying(NO)));
    refused(plain(&no, &bound(None), CORP).await);
    assert_eq!(no.last().reason, Reason::WrongPassword);
}

#[tokio::test]
async fn the_domain_says_who_verifies() {
    let house = asks(NtlmVerify::Both, shell(&saying(NO)));
    for domain in ["", "HOUSE", "house", "."] {
        granted(plain(&house, &bound(None), Client { domain, ..CLIENT }).await);
    }
    refused(plain(&house, &bound(None), CORP).await);
    let principal = Client {
        user: "alice@example.test",
        ..CLIENT
    };
    refused(plain(&house, &bound(None), principal).await);
    assert_eq!(house.reasons()[4..], ["wrong-password", "wrong-password"]);
}

/// One domain's controller is gone: whoever names it hears of trouble, and all others come in.
#[tokio::test]
async fn trouble_with_one_domain_is_nobody_elses() {
    let script = telling_apart("UEFSVE5FUg==", NOBODY_THERE, YES);
    let house = asks(NtlmVerify::Winbind, shell(&script));
    let partner = Client {
        domain: "PARTNER",
        ..CLIENT
    };
    for _ in 0..3 {
        let refusal = refused(plain(&house, &bound(None), partner).await);
        assert_eq!(refusal.kind, RefusalKind::Unavailable);
        granted(plain(&house, &bound(None), CORP).await);
    }
}

/// A domain without a name would be a question about nobody.
#[tokio::test]
async fn a_domain_alone_is_not_asked_about() {
    let house = asks(NtlmVerify::Winbind, shell(&saying(NOBODY_THERE)));
    let nobody = Client { user: "", ..CORP };
    refused(plain(&house, &bound(None), nobody).await);
    assert_eq!(house.last().reason, Reason::Malformed);
}

#[tokio::test]
async fn trouble_is_said_to_be_trouble_whoever_asks_and_to_nobody_else() {
    for command in [
        shell(&saying(NOBODY_THERE)),
        shell("exit 1"),
        shell("sleep 60"),
        shell("echo Authenticated: Yes; echo .; cat"),
        vec!["/nonexistent/ntlm_auth".to_owned()],
    ] {
        let house = asks(NtlmVerify::Both, command.clone());
        for user in ["alice", "nobody"] {
            let begun = clock::instant();
            let refusal = refused(plain(&house, &bound(None), Client { user, ..CORP }).await);
            assert_eq!(refusal.kind, RefusalKind::Unavailable, "{command:?}");
            assert_eq!(house.last().reason, Reason::DirectoryTrouble);
            assert!(begun.elapsed() < Duration::from_secs(1));
        }
        granted(plain(&house, &bound(None), CLIENT).await);
        granted(house.pass("alice", "right", &mut caller()).await);
    }
    let unconfigured = house(with_ntlm(|ntlm| ntlm.verify = NtlmVerify::Winbind));
    let refusal = refused(plain(&unconfigured, &bound(None), CORP).await);
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
}
