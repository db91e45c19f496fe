//! Whole logins by LOGIN: the prompts, and every refusal alike.

use super::*;
use crate::Caller;
use crate::house::{
    House, caller, caller_from, granted, house, policy, refused, tls, tls_with_all,
};

async fn login(
    house: &House,
    steps: &[Option<&[u8]>],
    caller: &mut Caller,
) -> (Vec<Vec<u8>>, Progress) {
    let mut exchange = house.desk.begin("login", &tls_with_all(), caller).unwrap();
    let mut prompts = Vec::new();
    for step in steps {
        match exchange.step(*step).await {
            Progress::Challenge(prompt) => prompts.push(prompt),
            over @ (Progress::Granted(_) | Progress::Refused(_)) => return (prompts, over),
        }
    }
    panic!("no end")
}

#[tokio::test(start_paused = true)]
async fn login_asks_for_a_name_and_a_password() {
    let house = house(policy());
    let steps = [None, Some(&b"alice"[..]), Some(b"right")];
    let (prompts, outcome) = login(&house, &steps, &mut caller()).await;
    assert_eq!(prompts, [&b"Username:"[..], b"Password:"]);
    assert_eq!(granted(outcome).account().name, "alice");
    assert_eq!(house.last().mechanism, "LOGIN");
    // Clients of Microsoft send the name at once.
    let (prompts, outcome) = login(&house, &steps[1..], &mut caller()).await;
    assert_eq!(prompts, [b"Password:"]);
    granted(outcome);
}

#[tokio::test(start_paused = true)]
async fn login_refuses_as_the_others_do() {
    let house = house(policy());
    let (long, longer) = ([b'a'; 1025], [b'a'; 1024]);
    for (name, password, asked, reason) in [
        (&b"alice"[..], &b"wrong"[..], 2, Reason::WrongPassword),
        (b"nobody", b"right", 2, Reason::UnknownUser),
        (b"bob", b"right", 2, Reason::Disabled),
        (b"dave", b"right", 2, Reason::OtherSite),
        (b"", b"right", 1, Reason::Malformed),
        (b"\xff", b"right", 1, Reason::Malformed),
        (&long, b"right", 1, Reason::Malformed),
        (&longer, b"right", 2, Reason::Malformed),
        (b"alice", b"", 2, Reason::Malformed),
        (b"alice", b"\xff", 2, Reason::Malformed),
        (b"alice", &long, 2, Reason::Malformed),
    ] {
        let begun = clock::instant();
        let steps = [None, Some(name), Some(password)];
        let (prompts, outcome) = login(&house, &steps, &mut caller_from("203.0.113.7")).await;
        assert_eq!(refused(outcome).kind, RefusalKind::Credentials);
        assert_eq!(prompts.len(), asked, "{name:?} {password:?}");
        assert_eq!(house.last().reason, reason, "{name:?} {password:?}");
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
    assert_eq!(
        house.desk.mechanisms(&tls(), caller().address()),
        ["PLAIN"],
        "only where it is asked for"
    );
}
