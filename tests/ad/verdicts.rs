//! Who is let in: good, bad and unknown users, accounts of every state, every form of a name, every client.

use crate::by_hand::Hand;
use crate::exchange::WELCOME;
use crate::house::{House, LOCAL};
use crate::lab::realm::PASSWORD;
use crate::lab::tool::Tool;
use crate::message::pair;
use crate::speaker::{Crate, Login, Python};

/// The user, the domain, whether the password is right, and the reason in the log.
const ROWS: [(&str, &str, bool, &str); 20] = [
    ("alice", "ADTEST", true, "granted"),
    ("ALICE", "adtest", true, "granted"),
    ("alice", "ad.example.test", true, "granted"),
    ("alice", "", true, "granted"),
    ("alice@ad.example.test", "", true, "granted"),
    ("robert.tester@ad.example.test", "", true, "granted"),
    ("bob", "ADTEST", true, "granted"),
    ("jörg", "ADTEST", true, "granted"),
    ("JÖRG", "ADTEST", true, "granted"),
    ("alice", "ADTEST", false, "wrong-password"),
    ("alice@ad.example.test", "", false, "wrong-password"),
    ("nobody-here", "ADTEST", true, "wrong-password"),
    ("alice", "ELSEWHERE", true, "wrong-password"),
    ("disabled", "ADTEST", true, "disabled"),
    ("expired", "ADTEST", true, "account-expired"),
    ("old", "ADTEST", true, "password-expired"),
    ("mustchange", "ADTEST", true, "must-change-password"),
    ("locked", "ADTEST", true, "locked-out"),
    // The controller says yes, and there is no such account here: the second is not Alice.
    ("ａｌｉｃｅ", "ADTEST", true, "no-account"),
    ("administrator", "ADTEST", true, "no-account"),
];

#[test]
fn the_controller_decides_and_the_log_says_why() {
    let house = House::open(&[]);
    let mut words = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for (user, domain, right, reason) in ROWS {
        let before = house.server.logins();
        let password = if right { PASSWORD } else { "wrong" };
        let said = house.login(&mut Hand::new(user, domain, password));
        let reasons = house.server.reasons_after(before, reason);
        if reasons != [reason] || (said == WELCOME) != (reason == "granted") {
            wrong.push(format!(
                "{domain}\\{user}: {reasons:?}, not {reason}: {said}"
            ));
        }
        if said != WELCOME {
            words.insert(said);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(words.len(), 1, "refusals differ: {words:?}");
    the_session_key_protects_the_messages(&house);
    local_users_are_not_asked_about(&house);
    clients_of_others_are_let_in(&house);
    ntlmv1_does_not_count_at_the_controller(&house);
}

/// Code and bindings are verified with the key that the controller gave.
fn the_session_key_protects_the_messages(house: &House) {
    let mut client = house.client();
    let hand = Hand::new("alice", "ADTEST", PASSWORD);
    let challenge = crate::exchange::begin(&mut client, &hand.negotiate());
    let mut message = hand.authenticate(&challenge);
    message.flip(crate::message::CODE.start);
    assert!(
        client
            .ask(&crate::exchange::encode(&message))
            .starts_with("-ERR")
    );
    house.server.told("login", &["bad-mic"]);
    let mut bound = Hand::new("alice", "ADTEST", PASSWORD);
    bound.pairs = vec![(pair::BINDINGS, vec![7; 16])];
    assert!(house.login(&mut bound).starts_with("-ERR"));
    house.server.told("login", &["wrong-binding"]);
}

fn local_users_are_not_asked_about(house: &House) {
    let mut local = Hand::new(LOCAL.0, "HOUSE", LOCAL.1);
    assert_eq!(house.login(&mut local), WELCOME);
    // The same name in the domain is nobody.
    let mut foreign = Hand::new(LOCAL.0, "ADTEST", LOCAL.1);
    assert!(house.login(&mut foreign).starts_with("-ERR"));
}

fn clients_of_others_are_let_in(house: &House) {
    for library in ["pyspnego", "gss-ntlmssp"] {
        let login = Login::new("ADTEST\\alice", PASSWORD);
        assert_eq!(
            house.login(&mut Python::new(library, login)),
            WELCOME,
            "{library}"
        );
    }
    assert_eq!(
        house.login(&mut Crate::new("bob", "ADTEST", PASSWORD)),
        WELCOME
    );
    Tool::new(&house.lab, "curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(["--user", &format!("ADTEST\\alice:{PASSWORD}")])
        .args(["--login-options", "AUTH=NTLM"])
        .arg(format!("pop3://{}/", house.server.doors.plain))
        .run();
}

/// Five tries of a client that can do NTLMv1 alone; three wrong passwords would lock the account.
fn ntlmv1_does_not_count_at_the_controller(house: &House) {
    for _ in 0..5 {
        let mut client = house.client();
        let hand = Hand::new("lockable", "ADTEST", PASSWORD);
        let challenge = crate::exchange::begin(&mut client, &hand.negotiate());
        let message = hand.with_responses(&challenge, &[7; 24], &[8; 24]);
        client.refused(&crate::exchange::encode(&message));
    }
    assert!(house.lets_in("lockable"), "the account is locked");
}
