//! Logging in: the rule of listeners, and the policy of all of them.

use postern_auth::{CertificateName, Login, LoginRule, Policy, Site};

use super::{Resolver, or, texts, word, words};
use crate::config::file::{self, Maybe};
use crate::config::profile::Profile;
use crate::config::quantity::Span;
use toml::Spanned;

/// What this version can do.
const MECHANISMS: &[&str] = &[
    "EXTERNAL",
    "GSS-SPNEGO",
    "GSSAPI",
    "LOGIN",
    "NTLM",
    "PLAIN",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
];

/// What is said of a mechanism that is not here.
const REMEDY: &str = "remove it; this version has EXTERNAL, GSS-SPNEGO, GSSAPI, LOGIN, NTLM, PLAIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS";

/// What somebody may ask for, to be told that it is not here rather than that it does not exist.
const ELSEWHERE: &[&str] = &[
    "CRAM-MD5",
    "DIGEST-MD5",
    "GS2-KRB5",
    "OAUTHBEARER",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "XOAUTH2",
];

impl Resolver<'_> {
    /// The rule of listeners that override nothing.
    pub(super) fn rule(&mut self, file: &file::File) -> LoginRule {
        let written = &file.login;
        LoginRule {
            login_type: word(
                &written.login_type,
                words::login_type,
                self.defaults.login_type,
            ),
            mechanisms: self
                .mechanisms("login.mechanisms", &written.mechanisms)
                .unwrap_or_else(|| {
                    self.defaults
                        .mechanisms
                        .iter()
                        .map(|&name| name.to_owned())
                        .collect()
                }),
            user_pass: or(&written.user_pass, self.defaults.user_pass),
            extended_protection: word(
                &written.extended_protection,
                words::extended_protection,
                self.defaults.extended_protection,
            ),
            accept_ntlmv1: self
                .networks("ntlm.accept_ntlmv1", &file.ntlm.accept_ntlmv1)
                .unwrap_or_default(),
        }
    }

    /// A list of mechanisms, if there is one.
    pub(super) fn mechanisms(
        &mut self,
        key: &str,
        written: &Maybe<Vec<Spanned<String>>>,
    ) -> Option<Vec<String>> {
        let written = written.as_ref()?;
        let mut names: Vec<String> = Vec::new();
        for (name, span) in texts(written.get_ref()) {
            let upper = name.to_ascii_uppercase();
            if ELSEWHERE.contains(&upper.as_str()) {
                let problem = format!("{upper} is not in this version");
                self.error(key, span, &problem, REMEDY);
            } else if !MECHANISMS.contains(&upper.as_str()) {
                let problem = format!("{name:?} is not a SASL mechanism that this server knows");
                self.error(key, span, &problem, REMEDY);
            } else if names.contains(&upper) {
                let problem = format!("{upper} stands twice in the list");
                self.error(key, span, &problem, "remove one of them");
            } else {
                names.push(upper);
            }
        }
        Some(names)
    }

    pub(super) fn policy(&mut self, written: &file::File, hostname: &str) -> Policy {
        let defaults = self.defaults.clone();
        let login = &written.login;
        self.site_rule(written);
        Policy {
            site: written
                .site
                .as_ref()
                .map(|site| Site::new(site.get_ref().trim())),
            cross_site: word(&login.cross_site, words::cross_site, defaults.cross_site),
            attempts_per_connection: count(or(&login.attempts, defaults.attempts)),
            failures_per_account: count(or(
                &login.failures_per_account,
                defaults.failures_per_account,
            )),
            failures_per_source: count(or(
                &login.failures_per_source,
                defaults.failures_per_source,
            )),
            throttle_window: or(&login.window, Span(defaults.window)).0,
            refusal_delay: or(&login.refusal_delay, Span(defaults.refusal_delay)).0,
            blocked_accounts: self.blocked_accounts(login),
            certificate_names: self.certificate_names(login),
            ntlm: self.ntlm(&written.ntlm, hostname),
        }
    }

    /// C0010: a rule that compares with nothing refuses nobody.
    fn site_rule(&mut self, written: &file::File) {
        if let Some(site) = &written.site {
            if site.get_ref().trim().is_empty() {
                let remedy = "write its name, or leave the key out";
                self.error("site", site.span(), "the name is empty", remedy);
            }
            return;
        }
        let remedy = "set `site` to the site of this server, or login.cross_site = \"direct\"";
        let problem =
            "cross-site logins are to be refused, but this server has no site, so nobody is";
        match &written.login.cross_site {
            Some(rule) if rule.get_ref() == "refuse" => {
                self.warning("login.cross_site", rule.span(), problem, remedy);
            }
            None if self.profile == Profile::Exchange2007 => {
                self.warning("login.cross_site", 0..0, problem, remedy);
            }
            _ => {}
        }
    }

    fn certificate_names(&mut self, login: &file::Login) -> Vec<CertificateName> {
        let Some(written) = &login.certificate_names else {
            return words::CERTIFICATE_NAMES.to_vec();
        };
        let key = "login.certificate_names";
        let mut names = Vec::new();
        for (word, span) in texts(written.get_ref()) {
            match words::certificate_name(word) {
                Some(name) if names.contains(&name) => {
                    let problem = format!("{word:?} stands twice in the list");
                    self.error(key, span, &problem, "remove one of them");
                }
                Some(name) => names.push(name),
                None => {
                    let problem = format!("{word:?} is not a way from a certificate to an account");
                    let remedy = "write \"fingerprint\", \"upn\" or \"email\"";
                    self.error(key, span, &problem, remedy);
                }
            }
        }
        names
    }

    fn blocked_accounts(&mut self, login: &file::Login) -> Vec<String> {
        let Some(names) = &login.blocked_accounts else {
            return self
                .defaults
                .blocked_accounts
                .iter()
                .map(|&name| name.to_owned())
                .collect();
        };
        let canonical = |name: &str| {
            let login = Login::parse(name);
            login.map_or_else(|_| name.to_lowercase(), |login| login.key().to_owned())
        };
        texts(names.get_ref())
            .map(|(name, _)| canonical(name))
            .collect()
    }
}

/// All counts are far below 2^32: the option table says so.
fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
