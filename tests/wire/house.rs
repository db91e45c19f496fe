//! A server that runs for one test: a folder with certificates, users and mail, and a process.
//!
//! [`super::postern`] and [`super::dovecot`] start one; nothing here knows which it is. The
//! process ends with the value.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::client::Client;
use super::fixture;
use super::play::{Connection, Subject};
use super::script::Transport;
use super::tls;

/// The folder of a server, before the server starts.
pub(crate) struct Ground {
    folder: TempDir,
}

impl Ground {
    /// Writes certificates and the maildrops of everybody; alice's is the named one.
    pub(crate) fn prepare(maildrop: &str) -> Self {
        let ground = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        tls::write(
            tls::NAME,
            &ground.path("chain.pem"),
            &ground.path("key.pem"),
        );
        tls::write(
            "mail.example.test",
            &ground.path("sni.pem"),
            &ground.path("sni-key.pem"),
        );
        for user in fixture::USERS {
            let drop = match user.name {
                "alice" => maildrop,
                "pierre" | "paula" => "two",
                _ => "empty",
            };
            let stored =
                fixture::maildrop(drop).unwrap_or_else(|| panic!("there is no maildrop `{drop}`"));
            fixture::write_maildir(&ground.maildir(user.name), stored);
        }
        ground.give_away();
        ground
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only its owner may read, as secrets are kept.
    pub(crate) fn secret(&self, name: &str, contents: &str) {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("writing a secret");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
    }

    /// The Maildir of a user.
    pub(crate) fn maildir(&self, user: &str) -> PathBuf {
        self.path(&format!("mail/{user}/Maildir"))
    }

    /// Puts a message of the fixture into alice's maildrop, as a delivery agent does.
    ///
    /// # Errors
    /// When there is no such message.
    pub(crate) fn deliver(&self, message: &str, number: usize) -> Result<(), String> {
        let octets =
            fixture::message(message).ok_or_else(|| format!("there is no message `{message}`"))?;
        fixture::deliver(&self.maildir("alice"), octets, number);
        Ok(())
    }

    /// Takes away alice's message of this number, as another program does.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn vanish(&self, number: usize) -> Result<(), String> {
        let file =
            fixture::file(&self.maildir("alice"), number).ok_or("the message is not there")?;
        std::fs::remove_file(file).map_err(|error| error.to_string())
    }

    /// The service user owns the mail and may read the rest, as in a real installation.
    pub(crate) fn give_away(&self) {
        if !nix::unistd::Uid::effective().is_root() {
            return;
        }
        let everything = self.folder.path().to_owned();
        let given = std::process::Command::new("chown")
            .arg("-R")
            .arg("nobody")
            .arg(everything)
            .status();
        assert!(
            given.expect("chown").success(),
            "the mail could not be given to the service user"
        );
    }
}

/// A running server.
pub(crate) struct House {
    /// Its folder.
    pub(crate) ground: Ground,
    /// The listener that begins in the clear.
    pub(crate) clear: SocketAddr,
    /// The listener that begins with TLS.
    pub(crate) implicit: SocketAddr,
    /// The process.
    pub(crate) process: Child,
    /// What it has written to its log so far.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    delivered: usize,
}

impl House {
    /// Around a process that accepts connections on both addresses.
    pub(crate) fn new(
        ground: Ground,
        clear: SocketAddr,
        implicit: SocketAddr,
        process: Child,
        log: Arc<Mutex<Vec<String>>>,
    ) -> Self {
        Self {
            ground,
            clear,
            implicit,
            process,
            log,
            delivered: 0,
        }
    }

    /// A connection in the clear, its greeting taken.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::connect(self.clear).expect("connecting");
        let greeting = client.answer();
        assert!(greeting.starts_with("+OK"), "greeted by {greeting}");
        client
    }

    /// A connection on the implicit port, its greeting taken.
    pub(crate) fn tls_client(&self) -> Client {
        let mut client = Client::connect_tls(self.implicit).expect("connecting");
        let greeting = client.answer();
        assert!(greeting.starts_with("+OK"), "greeted by {greeting}");
        client
    }

    /// A session of this user, logged in by USER and PASS in the clear.
    pub(crate) fn session(&self, user: &str) -> Client {
        let password = fixture::USERS
            .iter()
            .find(|one| one.name == user)
            .expect("a user of the fixture")
            .password;
        let mut client = self.client();
        assert!(client.ask(&format!("USER {user}")).starts_with("+OK"));
        let answer = client.ask(&format!("PASS {password}"));
        assert!(answer.starts_with("+OK"), "{user} was answered {answer}");
        client
    }

    /// A signal to the process.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid =
            nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).expect("a process id"));
        nix::sys::signal::kill(pid, signal).expect("a signal");
    }

    /// Waits until the log holds a line with all these words, and returns it.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        super::clock::until("a line in the log", || {
            let log = self.log.lock().expect("the log");
            log.iter()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .cloned()
        })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let ended = super::clock::within(|| self.process.try_wait().ok().flatten());
        if ended.is_none() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

impl Subject for House {
    fn connect(&mut self, over: Transport) -> Result<Box<dyn Connection>, String> {
        Ok(Box::new(match over {
            Transport::Clear | Transport::Stls => Client::connect(self.clear)?,
            Transport::Implicit => Client::connect_tls(self.implicit)?,
        }))
    }

    fn deliver(&mut self, message: &str) -> Result<(), String> {
        self.delivered += 1;
        self.ground.deliver(message, self.delivered)
    }

    fn vanish(&mut self, number: usize) -> Result<(), String> {
        self.ground.vanish(number)
    }
}
