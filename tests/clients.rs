//! Real mail clients fetch awkward mail and delete it, over every transport that they know.
//!
//! Each test is one client, one transport and one way to log in, against a server of its own. What
//! came home is compared with what lay on disk, as exactly as the client lets us see it; then the
//! Maildir must be empty. Exit codes alone prove nothing: mutt's is always 0.

#![cfg(test)]

mod lab;

use std::path::Path;

use lab::mail::{awkward, hostile, long_line};
use lab::pop3::Client;
use lab::tool::Tool;
use lab::visit::Transport::{Clear, Stls, Tls};
use lab::visit::{Fidelity, Transport, Visit};
use lab::world::{ALICE, CAROL, HOST, User};

// ---- our own client: every octet, the ones that no mail should have too

fn exact(transport: Transport) {
    let mut mails = awkward();
    mails.push(long_line());
    mails.extend(hostile());
    let visit = Visit::new(transport, CAROL, mails);
    let mut client = match transport {
        Clear => Client::connect(visit.address()),
        Stls => Client::connect_stls(visit.address(), &visit.lab.pki),
        Tls => Client::connect_tls(visit.address(), &visit.lab.pki),
    };
    client.login(CAROL);
    assert_eq!(client.uids().len(), visit.mails.len());
    for number in 1..=visit.mails.len() {
        let octets = client.body(&format!("RETR {number}"));
        visit.lab.write(&format!("fetched/{number}"), octets);
        client.ok(&format!("DELE {number}"));
    }
    client.quit();
    visit.judge(Fidelity::Wire);
}

#[test]
fn exact_clear() {
    exact(Clear);
}

#[test]
fn exact_stls() {
    exact(Stls);
}

#[test]
fn exact_tls() {
    exact(Tls);
}

// ---- curl

fn curl(transport: Transport, mechanism: &str, extra: &[&str]) {
    let mut mails = awkward();
    mails.push(long_line());
    mails.extend(hostile());
    let visit = Visit::new(transport, ALICE, mails);
    let base = curl_base(&visit);
    let tool = |rest: &[&str]| {
        let mut tool =
            Tool::new(&visit.lab, "curl").args(["--silent", "--show-error", "--max-time", "30"]);
        tool = tool.args([
            "--cacert",
            visit.authority(),
            "--user",
            &format!("{}:{}", ALICE.name, ALICE.password),
        ]);
        tool = tool.args(["--login-options", mechanism]);
        tool = extra
            .iter()
            .chain(rest)
            .fold(tool, |tool, argument| tool.arg(argument));
        if transport == Stls {
            tool.arg("--ssl-reqd")
        } else {
            tool
        }
    };
    let listed = String::from_utf8(tool(&[&format!("{base}/")]).run()).expect("text");
    assert_eq!(listed.lines().count(), visit.mails.len());
    let numbers = format!("[1-{}]", visit.mails.len());
    tool(&[
        "--output",
        &format!("{}/#1", visit.fetched()),
        &format!("{base}/{numbers}"),
    ])
    .run();
    tool(&["--head", "--request", "DELE", &format!("{base}/{numbers}")]).run();
    visit.judge(Fidelity::Wire);
}

fn curl_base(visit: &Visit) -> String {
    let scheme = if visit.transport == Tls {
        "pop3s"
    } else {
        "pop3"
    };
    format!("{scheme}://{}", visit.address())
}

#[test]
fn curl_clear_plain() {
    curl(Clear, "AUTH=PLAIN", &[]);
}

#[test]
fn curl_clear_plain_initial_response() {
    curl(Clear, "AUTH=PLAIN", &["--sasl-ir"]);
}

#[test]
fn curl_stls_plain() {
    curl(Stls, "AUTH=PLAIN", &[]);
}

#[test]
fn curl_tls_login() {
    curl(Tls, "AUTH=LOGIN", &[]);
}

#[test]
fn curl_stls_login_initial_response() {
    curl(Stls, "AUTH=LOGIN", &["--sasl-ir"]);
}

#[test]
fn curl_tls_any() {
    curl(Tls, "AUTH=*", &["--sasl-ir"]);
}

// NTLMv2 without an integrity code, with names in OEM.
#[test]
fn curl_clear_ntlm() {
    curl(Clear, "AUTH=NTLM", &[]);
}

#[test]
fn curl_stls_ntlm_initial_response() {
    curl(Stls, "AUTH=NTLM", &["--sasl-ir"]);
}

