//! NTLM clients that we did not write, asked for their messages: the test carries these to the server.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ntlmclient::{Credentials, Flags};

use crate::by_hand::Hand;
use crate::message::Message;

/// Somebody who makes the two messages of a client.
pub(crate) trait Speaker {
    /// NEGOTIATE, of a new login.
    fn negotiate(&mut self) -> Message;
    /// AUTHENTICATE for this CHALLENGE.
    fn authenticate(&mut self, challenge: &Message) -> Message;
}

impl Speaker for Hand {
    fn negotiate(&mut self) -> Message {
        Hand::negotiate(self)
    }

    fn authenticate(&mut self, challenge: &Message) -> Message {
        Hand::authenticate(self, challenge)
    }
}

/// Who logs in, as a client is told: `DOMAIN\user`, and what it binds itself to.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) bindings: Option<Vec<u8>>,
}

impl Login {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            bindings: None,
        }
    }

    /// Bound to what RFC 5929 says of a certificate with this hash.
    pub(crate) fn bound(mut self, hash: &[u8]) -> Self {
        self.bindings = Some([b"tls-server-end-point:", hash].concat());
        self
    }
}

/// A library of Python in a process of its own, which serves any number of logins.
pub(crate) struct Python {
    library: &'static str,
    pub(crate) login: Login,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    /// `pyspnego` or `gss-ntlmssp`.
    pub(crate) fn new(library: &'static str, login: Login) -> Self {
        Self::start(library, "3", login)
    }

    /// pyspnego at this LmCompatibilityLevel: 0 and 1 are NTLMv1, without and with NTLM2 session security.
    pub(crate) fn at_level(level: &str, login: Login) -> Self {
        Self::start("pyspnego", level, login)
    }

    fn start(library: &'static str, level: &str, login: Login) -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        let mut process = Command::new("/usr/bin/python3")
            .arg(format!("{root}/tests/ntlm/messages.py"))
            .env("PYTHONPATH", python_path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LM_COMPAT_LEVEL", level)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("/usr/bin/python3: run script/bootstrap");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        Self {
            library,
            login,
            process,
            input,
            output,
        }
    }

    /// What it says to this, or why it would not.
    fn ask(&mut self, line: &serde_json::Value) -> Result<Message, String> {
        writeln!(self.input, "{line}").expect("to ask python");
        let mut answer = String::new();
        self.output
            .read_line(&mut answer)
            .expect("an answer of python");
        let answer = answer.trim_end();
        match BASE64_STANDARD.decode(answer) {
            Ok(octets) if !octets.is_empty() => Ok(Message(octets)),
            _ => Err(format!(
                "{}: {answer:?}; run script/bootstrap",
                self.library
            )),
        }
    }
}

/// Where python finds what script/bootstrap installed for the tests.
pub(crate) fn python_path() -> String {
    format!("{}/target/python", env!("CARGO_MANIFEST_DIR"))
}

impl Speaker for Python {
    fn negotiate(&mut self) -> Message {
        let bindings = self.login.bindings.as_ref();
        let begin = serde_json::json!({
            "library": self.library,
            "user": self.login.user,
            "password": self.login.password,
            "service": "pop",
            "host": crate::lab::world::HOST,
            "bindings": bindings.map(|octets| BASE64_STANDARD.encode(octets)),
        });
        self.ask(&begin).unwrap_or_else(|why| panic!("{why}"))
    }

    fn authenticate(&mut self, challenge: &Message) -> Message {
        let challenge = BASE64_STANDARD.encode(&challenge.0);
        self.ask(&serde_json::json!({ "challenge": challenge }))
            .unwrap_or_else(|why| panic!("{why}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The `ntlmclient` crate: NTLMv2 without an integrity code and without bindings.
pub(crate) struct Crate {
    credentials: Credentials,
}

impl Crate {
    pub(crate) fn new(user: &str, domain: &str, password: &str) -> Self {
        Self {
            credentials: Credentials {
                username: user.to_owned(),
                password: password.to_owned(),
                domain: domain.to_owned(),
            },
        }
    }
}

fn crate_flags() -> Flags {
    Flags::NEGOTIATE_UNICODE
        | Flags::REQUEST_TARGET
        | Flags::NEGOTIATE_NTLM
        | Flags::NEGOTIATE_WORKSTATION_SUPPLIED
}

impl Speaker for Crate {
    fn negotiate(&mut self) -> Message {
        let message = ntlmclient::Message::Negotiate(ntlmclient::NegotiateMessage {
            flags: crate_flags(),
            supplied_domain: String::new(),
            supplied_workstation: "CRATE".to_owned(),
            os_version: ntlmclient::OsVersion::default(),
        });
        Message(message.to_bytes().expect("a message"))
    }

    fn authenticate(&mut self, challenge: &Message) -> Message {
        let parsed = ntlmclient::Message::try_from(challenge.0.as_slice()).expect("a challenge");
        let ntlmclient::Message::Challenge(parsed) = parsed else {
            panic!("not a challenge: {parsed:?}")
        };
        let target_info: Vec<u8> = parsed
            .target_information
            .iter()
            .flat_map(|entry| entry.to_bytes())
            .collect();
        let response = ntlmclient::respond_challenge_ntlm_v2(
            parsed.challenge,
            &target_info,
            ntlmclient::get_ntlm_time(),
            &self.credentials,
        );
        let message = response.to_message(&self.credentials, "CRATE", crate_flags());
        Message(message.to_bytes().expect("a message"))
    }
}
