//! One attempt to log in: a small circle of steps that ends in an identity or a refusal.

use crate::{Identity, Refusal};

/// One attempt to log in. Dropping it is cancelling it; nothing of it survives.
#[derive(Debug)]
pub struct Exchange {}

/// What a step came to.
#[derive(Debug)]
pub enum Progress {
    /// Send this challenge (unencoded) and bring the client's answer to the next step.
    Challenge(Vec<u8>),
    /// The login is allowed.
    Granted(Identity),
    /// The login is refused; the exchange is over.
    Refused(Refusal),
}

impl Exchange {
    /// Carries the client's answer (decoded) into the mechanism; `None` only as the first call of
    /// a mechanism without an initial response.
    pub async fn step(&mut self, _response: Option<&[u8]>) -> Progress {
        std::future::pending().await
    }
}
