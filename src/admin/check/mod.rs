//! `postern check`: everything that is wrong with a configuration and with what it names.
//!
//! Started as root it looks with the rights of the user that the server becomes, as far as it can:
//! ports are tried first, then it becomes that user for good.

pub(super) mod certificate;
pub(super) mod clients;
mod directory;
pub(super) mod files;
pub(super) mod gssapi;
pub(super) mod ports;
pub(super) mod service;
pub(super) mod winbind;

use std::path::Path;

use super::json::Json;
use super::{AdminError, Office, Outcome};
use crate::config::{self, Config, Finding, Severity};
use crate::serve::{descriptors, joined};

impl Office<'_> {
    pub(super) fn check(&mut self, json: bool, strict: bool) -> Result<Outcome, AdminError> {
        let mut contents = Vec::new();
        let (findings, config) = match config::load(&self.config) {
            Err(rejected) => (rejected.0, None),
            Ok(accepted) => {
                let mut findings = accepted.warnings;
                contents = self.look(&accepted.config, strict, &mut findings);
                (findings, Some(accepted.config))
            }
        };
        if json {
            self.check_json(&findings, &contents)?;
        } else {
            for line in contents {
                writeln!(self.out, "{line}")?;
            }
            self.check_text(&findings, config.as_ref())?;
        }
        let failed = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        Ok(if failed {
            Outcome::Found
        } else {
            Outcome::Fine
        })
    }

    /// Also says in a line each what is worth knowing of files that are fine.
    fn look(&self, config: &Config, strict: bool, findings: &mut Vec<Finding>) -> Vec<String> {
        let mut contents = Vec::new();
        ports::check(config, findings);
        service::check(config, findings);
        files::configuration(config, findings);
        findings.extend(descriptors::fit(
            &mut config.limits.clone(),
            config.ldap.as_ref(),
        ));
        files::protocol_log(config, findings);
        if let Some(tls) = &config.tls {
            certificate::check(config, tls, self.now, findings);
            if let Some(asked) = &tls.clients {
                contents = clients::check(asked, self.now, findings);
            }
        }
        clients::external_in_vain(config, findings);
        if let Some(settings) = &config.gssapi {
            contents.extend(gssapi::check(settings, findings));
        }
        winbind::check(config, findings);
        findings.extend(joined::compare(config));
        contents.extend(directory::check(config, strict, findings));
        let accounts = files::users(config, findings);
        files::maildrops(config, &accounts, findings);
        contents
    }

    fn check_text(&mut self, findings: &[Finding], config: Option<&Config>) -> std::io::Result<()> {
        for finding in findings {
            writeln!(self.out, "{finding}")?;
        }
        let (errors, warnings) = count(findings);
        let file = self.config.display();
        match (errors, warnings, config) {
            (0, 0, Some(config)) => writeln!(
                self.out,
                "{file}: fine, profile {}, {}",
                config.profile.name(),
                plural(config.listeners.len(), "listener")
            ),
            _ => writeln!(
                self.out,
                "{file}: {}, {}",
                plural(errors, "error"),
                plural(warnings, "warning")
            ),
        }
    }

    fn check_json(&mut self, findings: &[Finding], contents: &[String]) -> std::io::Result<()> {
        let (errors, warnings) = count(findings);
        let report = Json::Object(vec![
            ("file", Json::text(self.config.display())),
            ("errors", Json::count(errors)),
            ("warnings", Json::count(warnings)),
            ("findings", Json::List(findings.iter().map(json).collect())),
            (
                "contents",
                Json::List(contents.iter().map(Json::text).collect()),
            ),
        ]);
        writeln!(self.out, "{report}")
    }
}

fn count(findings: &[Finding]) -> (usize, usize) {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    (errors, findings.len() - errors)
}

/// A number of things.
pub(super) fn plural(number: usize, word: &str) -> String {
    match number {
        0 => format!("no {word}s"),
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}

/// A finding for programs.
pub(super) fn json(finding: &Finding) -> Json {
    let place = finding.place.as_ref();
    Json::Object(vec![
        ("severity", Json::text(finding.severity)),
        ("key", Json::text(&finding.key)),
        (
            "file",
            Json::maybe(place, |place| Json::text(place.file.display())),
        ),
        (
            "line",
            Json::maybe(place.and_then(|place| place.line), Json::count),
        ),
        (
            "column",
            Json::maybe(place.and_then(|place| place.column), Json::count),
        ),
        ("problem", Json::text(&finding.problem)),
        ("remedy", Json::text(&finding.remedy)),
    ])
}

/// An error about a file as a whole.
fn about(file: &Path, key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding::error(problem, remedy)
        .key(key)
        .place(config::Place::file(file))
}

/// The same as a warning.
fn aside(file: &Path, key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding::warning(problem, remedy)
        .key(key)
        .place(config::Place::file(file))
}
