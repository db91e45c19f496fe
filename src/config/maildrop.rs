//! Where an account's Maildir is: a pattern, filled in with the account's canonical name.

use std::path::{Path, PathBuf};

/// A pattern such as `/var/mail/{domain}/{user}/Maildir`, absolute, with `{name}` or `{user}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaildropPattern(String);

impl MaildropPattern {
    /// Checks a pattern; relative ones are taken from `folder`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(pattern: &str, folder: &Path) -> Result<Self, String> {
        let pattern = folder.join(pattern);
        let Some(pattern) = pattern.to_str() else {
            return Err("the path is not UTF-8".to_owned());
        };
        let rest = ["{name}", "{user}", "{domain}"]
            .iter()
            .fold(pattern.to_owned(), |rest, word| rest.replace(word, ""));
        if rest.contains(['{', '}']) {
            return Err("only {name}, {user} and {domain} can stand in braces".to_owned());
        }
        if !pattern.contains("{name}") && !pattern.contains("{user}") {
            return Err("all accounts would share one Maildir".to_owned());
        }
        if Path::new(pattern)
            .components()
            .any(|piece| piece.as_os_str() == "..")
        {
            return Err("`..` must not stand in it".to_owned());
        }
        Ok(Self(pattern.to_owned()))
    }

    /// The pattern as written, made absolute.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two accounts of different domains could meet in one Maildir.
    pub fn forgets_domain(&self) -> bool {
        !self.0.contains("{name}") && !self.0.contains("{domain}")
    }

    /// The folder above the first piece that depends on the account.
    pub fn root(&self) -> PathBuf {
        Path::new(&self.0)
            .components()
            .take_while(|piece| !piece.as_os_str().to_string_lossy().contains('{'))
            .collect()
    }

    /// The Maildir of an account; none when the name cannot be part of a path, or the pattern
    /// wants a domain and the name has none. `name` is canonical, never what a client typed.
    pub fn expand(&self, name: &str) -> Option<PathBuf> {
        let (user, domain) = match name.split_once('@') {
            Some((user, domain)) => (user, Some(domain)),
            None => (name, None),
        };
        let mut path = self
            .0
            .replace("{name}", piece(name)?)
            .replace("{user}", piece(user)?);
        if path.contains("{domain}") {
            path = path.replace("{domain}", piece(domain?)?);
        }
        Some(PathBuf::from(path))
    }
}

/// A name that is exactly one piece of a path: no separator, no dot at its beginning, no control,
/// no brace (which the next replacement would read again).
fn piece(name: &str) -> Option<&str> {
    let fine = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name
            .chars()
            .any(|c| c == '/' || c == '{' || c == '}' || c.is_control());
    fine.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> MaildropPattern {
        MaildropPattern::new(text, Path::new("/etc/postern")).unwrap()
    }

    #[test]
    fn names_are_filled_in() {
        let both = pattern("/var/mail/{domain}/{user}/Maildir");
        assert_eq!(
            both.expand("ann@x.test"),
            Some("/var/mail/x.test/ann/Maildir".into())
        );
        assert_eq!(both.expand("ann"), None);
        assert_eq!(both.root(), Path::new("/var/mail"));
        assert_eq!(
            pattern("mail/{name}").expand("ann"),
            Some("/etc/postern/mail/ann".into())
        );
    }

    #[test]
    fn a_name_is_never_more_than_one_piece_of_the_path() {
        let one = pattern("/var/mail/{name}");
        for name in [
            "", ".", "..", "../x", "a/b", "/etc", "a\0b", "{user}", ".hidden",
        ] {
            assert_eq!(one.expand(name), None, "{name:?}");
        }
        let both = pattern("/m/{domain}/{user}");
        for name in ["ann@..", "ann@", "@x", "ann@a/b", "..@x.test"] {
            assert_eq!(both.expand(name), None, "{name:?}");
        }
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for wrong in [
            "/var/mail",
            "/var/{domain}",
            "/var/{nmae}/{user}",
            "/var/../{user}",
            "/{user",
        ] {
            assert!(
                MaildropPattern::new(wrong, Path::new("/")).is_err(),
                "{wrong}"
            );
        }
    }
}
