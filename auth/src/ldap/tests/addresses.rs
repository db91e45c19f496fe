//! A host of several addresses, with real sockets.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "these listeners are ours, and time is what they take"
)]

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use socket2::{Domain, Socket, Type};
use tokio::time::timeout;

use super::*;
use crate::ldap::socket::tcp;

/// As long as the kernel would try again and again.
const SHARE: Duration = Duration::from_secs(5);

/// An address at which nobody answers: the queue of its listener is full, so that the kernel drops whatever
/// knocks, as a firewall does.
struct Silent {
    address: SocketAddr,
    _held: Vec<Socket>,
}

impl Silent {
    fn new() -> Self {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = socket();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = vec![listener];
        loop {
            let client = socket();
            let open = client.connect_timeout(&address, Duration::from_millis(100));
            held.push(client);
            if open.is_err() {
                break;
            }
        }
        Self {
            address: address.as_socket().unwrap(),
            _held: held,
        }
    }
}

/// A listener, and its address.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Which of these answers, and after how long.
async fn reached(addresses: &[SocketAddr]) -> (io::Result<SocketAddr>, Duration) {
    let begun = Instant::now();
    let stream = timeout(SHARE, tcp(addresses.to_vec())).await;
    let stream = stream.expect("one of them within the server's share of the deadline");
    (
        stream.and_then(|stream| stream.peer_addr()),
        begun.elapsed(),
    )
}

#[tokio::test]
async fn a_dead_address_does_not_keep_a_good_one_waiting() {
    let (_good, good) = listener();
    let dead = [Silent::new(), Silent::new()];
    let addresses = [dead[0].address, dead[1].address, good];
    let (reached, after) = reached(&addresses).await;
    assert_eq!(reached.unwrap(), good);
    assert!(after >= Duration::from_millis(400), "{after:?}");
}

#[tokio::test]
async fn an_address_that_refuses_lets_the_next_begin_at_once() {
    let (gone, refuses) = listener();
    drop(gone);
    let (_good, good) = listener();
    // Each of them would have its 250 ms.
    let addresses = [refuses, refuses, refuses, refuses, refuses, refuses, good];
    let (first, after) = reached(&addresses).await;
    assert_eq!(first.unwrap(), good);
    assert!(after < Duration::from_millis(1000), "{after:?}");

    let (none, _) = reached(&addresses[..2]).await;
    assert_eq!(none.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    assert!(reached(&[]).await.0.is_err());
}
