//! A laboratory for the tests that stand outside: real servers, real clients, real mail.
//!
//! A [`Lab`] is a temporary folder with a loopback address, a certificate authority, users and
//! Maildirs of its own. The subject is Postern; `POSTERN_SUBJECT=dovecot` puts Debian's Dovecot in its
//! place, which shows that a test asks for nothing but POP3. A missing program fails the test with the
//! remedy, it is never skipped. Nothing of the machine's own configuration is read or written.

#![expect(dead_code, reason = "each test program uses its part of the lab")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: the lab plays the world, with its files, sockets and programs"
)]

pub(crate) mod daemon;
pub(crate) mod dice;
pub(crate) mod domain;
pub(crate) mod dovecot;
pub(crate) mod imap;
pub(crate) mod kerberos;
pub(crate) mod mail;
pub(crate) mod pki;
pub(crate) mod pop3;
pub(crate) mod postern;
pub(crate) mod postfix;
pub(crate) mod programs;
pub(crate) mod realm;
pub(crate) mod strace;
pub(crate) mod street;
pub(crate) mod tool;
pub(crate) mod visit;
pub(crate) mod world;

use std::net::SocketAddr;

use daemon::Daemon;
use dovecot::Dovecot;
use postern::Postern;
use world::Lab;

/// The three ways in that every server of the lab offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    /// STLS is offered and a password in the clear is taken (LoginType 1).
    pub(crate) plain: SocketAddr,
    /// STLS is offered and needed before a password is taken (LoginType 3).
    pub(crate) secure: SocketAddr,
    /// TLS from the first octet.
    pub(crate) implicit: SocketAddr,
}

/// The server under test.
pub(crate) enum Subject {
    /// The one that all this is about.
    Postern(Postern),
    /// The incumbent, as a check on the tests.
    Dovecot(Dovecot),
}

impl Subject {
    /// Starts what `POSTERN_SUBJECT` names, Postern when it names nothing.
    pub(crate) fn start(lab: &Lab) -> Self {
        match std::env::var("POSTERN_SUBJECT").as_deref() {
            Err(_) | Ok("postern") => Self::Postern(Postern::start(lab)),
            Ok("dovecot") => Self::Dovecot(Dovecot::start(lab, "subject", "")),
            Ok(other) => panic!("POSTERN_SUBJECT={other}: say postern or dovecot"),
        }
    }

    /// Ends it and starts it again, at other ports.
    pub(crate) fn restart(&mut self, lab: &Lab) {
        self.daemon().stop();
        *self = Self::start(lab);
    }

    /// Postern itself, for tests of what only Postern does.
    pub(crate) fn postern(&self) -> &Postern {
        match self {
            Self::Postern(postern) => postern,
            Self::Dovecot(_) => panic!("this test is about Postern: unset POSTERN_SUBJECT"),
        }
    }

    /// Its process.
    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        match self {
            Self::Postern(postern) => &mut postern.daemon,
            Self::Dovecot(dovecot) => &mut dovecot.daemon,
        }
    }

    /// Where it listens.
    pub(crate) fn doors(&self) -> Doors {
        match self {
            Self::Postern(postern) => postern.doors,
            Self::Dovecot(dovecot) => dovecot.doors,
        }
    }
}
