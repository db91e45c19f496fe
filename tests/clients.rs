//! Real mail clients fetch awkward mail and delete it, over every transport that they know.
//!
//! Each test is one client, one transport and one way to log in, against a server of its own. What
//! came home is compared with what lay on disk, as exactly as the client lets us see it; then the
//! Maildir must be empty. How a client is driven is in `lab/programs.rs`; clients with a ticket are in
//! `tests/kerberos`.

#![cfg(test)]

mod lab;

use std::path::Path;

use lab::mail::{Mail, awkward, hostile, long_line};
use lab::programs;
use lab::tool::Tool;
use lab::visit::Transport::{Clear, Stls, Tls};
use lab::visit::{Fidelity, Transport, Visit};
use lab::world::{ALICE, CAROL, HOST, User};

/// Every octet, the ones that no mail should have too.
fn everything() -> Vec<Mail> {
    let mut mails = awkward();
    mails.push(long_line());
    mails.extend(hostile());
    mails
}

// ---- our own client

fn exact(transport: Transport) {
    let visit = Visit::new(transport, CAROL, everything());
    let mut client = visit.client();
    client.login(CAROL);
    visit.empty(client);
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

fn curl(transport: Transport, mechanism: &str, options: &[&str]) {
    let visit = Visit::new(transport, ALICE, everything());
    programs::curl(&visit, mechanism, options);
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

// ---- fetchmail

fn fetchmail(transport: Transport) {
    // No long line: of one over 8 KiB it writes what it did not read.
    programs::fetchmail(&Visit::new(transport, ALICE, awkward()));
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
    programs::mpop(&Visit::usual(transport), auth);
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
        host = visit.host,
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
            &visit.host,
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
    programs::net_pop3(&Visit::usual(transport), login);
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

// ---- mutt

fn mutt(transport: Transport, authenticator: &str) {
    programs::mutt(&Visit::usual(transport), authenticator);
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
