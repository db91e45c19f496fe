//! The text of a users file, taken apart and checked; errors say where they are.

use std::collections::HashMap;
use std::path::Path;

use super::entry::{RawFile, RawUser, User};
use super::error::{Problem, UsersError};
use crate::Login;

/// All users of a file, in its order. No two of them answer to the same name.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<User>, UsersError> {
    let raw: RawFile = toml::from_str(text).map_err(|fault| {
        let (line, column) = place(text, fault.span().map_or(0, |span| span.start));
        UsersError::Syntax {
            path: path.into(),
            line,
            column,
            message: fault.message().to_owned(),
        }
    })?;
    let mut users = Vec::with_capacity(raw.user.len());
    let mut taken = HashMap::new();
    for entry in &raw.user {
        let entry = entry.get_ref();
        let checked = entry.resolve().and_then(|user| {
            take_names(entry, &user, &mut taken)?;
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
    Ok(users)
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
