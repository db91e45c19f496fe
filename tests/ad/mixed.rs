//! A thousand questions at once, over eight connections: never the verdict of somebody else.

use std::thread;

use crate::by_hand::Hand;
use crate::exchange::{WELCOME, login};
use crate::house::House;
use crate::lab::daemon::until;
use crate::lab::dice::Dice;
use crate::lab::realm::PASSWORD;

const CONNECTIONS: usize = 8;
const QUESTIONS: usize = 125;

/// Who asks, with which password, and whether that is right.
const ASKED: [(&str, &str, bool); 8] = [
    ("alice", PASSWORD, true),
    ("alice", "wrong", false),
    ("bob", PASSWORD, true),
    ("bob", "wrong", false),
    ("jörg", PASSWORD, true),
    ("disabled", PASSWORD, false),
    ("expired", PASSWORD, false),
    ("nobody-here", PASSWORD, false),
];

#[test]
fn a_thousand_verdicts_are_everybodys_own() {
    let house = House::open(&[("winbind.helpers", "4")]);
    let ask = |dice: &mut Dice| {
        let (user, password, right) = *dice.pick(&ASKED);
        let said = login(
            &mut house.client(),
            &mut Hand::new(user, "ADTEST", password),
        );
        assert_eq!(said == WELCOME, right, "{user} with {password}: {said}");
        user
    };
    thread::scope(|scope| {
        for seed in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut dice = Dice(seed as u64 + 1);
                for _ in 0..QUESTIONS {
                    ask(&mut dice);
                }
            });
        }
    });
    until("a record of each", || {
        (house.server.logins() == CONNECTIONS * QUESTIONS).then_some(())
    });
}
