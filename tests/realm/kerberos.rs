//! `kdc-testenv/mit`: who is in the KDC, and what it says to each.

use std::fs;

use crate::lab::realm::{PASSWORD, Part};
use crate::lab::tool::Tool;
use crate::lab::world::Lab;

fn said(tool: Tool) -> String {
    let output = tool.output();
    let octets = [output.stdout, output.stderr].concat();
    String::from_utf8(octets).expect("text")
}

/// `kinit` with this password, as somebody at a terminal.
fn login(lab: &Lab, kdc: &Part, principal: &str, password: &str) -> String {
    let input = lab.write("password", format!("{password}\n"));
    said(
        kdc.tool(lab, "kinit")
            .args(["-c", "MEMORY:", principal])
            .input(&input),
    )
}

/// A ticket for the principal, from its keys.
fn ticket(lab: &Lab, kdc: &Part, principal: &str) {
    kdc.tool(lab, "kinit")
        .args(["-k", "-t"])
        .arg(kdc.file("users.keytab"))
        .arg(principal)
        .run();
}

/// What `kvno` says of a ticket for the service, decrypted with the keytab.
fn opened(lab: &Lab, kdc: &Part, keytab: &str, service: &str) -> String {
    said(
        kdc.tool(lab, "kvno")
            .arg("-k")
            .arg(kdc.file(keytab))
            .arg(service),
    )
}

#[test]
fn each_state_of_a_principal_is_somebody() {
    let lab = Lab::new();
    let kdc = Part::start(&lab, "mit", "kdc", &[]);
    for (principal, password, words) in [
        ("bob", "wrong", "Password incorrect"),
        ("carol", PASSWORD, "Password expired"),
        ("dave", PASSWORD, "credentials have been revoked"),
        ("erin", PASSWORD, "entry in database has expired"),
        ("nobody", PASSWORD, "not found in Kerberos database"),
    ] {
        let answer = login(&lab, &kdc, principal, password);
        assert!(answer.contains(words), "{principal}: {answer}");
    }
    for principal in ["alice", "bob", "alice/admin", "alice@PARTNER.TEST"] {
        let answer = login(&lab, &kdc, principal, PASSWORD);
        let prompt = format!("Password for {principal}");
        assert!(answer.starts_with(&prompt), "{answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
}

#[test]
fn every_keytab_opens_the_tickets_of_its_services_and_no_others() {
    let lab = Lab::new();
    let kdc = Part::start(&lab, "mit", "kdc", &[]);
    ticket(&lab, &kdc, "alice");
    for (keytab, service, valid) in [
        ("pop.keytab", "pop/localhost", true),
        ("pop.keytab", "pop/mail.example.test", true),
        ("pop.keytab", "imap/localhost", true),
        ("imap.keytab", "imap/localhost", true),
        ("imap.keytab", "pop/localhost", false),
        ("rc4.keytab", "pop/rc4.example.test", true),
    ] {
        let answer = opened(&lab, &kdc, keytab, service);
        let is = answer.contains("keytab entry valid");
        assert_eq!(is, valid, "{keytab}, {service}: {answer}");
    }
    ticket(&lab, &kdc, "alice@PARTNER.TEST");
    let answer = opened(&lab, &kdc, "pop.keytab", "pop/localhost@EXAMPLE.TEST");
    assert!(answer.contains("keytab entry valid"), "{answer}");
}

#[test]
fn a_rotated_key_is_missing_from_the_old_keytab_until_it_is_put_there() {
    let lab = Lab::new();
    let kdc = Part::start(&lab, "mit", "kdc", &[]);
    let new = kdc.file("new.keytab");
    fs::copy(kdc.file("pop.keytab"), &new).expect("a copy");
    ticket(&lab, &kdc, "alice");
    assert!(opened(&lab, &kdc, "pop.keytab", "pop/localhost").contains("kvno = 1"));

    let new = new.to_str().expect("a path of letters");
    assert!(kdc.run("rotate", &["pop/localhost", new]).status.success());
    // A ticket given out before is still good, and the new keytab opens it too.
    assert!(opened(&lab, &kdc, "new.keytab", "pop/localhost").contains("kvno = 1"));
    ticket(&lab, &kdc, "alice");
    let answer = opened(&lab, &kdc, "pop.keytab", "pop/localhost");
    assert!(
        answer.contains("kvno = 2, keytab entry invalid"),
        "{answer}"
    );
    let answer = opened(&lab, &kdc, "new.keytab", "pop/localhost");
    assert!(answer.contains("kvno = 2, keytab entry valid"), "{answer}");
}

#[test]
fn a_kdc_that_was_stopped_comes_back_where_it_was() {
    let lab = Lab::new();
    let kdc = Part::start(&lab, "mit", "kdc", &[]);
    let before = fs::read_to_string(kdc.file("krb5.conf")).expect("krb5.conf");
    kdc.stop();
    let answer = login(&lab, &kdc, "alice", PASSWORD);
    assert!(answer.contains("Cannot contact any KDC"), "{answer}");
    kdc.start_again(&[]);
    let after = fs::read_to_string(kdc.file("krb5.conf")).expect("krb5.conf");
    assert_eq!(before, after);
    ticket(&lab, &kdc, "alice");
}
