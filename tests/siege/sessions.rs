//! Twenty thousand sessions of every kind: afterwards the server has what it had before.

use std::thread;

use crate::guests::{Guest, NAMES, setup};
use crate::measure::{Gauge, KEPT};
use crate::probe::beside;
use crate::wire::postern::start;
use crate::{say, size};

#[test]
fn sessions_of_every_kind_leave_nothing_behind() {
    let house = start(&setup());
    let guests: Vec<_> = (0..NAMES.len())
        .map(|number| Guest::new(&house, number))
        .collect();
    let gauge = Gauge::of(&house);
    let fresh = gauge.read();
    let come = |sessions: usize| {
        thread::scope(|scope| {
            for guest in &guests {
                scope.spawn(move || (0..sessions / NAMES.len()).for_each(|turn| guest.come(turn)));
            }
        });
    };
    let (warm, _) = beside(&house, || {
        come(size(260, 4_000));
        // The customer has one connection at any moment.
        let mut warm = gauge.settled(&fresh);
        warm.descriptors = fresh.descriptors;
        warm
    });
    let sessions = size(520, 20_000);
    let ((), found) = beside(&house, || come(sessions));
    let after = gauge.settled(&warm);
    say(&format!(
        "{sessions} sessions: {fresh:?}, warm {warm:?}, after {after:?}, customer {found:?}"
    ));
    let resumed: usize = guests.iter().map(Guest::resumptions).sum();
    assert!(resumed > sessions / 13, "{resumed} handshakes were resumed");
    after.assert_memory("sessions of every kind", &warm, KEPT);
    assert_eq!(after.descriptors, fresh.descriptors);
    assert_eq!(after.threads, fresh.threads);
}
