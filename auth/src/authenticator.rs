//! The front desk: which mechanisms a channel may use, and the start of an exchange.

use crate::{Caller, Channel, Exchange, Refusal, Secret};

/// Shared by all connections; replaced whole when the configuration is reloaded.
pub struct Authenticator {}

impl Authenticator {
    /// The SASL mechanisms that a client on this channel may use now, in the order of the rule.
    pub fn mechanisms(&self, _channel: &Channel) -> Vec<&str> {
        Vec::new()
    }

    /// Whether USER and PASS may be used on this channel.
    pub fn permits_password(&self, _channel: &Channel) -> bool {
        false
    }

    /// Begins `AUTH mechanism` (any case).
    ///
    /// # Errors
    /// A refusal of kind `Mechanism` when it is not offered on this channel.
    pub fn begin(
        &self,
        _mechanism: &str,
        _channel: &Channel,
        _caller: &mut Caller,
    ) -> Result<Exchange, Refusal> {
        Ok(Exchange {})
    }

    /// Begins USER and PASS: the same road as PLAIN, one step, no challenge. The caller asks
    /// [`Self::permits_password`] first.
    pub fn begin_password(
        &self,
        _login: &[u8],
        _password: Secret,
        _channel: &Channel,
        _caller: &mut Caller,
    ) -> Exchange {
        Exchange {}
    }
}
