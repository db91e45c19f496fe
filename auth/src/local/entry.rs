//! One user: as written in the file, and as meant.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::error::Problem;
use super::stored::StoredNtHash;
use crate::scram::parse_secret;
use crate::{Fingerprint, Login, PasswordHash, ScramKeys, Secret, letters};

/// The longest name, in octets: each part of it may become one piece of a path.
const MAX_NAME: usize = 255;

/// One user of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, as it is to be shown: `alice` or `alice@example.test`. The canonical name is the
    /// same in lower case.
    pub name: String,
    /// Other names that reach this user; `CORP\alice` and `alice@corp` are the same.
    pub aliases: Vec<String>,
    /// The password's hash; without one no password opens the mailbox.
    pub password: Option<PasswordHash>,
    /// The keys for SCRAM-SHA-256; without them that mechanism opens nothing.
    pub scram: Option<ScramKeys>,
    /// The NT hash, in the clear or sealed; without one NTLM opens nothing.
    pub nt_hash: Option<StoredNtHash>,
    /// Client certificates that open the mailbox by EXTERNAL: `sha256:` and the digest, as
    /// written.
    pub certificates: Vec<String>,
    /// The site in which the mailbox lives; none means here.
    pub site: Option<String>,
    /// Whether POP3 is switched on for the mailbox.
    pub pop3: bool,
    /// Whether the user is switched off altogether.
    pub disabled: bool,
    /// Overrides the server's setting of exact sizes.
    pub exact_size: Option<bool>,
    /// Users who may open this mailbox with their own password.
    pub delegates: Vec<String>,
    /// Where the Maildir is, if not where the configuration's pattern says; absolute.
    pub maildrop: Option<PathBuf>,
}

impl User {
    /// A user with this name, POP3 switched on, and nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            password: None,
            scram: None,
            nt_hash: None,
            certificates: Vec::new(),
            site: None,
            pop3: true,
            disabled: false,
            exact_size: None,
            delegates: Vec::new(),
            maildrop: None,
        }
    }
}

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    scram_secret: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) user: Vec<Spanned<RawUser>>,
}

impl RawFile {
    /// The secret that makes SCRAM keys up for names that nobody has.
    pub(super) fn secret(&self) -> Result<Option<Secret>, usize> {
        let Some(text) = &self.scram_secret else {
            return Ok(None);
        };
        parse_secret(text.get_ref())
            .map(Some)
            .ok_or(text.span().start)
    }
}

/// One `[[user]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    password: Option<Spanned<String>>,
    scram: Option<Spanned<String>>,
    nt_hash: Option<Spanned<String>>,
    #[serde(default)]
    certificates: Vec<Spanned<String>>,
    site: Option<Spanned<String>>,
    #[serde(default = "yes")]
    pop3: bool,
    #[serde(default)]
    disabled: bool,
    exact_size: Option<bool>,
    #[serde(default)]
    delegates: Vec<Spanned<String>>,
    maildrop: Option<Spanned<String>>,
}

fn yes() -> bool {
    true
}

/// A problem and the octet of the file at which it is.
pub(super) type Located = (usize, Problem);

impl RawUser {
    /// Checks everything that can be checked of one user alone.
    pub(super) fn resolve(&self) -> Result<User, Located> {
        check_names("name", std::slice::from_ref(&self.name), check_name)?;
        check_names("aliases", &self.aliases, check_alias)?;
        check_names("delegates", &self.delegates, check_alias)?;
        check_certificates(&self.certificates)?;
        Ok(User {
            name: self.name.get_ref().clone(),
            aliases: plain(&self.aliases),
            password: located(self.password.as_ref(), |text| {
                Ok(text.parse::<PasswordHash>()?)
            })?,
            scram: located(self.scram.as_ref(), |text| Ok(text.parse::<ScramKeys>()?))?,
            nt_hash: located(self.nt_hash.as_ref(), |text| {
                Ok(text.parse::<StoredNtHash>()?)
            })?,
            certificates: plain(&self.certificates),
            site: located(self.site.as_ref(), check_site)?,
            pop3: self.pop3,
            disabled: self.disabled,
            exact_size: self.exact_size,
            delegates: plain(&self.delegates),
            maildrop: located(self.maildrop.as_ref(), check_maildrop)?,
        })
    }

    /// The octet at which a certificate stands.
    pub(super) fn certificate_at(&self, number: usize) -> usize {
        self.certificates
            .get(number)
            .map_or(self.name.span().start, |entry| entry.span().start)
    }

    /// The octet at which an alias stands.
    pub(super) fn alias_at(&self, number: usize) -> usize {
        self.aliases
            .get(number)
            .map_or(self.name.span().start, |alias| alias.span().start)
    }
}

fn plain(list: &[Spanned<String>]) -> Vec<String> {
    list.iter().map(|entry| entry.get_ref().clone()).collect()
}

fn located<T>(
    value: Option<&Spanned<String>>,
    check: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Option<T>, Located> {
    let Some(value) = value else { return Ok(None) };
    check(value.get_ref())
        .map(Some)
        .map_err(|problem| (value.span().start, problem))
}

fn check_names(
    key: &'static str,
    names: &[Spanned<String>],
    sound: fn(&str) -> bool,
) -> Result<(), Located> {
    match names.iter().find(|name| !sound(name.get_ref())) {
        None => Ok(()),
        Some(name) => Err((
            name.span().start,
            Problem::Name {
                key,
                value: name.get_ref().clone(),
            },
        )),
    }
}

fn check_certificates(certificates: &[Spanned<String>]) -> Result<(), Located> {
    let odd = |entry: &&Spanned<String>| Fingerprint::parse(entry.get_ref()).is_none();
    certificates.iter().find(odd).map_or(Ok(()), |entry| {
        let value = entry.get_ref().clone();
        Err((entry.span().start, Problem::Certificate { value }))
    })
}

/// Whether a name is its own canonical form but for the case, and each of its parts could be a
/// piece of a path without leading anywhere else.
fn check_name(name: &str) -> bool {
    let Ok(login) = Login::parse(name) else {
        return false;
    };
    // Fullwidth letters become slashes and dots, too.
    let name = &letters::spelled(name);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.trim() == part;
    let halves = name.contains('@') == login.realm().is_some();
    halves
        && login.key().len() <= MAX_NAME
        && !name.contains(['/', '\\'])
        && !name.contains("..")
        && part(login.user())
        && login.realm().is_none_or(part)
}

/// An alias may be typed in any form that has a canonical one.
fn check_alias(alias: &str) -> bool {
    Login::parse(alias).is_ok_and(|login| check_name(login.key()))
}

fn check_site(site: &str) -> Result<String, Problem> {
    if site.trim().is_empty() {
        Err(Problem::Site)
    } else {
        Ok(site.to_owned())
    }
}

fn check_maildrop(path: &str) -> Result<PathBuf, Problem> {
    let plain = |piece: Component<'_>| matches!(piece, Component::RootDir | Component::Normal(_));
    let sound = Path::new(path).is_absolute()
        && Path::new(path).components().all(plain)
        && !path.chars().any(char::is_control);
    if sound {
        Ok(path.into())
    } else {
        Err(Problem::Maildrop {
            value: path.to_owned(),
        })
    }
}
