//! A mail client's visit: a server with awkward mail, and a judgement on what came home.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Subject;
use super::daemon::until;
use super::mail::{Mail, awkward, long_line};
use super::pop3::Client;
use super::tool::Tool;
use super::world::{ALICE, Lab, User};

/// How a client reaches the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Clear,
    Stls,
    Tls,
}

impl Transport {
    /// What our scripts call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Stls => "stls",
            Self::Tls => "tls",
        }
    }

    /// What configuration files call a switch.
    pub(crate) fn on(self, when: bool) -> &'static str {
        if when { "on" } else { "off" }
    }
}

/// How much of a message a client shows as it came.
#[derive(Clone, Copy)]
pub(crate) enum Fidelity {
    /// Every octet.
    Wire,
    /// Every octet but the line ends, which are LF.
    Unix,
    /// The body but for its line ends; lines were added to the header.
    Body,
}

/// How a client proves who it is.
pub(crate) enum Proof {
    /// By the user's password.
    Password,
    /// By a ticket: of this principal, which a client finds that stands behind these words.
    Ticket {
        principal: String,
        words: Vec<String>,
    },
}

/// A server with mail for one user, and a folder for what the client fetches.
pub(crate) struct Visit {
    // First, so that it ends before its folder vanishes.
    pub(crate) subject: Subject,
    pub(crate) lab: Lab,
    pub(crate) user: User,
    pub(crate) mails: Vec<Mail>,
    pub(crate) transport: Transport,
    pub(crate) fetched: PathBuf,
    /// The name or the address by which the client reaches the server.
    pub(crate) host: String,
    pub(crate) proof: Proof,
}

impl Visit {
    pub(crate) fn new(transport: Transport, user: User, mails: Vec<Mail>) -> Self {
        let lab = Lab::new();
        lab.maildir(user).deliver_all(&mails);
        let subject = Subject::start(&lab);
        let fetched = lab.dir("fetched");
        Self {
            host: lab.address.to_string(),
            lab,
            user,
            mails,
            subject,
            transport,
            fetched,
            proof: Proof::Password,
        }
    }

    /// The usual visit: Alice and all that every client must manage.
    pub(crate) fn usual(transport: Transport) -> Self {
        let mut mails = awkward();
        mails.push(long_line());
        Self::new(transport, ALICE, mails)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let doors = self.subject.doors();
        match self.transport {
            Transport::Clear => doors.plain,
            Transport::Stls => doors.secure,
            Transport::Tls => doors.implicit,
        }
    }

    /// A client that shows every octet, connected.
    pub(crate) fn client(&self) -> Client {
        let pki = &self.lab.pki;
        match self.transport {
            Transport::Clear => Client::connect(self.address()),
            Transport::Stls => Client::connect_stls(self.address(), pki),
            Transport::Tls => Client::connect_tls(self.address(), pki),
        }
    }

    /// A run of a client program, which has the ticket if there is one.
    pub(crate) fn tool(&self, program: &str) -> Tool {
        match &self.proof {
            Proof::Password => Tool::new(&self.lab, program),
            Proof::Ticket { words, .. } => Tool::behind(&self.lab, words, program),
        }
    }

    /// The password, for a client that has no ticket.
    pub(crate) fn password(&self) -> Option<&'static str> {
        match self.proof {
            Proof::Password => Some(self.user.password),
            Proof::Ticket { .. } => None,
        }
    }

    /// Name and password with a colon between them, as curl takes them.
    pub(crate) fn name_and_password(&self) -> String {
        match &self.proof {
            Proof::Password => format!("{}:{}", self.user.name, self.user.password),
            Proof::Ticket { principal, .. } => format!("{principal}:"),
        }
    }

    pub(crate) fn port(&self) -> String {
        self.address().port().to_string()
    }

    pub(crate) fn authority(&self) -> &str {
        self.lab.pki.authority.to_str().expect("a plain path")
    }

    pub(crate) fn fetched(&self) -> &str {
        self.fetched.to_str().expect("a plain path")
    }

    pub(crate) fn script(&self, name: &str) -> String {
        format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    /// A configuration file that its client takes for private.
    pub(crate) fn private(&self, name: &str, contents: &str) -> String {
        if let Some((folder, _)) = name.split_once('/') {
            self.lab.dir(folder);
        }
        let path = self.lab.write(name, contents);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
        path.to_str().expect("a plain path").to_owned()
    }

    /// For clients that deliver into a Maildir, which must be there.
    pub(crate) fn make_fetched_a_maildir(&self) {
        for name in ["tmp", "new", "cur"] {
            self.lab.dir(&format!("fetched/{name}"));
        }
    }

    /// Fetches everything and deletes it, octet by octet, over a session that is logged in.
    pub(crate) fn empty(&self, mut client: Client) {
        assert_eq!(client.uids().len(), self.mails.len());
        for number in 1..=self.mails.len() {
            let octets = client.body(&format!("RETR {number}"));
            self.lab.write(&format!("fetched/{number}"), octets);
            client.ok(&format!("DELE {number}"));
        }
        client.quit();
        self.judge(Fidelity::Wire);
    }

    /// Every message came home, none is left on the server.
    pub(crate) fn judge(&self, fidelity: Fidelity) {
        let got = files_below(&self.fetched);
        assert_eq!(got.len(), self.mails.len(), "messages fetched");
        for mail in &self.mails {
            let marker = format!("Subject: {}", mail.name);
            let mut found = got
                .iter()
                .filter(|octets| header_lines(octets).any(|line| line == marker.as_bytes()));
            let octets = found
                .next()
                .unwrap_or_else(|| panic!("{} did not come home", mail.name));
            compare(mail, octets, fidelity);
        }
        self.judge_deletions();
    }

    /// No message is left on the server.
    pub(crate) fn judge_deletions(&self) {
        until("the server to have deleted everything", || {
            (self.lab.maildir(self.user).len() == 0).then_some(())
        });
    }
}

fn compare(mail: &Mail, got: &[u8], fidelity: Fidelity) {
    let (wanted, got) = match fidelity {
        Fidelity::Wire => (mail.wire(), got.to_vec()),
        Fidelity::Unix => (mail.unix(), got.to_vec()),
        Fidelity::Body => {
            for line in header_lines(&mail.unix()) {
                assert!(
                    header_lines(got).any(|other| other == line),
                    "{}: {line:?} is lost",
                    mail.name
                );
            }
            (body(&mail.unix()).to_vec(), body(got).to_vec())
        }
    };
    let differs = wanted
        .iter()
        .zip(&got)
        .position(|(a, b)| a != b)
        .unwrap_or(wanted.len().min(got.len()));
    assert!(
        wanted == got,
        "{} differs at octet {differs} of {}: {:?} instead of {:?}",
        mail.name,
        wanted.len(),
        String::from_utf8_lossy(
            got.get(differs..(differs + 60).min(got.len()))
                .unwrap_or_default()
        ),
        String::from_utf8_lossy(
            wanted
                .get(differs..(differs + 60).min(wanted.len()))
                .unwrap_or_default()
        ),
    );
}

/// The lines of the header without their ends.
fn header_lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = octets
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.take_while(|line| !line.is_empty())
}

/// What follows the first empty line, of a message whose line ends are LF.
pub(crate) fn body(octets: &[u8]) -> &[u8] {
    let end = octets
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .expect("an empty line after the header");
    &octets[end + 2..]
}

/// The contents of all files in a folder and the folders in it.
pub(crate) fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(fs::read(&path).expect("a fetched message"));
        }
    }
    found
}
