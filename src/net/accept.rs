//! Accepting connections, one task for each listener of a thread.
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::connection::Connection;
use super::service::{House, Phase};
use crate::config::ListenerTls;
use crate::event::Event;
use crate::pop3::reply::{Say, say};

/// How long a listener rests when the system has no file descriptor left.
const REST: Duration = Duration::from_millis(100);

/// Accepts until the server stops. `place` is the listener's place in the configuration.
pub async fn accept(listener: TcpListener, place: usize, house: Arc<House>) {
    let address = listener
        .local_addr()
        .unwrap_or_else(|_| SocketAddr::from(([0; 4], 0)));
    let mut failures = 0_u32;
    loop {
        let accepted = tokio::select! {
            () = house.reached(Phase::Draining) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                failures = 0;
                welcome(tcp, peer, place, &house);
            }
            Err(error) => {
                // The first one, and then one in a minute or so.
                if failures.is_multiple_of(600) {
                    Event::AcceptFailed {
                        address,
                        error: &error,
                    }
                    .emit();
                }
                failures = failures.wrapping_add(1);
                sleep(REST).await;
            }
        }
    }
}

fn welcome(tcp: TcpStream, peer: SocketAddr, place: usize, house: &Arc<House>) {
    let service = house.service.load_full();
    let Some(listener) = service.listeners.get(place).cloned() else {
        return;
    };
    let source = peer.ip().to_canonical();
    // Without it a reply in two segments waits 40 ms for a delayed acknowledgement.
    let _ = tcp.set_nodelay(true);
    let Some(admission) = house.places.admit(source, &service.limits) else {
        Event::TurnedAway { address: source }.emit();
        if listener.tls != ListenerTls::Implicit {
            // A fresh socket takes a line at once; one that does not is not waited for.
            let _ = tcp.try_write(&say(&service.settings, Say::TooManyConnections));
        }
        return;
    };
    let mut connection = Connection::new(tcp, source, (service, listener), house.clone());
    tokio::spawn(async move {
        connection.serve().await;
        // The place is free when the socket is closed, and not before.
        drop((connection, admission));
    });
}
