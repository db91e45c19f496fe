//! Looking at the accounts of open sessions from time to time: whoever could not log in now is shown out.
//!
//! One question serves many accounts, however many sessions they have, and the threads at the doors go
//! on meanwhile.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use postern_auth::Holder;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::event::Event;
use crate::net::{House, Phase};

/// Looks again and again until the server stops, and at once after a reload.
pub(super) async fn keep_looking(
    house: Arc<House>,
    phase: watch::Sender<Phase>,
    reloaded: Arc<Notify>,
) {
    loop {
        let every = house.service.load().recheck;
        tokio::select! {
            () = house.reached(Phase::Draining) => return,
            () = rest(every) => {}
            () = reloaded.notified() => {}
        }
        if !house.service.load().recheck.is_zero() {
            sweep(&house, &phase).await;
        }
    }
}

/// Zero is for ever.
async fn rest(every: Duration) {
    if every.is_zero() {
        pending().await
    } else {
        sleep(every).await;
    }
}

/// Looks at everybody once.
async fn sweep(house: &House, phase: &watch::Sender<Phase>) {
    let holdings = house.seats.all();
    if holdings.is_empty() {
        return;
    }
    let holders: Vec<&Holder> = holdings.iter().map(|holding| holding.holder()).collect();
    let service = house.service.load_full();
    let outcome = service.authenticator.recheck(&holders).await;
    if outcome.undecided > 0 {
        let users = outcome.undecided;
        Event::RecheckFailed { users }.emit();
    }
    if outcome.barred.is_empty() {
        return;
    }
    for (place, reason) in outcome.barred {
        let Some(holding) = holdings.get(place) else {
            continue;
        };
        let sessions = house.seats.bar(holding, reason);
        Event::Barred {
            holder: holding.holder(),
            reason,
            sessions,
        }
        .emit();
    }
    // Wakes every session that waits; each looks whether it is meant.
    phase.send_modify(|_| {});
}
