//! Listening sockets: our own with SO_REUSEPORT, one a thread, or those that systemd hands over.
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait for `accept`; the kernel may allow fewer.
const BACKLOG: i32 = 1024;

/// One address, listened on once for every thread.
#[derive(Debug)]
pub struct Bound {
    /// The address with the port that it really has.
    pub address: SocketAddr,
    /// One socket a thread.
    pub sockets: Vec<TcpListener>,
}

/// A listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The system refused the address.
    #[error("cannot listen on {address}: {source}{}", remedy(.source))]
    Address {
        /// The address as configured.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// systemd handed over another number of sockets than there are listeners.
    #[error(
        "systemd handed over {given} sockets and the configuration has {wanted} listeners: make the ListenStream= lines of postern.socket and the [[listener]] sections agree, in number and order"
    )]
    Activation {
        /// Sockets handed over.
        given: usize,
        /// Listeners configured.
        wanted: usize,
    },
    /// A socket that systemd handed over is not a listening TCP socket.
    #[error("a socket handed over by systemd cannot be used: {0}")]
    Handed(#[source] io::Error),
}

fn remedy(error: &io::Error) -> &'static str {
    const REMEDIES: [(io::ErrorKind, &str); 3] = [
        (
            io::ErrorKind::AddrInUse,
            "; another program listens there: find it with `ss -ltnp`",
        ),
        (
            io::ErrorKind::AddrNotAvailable,
            "; this host has no such address: see `ip address`",
        ),
        (
            io::ErrorKind::PermissionDenied,
            "; ports below 1024 need CAP_NET_BIND_SERVICE or socket activation: use the unit in packaging/",
        ),
    ];
    let known = REMEDIES.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or("", |(_, remedy)| remedy)
}

/// Opens every address for `threads` threads; takes systemd's sockets instead when there are any.
///
/// # Errors
/// [`ListenError`], with the remedy in words.
pub fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Vec<Bound>, ListenError> {
    let mut handed = listenfd::ListenFd::from_env();
    if handed.len() == 0 {
        return addresses
            .iter()
            .map(|address| open(*address, threads))
            .collect();
    }
    if handed.len() != addresses.len() {
        let (given, wanted) = (handed.len(), addresses.len());
        return Err(ListenError::Activation { given, wanted });
    }
    let mut bound = Vec::new();
    for place in 0..handed.len() {
        let socket = handed
            .take_tcp_listener(place)
            .map_err(ListenError::Handed)?;
        let socket =
            socket.ok_or_else(|| ListenError::Handed(io::ErrorKind::InvalidInput.into()))?;
        bound.push(share(socket, threads).map_err(ListenError::Handed)?);
    }
    Ok(bound)
}

/// systemd gives one socket, so the threads accept from the same queue.
fn share(socket: TcpListener, threads: usize) -> io::Result<Bound> {
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let copies = (1..threads).map(|_| socket.try_clone());
    let mut sockets = copies.collect::<io::Result<Vec<_>>>()?;
    sockets.push(socket);
    Ok(Bound { address, sockets })
}

fn open(address: SocketAddr, threads: usize) -> Result<Bound, ListenError> {
    let failed = |source| ListenError::Address { address, source };
    // A socket without SO_REUSEPORT finds out whether another program is there: two servers of
    // one user would otherwise share the port in silence.
    probe(address).map_err(failed)?;
    let first = listen(address).map_err(failed)?;
    // Port 0 becomes a port with the first socket; the others join it.
    let address = first.local_addr().map_err(failed)?;
    let mut sockets = vec![first];
    for _ in 1..threads {
        sockets.push(listen(address).map_err(failed)?);
    }
    Ok(Bound { address, sockets })
}

fn probe(address: SocketAddr) -> io::Result<()> {
    let socket = socket(address)?;
    socket.bind(&address.into())
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` takes IPv4 as well, as Exchange's default binding does.
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}
