//! Runs checks side by side, each in a thread of its own, and waits no longer than a deadline for any.
//!
//! A check that does not come back is left behind: it may wait for a disk that is gone, or within a library
//! of C, where nobody can be woken up. It ends with the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::seen::Seen;
use super::{Check, Patient};

/// How long a check may take, in all. What it asks of others is given up sooner, with better words.
const DEADLINE: Duration = Duration::from_secs(10);

/// What each of the checks came to, in their order.
pub(super) fn examine(
    patient: &Arc<Patient>,
    checks: impl Iterator<Item = &'static Check>,
) -> Vec<(&'static str, Seen)> {
    let (sender, receiver) = mpsc::channel();
    let names: Vec<_> = checks
        .map(|check| {
            let (patient, sender) = (Arc::clone(patient), sender.clone());
            let look = move || {
                // Nobody listens any more when it was too late.
                let _ = sender.send((check.name, (check.look)(&patient)));
            };
            // Without a thread there is no answer, which is told below.
            let _ = thread::Builder::new()
                .name(check.name.to_owned())
                .spawn(look);
            check.name
        })
        .collect();
    drop(sender);
    let mut seen = answers(&receiver, names.len());
    let late = || {
        let why = format!("it gave no answer in {} s", DEADLINE.as_secs());
        Seen::unknown(
            why,
            "see whether a disk, a name server or a server of the network hangs",
        )
    };
    names
        .into_iter()
        .map(|name| (name, seen.remove(name).unwrap_or_else(late)))
        .collect()
}

/// What came before the deadline.
#[expect(
    clippy::disallowed_methods,
    reason = "somebody has to look at the clock, or a check that hangs hangs the doctor"
)]
fn answers(receiver: &Receiver<(&'static str, Seen)>, most: usize) -> HashMap<&'static str, Seen> {
    let end = Instant::now() + DEADLINE;
    let mut seen = HashMap::new();
    while seen.len() < most {
        let left = end.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok((name, one)) => seen.insert(name, one),
            Err(_) => break,
        };
    }
    seen
}
