//! `postern demo`: a server on loopback with throw-away users, mail and certificates.
//!
//! Everything is in one temporary folder that goes when the server ends. Nothing else is touched.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the demo writes its own files"
)]

mod authority;
mod mail;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Uid, getpid, mkdtemp};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use postern_auth::{HashError, Secret, User, UsersError, UsersFile, hash_password};

use crate::config::RunAs;
use crate::serve::{self, ServeError};

/// Users of the demo and their passwords.
const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

/// Why the demo does not run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Its files cannot be written.
    #[error("the demo's files cannot be written: {0}")]
    Files(#[from] io::Error),
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Password(#[from] HashError),
    /// The users file cannot be written.
    #[error("{0}")]
    Users(#[from] UsersError),
    /// The server does not start.
    #[error("{0}")]
    Serve(#[from] ServeError),
}

/// Serves the demo until SIGTERM, SIGINT or SIGHUP; `announce` is given what to print once it listens.
///
/// # Errors
/// [`DemoError`] in words.
pub fn run(announce: impl FnOnce(&str)) -> Result<(), DemoError> {
    if Uid::effective().is_root() {
        // The demo is for trying, not for root: its files belong to nobody from the beginning.
        let nobody = RunAs {
            user: "nobody".to_owned(),
            group: None,
        };
        serve::become_user(Some(&nobody)).map_err(ServeError::from)?;
    }
    end_with_the_terminal()?;
    let folder =
        mkdtemp(&std::env::temp_dir().join("postern-demo-XXXXXX")).map_err(io::Error::from)?;
    let gone = Folder(folder);
    let file = furnish(&gone.0)?;
    serve::run(&file, |addresses| {
        announce(&instructions(&gone.0, addresses))
    })?;
    Ok(())
}

/// Turns SIGHUP into SIGTERM: to a server it means "read the configuration again", but a demo must
/// not outlive the terminal that it was started in.
fn end_with_the_terminal() -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let mut hang_up = {
        let _entered = runtime.enter();
        signal(SignalKind::hangup())?
    };
    let wait = move || {
        if runtime.block_on(hang_up.recv()).is_some() {
            // A signal to oneself is not refused.
            let _ = kill(getpid(), Signal::SIGTERM);
        }
    };
    thread::Builder::new()
        .name("terminal".to_owned())
        .spawn(wait)?;
    Ok(())
}

/// Goes with everything in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the temporary folder, which the system clears.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes certificates, users, mail and the configuration; returns the latter's path.
fn furnish(folder: &Path) -> Result<PathBuf, DemoError> {
    let certificates = authority::issue(&["localhost", "127.0.0.1", "::1"])?;
    fs::write(folder.join("ca.pem"), certificates.authority)?;
    fs::write(folder.join("chain.pem"), certificates.certificate)?;
    private(&folder.join("key.pem"), &certificates.private_key)?;
    let mut users = UsersFile::create(&folder.join("users.toml"), None)?;
    for (user, password) in USERS {
        let password = Some(hash_password(&Secret::new(password.into()))?);
        users.add(&User {
            password,
            ..User::new(user)
        })?;
        deliver(&folder.join("mail").join(user), user)?;
    }
    users.save()?;
    let file = folder.join("postern.toml");
    fs::write(&file, CONFIGURATION)?;
    // Last of all, when the secrets have their own modes: the clients of other users need the
    // authority's certificate.
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    Ok(file)
}

/// A new file that nobody else can read, not even for a moment.
fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn deliver(maildir: &Path, user: &str) -> io::Result<()> {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    for (name, text) in mail::messages(user) {
        fs::write(maildir.join("new").join(name), text)?;
    }
    Ok(())
}

/// Paths are taken from the configuration's folder.
const CONFIGURATION: &str = r#"hostname = "localhost"

[[listener]]
address = "127.0.0.1:0"
tls = "starttls"

[[listener]]
address = "127.0.0.1:0"
tls = "implicit"

[tls]
certificate = "chain.pem"
private_key = "key.pem"

[users]
file = "users.toml"

[maildrop]
path = "mail/{name}"

[timeouts]
drain = "1s"
"#;

fn instructions(folder: &Path, addresses: &[SocketAddr]) -> String {
    let port = |place: usize| addresses.get(place).map_or(0, SocketAddr::port);
    let ca = folder.join("ca.pem");
    let ca = ca.display();
    let [(alice, wonderland), (bob, builder)] = USERS;
    format!(
        "Postern is listening on loopback, with users {alice} (password {wonderland}) and {bob} ({builder}).\n\n\
         Print a message:\n  curl --cacert {ca} --user {alice}:{wonderland} pop3s://localhost:{implicit}/1\n\n\
         List the mailbox over STLS:\n  curl --ssl-reqd --cacert {ca} --user {alice}:{wonderland} pop3://localhost:{starttls}/\n\n\
         Talk to it:\n  openssl s_client -quiet -crlf -CAfile {ca} -connect localhost:{implicit}\n\n\
         Ctrl-C ends it and removes {folder}.\n",
        implicit = port(1),
        starttls = port(0),
        folder = folder.display(),
    )
}
