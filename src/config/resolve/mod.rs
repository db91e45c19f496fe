//! From written to meant: what depends on several keys, and the typed values.

mod clients;
mod door;
mod gssapi;
mod ldap;
mod login;
mod mail;
mod ntlm;
mod protocol_log;
mod server;
mod words;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::file::{File, Maybe};
use super::meant::RECHECK;
use super::profile::{Defaults, Profile};
use super::quantity::Span;
use super::{Accepted, Config, Finding, Place, Rejected, Severity};

pub(super) use words::{cross_site_text, login_type_text};

/// Where the text came from.
pub(super) struct Source<'a> {
    /// What the file contains.
    pub(super) text: &'a str,
    /// Its name.
    pub(super) file: &'a Path,
    /// What stands where it names no host.
    pub(super) hostname: &'a str,
}

/// Makes the configuration, or says everything that is wrong with it.
pub(super) fn resolve(
    source: &Source<'_>,
    written: &File,
    findings: Vec<Finding>,
) -> Result<Accepted, Rejected> {
    let profile = written
        .profile
        .as_ref()
        .and_then(|name| Profile::from_name(name.get_ref()))
        .unwrap_or(Profile::Postern);
    let mut resolver = Resolver {
        source,
        profile,
        defaults: profile.defaults(),
        incomplete: !findings.is_empty(),
        findings,
    };
    let config = resolver.config(written);
    let mut findings = resolver.findings;
    findings.sort_by(|a, b| (a.severity, &a.place).cmp(&(b.severity, &b.place)));
    let failed = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    match config {
        Some(config) if !failed => Ok(Accepted {
            config,
            warnings: findings,
        }),
        _ => Err(Rejected(findings)),
    }
}

struct Resolver<'a> {
    source: &'a Source<'a>,
    profile: Profile,
    defaults: Defaults,
    /// Something was left out before: that a key is missing may follow from it.
    incomplete: bool,
    findings: Vec<Finding>,
}

impl Resolver<'_> {
    fn config(&mut self, written: &File) -> Option<Config> {
        let hostname = self.hostname(written);
        let banner = self.banner(written);
        let run_as = self.run_as(written);
        let rule = self.rule(written);
        let policy = self.policy(written, &hostname);
        let tls = self.tls(written);
        let listeners = self.listeners(written, &rule);
        let gssapi = self.gssapi(written, &listeners);
        let winbind = self.winbind(written, &policy, &listeners);
        let limits = self.limits(&written.limits);
        let timeouts = self.timeouts(written);
        let recheck = or(&written.login.recheck, Span(RECHECK)).0;
        let users_file = self.users_file(written);
        let users_key = self.users_key(&written.users);
        let ldap = self.ldap(&written.ldap);
        let maildrop = self.maildrop(written);
        let protocol_log = self.protocol_log(&written.protocol_log);
        Some(Config {
            file: self.source.file.to_owned(),
            profile: self.profile,
            hostname,
            banner,
            run_as,
            listeners,
            tls: tls?,
            policy,
            recheck,
            winbind,
            gssapi,
            users_file: users_file?,
            users_key,
            ldap,
            maildrop: maildrop?,
            limits,
            timeouts,
            messages: self.messages(&written.messages),
            protocol: self.protocol(&written.protocol),
            log: self.log(&written.log),
            protocol_log,
        })
    }

    fn error(&mut self, key: &str, span: Range<usize>, problem: &str, remedy: &str) {
        let finding = Finding::error(problem, remedy)
            .key(key)
            .place(self.place(span));
        self.findings.push(finding);
    }

    fn warning(&mut self, key: &str, span: Range<usize>, problem: &str, remedy: &str) {
        let finding = Finding::warning(problem, remedy)
            .key(key)
            .place(self.place(span));
        self.findings.push(finding);
    }

    /// An error about something that is not there. It is left out when something was left out
    /// before, because that may have been it.
    fn missing(&mut self, key: &str, problem: &str, remedy: &str) {
        if !self.incomplete {
            let place = Place::file(self.source.file);
            let finding = Finding::error(problem, remedy).key(key).place(place);
            self.findings.push(finding);
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place::at(self.source.file, self.source.text, span.start)
    }

    /// The folder that relative paths are taken from.
    fn folder(&self) -> PathBuf {
        let file = std::path::absolute(self.source.file);
        let file = file.unwrap_or_else(|_| self.source.file.to_owned());
        file.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// A file name that must be there; `section` is where it is missed.
    fn path(&mut self, key: &str, value: &Maybe<String>, remedy: &str) -> Option<PathBuf> {
        let Some(value) = value else {
            self.missing(key, "the key is missing", remedy);
            return None;
        };
        if value.get_ref().is_empty() {
            self.error(key, value.span(), "the path is empty", remedy);
            return None;
        }
        Some(self.folder().join(value.get_ref()))
    }
}

/// The value, or the default.
fn or<T: Copy>(value: &Maybe<T>, default: T) -> T {
    value.as_ref().map_or(default, |value| *value.get_ref())
}

/// The word behind a value, or the default.
fn word<T>(value: &Maybe<String>, from: fn(&str) -> Option<T>, default: T) -> T {
    value
        .as_ref()
        .and_then(|value| from(value.get_ref()))
        .unwrap_or(default)
}

/// The places of a list's texts beside them.
fn texts(list: &[Spanned<String>]) -> impl Iterator<Item = (&str, Range<usize>)> {
    list.iter()
        .map(|item| (item.get_ref().as_str(), item.span()))
}
