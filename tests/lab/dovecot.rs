//! Debian's Dovecot, with a configuration, sockets and state of its own: the stand-in for Postern
//! when the tests are tested, and the neighbour on the same Maildirs.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Doors;
use super::daemon::Daemon;
use super::world::{Lab, USERS, require_root};

const PROGRAM: &str = "/usr/sbin/dovecot";

/// A running Dovecot.
pub(crate) struct Dovecot {
    /// POP3. Dovecot has one policy for both doors without TLS: it takes a password at each.
    pub(crate) doors: Doors,
    /// IMAP without TLS.
    pub(crate) imap: SocketAddr,
    /// The configuration, for its tools (`-c`).
    pub(crate) configuration: PathBuf,
    /// The process and its log.
    pub(crate) daemon: Daemon,
}

impl Dovecot {
    /// Starts it on the lab's Maildirs; `extra` settings are added at the end of the
    /// configuration. Ready when all doors accept.
    pub(crate) fn start(lab: &Lab, name: &str, extra: &str) -> Self {
        require_root("Dovecot");
        assert!(
            Path::new(PROGRAM).exists(),
            "Dovecot is not installed: run script/bootstrap"
        );
        let [plain, implicit, imap] = [lab.free_port(), lab.free_port(), lab.free_port()];
        let users = lab.write(&format!("{name}.users"), users());
        let mut text = configuration(lab, name, &users);
        writeln!(text, "{}{extra}", listeners(plain, implicit, imap)).expect("a string grows");
        let configuration = lab.write(&format!("{name}.conf"), text);
        let mut daemon = Daemon::start(
            lab,
            name,
            Command::new(PROGRAM)
                .arg("-F")
                .arg("-c")
                .arg(&configuration),
        );
        for address in [plain, implicit, imap] {
            daemon.await_ready("a listener", |_| TcpStream::connect(address).ok());
        }
        Self {
            doors: Doors {
                plain,
                secure: plain,
                implicit,
            },
            imap,
            configuration,
            daemon,
        }
    }

    /// What it complained of: warnings and everything worse.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.daemon.log();
        let bad = ["Warning:", "Error:", "Fatal:", "Panic:"];
        log.lines()
            .filter(|line| bad.iter().any(|word| line.contains(word)))
            .map(str::to_owned)
            .collect()
    }

    /// Everything it logged.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}

fn users() -> String {
    USERS.iter().fold(String::new(), |mut text, user| {
        writeln!(text, "{}:{{PLAIN}}{}::::::", user.name, user.password).expect("a string grows");
        text
    })
}

fn configuration(lab: &Lab, name: &str, users: &Path) -> String {
    format!(
        "base_dir = {base}
state_dir = {state}
log_path = {log}
instance_name = {name}
protocols = pop3 imap
listen = {address}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{mail}/%n/Maildir
first_valid_uid = 1
first_valid_gid = 1
pop3_uidl_format = %u
default_vsz_limit = 0
passdb {{
  driver = passwd-file
  args = username_format=%n {users}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%n
}}
# Its penalty after a wrong password would make the tests wait.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
",
        base = lab.dir(&format!("{name}-run")).display(),
        state = lab.dir(&format!("{name}-state")).display(),
        log = lab.path().join(format!("{name}.log")).display(),
        address = lab.address,
        certificate = lab.pki.certificate.display(),
        key = lab.pki.key.display(),
        mail = lab.path().join("mail").display(),
        users = users.display(),
        uid = lab.uid,
        gid = lab.gid,
    )
}

fn listeners(plain: SocketAddr, implicit: SocketAddr, imap: SocketAddr) -> String {
    format!(
        "service pop3-login {{
  inet_listener pop3 {{
    port = {}
  }}
  inet_listener pop3s {{
    port = {}
    ssl = yes
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
",
        plain.port(),
        implicit.port(),
        imap.port()
    )
}
