//! The connection that is trying to log in, as far as the authenticator cares.

use std::net::IpAddr;

/// One connection's standing: where it comes from, how many logins it was refused, and which
/// name and password it need not try again. It lives as long as the connection.
#[derive(Debug)]
pub struct Caller {
    address: IpAddr,
    session: u64,
}

impl Caller {
    /// A new connection. `session` is the number under which its log lines are found.
    pub fn new(address: IpAddr, session: u64) -> Self {
        Self { address, session }
    }

    /// The client's address; an IPv4-mapped one counts as IPv4.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The number under which the connection's log lines are found.
    pub fn session(&self) -> u64 {
        self.session
    }
}
