//! The room against a real KDC, with a client of MIT's library.
//!
//! The realm is that of `kdc-testenv/mit`. Each test has its own, as nextest gives each its own
//! process; the acceptor in this process never sees its `krb5.conf`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "starts a KDC and a client"
)]
#![expect(dead_code, reason = "the room uses its part of the realm")]

mod bindings;
mod faults;
mod layers;

#[path = "../../../tests/lab/kerberos.rs"]
mod kerberos;
#[path = "../../../tests/lab/realm.rs"]
mod realm;

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;
use crate::{Pool, Reason};
pub(super) use kerberos::{Initiator, Realm};

impl Realm {
    pub(super) fn settings(&self) -> GssapiSettings {
        GssapiSettings {
            keytab: self.path("pop.keytab"),
            services: vec![ServiceName::parse("pop").unwrap()],
            replay_cache: Some(self.path("replay-cache")),
            weak_keys: false,
            rules: PrincipalRules::default(),
        }
    }

    pub(super) fn gssapi(&self) -> Arc<Gssapi> {
        gssapi(self.settings())
    }
}

pub(super) fn gssapi(settings: GssapiSettings) -> Arc<Gssapi> {
    let pool = Arc::new(Pool::new("gssapi", 1, 10, 10).unwrap());
    Arc::new(Gssapi::new(settings, pool))
}

impl Initiator {
    /// Talks to the end.
    pub(super) fn talk(&mut self, talk: &mut Talk) -> Result<Proven, Failure> {
        loop {
            let said = BASE64_STANDARD.decode(self.says()).unwrap();
            match talk.step(&said)? {
                Said::Proven(proven) => return Ok(*proven),
                Said::Challenge(challenge) => self.hears(&BASE64_STANDARD.encode(challenge)),
            }
        }
    }
}

pub(super) fn begin(gssapi: &Arc<Gssapi>, flavour: Flavour) -> Talk {
    let channel = crate::house::channel(crate::LoginType::PlainText, false);
    Talk::new(Arc::clone(gssapi), flavour, Bindings::of(&channel))
}

pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> (Reason, String) {
    let failure = outcome.unwrap_err();
    (failure.reason, failure.detail.unwrap_or_default())
}

const FLAVOURS: [(Flavour, &str); 2] = [(Flavour::Gssapi, "krb5"), (Flavour::Spnego, "spnego")];

#[test]
fn a_ticket_says_who_it_is_with_and_without_mutual_authentication() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (flavour, mechanism) in FLAVOURS {
        for more in [&[][..], &["--no-mutual"]] {
            let arguments = [&["pop@localhost", "--mechanism", mechanism], more].concat();
            let proven = realm
                .client(&arguments)
                .talk(&mut begin(&gssapi, flavour))
                .unwrap();
            assert_eq!(proven.client.to_string(), "alice@EXAMPLE.TEST");
            assert_eq!(proven.login, Ok("alice@EXAMPLE.TEST".to_owned()));
            assert_eq!(proven.authzid, "");
        }
    }
}

#[test]
fn the_name_of_another_host_of_the_keytab_will_do_unless_the_configuration_says_which() {
    let realm = Realm::start();
    let any = realm.gssapi();
    let mut settings = realm.settings();
    settings.services = vec![ServiceName::parse("POP/mail.example.test").unwrap()];
    let one = gssapi(settings);
    let asks = |host: &str, gssapi: &Arc<Gssapi>| {
        realm
            .client(&[host])
            .talk(&mut begin(gssapi, Flavour::Gssapi))
    };
    assert!(asks("pop@mail.example.test", &any).is_ok());
    assert!(asks("pop@mail.example.test", &one).is_ok());
    let (reason, detail) = refused(asks("pop@localhost", &one));
    assert_eq!(reason, Reason::WrongService);
    assert!(
        detail.contains("for pop/localhost@EXAMPLE.TEST kvno 1"),
        "{detail}"
    );
    assert!(
        detail.contains("holds pop/mail.example.test@EXAMPLE.TEST kvno 1"),
        "{detail}"
    );
}

#[test]
fn a_service_is_written_as_administrators_write_it() {
    assert!(ServiceName::parse("pop").is_some_and(|name| name.host.is_none()));
    let name = ServiceName::parse("POP/mail.example.test").unwrap();
    assert_eq!(
        (name.service.as_str(), name.host.as_deref()),
        ("POP", Some("mail.example.test"))
    );
    for text in [
        "", "/", "pop/", "/host", "pop/a/b", "pop@host", "pop/h@R", "p p", "pop\\x",
    ] {
        assert_eq!(ServiceName::parse(text), None, "{text}");
    }
}
