//! What the transport proves about a connection.

use std::sync::Arc;

use crate::LoginRule;

/// The protection of a connection at this moment; replaced after STLS.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Clear text, or TLS.
    pub protection: Protection,
    /// The login rule of the listener that accepted the connection.
    pub rule: Arc<LoginRule>,
}

/// Whether octets travel in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Anyone on the path can read and change them.
    Clear,
    /// The connection runs under TLS 1.2 or later. Only `net/tls.rs` says so.
    Tls,
}

impl Channel {
    /// Whether the connection runs under TLS.
    pub fn is_protected(&self) -> bool {
        self.protection == Protection::Tls
    }
}
