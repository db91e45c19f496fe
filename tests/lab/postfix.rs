//! Debian's Postfix with a queue and a configuration of its own: mail comes in by SMTP, its
//! delivery agent `virtual` writes the lab's Maildirs.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::User as Account;

use super::daemon::Daemon;
use super::mail::Mail;
use super::tool::Tool;
use super::world::{Lab, USERS, User, require_root};

const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// A running Postfix.
pub(crate) struct Postfix {
    smtp: SocketAddr,
    _daemon: Daemon,
}

impl Postfix {
    /// Starts it; ready when it answers by SMTP.
    pub(crate) fn start(lab: &Lab) -> Self {
        require_root("Postfix");
        assert!(
            Path::new(MASTER).exists(),
            "Postfix is not installed: run script/bootstrap"
        );
        let smtp = lab.free_port();
        let settings = lab.dir("postfix");
        lab.dir("postfix-queue");
        let account = Account::from_name("postfix")
            .expect("/etc/passwd")
            .expect("a user postfix");
        chown(lab.dir("postfix-data"), Some(account.uid.as_raw()), None).expect("chown");
        lab.write("postfix/main.cf", main_cf(lab));
        lab.write("postfix/master.cf", master_cf(smtp));
        lab.write("postfix/mailboxes", mailboxes());
        // Makes the folders of the queue.
        Tool::new(lab, "postfix")
            .arg("-c")
            .arg(&settings)
            .arg("check")
            .run();
        let mut master = Command::new(MASTER);
        // It ends its process group when it ends, so it must have one of its own.
        master.arg("-c").arg(&settings).arg("-d").process_group(0);
        let mut daemon = Daemon::start(lab, "postfix", &mut master);
        daemon.await_ready("a listener", |_| TcpStream::connect(smtp).ok());
        Self {
            smtp,
            _daemon: daemon,
        }
    }

    /// Submits a message for the user, by SMTP. It is in the queue when this returns.
    pub(crate) fn send(&self, lab: &Lab, mail: &Mail, user: User) {
        let file = lab.write(&format!("{}.eml", mail.name), mail.unix());
        Tool::new(lab, "curl")
            .args(["--silent", "--show-error", "--crlf"])
            .args([
                "--mail-from",
                "lab@example.test",
                "--mail-rcpt",
                &format!("{}@example.test", user.name),
            ])
            .arg("--upload-file")
            .arg(file)
            .arg(format!("smtp://{}/lab.example.test", self.smtp))
            .run();
    }
}

fn main_cf(lab: &Lab) -> String {
    let folder = lab.path().display();
    let (uid, gid) = (lab.uid, lab.gid);
    format!(
        "compatibility_level = 3.7
queue_directory = {folder}/postfix-queue
data_directory = {folder}/postfix-data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.test
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/postfix/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"
    )
}

fn mailboxes() -> String {
    USERS.iter().fold(String::new(), |mut text, user| {
        writeln!(text, "{0}@example.test {0}/Maildir/", user.name).expect("a string grows");
        text
    })
}

/// The services that a delivery into a Maildir needs, none of them in a chroot.
fn master_cf(smtp: SocketAddr) -> String {
    format!(
        "{smtp}  inet  n  -  n  -     -  smtpd
cleanup  unix  n  -  n  -     0  cleanup
qmgr     unix  n  -  n  300   1  qmgr
rewrite  unix  -  -  n  -     -  trivial-rewrite
bounce   unix  -  -  n  -     0  bounce
defer    unix  -  -  n  -     0  bounce
trace    unix  -  -  n  -     0  bounce
error    unix  -  -  n  -     -  error
retry    unix  -  -  n  -     -  error
anvil    unix  -  -  n  -     1  anvil
virtual  unix  -  n  n  -     -  virtual
postlog  unix-dgram n - n -   1  postlogd
"
    )
}
