//! How a KDC is asked: over TCP, and over UDP if that does not lead to one.
#![expect(
    clippy::disallowed_types,
    reason = "KDCs are asked over sockets of the doctor's own"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::message::{self, Reply};
use super::places::Place;

/// How long a KDC is waited for over TCP, and then over UDP.
const WITHIN: Duration = Duration::from_secs(3);
/// The longest reply that is read, in octets.
const MAX_REPLY: usize = 65_535;

/// By how many milliseconds this host's clock is ahead of the KDC's; none when it answers and does not say its
/// time. An error says in words why it does not answer.
pub(super) fn ahead(place: &Place, realm: &str) -> Result<Option<i64>, String> {
    let found = (place.host.as_str(), place.port).to_socket_addrs();
    let addresses: Vec<_> = found
        .map_err(|error| format!("its name cannot be looked up: {error}"))?
        .take(4)
        .collect();
    let request = message::request(realm);
    let reply = over_tcp(&addresses, &request).or_else(|error| {
        let is_silent = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        );
        let silent = || format!("it was silent for {} s", WITHIN.as_secs());
        let why = |_| {
            if is_silent {
                silent()
            } else {
                error.to_string()
            }
        };
        over_udp(&addresses, &request).map_err(why)
    })?;
    match message::reply(&reply) {
        Some(Reply::At(theirs)) => Ok(Some(now().saturating_sub(theirs))),
        Some(Reply::Ticket) => Ok(None),
        None => Err("what it said is not Kerberos".to_owned()),
    }
}

/// RFC 4120 §7.2.2: the length in four octets comes first.
fn over_tcp(addresses: &[SocketAddr], request: &[u8]) -> io::Result<Vec<u8>> {
    let share = WITHIN / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        let talk = || {
            let mut stream = TcpStream::connect_timeout(address, share)?;
            stream.set_read_timeout(Some(share))?;
            stream.set_write_timeout(Some(share))?;
            let length = u32::try_from(request.len()).unwrap_or(0);
            stream.write_all(&[&length.to_be_bytes(), request].concat())?;
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            let mut reply = vec![0; length.min(MAX_REPLY)];
            stream.read_exact(&mut reply)?;
            Ok(reply)
        };
        match talk() {
            Ok(reply) => return Ok(reply),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// RFC 4120 §7.2.1, for a KDC that is reached by no other way.
fn over_udp(addresses: &[SocketAddr], request: &[u8]) -> io::Result<Vec<u8>> {
    let address = addresses.first().ok_or(io::ErrorKind::NotFound)?;
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(WITHIN))?;
    socket.send(request)?;
    let mut reply = vec![0; MAX_REPLY];
    let length = socket.recv(&mut reply)?;
    reply.truncate(length);
    Ok(reply)
}

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this clock is compared with the KDC's"
)]
fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
