//! Real clients log in by NTLM and fetch their mail: those that Unix has, and what Windows would send.

use crate::exchange::{WELCOME, let_in};
use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::tool::Tool;
use crate::lab::world::{ALICE, CAROL, Lab, User};
use crate::server::{Server, Setup};
use crate::speaker::{Crate, Login, Python, python_path};

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Clear,
    Stls,
    Tls,
}

use Transport::{Clear, Stls, Tls};

/// A server with users, and three messages for each.
struct House {
    // First, so that it ends before its folder vanishes.
    server: Server,
    lab: Lab,
}

impl House {
    fn open() -> Self {
        let lab = Lab::new();
        for user in [ALICE, CAROL] {
            let mails = ["one", "two", "three"].map(|name| Mail::new(name, b"a body\n", "\n"));
            lab.maildir(user).deliver_all(&mails);
        }
        let server = Setup::new()
            .user(ALICE.name, ALICE.password, &["HOUSE\\alice"])
            .user(CAROL.name, CAROL.password, &["HOUSE\\carol"])
            .start(&lab);
        Self { server, lab }
    }

    fn address(&self, transport: Transport) -> std::net::SocketAddr {
        match transport {
            Clear => self.server.doors.plain,
            Stls => self.server.doors.secure,
            Tls => self.server.doors.implicit,
        }
    }

    fn client(&self, transport: Transport) -> Client {
        let (address, pki) = (self.address(transport), &self.lab.pki);
        match transport {
            Clear => Client::connect(address),
            Stls => Client::connect_stls(address, pki),
            Tls => Client::connect_tls(address, pki),
        }
    }

    fn authority(&self) -> &str {
        self.lab.pki.authority.to_str().expect("a plain path")
    }

    /// The log knows who came, how, and that it was NTLM.
    fn assert_logged_in(&self, transport: Transport, account: &str) {
        let account = format!("\"account\":\"{account}\"");
        let words = [
            "\"mechanism\":\"NTLM\"",
            "\"outcome\":\"granted\"",
            &account,
        ];
        let record = self.server.told("login", &words);
        assert_eq!(
            record.contains("\"tls\":true"),
            transport != Clear,
            "{record}"
        );
    }
}

// ---- curl: NTLMv2 in OEM without an integrity code

fn curl(transport: Transport, extra: &[&str]) {
    let house = House::open();
    let scheme = if transport == Tls { "pop3s" } else { "pop3" };
    let url = format!("{scheme}://{}/2", house.address(transport));
    let user = format!("HOUSE\\{}:{}", ALICE.name, ALICE.password);
    let mut tool = Tool::new(&house.lab, "curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(["--cacert", house.authority(), "--user", &user])
        .args(["--login-options", "AUTH=NTLM"]);
    if transport == Stls {
        tool = tool.arg("--ssl-reqd");
    }
    tool = extra.iter().fold(tool, |tool, argument| tool.arg(argument));
    let message = String::from_utf8(tool.arg(url).run()).expect("text");
    assert!(message.contains("Subject: "), "{message}");
    house.assert_logged_in(transport, ALICE.name);
}

#[test]
fn curl_clear() {
    curl(Clear, &[]);
}

#[test]
fn curl_clear_initial_response() {
    curl(Clear, &["--sasl-ir"]);
}

#[test]
fn curl_stls() {
    curl(Stls, &[]);
}

#[test]
fn curl_tls_initial_response() {
    curl(Tls, &["--sasl-ir"]);
}

// ---- whole clients around libraries that others wrote

fn fetch(library: &str, transport: Transport, user: User, bind: &str) {
    let house = House::open();
    let fetched = house.lab.dir("fetched");
    let address = house.address(transport);
    let script = format!("{}/tests/ntlm/fetch.py", env!("CARGO_MANIFEST_DIR"));
    let said = Tool::new(&house.lab, "/usr/bin/python3")
        .env("PYTHONPATH", python_path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOGIN", format!("HOUSE\\{}", user.name))
        .env("PASSWORD", user.password)
        .args([&script, library, &format!("{transport:?}").to_lowercase()])
        .args([&address.ip().to_string(), &address.port().to_string()])
        .args([house.authority(), fetched.to_str().expect("a path"), bind])
        .run();
    assert_eq!(String::from_utf8_lossy(&said).trim_end(), WELCOME);
    assert_eq!(fetched.read_dir().expect("a folder").count(), 3);
    house.assert_logged_in(transport, user.name);
}

#[test]
fn pyspnego_clear() {
    fetch("pyspnego", Clear, ALICE, "no");
}

#[test]
fn pyspnego_stls_bound() {
    fetch("pyspnego", Stls, ALICE, "yes");
}

/// A password with blanks and letters outside ASCII, bound to the certificate.
#[test]
fn pyspnego_tls_bound() {
    fetch("pyspnego", Tls, CAROL, "yes");
}

#[test]
fn gss_ntlmssp_clear() {
    fetch("gss-ntlmssp", Clear, ALICE, "no");
}

#[test]
fn gss_ntlmssp_stls() {
    fetch("gss-ntlmssp", Stls, ALICE, "no");
}

#[test]
fn gss_ntlmssp_tls_bound() {
    fetch("gss-ntlmssp", Tls, ALICE, "yes");
}

/// The crate of that name: no integrity code, and a session key where none belongs.
#[test]
fn ntlmclient_everywhere() {
    let house = House::open();
    for transport in [Clear, Stls, Tls] {
        let mut speaker = Crate::new(ALICE.name, "HOUSE", ALICE.password);
        let_in(&mut house.client(transport), &mut speaker);
    }
}

/// One connection each, one after another: no state of one login is left to the next.
#[test]
fn one_client_many_times() {
    let house = House::open();
    let login = Login::new("HOUSE\\alice", ALICE.password);
    let mut speaker = Python::new("pyspnego", login);
    for _ in 0..20 {
        let_in(&mut house.client(Clear), &mut speaker);
    }
}
