//! The text of a users file, taken apart and checked; errors say where they are.

use std::collections::HashMap;
use std::path::Path;

use super::entry::{Located, RawFile, RawUser, User};
use super::error::{Problem, UsersError};
use crate::{Fingerprint, Login, Secret, letters};

/// What stands in a users file.
#[derive(Debug)]
pub(super) struct Parsed {
    /// All users, in the order of the file. No two of them answer to the same name, or have the
    /// same certificate.
    pub(super) users: Vec<User>,
    /// The secret that makes SCRAM keys up.
    pub(super) secret: Option<Secret>,
}

/// Reads a users file.
pub(super) fn parse(path: &Path, text: &str) -> Result<Parsed, UsersError> {
    let raw: RawFile = toml::from_str(text).map_err(|fault| {
        let (line, column) = place(text, fault.span().map_or(0, |span| span.start));
        UsersError::Syntax {
            path: path.into(),
            line,
            column,
            message: fault.message().to_owned(),
        }
    })?;
    let secret = raw.secret().map_err(|at| {
        let (line, column) = place(text, at);
        UsersError::Secret {
            path: path.into(),
            line,
            column,
        }
    })?;
    let mut users = Vec::with_capacity(raw.user.len());
    let (mut names, mut shown) = (Names::default(), HashMap::new());
    for entry in &raw.user {
        let entry = entry.get_ref();
        let checked = entry.resolve().and_then(|user| {
            names.take(entry, &user)?;
            take_certificates(entry, &user, &mut shown)?;
            Ok(user)
        });
        users.push(checked.map_err(|(at, problem)| {
            let (line, column) = place(text, at);
            let user = entry.name.get_ref().clone();
            UsersError::User {
                path: path.into(),
                line,
                column,
                user,
                problem: Box::new(problem),
            }
        })?);
    }
    Ok(Parsed { users, secret })
}

/// Notes the certificates of a user, unless another one has them.
fn take_certificates(
    raw: &RawUser,
    user: &User,
    shown: &mut HashMap<Fingerprint, String>,
) -> Result<(), (usize, Problem)> {
    for (number, text) in user.certificates.iter().enumerate() {
        let fingerprint = Fingerprint::parse(text);
        let before = fingerprint.and_then(|print| shown.insert(print, user.name.clone()));
        if let Some(other) = before.filter(|other| *other != user.name) {
            let at = raw.certificate_at(number);
            return Err((at, Problem::SharedCertificate { other }));
        }
    }
    Ok(())
}

/// The names that were seen, by what they reach and by what they look like.
#[derive(Default)]
struct Names {
    keys: HashMap<String, String>,
    /// The first name and its user of all that look like this.
    looks: HashMap<String, (String, String)>,
}

impl Names {
    /// Notes the names of a user, unless another one has them, or one that looks the same.
    fn take(&mut self, raw: &RawUser, user: &User) -> Result<(), Located> {
        let at = raw.name.span().start;
        self.take_one("name", &user.name, user)
            .map_err(|problem| (at, problem))?;
        for (number, alias) in user.aliases.iter().enumerate() {
            self.take_one("aliases", alias, user)
                .map_err(|problem| (raw.alias_at(number), problem))?;
        }
        Ok(())
    }

    fn take_one(&mut self, key: &'static str, value: &str, user: &User) -> Result<(), Problem> {
        let name = canonical(value);
        let look = letters::likeness(&name);
        let value = value.to_owned();
        if let Some(other) = self.keys.insert(name.clone(), user.name.clone()) {
            return Err(Problem::Duplicate { key, value, other });
        }
        let seen = self.looks.entry(look);
        let (twin, other) = seen.or_insert_with(|| (name.clone(), user.name.clone()));
        if *other == user.name || (name.is_ascii() && twin.is_ascii()) {
            return Ok(());
        }
        let (twin, other) = (twin.clone(), other.clone());
        Err(Problem::Twin {
            key,
            value,
            twin,
            other,
        })
    }
}

/// The lookup key of a name. Names that have none were refused before.
pub(super) fn canonical(name: &str) -> String {
    Login::parse(name).map_or_else(|_| name.to_owned(), |login| login.key().to_owned())
}

/// Line and column of an octet, both from 1, the column in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.bytes().filter(|octet| *octet == b'\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}
