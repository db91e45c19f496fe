//! The door: listeners, certificates, and whether anybody can get in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use postern_auth::{LoginRule, LoginType};
use toml::Spanned;

use super::server::is_hostname;
use super::{Resolver, or, word, words};
use crate::config::file::{self, Maybe};
use crate::config::{CertificateFiles, Listener, ListenerTls, Tls};

impl Resolver<'_> {
    pub(super) fn listeners(&mut self, written: &file::File, base: &LoginRule) -> Vec<Listener> {
        if written.listener.is_empty() {
            self.missing(
                "listener",
                "there is no listener, so nobody can connect",
                "add [[listener]] with address = \"[::]:110\" and tls = \"starttls\", \
                 and another with address = \"[::]:995\" and tls = \"implicit\"",
            );
        }
        let mut listeners: Vec<Listener> = Vec::new();
        for (number, item) in written.listener.iter().enumerate() {
            let key = format!("listener[{number}]");
            let rule = self.listener_rule(&key, item.get_ref(), base);
            let tls = word(
                &item.get_ref().tls,
                words::listener_tls,
                ListenerTls::StartTls,
            );
            self.listener_tls(&key, item, tls, written.tls.is_some());
            self.listener_login(&key, item, tls, &rule);
            let Some(address) = self.address(&key, item, &listeners) else {
                continue;
            };
            let listener = Listener {
                address,
                tls,
                rule: Arc::new(rule),
            };
            self.clear_passwords(&key, item, &listener);
            listeners.push(listener);
        }
        self.anybody(written, &listeners);
        listeners
    }

    fn listener_rule(&mut self, key: &str, item: &file::Listener, base: &LoginRule) -> LoginRule {
        LoginRule {
            login_type: word(&item.login_type, words::login_type, base.login_type),
            mechanisms: self
                .mechanisms(&format!("{key}.mechanisms"), &item.mechanisms)
                .unwrap_or_else(|| base.mechanisms.clone()),
            user_pass: or(&item.user_pass, base.user_pass),
            extended_protection: word(
                &item.extended_protection,
                words::extended_protection,
                base.extended_protection,
            ),
            accept_ntlmv1: self
                .networks(&format!("{key}.accept_ntlmv1"), &item.accept_ntlmv1)
                .unwrap_or_else(|| base.accept_ntlmv1.clone()),
        }
    }

    fn address(
        &mut self,
        key: &str,
        item: &Spanned<file::Listener>,
        before: &[Listener],
    ) -> Option<SocketAddr> {
        let key = format!("{key}.address");
        let remedy = "write an IP address and a port, such as \"[::]:110\" or \"127.0.0.1:1110\"";
        let Some(written) = &item.get_ref().address else {
            if !self.incomplete {
                self.error(&key, item.span(), "the key is missing", remedy);
            }
            return None;
        };
        let Ok(address) = written.get_ref().parse::<SocketAddr>() else {
            let problem = format!("{:?} is not an address with a port", written.get_ref());
            self.error(&key, written.span(), &problem, remedy);
            return None;
        };
        if let Some(other) = before.iter().find(|other| collide(other.address, address)) {
            let problem = format!(
                "{address} is already taken by the listener on {}",
                other.address
            );
            let remedy = "remove one of them; a [::] listener takes IPv4 as well";
            self.error(&key, written.span(), &problem, remedy);
        }
        Some(address)
    }

    fn listener_tls(
        &mut self,
        key: &str,
        item: &Spanned<file::Listener>,
        tls: ListenerTls,
        certificate: bool,
    ) {
        if tls != ListenerTls::None && !certificate {
            let span = item
                .get_ref()
                .tls
                .as_ref()
                .map_or(item.span(), Spanned::span);
            self.error(
                &format!("{key}.tls"),
                span,
                "the listener uses TLS, but there is no [tls] section",
                "add [tls] with certificate and private_key, or set tls = \"none\" for this listener",
            );
        }
    }

    /// A warning when this listener lets nobody in.
    fn listener_login(
        &mut self,
        key: &str,
        item: &Spanned<file::Listener>,
        tls: ListenerTls,
        rule: &LoginRule,
    ) {
        if !lets_in(tls, rule) {
            self.warning(
                key,
                item.span(),
                "nobody can log in on this listener",
                "give it tls = \"starttls\" or \"implicit\", or (on loopback only) login_type = \"plain-text\", \
                 and a way to log in: user_pass = true or mechanisms = [\"PLAIN\"]",
            );
        }
    }

    /// A warning when passwords may travel in the clear over a network.
    fn clear_passwords(&mut self, key: &str, item: &Spanned<file::Listener>, listener: &Listener) {
        if listener.rule.login_type == LoginType::PlainText
            && listener.tls != ListenerTls::Implicit
            && !listener.address.ip().is_loopback()
        {
            self.warning(
                &format!("{key}.login_type"),
                item.span(),
                "passwords may travel in the clear on this listener, and anybody on the path can read them",
                "use \"secure\", or bind the listener to 127.0.0.1",
            );
        }
    }

    /// An error when no listener lets anybody in.
    fn anybody(&mut self, written: &file::File, listeners: &[Listener]) {
        if listeners.is_empty() || listeners.iter().any(|door| lets_in(door.tls, &door.rule)) {
            return;
        }
        let span = written
            .login
            .login_type
            .as_ref()
            .map_or(0..0, Spanned::span);
        self.error(
            "login.type",
            span,
            "nobody could log in: no listener permits a password",
            "give a listener tls = \"starttls\" or \"implicit\" and add [tls], or (on loopback only) \
             set type = \"plain-text\" under [login]; keep user_pass = true or mechanisms = [\"PLAIN\"]",
        );
    }

    /// The certificates: `None` when something is wrong, `Some(None)` when there are none.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether the section could be read"
    )]
    pub(super) fn tls(&mut self, written: &file::File) -> Option<Option<Tls>> {
        let Some(section) = &written.tls else {
            return Some(None);
        };
        let tls = section.get_ref();
        if written
            .listener
            .iter()
            .all(|item| is_none(&item.get_ref().tls))
        {
            let remedy = "give a listener tls = \"starttls\" or \"implicit\", or remove [tls]";
            self.warning("tls", section.span(), "no listener uses TLS", remedy);
        }
        let default = self.certificate("tls", &tls.certificate, &tls.private_key);
        let mut sni = Vec::new();
        for (number, item) in tls.sni.iter().enumerate() {
            let key = format!("tls.sni[{number}]");
            let item = item.get_ref();
            let name = self.sni_name(&key, item);
            let files = self.certificate(&key, &item.certificate, &item.private_key);
            if let (Some(name), Some(files)) = (name, files) {
                sni.push((name, files));
            }
        }
        let extra_certificates = self.extra_certificates(tls);
        let clients = self.clients(tls);
        Some(Some(Tls {
            default: default?,
            sni,
            extra_certificates,
            minimum: word(&tls.minimum, words::tls_version, self.defaults.tls_minimum),
            clients,
        }))
    }

    fn extra_certificates(&mut self, tls: &file::Tls) -> Vec<PathBuf> {
        let key = "tls.extra_certificates";
        let written = tls.extra_certificates.iter().flat_map(Spanned::get_ref);
        let remedy = "name the PEM file with the certificate that the balancer shows";
        written
            .filter_map(|item| self.path(key, &Some(item.clone()), remedy))
            .collect()
    }

    fn sni_name(&mut self, key: &str, item: &file::Sni) -> Option<String> {
        let key = format!("{key}.name");
        let remedy = "write the full name that clients ask for, such as \"mail.example.test\"";
        let Some(name) = &item.name else {
            self.missing(&key, "the key is missing", remedy);
            return None;
        };
        if !is_hostname(name.get_ref()) {
            let problem = format!("{:?} is not the name of a host", name.get_ref());
            self.error(&key, name.span(), &problem, remedy);
        }
        Some(name.get_ref().to_ascii_lowercase())
    }

    fn certificate(
        &mut self,
        key: &str,
        certificate: &Maybe<String>,
        private_key: &Maybe<String>,
    ) -> Option<CertificateFiles> {
        let remedy = "name the PEM file with the certificate and its intermediates";
        let certificate = self.path(&format!("{key}.certificate"), certificate, remedy);
        let remedy = "name the PEM file with the certificate's private key";
        let private_key = self.path(&format!("{key}.private_key"), private_key, remedy);
        Some(CertificateFiles {
            certificate: certificate?,
            private_key: private_key?,
        })
    }
}

/// Whether anybody can log in at all: with a password, or without TLS by what hides it.
fn lets_in(tls: ListenerTls, rule: &LoginRule) -> bool {
    let protected = tls != ListenerTls::None || rule.login_type == LoginType::PlainText;
    let hides = |name: &String| matches!(name.as_str(), "NTLM" | "SCRAM-SHA-256");
    let hidden =
        rule.login_type == LoginType::PlainTextAuthentication && rule.mechanisms.iter().any(hides);
    hidden || protected && (rule.user_pass || !rule.mechanisms.is_empty())
}

fn is_none(tls: &Maybe<String>) -> bool {
    tls.as_ref().is_some_and(|tls| tls.get_ref() == "none")
}

/// Whether the second could not be bound because of the first.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let any = |address: SocketAddr| address.is_ipv6() && address.ip().is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && (one.ip() == other.ip()
            || any(one)
            || any(other)
            || one.is_ipv4()
                && other.is_ipv4()
                && (one.ip().is_unspecified() || other.ip().is_unspecified()))
}
