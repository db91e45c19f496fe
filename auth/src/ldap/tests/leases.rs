//! Connections that the threads share out among them.

use super::*;
use crate::ldap::connection::{Connector, Deadline, Service};
use crate::ldap::fault::LdapError;
use crate::ldap::pool::{Connections, Role};

#[tokio::test]
async fn one_thread_may_have_every_connection_and_waits_for_whichever_comes_free() {
    let slapd = Slapd::start();
    let connector = Arc::new(Connector {
        server: LdapServer::parse(&slapd.plain(), false).unwrap(),
        tls: None,
        service: Service::Anonymous,
    });
    let connections = Connections::new(&connector, Role::Bind, 3, WITHIN).unwrap();
    let lease = || connections.lease(Deadline::after(WITHIN));
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(lease().await.unwrap());
    }
    assert_eq!(connections.open(), 3);
    for _ in 0..3 {
        let first = leases.remove(0);
        // Whoever waits has looked at all of them by the time that this one comes free.
        let (free, ()) = tokio::join!(lease(), async { first.give_back() });
        leases.push(free.unwrap());
    }
    assert_eq!(connections.open(), 3);
    let soon = Deadline::after(Duration::from_millis(700));
    let late = connections.lease(soon).await.err();
    assert!(matches!(late, Some(LdapError::Busy { .. })), "{late:?}");
}
