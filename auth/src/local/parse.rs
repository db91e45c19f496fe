//! The text of a users file, taken apart and checked; errors say where they are.

use std::collections::HashMap;
use std::path::Path;

use super::entry::{RawFile, RawUser, User};
use super::error::{Problem, UsersError};
use crate::{Fingerprint, Login, Secret};

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
    let (mut taken, mut shown) = (HashMap::new(), HashMap::new());
    for entry in &raw.user {
        let entry = entry.get_ref();
        let checked = entry.resolve().and_then(|user| {
            take_names(entry, &user, &mut taken)?;
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

/// Notes the names of a user, unless another one has them.
fn take_names(
    raw: &RawUser,
    user: &User,
    taken: &mut HashMap<String, String>,
) -> Result<(), (usize, Problem)> {
    let mut take = |key, value: &str, at| match taken.insert(canonical(value), user.name.clone()) {
        None => Ok(()),
        Some(other) => Err((
            at,
            Problem::Duplicate {
                key,
                value: value.to_owned(),
                other,
            },
        )),
    };
    take("name", &user.name, raw.name.span().start)?;
    for (number, alias) in user.aliases.iter().enumerate() {
        take("aliases", alias, raw.alias_at(number))?;
    }
    Ok(())
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
