//! A host of several addresses, one of which may be dead: the next is tried while the first is silent
//! (RFC 8305, without its own questions to DNS).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an address is waited for before the next is tried beside it (RFC 8305 §5).
const LEAD: Duration = Duration::from_millis(250);

/// More addresses of one host are not tried.
const MOST: usize = 8;

/// What the first address gives that answers; the others are given up. An address that fails lets the
/// next begin at once.
///
/// # Errors
/// When every address fails, as the last of them did. An address that is silent never does: the caller
/// has a deadline.
pub(super) async fn first<T, C, F>(addresses: Vec<SocketAddr>, connect: C) -> io::Result<T>
where
    C: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let mut next = in_turns(addresses).into_iter();
    let mut tried = JoinSet::new();
    let mut trouble = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match next.next() {
            Some(address) => drop(tried.spawn(connect(address))),
            None if tried.is_empty() => return Err(trouble),
            None => {}
        }
        match timeout(LEAD, tried.join_next()).await {
            Ok(Some(Ok(Ok(connected)))) => return Ok(connected),
            Ok(Some(Ok(Err(error)))) => trouble = error,
            Ok(Some(Err(error))) => trouble = error.into(),
            Ok(None) | Err(_) => {}
        }
    }
}

/// One of the one family and one of the other, beginning with the one that the system prefers.
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let preferred = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (these, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == preferred);
    let (mut these, mut others) = (these.into_iter(), others.into_iter());
    let mut turns = Vec::new();
    while turns.len() < MOST {
        let before = turns.len();
        turns.extend(these.next());
        turns.extend(others.next());
        if turns.len() == before {
            break;
        }
    }
    turns.truncate(MOST);
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(hosts: &[&str]) -> Vec<String> {
        let parse = |host: &&str| SocketAddr::new(host.parse().unwrap(), 389);
        let turns = in_turns(hosts.iter().map(parse).collect());
        turns
            .iter()
            .map(|address| address.ip().to_string())
            .collect()
    }

    #[test]
    fn families_take_turns_and_there_is_an_end() {
        assert_eq!(
            turns(&["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]),
            ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]
        );
        assert_eq!(
            turns(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
            ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
        );
        assert_eq!(turns(&["192.0.2.1"; 20]).len(), MOST);
        assert_eq!(turns(&[]).len(), 0);
    }
}
