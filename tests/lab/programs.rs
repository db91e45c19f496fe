//! Mail clients that we did not write, each through one visit: it fetches everything and deletes it.
//!
//! Which way to log in is said in the client's own word for it. A client that has a ticket is given no
//! password. Exit codes alone prove nothing (mutt's is always 0): what came home is judged.

use super::visit::Transport::{Clear, Stls, Tls};
use super::visit::{Fidelity, Visit};
use super::world::HOST;

/// curl, with more of its options.
pub(crate) fn curl(visit: &Visit, mechanism: &str, options: &[&str]) {
    let scheme = if visit.transport == Tls {
        "pop3s"
    } else {
        "pop3"
    };
    let base = format!("{scheme}://{}:{}", visit.host, visit.port());
    let tool = |rest: &[&str]| {
        let mut tool = visit
            .tool("curl")
            .args(["--silent", "--show-error", "--max-time", "30"])
            .args(["--cacert", visit.authority()])
            .args(["--user", &visit.name_and_password()])
            .args(["--login-options", mechanism]);
        if visit.transport == Stls {
            tool = tool.arg("--ssl-reqd");
        }
        let all = options.iter().chain(rest);
        all.fold(tool, |tool, argument| tool.arg(argument)).run()
    };
    let listed = String::from_utf8(tool(&[&format!("{base}/")])).expect("text");
    assert_eq!(listed.lines().count(), visit.mails.len());
    let numbers = format!("{base}/[1-{}]", visit.mails.len());
    tool(&["--output", &format!("{}/#1", visit.fetched()), &numbers]);
    tool(&["--head", "--request", "DELE", &numbers]);
    visit.judge(Fidelity::Wire);
}

/// fetchmail; it adds no header line when told to be invisible.
pub(crate) fn fetchmail(visit: &Visit) {
    let security = match visit.transport {
        Clear => "sslproto ''",
        Stls => "sslproto 'TLS1.2+'",
        Tls => "ssl",
    };
    let (how, password) = match visit.password() {
        Some(password) => ("password", format!("password '{password}'")),
        None => ("gssapi", String::new()),
    };
    let rc = format!(
        "set invisible\nset no bouncemail\npoll {host} protocol POP3 port {port} auth {how}\n  user '{user}' {password}\n  {security} sslcertck sslcertfile '{authority}' sslcommonname '{HOST}'\n  fetchall nokeep no rewrite no mimedecode mda '/bin/sh {script} {fetched}'\n",
        host = visit.host,
        port = visit.port(),
        user = visit.user.name,
        authority = visit.authority(),
        script = visit.script("deliver.sh"),
        fetched = visit.fetched(),
    );
    let rc = visit.private("fetchmailrc", &rc);
    let pid = visit.lab.path().join("fetchmail.pid");
    visit
        .tool("fetchmail")
        .args(["--fetchmailrc", &rc, "-v", "--nosyslog", "--pidfile"])
        .arg(pid)
        .run();
    visit.judge(Fidelity::Unix);
}

/// mpop, into a Maildir.
pub(crate) fn mpop(visit: &Visit, auth: &str) {
    visit.make_fetched_a_maildir();
    let password = visit.password().map(|word| format!("password {word}\n"));
    let rc = format!(
        "account default\nhost {host}\nport {port}\nuser {user}\n{password}auth {auth}\ntls {tls}\ntls_starttls {stls}\ntls_trust_file {authority}\ntls_host_override {HOST}\nkeep off\nreceived_header off\nuidls_file {lab}/uidls\ndelivery maildir {fetched}\n",
        host = visit.host,
        port = visit.port(),
        user = visit.user.name,
        password = password.unwrap_or_default(),
        tls = visit.transport.on(visit.transport != Clear),
        stls = visit.transport.on(visit.transport == Stls),
        authority = visit.authority(),
        lab = visit.lab.path().display(),
        fetched = visit.fetched(),
    );
    let rc = visit.private("mpoprc", &rc);
    visit.tool("mpop").args(["--file", &rc, "--debug"]).run();
    visit.judge(Fidelity::Unix);
}

/// Perl's Net::POP3.
pub(crate) fn net_pop3(visit: &Visit, login: &str) {
    visit
        .tool("perl")
        .arg(visit.script("net_pop3_fetch.pl"))
        .args([&visit.host, &visit.port(), visit.transport.name()])
        .args([visit.authority(), visit.user.name])
        .args([visit.password().unwrap_or_default(), login, visit.fetched()])
        .run();
    visit.judge(Fidelity::Unix);
}

/// mutt, in a terminal of its own; it marks what it fetched as old or read, hence the body.
pub(crate) fn mutt(visit: &Visit, authenticator: &str) {
    let scheme = if visit.transport == Tls {
        "pops"
    } else {
        "pop"
    };
    let stls = if visit.transport == Stls { "yes" } else { "no" };
    visit.make_fetched_a_maildir();
    let password = visit
        .password()
        .map(|word| format!("set pop_pass=\"{word}\"\n"));
    let rc = format!(
        "set pop_host=\"{scheme}://{host}:{port}\"\nset pop_user={user}\n{password}set pop_authenticators=\"{authenticator}\"\nset pop_delete=yes\nset ssl_starttls={stls}\nset ssl_force_tls={stls}\nset ssl_ca_certificates_file=\"{authority}\"\nunset ssl_usesystemcerts\nset ssl_verify_host_override={HOST}\nset mbox_type=Maildir\nset spoolfile=\"{spool}\"\nset folder=\"{spool}\"\nset move=no\nset confirmappend=no\npush \"<fetch-mail><exit>\"\n",
        host = visit.host,
        port = visit.port(),
        user = visit.user.name,
        password = password.unwrap_or_default(),
        authority = visit.authority(),
        spool = visit.fetched(),
    );
    let rc = visit.private("muttrc", &rc);
    // mutt wants a terminal: script makes one.
    let command = format!("mutt -n -F {rc}");
    visit
        .tool("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .run();
    visit.judge(Fidelity::Body);
}

/// s-nail, into a file of all messages, in which it marks what it fetched. It sends its token with the
/// command, and never asks what is offered.
pub(crate) fn s_nail(visit: &Visit) {
    let scheme = if visit.transport == Tls {
        "pop3s"
    } else {
        "pop3"
    };
    let stls = if visit.transport == Stls {
        "set pop3-use-starttls"
    } else {
        ""
    };
    let mbox = visit.fetched.join("mbox");
    let commands = format!(
        "set v15-compat pop3-auth=gssapi tls-ca-file={authority} tls-verify=strict\n{stls}\nfile {scheme}://{user}@{host}:{port}\ncopy * {mbox}\ndelete *\nquit\n",
        authority = visit.authority(),
        user = visit.user.name,
        host = visit.host,
        port = visit.port(),
        mbox = mbox.display(),
    );
    let commands = visit.lab.write("commands", commands);
    let output = visit
        .tool("s-nail")
        .args(["-:/", "-#", "-v", "-v"])
        .input(&commands)
        .output();
    let fetched = std::fs::read(&mbox).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = String::from_utf8_lossy(&fetched);
    for mail in &visit.mails {
        let subject = format!("Subject: {}", mail.name);
        assert!(text.contains(&subject), "{} did not come home", mail.name);
    }
    visit.judge_deletions();
}