#[test]
fn curl_tls_ntlm() {
    curl(Tls, "AUTH=NTLM", &[]);
}

// ---- fetchmail: it adds no header line when told to be invisible

fn fetchmail(transport: Transport) {
    // No long line: of one over 8 KiB it writes what it did not read.
    let visit = Visit::new(transport, ALICE, awkward());
    let security = match transport {
        Clear => "sslproto ''",
        Stls => "sslproto 'TLS1.2+'",
        Tls => "ssl",
    };
    let rc = format!(
        "set invisible\nset no bouncemail\npoll {host} protocol POP3 port {port} auth password\n  user '{user}' password '{password}'\n  {security} sslcertck sslcertfile '{authority}' sslcommonname '{HOST}'\n  fetchall nokeep no rewrite no mimedecode mda '/bin/sh {script} {fetched}'\n",
        host = visit.host(),
        port = visit.port(),
        user = ALICE.name,
        password = ALICE.password,
        authority = visit.authority(),
        script = visit.script("deliver.sh"),
        fetched = visit.fetched(),
    );
    let rc = visit.private("fetchmailrc", &rc);
    let pid = visit.lab.path().join("fetchmail.pid");
    Tool::new(&visit.lab, "fetchmail")
        .args(["--fetchmailrc", &rc, "-v", "--nosyslog"])
        .arg("--pidfile")
        .arg(pid)
        .run();
    visit.judge(Fidelity::Unix);
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

// ---- mpop

fn mpop(transport: Transport, auth: &str) {
    let visit = Visit::usual(transport);
    for name in ["tmp", "new", "cur"] {
        visit.lab.dir(&format!("fetched/{name}"));
    }
    let rc = format!(
        "account default\nhost {host}\nport {port}\nuser {user}\npassword {password}\nauth {auth}\ntls {tls}\ntls_starttls {stls}\ntls_trust_file {authority}\ntls_host_override {HOST}\nkeep off\nreceived_header off\nuidls_file {lab}/uidls\ndelivery maildir {fetched}\n",
        host = visit.host(),
        port = visit.port(),
        user = ALICE.name,
        password = ALICE.password,
        tls = transport.on(transport != Clear),
        stls = transport.on(transport == Stls),
        authority = visit.authority(),
        lab = visit.lab.path().display(),
        fetched = visit.fetched(),
    );
    let rc = visit.private("mpoprc", &rc);
    Tool::new(&visit.lab, "mpop")
        .args(["--file", &rc, "--debug"])
        .run();
    visit.judge(Fidelity::Unix);
}

#[test]
fn mpop_clear_user() {
    mpop(Clear, "user");
}

#[test]
fn mpop_clear_plain() {
    mpop(Clear, "plain");
}

#[test]
fn mpop_stls_plain() {
    mpop(Stls, "plain");
}

#[test]
fn mpop_tls_user() {
    mpop(Tls, "user");
}

#[test]
fn mpop_clear_scram() {
    mpop(Clear, "scram-sha-256");
}

#[test]
fn mpop_stls_scram() {
    mpop(Stls, "scram-sha-256");
}

#[test]
fn mpop_tls_login() {
    mpop(Tls, "login");
}

#[test]
fn mpop_tls_any() {
    mpop(Tls, "on");
}

// ---- getmail6: it knows no STLS, and adds a Return-Path

fn getmail(transport: Transport) {
    let visit = Visit::usual(transport);
    // It runs as a user who may not be able to read this repository.
    let script = visit
        .lab
        .write("deliver.sh", include_str!("clients/deliver.sh"));
    let retriever = match transport {
        Tls => format!(
            "SimplePOP3SSLRetriever\nca_certs = {}\nssl_cert_hostname = {HOST}\nssl_version = tlsv1_2",
            visit.authority()
        ),
        Clear | Stls => "SimplePOP3Retriever".to_owned(),
    };
    let rc = format!(
        "[retriever]\ntype = {retriever}\nserver = {host}\nport = {port}\nusername = {user}\npassword = {password}\n[destination]\ntype = MDA_external\npath = /bin/sh\narguments = (\"{script}\", \"{fetched}\")\n[options]\ndelete = true\nread_all = true\ndelivered_to = false\nreceived = false\nverbose = 2\n",
        host = visit.host(),
        port = visit.port(),
        user = ALICE.name,
        password = ALICE.password,
        script = script.display(),
        fetched = visit.fetched(),
    );
    let rc = visit.private("getmail/getmailrc", &rc);
    let home = visit.lab.path().join("getmail");
    // It refuses to deliver mail as root.
    for path in [Path::new(&rc), &home, &visit.fetched] {
        visit.lab.give(path);
    }
    Tool::new(&visit.lab, "getmail")
        .owner(visit.lab.uid, visit.lab.gid)
        .arg("--getmaildir")
        .arg(&home)
        .args(["--rcfile", "getmailrc"])
        .run();
    visit.judge(Fidelity::Body);
}

#[test]
fn getmail_clear() {
    getmail(Clear);
}

#[test]
fn getmail_tls() {
    getmail(Tls);
}

// ---- Python's poplib

fn poplib(transport: Transport, user: User) {
    let mut mails = awkward();
    mails.push(long_line());
    let visit = Visit::new(transport, user, mails);
    Tool::new(&visit.lab, "/usr/bin/python3")
        .arg(visit.script("poplib_fetch.py"))
        .args([
            &visit.host(),
            &visit.port(),
            transport.name(),
            visit.authority(),
        ])
        .args([user.name, user.password, visit.fetched()])
        .run();
    visit.judge(Fidelity::Wire);
}

#[test]
fn poplib_clear() {
    poplib(Clear, ALICE);
}

#[test]
fn poplib_stls_password_with_blanks() {
    poplib(Stls, CAROL);
}

#[test]
fn poplib_tls() {
    poplib(Tls, ALICE);
}

// ---- Perl's Net::POP3

fn net_pop3(transport: Transport, login: &str) {
    let visit = Visit::usual(transport);
    Tool::new(&visit.lab, "perl")
        .arg(visit.script("net_pop3_fetch.pl"))
        .args([
            &visit.host(),
            &visit.port(),
            transport.name(),
            visit.authority(),
        ])
        .args([ALICE.name, ALICE.password, login, visit.fetched()])
        .run();
    visit.judge(Fidelity::Unix);
}

#[test]
fn net_pop3_clear_user() {
    net_pop3(Clear, "user");
}

#[test]
fn net_pop3_stls_plain() {
    net_pop3(Stls, "sasl");
}

#[test]
fn net_pop3_tls_user() {
    net_pop3(Tls, "user");
}

// ---- mutt, in a terminal of its own; it marks what it fetched as old or read, hence the body

fn mutt(transport: Transport, authenticator: &str) {
    let visit = Visit::usual(transport);
    let scheme = if transport == Tls { "pops" } else { "pop" };
    let stls = if transport == Stls { "yes" } else { "no" };
    let spool = visit.lab.path().join("fetched");
    for name in ["tmp", "new", "cur"] {
        visit.lab.dir(&format!("fetched/{name}"));
    }
    let rc = format!(
        "set pop_host=\"{scheme}://{address}\"\nset pop_user={user}\nset pop_pass=\"{password}\"\nset pop_authenticators=\"{authenticator}\"\nset pop_delete=yes\nset ssl_starttls={stls}\nset ssl_force_tls={stls}\nset ssl_ca_certificates_file=\"{authority}\"\nunset ssl_usesystemcerts\nset ssl_verify_host_override={HOST}\nset mbox_type=Maildir\nset spoolfile=\"{spool}\"\nset folder=\"{spool}\"\nset move=no\nset confirmappend=no\npush \"<fetch-mail><exit>\"\n",
        address = visit.address(),
        user = ALICE.name,
        password = ALICE.password,
        authority = visit.authority(),
        spool = spool.display(),
    );
    let rc = visit.private("muttrc", &rc);
    // mutt wants a terminal: script makes one.
    let command = format!("mutt -n -F {rc}");
    Tool::new(&visit.lab, "script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .run();
    visit.judge(Fidelity::Body);
}

#[test]
fn mutt_clear_user() {
    mutt(Clear, "user");
}

#[test]
fn mutt_clear_scram() {
    mutt(Clear, "scram-sha-256");
}

#[test]
fn mutt_tls_scram() {
    mutt(Tls, "scram-sha-256");
}

#[test]
fn mutt_clear_plain() {
    mutt(Clear, "plain");
}

#[test]
fn mutt_stls_plain() {
    mutt(Stls, "plain");
}

#[test]
fn mutt_tls_user() {
    mutt(Tls, "user");
}
