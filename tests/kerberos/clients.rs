//! Mail clients that we did not write, with a ticket instead of a password.

use crate::lab::kerberos::Realm;
use crate::lab::tool::Tool;
use crate::lab::visit::Transport::{Clear, Stls, Tls};
use crate::lab::visit::{Fidelity, Transport, Visit};
use crate::lab::world::ALICE;
use crate::scene::{usual, visit};

fn tool(visit: &Visit, realm: &Realm, program: &str) -> Tool {
    let environment = realm.environment();
    environment
        .iter()
        .fold(Tool::new(&visit.lab, program), |tool, (name, value)| {
            tool.env(name, value)
        })
}

/// The login was by this mechanism, and not by a password after it.
fn judge(visit: &Visit, fidelity: Fidelity) {
    visit.judge(fidelity);
    let record = visit
        .subject
        .postern()
        .told("login", &["\"reason\":\"granted\""]);
    assert!(record.contains("\"mechanism\":\"GSSAPI\""), "{record}");
    assert!(
        record.contains("\"login\":\"alice@EXAMPLE.TEST\""),
        "{record}"
    );
}

fn curl(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    let scheme = if transport == Tls { "pop3s" } else { "pop3" };
    let base = format!("{scheme}://localhost:{}", visit.port());
    let numbers = format!("{base}/[1-{}]", visit.mails.len());
    for rest in [
        &["--output", &format!("{}/#1", visit.fetched()), &numbers][..],
        &["--head", "--request", "DELE", &numbers],
    ] {
        let mut tool =
            tool(&visit, &realm, "curl").args(["--silent", "--show-error", "--max-time", "30"]);
        tool = tool.args([
            "--cacert",
            visit.authority(),
            "--user",
            "alice@EXAMPLE.TEST:",
        ]);
        tool = tool.args(["--login-options", "AUTH=GSSAPI"]);
        if transport == Stls {
            tool = tool.arg("--ssl-reqd");
        }
        rest.iter()
            .fold(tool, |tool, argument| tool.arg(argument))
            .run();
    }
    judge(&visit, Fidelity::Wire);
}

#[test]
fn curl_clear() {
    curl(Clear);
}

#[test]
fn curl_stls() {
    curl(Stls);
}

#[test]
fn curl_tls() {
    curl(Tls);
}

fn fetchmail(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    let security = match transport {
        Clear => "sslproto ''",
        Stls => "sslproto 'TLS1.2+'",
        Tls => "ssl",
    };
    let rc = format!(
        "set invisible\nset no bouncemail\npoll localhost protocol POP3 port {port} auth gssapi\n  user 'alice'\n  {security} sslcertck sslcertfile '{authority}'\n  fetchall nokeep no rewrite no mimedecode mda '/bin/sh {script} {fetched}'\n",
        port = visit.port(),
        authority = visit.authority(),
        script = visit.script("deliver.sh"),
        fetched = visit.fetched(),
    );
    let rc = visit.private("fetchmailrc", &rc);
    let pid = visit.lab.path().join("fetchmail.pid");
    tool(&visit, &realm, "fetchmail")
        .args(["--fetchmailrc", &rc, "-v", "--nosyslog", "--pidfile"])
        .arg(pid)
        .run();
    judge(&visit, Fidelity::Unix);
}

#[test]
fn fetchmail_clear() {
    fetchmail(Clear);
}

#[test]
fn fetchmail_stls() {
    fetchmail(Stls);
}

#[test]
fn fetchmail_tls() {
    fetchmail(Tls);
}

fn mpop(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    for name in ["tmp", "new", "cur"] {
        visit.lab.dir(&format!("fetched/{name}"));
    }
    let rc = format!(
        "account default\nhost localhost\nport {port}\nuser alice\nauth gssapi\ntls {tls}\ntls_starttls {stls}\ntls_trust_file {authority}\nkeep off\nreceived_header off\nuidls_file {lab}/uidls\ndelivery maildir {fetched}\n",
        port = visit.port(),
        tls = transport.on(transport != Clear),
        stls = transport.on(transport == Stls),
        authority = visit.authority(),
        lab = visit.lab.path().display(),
        fetched = visit.fetched(),
    );
    let rc = visit.private("mpoprc", &rc);
    tool(&visit, &realm, "mpop")
        .args(["--file", &rc, "--debug"])
        .run();
    judge(&visit, Fidelity::Unix);
}

