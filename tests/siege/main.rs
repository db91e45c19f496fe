//! The door under siege: whoever does not log in, does not read, does not end, or comes again
//! twenty thousand times.
//!
//! Each attack has a file. It measures the process (memory, file descriptors, processor time), states
//! the bound, and lets a customer fetch mail all the while. As it stands an attack is short enough
//! for `script/test`; `POSTERN_ENDURANCE=full`, which `script/endurance` sets, gives it its full size.
//! The figures and what they are derived from stand in `docs/endurance.md`.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests use sockets, files, clocks and pauses"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../wire/mod.rs"]
mod wire;

mod guests;
mod load;
mod measure;
mod probe;
mod sessions;

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

/// The size of an attack: in full under `POSTERN_ENDURANCE=full`, otherwise in short.
fn size(short: usize, full: usize) -> usize {
    if is_full() { full } else { short }
}

fn is_full() -> bool {
    std::env::var_os("POSTERN_ENDURANCE").is_some_and(|size| size == "full")
}

/// What was measured; a run in full shows it.
#[expect(clippy::print_stdout, reason = "the figures are what the run is for")]
fn say(figures: &str) {
    println!("{figures}");
}

/// A connection that comes from this address: all of 127.0.0.0/8 is ours.
fn connect_from(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}
