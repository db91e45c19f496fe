//! What a client showed within one handshake: the judge of certificates knows no connection, and
//! the connection hears of no certificate that was refused.
//!
//! It also keeps certificates out of tickets. The library would put the client's certificate into
//! the ticket, and take it from there again without a look at its end or at the revocation
//! lists, with a new ticket each time. So a session with a certificate has no ticket, and every
//! connection is judged anew.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};
use std::io;
use std::sync::Arc;

use rustls::server::{ProducesTickets, StoresServerSessions};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The most characters of a reason, and of a subject, in a record.
const PRINTED: usize = 256;

tokio::task_local! {
    static SHOWN: Shown;
}

#[derive(Default)]
struct Shown {
    certificate: Cell<bool>,
    refused: RefCell<Option<Refused>>,
}

/// A certificate that was not good.
#[derive(Debug)]
struct Refused {
    subject: String,
    fingerprint: String,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            fingerprint,
            why,
        } = self;
        write!(
            f,
            "the client's certificate was refused: {why}; {subject}, sha256:{fingerprint}"
        )
    }
}

impl std::error::Error for Refused {}

/// Makes a handshake. Its error names the certificate that it failed for.
pub(super) async fn within<T>(handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let explained = async {
        handshake.await.map_err(|error| {
            let refused = SHOWN.with(|shown| shown.refused.take());
            refused.map_or(error, |refused| {
                io::Error::new(io::ErrorKind::InvalidData, refused)
            })
        })
    };
    SHOWN.scope(Shown::default(), explained).await
}

/// The client of this handshake shows a certificate.
pub(super) fn certificate() {
    // Outside of a handshake nobody asks.
    let _ = SHOWN.try_with(|shown| shown.certificate.set(true));
}

/// It is not good.
pub(super) fn refused(der: &[u8], why: Cow<'static, str>) {
    let _ = SHOWN.try_with(|shown| {
        let parsed = X509Certificate::from_der(der);
        let subject = parsed.map_or("no subject".to_owned(), |(_, certificate)| {
            printable(&certificate.subject().to_string())
        });
        let fingerprint = Sha256::digest(der)
            .iter()
            .fold(String::new(), |mut text, octet| {
                let _ = write!(text, "{octet:02x}");
                text
            });
        shown.refused.replace(Some(Refused {
            subject,
            fingerprint,
            why: printable(&why),
        }));
    });
}

/// A stranger wrote the subject: bounded, and with everything escaped that is not plain text.
fn printable(written: &str) -> String {
    let mut text = String::new();
    for letter in written.chars().take(PRINTED) {
        if letter == ' ' || letter.is_alphanumeric() || letter.is_ascii_punctuation() {
            text.push(letter);
        } else {
            text.extend(letter.escape_unicode());
        }
    }
    text
}

/// Whether the session of this handshake may be resumed. Not when that is unknown.
fn may_resume() -> bool {
    SHOWN
        .try_with(|shown| !shown.certificate.get())
        .unwrap_or(false)
}

/// Tickets for clients that showed no certificate.
#[derive(Debug)]
pub(super) struct Tickets(pub(super) Arc<dyn ProducesTickets>);

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if may_resume() {
            self.0.encrypt(plain)
        } else {
            None
        }
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

/// Sessions of TLS 1.2 without tickets, of clients that showed no certificate.
#[derive(Debug)]
pub(super) struct Sessions(pub(super) Arc<dyn StoresServerSessions>);

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        may_resume() && self.0.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.take(key)
    }

    fn can_cache(&self) -> bool {
        self.0.can_cache()
    }
}
