//! Networks that a rule speaks of: who may still use what others may not.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A network of clients: `10.1.0.0/16`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// A text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither an address nor a network such as 10.1.0.0/16")]
pub struct NetworkError;

impl Network {
    /// Whether a client is in it; an IPv4-mapped address counts as IPv4.
    pub fn contains(&self, client: IpAddr) -> bool {
        self.0.contains(&client.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// Bits behind the prefix are ignored, as everywhere.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let one = |address: IpAddr| IpNet::from(address.to_canonical());
        let network = text.parse().or_else(|_| text.parse().map(one));
        network.map(Self).map_err(|_| NetworkError)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(network: &str, client: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(client.parse().unwrap())
    }

    #[test]
    fn clients_are_in_their_networks() {
        assert!(is_in("10.1.0.0/16", "10.1.255.1"));
        assert!(is_in("10.1.2.3/16", "10.1.255.1"));
        assert!(is_in("10.1.0.0/16", "::ffff:10.1.255.1"));
        assert!(!is_in("10.1.0.0/16", "10.2.0.1"));
        assert!(is_in("192.0.2.7", "192.0.2.7"));
        assert!(is_in("::ffff:192.0.2.7", "192.0.2.7"));
        assert!(!is_in("192.0.2.7", "192.0.2.8"));
        assert!(is_in("2001:db8::/32", "2001:db8:1::1"));
        assert!(!is_in("::/0", "192.0.2.7"));
        assert!(!is_in("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn names_are_no_networks() {
        for text in ["", "alice", "10.1.0.0/33", "10.1", "10.1.0.0/", "alice@10"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
