//! Servers that DNS tells: in which order, how often it is asked, and that it is not believed alone.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::thread;

use super::*;

/// A record: priority, port, host.
type Record = (u16, u16, &'static str);

/// A name server that knows records of one name, and counts what it is asked.
#[derive(Clone)]
struct Dns {
    address: SocketAddr,
    zone: Arc<Mutex<(&'static str, Vec<Record>)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Dns {
    fn start(name: &'static str, records: &[Record]) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let dns = Self {
            address: socket.local_addr().unwrap(),
            zone: Arc::new(Mutex::new((name, records.to_vec()))),
            asked: Arc::default(),
        };
        let own = dns.clone();
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let answer = own.answer(&query[..length]);
                socket.send_to(&answer, from).unwrap();
            }
        });
        dns
    }

    fn answer(&self, query: &[u8]) -> Vec<u8> {
        let mut name = Vec::new();
        let mut at = 12;
        while query[at] != 0 {
            let end = at + 1 + usize::from(query[at]);
            name.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
            at = end;
        }
        let name = name.join(".");
        self.asked.lock().unwrap().push(name.clone());
        let zone = self.zone.lock().unwrap();
        let known = name == zone.0;
        let records: &[Record] = if known { &zone.1 } else { &[] };
        let mut answer = query[..2].to_vec();
        answer.extend(if known { [0x81, 0x80] } else { [0x81, 0x83] });
        answer.extend([0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
        answer.extend(&query[12..at + 5]);
        for (priority, port, host) in records {
            let mut rest = [priority.to_be_bytes(), [0, 0], port.to_be_bytes()].concat();
            for label in host.split('.').filter(|label| !label.is_empty()) {
                rest.push(u8::try_from(label.len()).unwrap());
                rest.extend(label.bytes());
            }
            rest.push(0);
            // The name of the question, SRV, IN, ten minutes.
            answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 2, 88, 0]);
            answer.push(u8::try_from(rest.len()).unwrap());
            answer.extend(rest);
        }
        answer
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const CONTROLLERS: &str = "_ldap._tcp.dc._msdcs.example.test";
const GENERAL: &str = "_ldap._tcp.example.test";

fn found(domain: &str, slapd: &Slapd, dns: &Dns) -> LdapDirectory {
    let mut settings = settings(&[]);
    settings.discovery = Some(DomainServers {
        domain: domain.to_owned(),
        active_directory: true,
        start_tls: true,
    });
    settings.tls.authorities = Some(slapd.file("ca.pem"));
    let pool = Arc::new(Pool::new("hash", 2, 1000, 1000).unwrap());
    let mut directory = LdapDirectory::new(settings, pool).unwrap();
    directory.servers.ask_dns_at(dns.address);
    directory
}

fn servers(directory: &LdapDirectory) -> Vec<String> {
    let each = directory.servers.each();
    each.iter().map(|server| server.name()).collect()
}

#[tokio::test]
async fn the_servers_of_a_domain_are_found_asked_in_order_and_remembered() {
    let slapd = Slapd::start();
    let dead = Slapd::start().port();
    let dns = Dns::start(
        CONTROLLERS,
        &[
            (10, dead, "127.0.0.1"),
            (5, slapd.port(), "127.0.0.1"),
            (1, 389, ""),
        ],
    );
    let directory = found("example.test", &slapd, &dns);
    for _ in 0..3 {
        assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
        assert_eq!(directory.login("alice", "wrong").await, Ok(Verdict::Wrong));
    }
    let expected = [slapd.port(), dead].map(|port| format!("ldap://127.0.0.1:{port}"));
    assert_eq!(servers(&directory), expected);
    assert_eq!(dns.asked(), [CONTROLLERS], "once for all of them");
}

#[tokio::test]
async fn a_domain_that_names_no_controllers_is_asked_for_its_servers() {
    let slapd = Slapd::start();
    let dns = Dns::start(GENERAL, &[(0, slapd.port(), "127.0.0.1")]);
    let directory = found("example.test", &slapd, &dns);
    assert_eq!(directory.login("alice", "right").await, Ok(Verdict::Right));
    assert_eq!(dns.asked(), [CONTROLLERS, GENERAL]);
}

/// Whoever forges DNS and has a good certificate of his own name is not believed.
#[tokio::test]
async fn a_certificate_without_the_name_of_the_domain_is_no_good() {
    let slapd = Slapd::start();
    let name = "_ldap._tcp.dc._msdcs.corp.test";
    let dns = Dns::start(name, &[(0, slapd.port(), "127.0.0.1")]);
    let directory = found("corp.test", &slapd, &dns);
    for _ in 0..2 {
        let answer = directory.login("alice", "right").await;
        assert_eq!(answer, Err(Unavailable::Trouble));
    }
    assert_eq!(dns.asked(), [name]);
    assert!(!slapd.log().contains("BIND"), "a password went to it");
}

#[tokio::test]
async fn without_dns_it_is_trouble_and_dns_is_left_in_peace() {
    let slapd = Slapd::start();
    let dns = Dns::start("_ldap._tcp.elsewhere.test", &[]);
    let directory = found("example.test", &slapd, &dns);
    for _ in 0..3 {
        let answer = directory.login("alice", "right").await;
        assert_eq!(answer, Err(Unavailable::Trouble));
    }
    assert_eq!(dns.asked(), [CONTROLLERS, GENERAL], "not for each login");
}