#[test]
fn mpop_clear() {
    mpop(Clear);
}

#[test]
fn mpop_stls() {
    mpop(Stls);
}

#[test]
fn mpop_tls() {
    mpop(Tls);
}

fn mutt(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    let scheme = if transport == Tls { "pops" } else { "pop" };
    let stls = if transport == Stls { "yes" } else { "no" };
    for name in ["tmp", "new", "cur"] {
        visit.lab.dir(&format!("fetched/{name}"));
    }
    let rc = format!(
        "set pop_host=\"{scheme}://localhost:{port}\"\nset pop_user=alice\nset pop_authenticators=\"gssapi\"\nset pop_delete=yes\nset ssl_starttls={stls}\nset ssl_force_tls={stls}\nset ssl_ca_certificates_file=\"{authority}\"\nunset ssl_usesystemcerts\nset mbox_type=Maildir\nset spoolfile=\"{spool}\"\nset folder=\"{spool}\"\nset move=no\nset confirmappend=no\npush \"<fetch-mail><exit>\"\n",
        port = visit.port(),
        authority = visit.authority(),
        spool = visit.fetched(),
    );
    let rc = visit.private("muttrc", &rc);
    // mutt wants a terminal: script makes one.
    let command = format!("mutt -n -F {rc}");
    tool(&visit, &realm, "script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .run();
    judge(&visit, Fidelity::Body);
}

#[test]
fn mutt_clear() {
    mutt(Clear);
}

#[test]
fn mutt_stls() {
    mutt(Stls);
}

#[test]
fn mutt_tls() {
    mutt(Tls);
}

fn net_pop3(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    tool(&visit, &realm, "perl")
        .arg(visit.script("net_pop3_fetch.pl"))
        .args([
            "localhost",
            &visit.port(),
            transport.name(),
            visit.authority(),
        ])
        .args([ALICE.name, "", "gssapi", visit.fetched()])
        .run();
    judge(&visit, Fidelity::Unix);
}

#[test]
fn net_pop3_clear() {
    net_pop3(Clear);
}

#[test]
fn net_pop3_stls() {
    net_pop3(Stls);
}

#[test]
fn net_pop3_tls() {
    net_pop3(Tls);
}

/// s-nail sends its token with the command, and never asks what is offered.
fn s_nail(transport: Transport) {
    let (visit, realm) = visit(transport, usual());
    let scheme = if transport == Tls { "pop3s" } else { "pop3" };
    let stls = if transport == Stls {
        "set pop3-use-starttls"
    } else {
        ""
    };
    let mbox = visit.fetched.join("mbox");
    let commands = format!(
        "set v15-compat pop3-auth=gssapi tls-ca-file={authority} tls-verify=strict\n{stls}\nfile {scheme}://alice@localhost:{port}\ncopy * {mbox}\ndelete *\nquit\n",
        authority = visit.authority(),
        port = visit.port(),
        mbox = mbox.display(),
    );
    let commands = visit.lab.write("commands", commands);
    let output = tool(&visit, &realm, "s-nail")
        .args(["-:/", "-#", "-v", "-v"])
        .input(&commands)
        .output();
    let fetched = std::fs::read(&mbox).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = String::from_utf8_lossy(&fetched);
    for mail in &visit.mails {
        assert!(
            text.contains(&format!("Subject: {}", mail.name)),
            "{}",
            mail.name
        );
    }
    let record = visit
        .subject
        .postern()
        .told("login", &["\"reason\":\"granted\""]);
    assert!(record.contains("\"mechanism\":\"GSSAPI\""), "{record}");
}

#[test]
fn s_nail_clear() {
    s_nail(Clear);
}

#[test]
fn s_nail_stls() {
    s_nail(Stls);
}

#[test]
fn s_nail_tls() {
    s_nail(Tls);
}
