//! A mail server of one site on a member of the domain. Accounts come from Active Directory, and every
//! mechanism that can work there is offered.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::by_hand::Hand;
use crate::exchange;
use crate::lab::daemon::until;
use crate::lab::domain::Domain;
use crate::lab::kerberos::Initiator;
use crate::lab::pop3::Client;
use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;
use crate::server::{Server, Setup};

/// A local user, who stands in no directory; his password.
pub(crate) const LOTTE: (&str, &str) = ("lotte", "not of the domain");

/// A mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    User,
    Plain,
    Login,
    Ntlm,
    Gssapi,
    Spnego,
}

impl Way {
    /// Those by which a password is handed over.
    pub(crate) const PASSWORDS: [Self; 3] = [Self::User, Self::Plain, Self::Login];
    pub(crate) const ALL: [Self; 6] = [
        Self::User,
        Self::Plain,
        Self::Login,
        Self::Ntlm,
        Self::Gssapi,
        Self::Spnego,
    ];

    /// Whether it is by a ticket of Kerberos.
    pub(crate) fn is_by_ticket(self) -> bool {
        matches!(self, Self::Gssapi | Self::Spnego)
    }

    /// Its name in records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::Ntlm => "NTLM",
            Self::Gssapi => "GSSAPI",
            Self::Spnego => "GSS-SPNEGO",
        }
    }
}

/// What a login came to, on the wire and in its record.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    /// The last line of the server.
    pub(crate) line: String,
    /// From the client's last line to the server's.
    pub(crate) took: Duration,
    /// The answer to STAT, where the login was granted: which maildrop it is.
    pub(crate) stat: Option<String>,
    /// The record.
    pub(crate) record: serde_json::Value,
}

impl Ending {
    /// A field of the record.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.record["fields"][name].as_str().unwrap_or("-")
    }

    /// The reason in the record.
    pub(crate) fn reason(&self) -> &str {
        self.field("reason")
    }
}

/// Who was let in, or why nobody was.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.reason() == "granted" {
            self.field("account")
        } else {
            self.reason()
        })
    }
}

/// The server, and its folder.
pub(crate) struct Branch {
    // In this order they end: the folder is the last to go.
    pub(crate) server: Server,
    pub(crate) lab: Lab,
    network: String,
}

impl Branch {
    /// A server for whom these settings hold besides what it must have to be in the domain.
    pub(crate) fn open(domain: &Domain, settings: &[(&str, &str)]) -> Self {
        let lab = Lab::new();
        let folder = domain.folder();
        let private = |name: &str, octets: Vec<u8>| {
            let path = lab.write(name, octets);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
            lab.give(&path);
            format!("{:?}", path.display().to_string())
        };
        let keytab = fs::read(folder.join("pop.keytab")).expect("the keytab");
        let replays = lab.dir("replays");
        lab.give(&replays);
        let authorities = folder.join("ca/ca.pem").display().to_string();
        let mut setup = Setup::new()
            .set(
                "login.mechanisms",
                r#"["GSSAPI", "GSS-SPNEGO", "NTLM", "PLAIN", "LOGIN"]"#,
            )
            .set("ntlm.verify", r#""winbind""#)
            .set("ntlm.domain", r#""ADTEST""#)
            .set("ntlm.computer", r#""MAIL""#)
            .set("gssapi.keytab", &private("pop.keytab", keytab))
            .set(
                "gssapi.replay_cache",
                &format!("{:?}", replays.join("cache").display().to_string()),
            )
            .set(
                "gssapi.realm",
                r#"[{ name = "AD.EXAMPLE.TEST", ignore_case = true }]"#,
            )
            .set("ldap.preset", r#""ad""#)
            .set("ldap.domain", r#""ad.example.test""#)
            .set("ldap.realms", r#"["ADTEST"]"#)
            .set("ldap.bind_name", r#""svc-postern@ad.example.test""#)
            .set("ldap.password_file", &private("password", PASSWORD.into()))
            .set("ldap.authorities", &format!("{authorities:?}"))
            .user(LOTTE.0, LOTTE.1, &[]);
        for (key, value) in settings {
            setup = setup.set(key, value);
        }
        let server = setup.within(domain.inside().to_vec()).start(&lab);
        Self {
            server,
            lab,
            network: domain.network(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect_in(&self.network, self.server.doors.plain)
    }

    /// A login by a password, or by the NTLM that is made of it, under a name as people type it. In NTLM
    /// what stands before a backslash is the domain.
    pub(crate) fn password(&self, way: Way, name: &str, password: &str) -> Ending {
        self.ending(|client| {
            let encode = |text: &str| BASE64_STANDARD.encode(text);
            let last = match way {
                Way::User => {
                    assert!(client.ask(&format!("USER {name}")).starts_with("+OK"));
                    format!("PASS {password}")
                }
                Way::Plain => format!("AUTH PLAIN {}", encode(&format!("\0{name}\0{password}"))),
                Way::Login => {
                    for words in ["AUTH LOGIN", &encode(name)] {
                        assert!(client.ask(words).starts_with("+ "));
                    }
                    encode(password)
                }
                Way::Ntlm => {
                    let (domain, user) = name.split_once('\\').unwrap_or(("", name));
                    let hand = Hand::new(user, domain, password);
                    let challenge = exchange::begin(client, &hand.negotiate());
                    exchange::encode(&hand.authenticate(&challenge))
                }
                Way::Gssapi | Way::Spnego => panic!("{way:?} takes no password"),
            };
            let begun = Instant::now();
            (client.ask(&last), begun.elapsed())
        })
    }

    /// A login with the ticket that the domain's folder has: see [`Domain::kinit`].
    pub(crate) fn ticket(&self, domain: &Domain, way: Way) -> Ending {
        let mechanism = if way == Way::Gssapi { "krb5" } else { "spnego" };
        let root = env!("CARGO_MANIFEST_DIR");
        let [script, words @ ..] = domain.inside();
        let mut command = Command::new(script);
        command
            .args(words)
            .arg("/usr/bin/python3")
            .arg(format!("{root}/tests/clients/gss_initiator.py"))
            .args(["pop@mail.ad.example.test", "--mechanism", mechanism]);
        let mut initiator = Initiator::start(&mut command);
        self.ending(|client| {
            let mut begun = Instant::now();
            let mut reply = client.ask(&format!("AUTH {}", way.name()));
            while let Some(challenge) = reply.strip_prefix("+ ") {
                // The first challenge is empty, and the client has something to say unasked.
                if !challenge.is_empty() {
                    initiator.hears(challenge);
                }
                let said = initiator.says();
                begun = Instant::now();
                reply = client.ask(&said);
            }
            (reply, begun.elapsed())
        })
    }

    /// Logs in until the record has this reason: a directory's answer may be kept for a while.
    pub(crate) fn until(&self, reason: &str, login: impl Fn() -> Ending) -> Ending {
        until(&format!("a login that is {reason}"), || {
            Some(login()).filter(|ending| ending.reason() == reason)
        })
    }

    fn ending(&self, login: impl FnOnce(&mut Client) -> (String, Duration)) -> Ending {
        let before = self.server.logins();
        let mut client = self.client();
        let (line, took) = login(&mut client);
        let stat = line.starts_with("+OK").then(|| client.ok("STAT"));
        Ending {
            line,
            took,
            stat,
            record: self.server.login(before),
        }
    }
}
