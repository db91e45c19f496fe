//! Where an account's Maildir is. Never made from a typed name: only from what the directory says.

use std::path::{Path, PathBuf};

use postern_auth::Account;

use crate::store::StoreError;

/// The configured place of maildrops, such as `/var/mail/{domain}/{user}/Maildir`.
#[derive(Clone, Debug)]
pub struct Pattern {
    parts: Vec<Part>,
    text: String,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Name,
    User,
    Domain,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It would depend on the folder in which the server was started.
    #[error("the path must begin with `/`")]
    Relative,
    /// A brace is not part of a known placeholder.
    #[error("unknown placeholder `{0}`: only {{name}}, {{user}} and {{domain}} can stand here")]
    Placeholder(String),
    /// All accounts would share one Maildir.
    #[error("the path names no account: put {{name}}, or {{user}} and {{domain}}, into it")]
    Constant,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] when it is relative, has an unknown placeholder or none at all.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::Relative);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(open);
            let end = brace.find('}').map_or(brace.len(), |at| at + 1);
            let (placeholder, after) = brace.split_at(end);
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::placeholder(placeholder)?);
            rest = after;
        }
        if parts.is_empty() {
            return Err(PatternError::Constant);
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self {
            parts,
            text: text.to_owned(),
        })
    }

    /// The Maildir of an account: its own path, or the pattern filled from its canonical name.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the account's path is relative, or a piece of its name cannot
    /// be a piece of a path.
    pub(crate) fn path(&self, account: &Account) -> Result<PathBuf, StoreError> {
        if let Some(path) = &account.maildrop {
            if path.is_absolute() {
                return Ok(path.clone());
            }
            return Err(unusable(
                path,
                "the account's maildrop must be an absolute path",
            ));
        }
        self.fill(&account.name)
            .map_err(|problem| unusable(Path::new(&self.text), problem))
    }

    /// The folders before the first placeholder; when they are missing, a disk is not mounted.
    pub(crate) fn root(&self) -> PathBuf {
        let fixed = match self.parts.first() {
            Some(Part::Text(text)) => text.as_str(),
            _ => "/",
        };
        let end = fixed.rfind('/').unwrap_or(0);
        PathBuf::from(fixed.get(..=end).unwrap_or("/"))
    }

    fn fill(&self, name: &str) -> Result<PathBuf, &'static str> {
        let mut path = String::new();
        for part in &self.parts {
            path.push_str(match part {
                Part::Text(text) => text,
                Part::Name => piece(name)?,
                Part::User => piece(split(name)?.0)?,
                Part::Domain => piece(split(name)?.1.ok_or(
                    "the account's name has no domain: give the account a maildrop of its own",
                )?)?,
            });
        }
        Ok(PathBuf::from(path))
    }
}

impl Part {
    fn placeholder(text: &str) -> Result<Self, PatternError> {
        match text {
            "{name}" => Ok(Self::Name),
            "{user}" => Ok(Self::User),
            "{domain}" => Ok(Self::Domain),
            other => Err(PatternError::Placeholder(other.to_owned())),
        }
    }
}

/// What is before and behind the `@`. Two of them would be read in two ways by two programs.
fn split(name: &str) -> Result<(&str, Option<&str>), &'static str> {
    match name.split_once('@') {
        None => Ok((name, None)),
        Some((_, domain)) if domain.contains('@') => {
            Err("the account's name has more than one `@`: give the account a maildrop of its own")
        }
        Some((user, domain)) => Ok((user, Some(domain))),
    }
}

/// A piece of a name that may become a piece of a path, unchanged. One that would have to be
/// changed is refused, for two accounts could end in one Maildir.
fn piece(piece: &str) -> Result<&str, &'static str> {
    let fits = (1..=255).contains(&piece.len())
        && !piece.starts_with('.')
        && !piece
            .chars()
            .any(|letter| letter == '/' || letter.is_control());
    fits.then_some(piece).ok_or(
        "the account's name cannot be part of a path (empty, too long, a leading dot, a slash or \
         a control character): give the account a maildrop of its own",
    )
}

fn unusable(path: &Path, problem: &str) -> StoreError {
    StoreError::Unusable {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}
