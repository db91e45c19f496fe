//! The relay: a victim is made to log in at the attacker's server, which hands the talk on to ours.
//!
//! The victim is a whole mail client that binds itself to the TLS that it sees, as Windows does; the attacker
//! has a certificate that the victim trusts, for another key, and repeats each line. No message is changed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::lab::pop3::Client;
use crate::lab::tool::Tool;
use crate::lab::world::{ALICE, Lab};
use crate::speaker::python_path;
use crate::stage::Stage;

/// The attacker's server: for one victim, with this certificate, in front of ours.
fn attacker(own: &Lab, ours: Client) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
    let certificate = CertificateDer::from_pem_file(&own.pki.certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(&own.pki.key).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a TLS server");
    let listener = TcpListener::bind((own.address, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    let relayed = thread::spawn(move || relay(&listener, Arc::new(config), ours));
    (address, relayed)
}

/// Repeats lines in both directions until the login is decided; what our server said.
fn relay(listener: &TcpListener, config: Arc<ServerConfig>, mut ours: Client) -> Vec<String> {
    let (stream, _) = listener.accept().expect("a victim");
    let connection = ServerConnection::new(config).expect("a TLS session");
    let mut victim = BufReader::new(StreamOwned::new(connection, stream));
    let mut said = vec![ours.greeting.clone()];
    loop {
        let last = said.last().expect("a line");
        victim
            .get_mut()
            .write_all(format!("{last}\r\n").as_bytes())
            .expect("to the victim");
        let mut line = String::new();
        if victim.read_line(&mut line).unwrap_or(0) == 0 || line.starts_with("LIST") {
            return said;
        }
        said.push(ours.ask(line.trim_end()));
    }
}

/// What our server says to the attacker in the end, under this policy.
fn outcome(policy: &str, over_tls: bool, bind: &str) -> (String, Stage) {
    let stage = Stage::open(&[("login.extended_protection", &format!("{policy:?}"))]);
    let own = Lab::new();
    let ours = if over_tls {
        Client::connect_tls(stage.server.doors.implicit, &stage.lab.pki)
    } else {
        stage.client()
    };
    let (address, relayed) = attacker(&own, ours);
    let script = format!("{}/tests/ntlm/fetch.py", env!("CARGO_MANIFEST_DIR"));
    Tool::new(&stage.lab, "/usr/bin/python3")
        .env("PYTHONPATH", python_path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOGIN", "HOUSE\\alice")
        .env("PASSWORD", ALICE.password)
        .args([&script, "pyspnego", "tls"])
        .args([&address.ip().to_string(), &address.port().to_string()])
        .args([
            own.pki.authority.to_str().expect("a path"),
            "/nonexistent",
            bind,
        ])
        .output();
    let said = relayed.join().expect("the attacker");
    (said.last().expect("a line").clone(), stage)
}

/// Without a policy the attacker is in: the rig works, and this is what the policies are for.
#[test]
fn without_a_policy_the_relay_works() {
    let (said, _stage) = outcome("none", true, "yes");
    assert!(said.starts_with("+OK"), "{said}");
}

/// So it is with a victim that cannot bind itself, until bindings are required.
#[test]
fn a_victim_that_cannot_bind_is_relayed_unless_bindings_are_required() {
    let (said, _stage) = outcome("allow", true, "no");
    assert!(said.starts_with("+OK"), "{said}");
    let (said, stage) = outcome("require", true, "no");
    assert!(said.starts_with("-ERR"), "{said}");
    stage.server.told("login", &["no-binding"]);
}

#[test]
fn a_bound_victim_is_not_relayed() {
    for (policy, over_tls) in [("allow", true), ("require", true), ("allow", false)] {
        let (said, stage) = outcome(policy, over_tls, "yes");
        assert!(said.starts_with("-ERR"), "{policy}: {said}");
        stage.server.told("login", &["wrong-binding", "alice"]);
    }
}

/// `audit` lets it happen, and says so.
#[test]
fn an_audit_shows_the_relay() {
    let (said, stage) = outcome("audit", true, "yes");
    assert!(said.starts_with("+OK"), "{said}");
    stage.server.told("login", &["protection-allow", "alice"]);
}
