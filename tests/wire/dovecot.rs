//! Starts Dovecot with the same users and the same mail: the incumbent, for comparison.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use super::clock;
use super::fixture;
use super::house::{Ground, House};
use super::text::base64;

/// Starts Dovecot and waits until both listeners accept.
pub(crate) fn start(maildrop: &str, login: &str) -> House {
    let ground = Ground::prepare(maildrop);
    let (clear, implicit) = (free_address(), free_address());
    std::fs::write(ground.path("passwd"), passwd()).expect("writing the users");
    std::fs::write(
        ground.path("dovecot.conf"),
        configuration(&ground, login, clear, implicit),
    )
    .expect("writing");
    let process = Command::new("dovecot")
        .arg("-F")
        .arg("-c")
        .arg(ground.path("dovecot.conf"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starting Dovecot (script/bootstrap installs it)");
    clock::until("Dovecot to accept", || {
        (TcpStream::connect(clear).is_ok() && TcpStream::connect(implicit).is_ok()).then_some(())
    });
    House::new(
        ground,
        clear,
        implicit,
        process,
        Arc::new(Mutex::new(Vec::new())),
    )
}

/// Dovecot takes no port 0, so one is found for it.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
}

fn passwd() -> String {
    let allowed = fixture::USERS
        .iter()
        .filter(|user| !user.disabled && !user.pop3_off && user.site == "london");
    allowed
        .map(|user| {
            format!(
                "{}:{{PLAIN.b64}}{}::::::\n",
                user.name,
                base64(user.password.as_bytes())
            )
        })
        .collect()
}

fn configuration(ground: &Ground, login: &str, clear: SocketAddr, implicit: SocketAddr) -> String {
    let path = |name: &str| ground.path(name).display().to_string();
    let barred = if login == "plain-text" { "no" } else { "yes" };
    format!(
        "base_dir = {run}\nlog_path = {log}\nprotocols = pop3\nlisten = 127.0.0.1\n\
         ssl = yes\nssl_cert = <{chain}\nssl_key = <{key}\n\
         mail_location = maildir:{mail}/%n/Maildir\nfirst_valid_uid = 1\n\
         pop3_uidl_format = %u\npop3_no_flag_updates = yes\n\
         disable_plaintext_auth = {barred}\nauth_mechanisms = plain\nauth_failure_delay = 0\n\
         passdb {{\n driver = passwd-file\n args = {passwd}\n}}\n\
         userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={mail}/%n\n}}\n\
         service anvil {{\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n\
         service stats {{\n unix_listener stats-writer {{\n mode = 0666\n }}\n}}\n\
         service pop3-login {{\n inet_listener pop3 {{\n port = {clear}\n }}\n\
         inet_listener pop3s {{\n port = {implicit}\n ssl = yes\n }}\n}}\n",
        run = path("run"),
        log = path("log"),
        chain = path("chain.pem"),
        key = path("key.pem"),
        mail = path("mail"),
        passwd = path("passwd"),
        clear = clear.port(),
        implicit = implicit.port(),
    )
}
