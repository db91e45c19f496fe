//! Mail clients that we did not write, with a ticket instead of a password: of an MIT KDC, and of the
//! domain controller of Active Directory.

use crate::lab::domain::Domain;
use crate::lab::kerberos::Realm;
use crate::lab::programs;
use crate::lab::visit::Transport::{Clear, Stls, Tls};
use crate::lab::visit::{Transport, Visit};
use crate::lab::world::Lab;
use crate::scene::{answer, visit};

/// The login was by this mechanism, and not by a password after it.
fn judge(visit: &Visit, realm: &Realm) {
    let record = visit
        .subject
        .postern()
        .told("login", &["\"reason\":\"granted\""]);
    let login = format!("\"login\":\"alice@{}\"", realm.name);
    assert!(record.contains("\"mechanism\":\"GSSAPI\""), "{record}");
    assert!(record.contains(&login), "{record}");
}

/// With a ticket of an MIT KDC.
fn mit(transport: Transport, fetch: fn(&Visit, &Realm)) {
    let realm = Realm::start();
    let visit = visit(transport, &realm);
    fetch(&visit, &realm);
    judge(&visit, &realm);
}

/// With a ticket of a domain controller, over every transport.
fn domain(fetch: fn(&Visit, &Realm)) {
    let lab = Lab::new();
    let realm = Domain::start(&lab).realm();
    for transport in [Clear, Stls, Tls] {
        let visit = visit(transport, &realm);
        fetch(&visit, &realm);
        judge(&visit, &realm);
    }
}

fn curl(visit: &Visit, _: &Realm) {
    programs::curl(visit, "AUTH=GSSAPI", &[]);
}

#[test]
fn curl_clear() {
    mit(Clear, curl);
}

#[test]
fn curl_stls() {
    mit(Stls, curl);
}

#[test]
fn curl_tls() {
    mit(Tls, curl);
}

#[test]
fn curl_of_a_domain() {
    domain(curl);
}

fn fetchmail(visit: &Visit, _: &Realm) {
    programs::fetchmail(visit);
}

#[test]
fn fetchmail_clear() {
    mit(Clear, fetchmail);
}

#[test]
fn fetchmail_stls() {
    mit(Stls, fetchmail);
}

#[test]
fn fetchmail_tls() {
    mit(Tls, fetchmail);
}

#[test]
fn fetchmail_of_a_domain() {
    domain(fetchmail);
}

fn mpop(visit: &Visit, _: &Realm) {
    programs::mpop(visit, "gssapi");
}

#[test]
fn mpop_clear() {
    mit(Clear, mpop);
}

#[test]
fn mpop_stls() {
    mit(Stls, mpop);
}

#[test]
fn mpop_tls() {
    mit(Tls, mpop);
}

#[test]
fn mpop_of_a_domain() {
    domain(mpop);
}

fn mutt(visit: &Visit, _: &Realm) {
    programs::mutt(visit, "gssapi");
}

#[test]
fn mutt_clear() {
    mit(Clear, mutt);
}

#[test]
fn mutt_stls() {
    mit(Stls, mutt);
}

#[test]
fn mutt_tls() {
    mit(Tls, mutt);
}

#[test]
fn mutt_of_a_domain() {
    domain(mutt);
}

fn net_pop3(visit: &Visit, _: &Realm) {
    programs::net_pop3(visit, "gssapi");
}

#[test]
fn net_pop3_clear() {
    mit(Clear, net_pop3);
}

#[test]
fn net_pop3_stls() {
    mit(Stls, net_pop3);
}

#[test]
fn net_pop3_tls() {
    mit(Tls, net_pop3);
}

#[test]
fn net_pop3_of_a_domain() {
    domain(net_pop3);
}

fn s_nail(visit: &Visit, _: &Realm) {
    programs::s_nail(visit);
}

#[test]
fn s_nail_clear() {
    mit(Clear, s_nail);
}

#[test]
fn s_nail_stls() {
    mit(Stls, s_nail);
}

#[test]
fn s_nail_tls() {
    mit(Tls, s_nail);
}

#[test]
fn s_nail_of_a_domain() {
    domain(s_nail);
}

/// Python's gssapi, move by move.
fn python(visit: &Visit, realm: &Realm) {
    let mut client = visit.client();
    let reply = answer(
        &mut client,
        "GSSAPI",
        &mut realm.client(&[&realm.service()]),
    );
    assert_eq!(reply, "+OK User successfully logged on.");
    visit.empty(client);
}

#[test]
fn python_clear() {
    mit(Clear, python);
}

#[test]
fn python_stls() {
    mit(Stls, python);
}

#[test]
fn python_tls() {
    mit(Tls, python);
}

#[test]
fn python_of_a_domain() {
    domain(python);
}
