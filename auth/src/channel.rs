//! What the transport proves about a connection.

use std::sync::Arc;

use crate::LoginRule;

/// What protects a connection at this moment, and what may be done on it; replaced after STLS.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What TLS proves; none on a connection in the clear, which anyone on the path can read and
    /// change.
    pub tls: Option<Arc<TlsFacts>>,
    /// The login rule of the listener that accepted the connection.
    pub rule: Arc<LoginRule>,
    /// `tls-server-end-point` of certificates that others show in this server's place: of load
    /// balancers that end TLS.
    pub extra_end_points: Arc<[Arc<[u8]>]>,
}

/// What one TLS connection proves. Only `net/tls.rs` makes it, from a finished handshake.
///
/// The bindings identify the connection and are no secrets (RFC 5056 §2.1).
#[derive(Clone, Debug, Default)]
pub struct TlsFacts {
    /// `tls-exporter` (RFC 9266); TLS 1.3 alone has it, as TLS 1.2 would need more than the
    /// library tells.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the certificate that the client saw; none
    /// where its signature algorithm defines no hash.
    pub server_end_point: Option<Arc<[u8]>>,
    /// The same of the certificate that was shown under this name before the last reload that
    /// changed it, for 24 hours: other servers of the same name may still show it.
    pub previous_end_point: Option<Arc<[u8]>>,
    /// The client's certificate in DER, when it showed one; the handshake has checked it against
    /// the authorities and revocation lists of the configuration.
    pub client_certificate: Option<Arc<[u8]>>,
}

impl Channel {
    /// Whether the connection runs under TLS.
    pub fn is_protected(&self) -> bool {
        self.tls.is_some()
    }

    /// The certificates to which a client of Extended Protection may be bound here: the one that it
    /// saw first, then those that it may have seen instead. None where there is nothing to bind to.
    pub fn end_points(&self) -> impl Iterator<Item = &[u8]> {
        let facts = self.tls.iter();
        let own = facts.flat_map(|facts| [&facts.server_end_point, &facts.previous_end_point]);
        own.flatten()
            .chain(self.extra_end_points.iter())
            .map(|hash| &**hash)
    }
}
