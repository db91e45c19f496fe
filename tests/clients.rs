//! Real mail clients fetch awkward mail and delete it, over every transport that they know.

#![cfg(test)]

mod lab;

use lab::Subject;
use lab::pop3::Client;
use lab::world::{ALICE, Lab};

#[test]
fn exact() {
    let lab = Lab::new();
    let mut mails = lab::mail::awkward();
    mails.push(lab::mail::long_line());
    mails.extend(lab::mail::hostile());
    lab.maildir(ALICE).deliver_all(&mails);
    let subject = Subject::start(&lab);
    let doors = subject.doors();
    let transports = [
        Client::connect(doors.plain),
        Client::connect_stls(doors.secure, &lab.pki),
        Client::connect_tls(doors.implicit, &lab.pki),
    ];
    for mut client in transports {
        client.login(ALICE);
        assert_eq!(client.uids().len(), mails.len());
        for (index, mail) in mails.iter().enumerate() {
            let got = client.body(&format!("RETR {}", index + 1));
            assert!(
                got == mail.wire(),
                "{} differs: {} octets, not {}",
                mail.name,
                got.len(),
                mail.wire().len()
            );
        }
        client.quit();
    }
}
