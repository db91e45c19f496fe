//! Whether the ports are free, found out by taking each for a moment.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use crate::config::{Config, Finding, Listener};

/// Tries every listener. A port in use is a warning: the server itself may be running.
pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    let listeners = config.listeners.iter().enumerate();
    findings.extend(listeners.filter_map(|(number, listener)| try_one(number, listener)));
}

/// Tries the listener of this number.
pub(in crate::admin) fn try_one(number: usize, listener: &Listener) -> Option<Finding> {
    #[expect(clippy::disallowed_types, reason = "a port is tried by binding it")]
    let tried = std::net::TcpListener::bind(listener.address);
    let finding = finding(listener.address, &tried.err()?);
    Some(finding.key(format!("listener[{number}].address")))
}

fn finding(address: SocketAddr, error: &Error) -> Finding {
    let port = address.port();
    if error.kind() == ErrorKind::AddrInUse {
        Finding::warning(
            format!("{address} is in use"),
            format!(
                "fine if it is by a running postern; `ss -ltnp 'sport = :{port}'` says by whom"
            ),
        )
    } else if error.kind() == ErrorKind::PermissionDenied {
        Finding::warning(
            format!("this user may not listen on {address}"),
            "ports below 1024 need root (with `user` set), AmbientCapabilities=CAP_NET_BIND_SERVICE, \
             or sockets handed over by systemd; packaging/ has units for both",
        )
    } else if error.kind() == ErrorKind::AddrNotAvailable {
        Finding::error(
            format!("no interface of this host has the address {address}"),
            "use [::] for all of them, or one that `ip address` shows",
        )
    } else {
        Finding::error(
            format!("{address} cannot be listened on: {error}"),
            "use another address or port",
        )
    }
}
