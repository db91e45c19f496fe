//! RFC 4752 and RFC 5034 octet by octet, and whose ticket opens whose mailbox.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::lab::pop3::Client;
use crate::lab::postern::Postern;
use crate::lab::world::ALICE;
use crate::scene::Scene;

const REFUSAL: &str = "-ERR [AUTH] Logon failure: unknown user name or bad password.";

fn hex(text: &str) -> String {
    text.bytes().map(|octet| format!("{octet:02x}")).collect()
}

/// A login in which the client asks for this mailbox.
fn asking_for(scene: &Scene, mailbox: &str) -> String {
    scene.gssapi(&["--choice", &format!("01000000{}", hex(mailbox))])
}

fn granted(reply: &str) {
    assert_eq!(reply, "+OK User successfully logged on.");
}

#[test]
fn the_client_begins_and_may_do_so_at_once() {
    let scene = Scene::start();
    assert_eq!(
        scene.offered(),
        "SASL GSSAPI GSS-SPNEGO PLAIN LOGIN SCRAM-SHA-256 NTLM"
    );
    for initial in [false, true] {
        let mut client = Client::connect(scene.postern.doors.plain);
        let mut initiator = scene.realm.client(&["pop@localhost"]);
        let token = initiator.says();
        let answer = if initial {
            client.ask(&format!("auth gssapi {token}"))
        } else {
            assert_eq!(client.ask("AUTH GSSAPI"), "+ ");
            client.ask(&token)
        };
        initiator.hears(answer.strip_prefix("+ ").expect("the server's token"));
        assert_eq!(initiator.says(), "", "nothing is to be said to it");
        let offer = client.ask("");
        initiator.hears(offer.strip_prefix("+ ").expect("the offer of layers"));
        granted(&client.ask(&initiator.says()));
        client.ok("STAT");
        client.refused("AUTH GSSAPI");
        client.quit();
    }
    let record = scene.record("granted");
    assert!(
        record.contains("\"login\":\"alice@EXAMPLE.TEST\""),
        "{record}"
    );
    assert!(record.contains("\"account\":\"alice\""), "{record}");
}

#[test]
fn spnego_is_over_with_its_context() {
    let scene = Scene::start();
    let mut client = Client::connect(scene.postern.doors.plain);
    let mut initiator = scene
        .realm
        .client(&["pop@localhost", "--mechanism", "spnego"]);
    granted(&scene.login(&mut client, "GSS-SPNEGO", &mut initiator));
    client.ok("STAT");
    let record = scene.record("granted");
    assert!(record.contains("\"mechanism\":\"GSS-SPNEGO\""), "{record}");
}

#[test]
fn an_answer_that_is_none_ends_it_like_a_wrong_password() {
    let scene = Scene::start();
    for choice in [
        "",
        "010000",
        "00000000",
        "02001000",
        "04001000",
        "05000000",
        "01000000616c69636500",
    ] {
        assert_eq!(scene.gssapi(&["--choice", choice]), REFUSAL, "{choice}");
    }
    assert_eq!(scene.gssapi(&["--flip", "20"]), REFUSAL);
    let record = scene.record("malformed");
    assert!(record.contains("layers cannot be opened"), "{record}");
}

#[test]
fn a_given_up_or_strange_exchange_leaves_the_session_as_it_was() {
    let scene = Scene::start();
    let mut client = Client::connect(scene.postern.doors.plain);
    let token = scene.realm.client(&["pop@localhost"]).says();
    assert_eq!(client.ask("AUTH GSSAPI"), "+ ");
    client.refused("*");
    assert!(
        client
            .ask(&format!("AUTH GSSAPI {token}"))
            .starts_with("+ YI")
    );
    assert_eq!(
        client.ask("eHg="),
        REFUSAL,
        "something in answer to the server's token"
    );
    assert_eq!(client.ask("AUTH GSSAPI ="), REFUSAL, "an empty token");
    client.login(ALICE);
}

#[test]
fn ones_own_mailbox_has_several_names_and_anothers_needs_a_right() {
    let scene = Scene::start();
    for own in ["", "alice", "alice@EXAMPLE.TEST", "ALICE@example.test"] {
        granted(&asking_for(&scene, own));
    }
    for (other, reason) in [
        ("bob", "no-right"),
        ("nobody", "unknown-mailbox"),
        ("alice@PARTNER.TEST", "unknown-mailbox"),
    ] {
        assert_eq!(asking_for(&scene, other), REFUSAL);
        let record = scene.record(reason);
        assert!(record.contains("\"delegate\":\"alice\""), "{record}");
        assert!(
            record.contains("\"login\":\"alice@EXAMPLE.TEST\""),
            "{record}"
        );
    }
}

#[test]
fn principals_are_accounts_by_rule_alone() {
    let scene = Scene::start();
    for (principal, word) in [
        ("alice/admin", "it has an instance"),
        ("alice@PARTNER.TEST", "no [[gssapi.realm]] names its realm"),
    ] {
        scene.realm.kinit(&[], principal);
        assert_eq!(scene.gssapi(&[]), REFUSAL, "{principal}");
        let record = scene.record("no-principal-rule");
        assert!(record.contains(word), "{principal}: {record}");
    }
}

#[test]
fn a_named_principal_is_who_the_rule_says() {
    let rules = "[[gssapi.principal]]\nname = \"alice@PARTNER.TEST\"\nlogin = \"bob\"\n\
                 [[gssapi.principal]]\nname = \"alice/admin@EXAMPLE.TEST\"\nlogin = \"carol\"\n";
    let scene = Scene::start_with(rules);
    for (principal, account) in [("alice@PARTNER.TEST", "bob"), ("alice/admin", "carol")] {
        scene.realm.kinit(&[], principal);
        granted(&scene.gssapi(&[]));
        scene.postern.told(
            "login",
            &["\"granted\"", &format!("\"account\":\"{account}\"")],
        );
    }
    scene.realm.kinit(&[], "alice");
    assert_eq!(
        scene.gssapi(&[]),
        REFUSAL,
        "no account is called alice@EXAMPLE.TEST"
    );
    let record = scene.record("no-account");
    assert!(
        record.contains("no account has the name alice@example.test"),
        "{record}"
    );
}

#[test]
fn a_good_ticket_opens_no_account_that_is_shut() {
    let scene = Scene::start();
    granted(&scene.gssapi(&[]));
    let users = scene.lab.path().join("users.toml");
    let text = std::fs::read_to_string(&users).expect("the users file");
    let shut = text.replacen(
        "name = \"alice\"\n",
        "name = \"alice\"\ndisabled = true\n",
        1,
    );
    std::fs::write(&users, shut).expect("the users file");
    crate::lab::daemon::until("the account to be shut", || {
        (scene.gssapi(&[]) == REFUSAL).then_some(())
    });
    scene.record("disabled");
}

#[test]
fn a_replayed_token_is_refused_here_and_by_a_second_server() {
    let scene = Scene::start();
    let (second, _lab) = scene.second();
    let token = BASE64_STANDARD.encode(scene.realm.token(&["pop@localhost"]));
    let tries = |postern: &Postern| {
        let mut client = Client::connect(postern.doors.plain);
        client.ask(&format!("AUTH GSSAPI {token}"))
    };
    assert!(tries(&scene.postern).starts_with("+ YI"));
    for postern in [&scene.postern, &second] {
        assert_eq!(tries(postern), REFUSAL);
        let record = postern.told("login", &["\"reason\":\"replayed\""]);
        assert!(record.contains("seen before"), "{record}");
    }
}
