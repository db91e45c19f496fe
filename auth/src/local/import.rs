//! Users of a Dovecot passwd-file, as far as they have a counterpart here.
//!
//! `user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields`, one user a line. Nothing is guessed:
//! what has no counterpart leaves a note, and a user whose password cannot be taken over comes
//! disabled and without one, so that no mailbox is opened by accident and none is forgotten.

use std::path::{Component, PathBuf};

use zeroize::Zeroize;

use super::entry::User;
use crate::{HashError, PasswordHash, ScramKeys, Secret, hash_password};

/// What came of a passwd-file.
#[derive(Debug, Default)]
pub struct Imported {
    /// The users, in the order of the file. Those without a usable password are disabled.
    pub users: Vec<User>,
    /// What could not be taken over, and what to do about it.
    pub notes: Vec<ImportNote>,
}

/// Something that could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportNote {
    /// The line of the passwd-file, from 1.
    pub line: usize,
    /// The user, as written there.
    pub user: String,
    /// What, and what to do.
    pub message: String,
}

impl std::fmt::Display for ImportNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}: user {:?}: {}",
            self.line, self.user, self.message
        )
    }
}

/// Reads a Dovecot passwd-file.
///
/// Taken over: the name; hashes of the schemes SHA512-CRYPT, SHA256-CRYPT, CRYPT (`$6$`, `$5$`,
/// `$y$`, `$2…$`), BLF-CRYPT and ARGON2ID; SCRAM-SHA-256 keys; `{PLAIN}` and `{CLEARTEXT}` passwords, which are hashed
/// anew (some tens of milliseconds each); `userdb_mail=maildir:/path`, where it is a plain path or
/// begins with `~/` and there is an absolute home; and `nologin`, which disables. A password
/// without a scheme is CRYPT, as in Dovecot. Empty lines and lines that begin with `#` are left
/// out. Names are not checked here: adding the user to a [`super::UsersFile`] does that.
pub fn import_passwd_file(text: &str) -> Imported {
    let mut imported = Imported::default();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.splitn(8, ':');
        let mut next = || fields.next().unwrap_or_default();
        let (name, password) = (next(), next());
        let (_uid, _gid, _gecos, home, _shell, extra) =
            (next(), next(), next(), next(), next(), next());
        let mut note = |message: String| {
            let user = name.to_owned();
            imported.notes.push(ImportNote {
                line: number + 1,
                user,
                message,
            });
        };
        if name.is_empty() {
            note("there is no name; the line was left out".to_owned());
            continue;
        }
        let mut user = User::new(name);
        match take_password(password) {
            Ok(Taken::Hash(hash)) => user.password = Some(hash),
            Ok(Taken::Keys(keys)) => user.scram = Some(keys),
            Err(why) => {
                user.disabled = true;
                note(format!(
                    "{why}; the user comes disabled: run `postern user passwd {name}` and \
                              `postern user enable {name}`"
                ));
            }
        }
        take_extra(&mut user, home, extra, &mut note);
        imported.users.push(user);
    }
    imported
}

/// What a password field came to.
enum Taken {
    Hash(PasswordHash),
    Keys(ScramKeys),
}

/// `{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey`, as Dovecot writes it.
fn take_keys(rest: &str) -> Result<ScramKeys, String> {
    let fields: Vec<&str> = rest.split(',').collect();
    let &[iterations, salt, stored, server] = fields.as_slice() else {
        return Err("the SCRAM keys are damaged".to_owned());
    };
    let text = format!("SCRAM-SHA-256${iterations}:{salt}${stored}:{server}");
    text.parse()
        .map_err(|fault| format!("the password {fault}"))
}

/// The hash or keys of a password field, or why there are none.
fn take_password(field: &str) -> Result<Taken, String> {
    let (scheme, rest) = match field
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
    {
        Some((scheme, rest)) => (scheme.to_ascii_uppercase(), rest),
        None => ("CRYPT".to_owned(), field),
    };
    let fits = |ids: &[&str]| match rest.parse::<PasswordHash>() {
        Ok(hash) if ids.iter().any(|id| rest.starts_with(id)) => Ok(Taken::Hash(hash)),
        Ok(_) | Err(HashError::Unknown) => Err(format!(
            "the password is not one of {{{scheme}}} that can be taken over"
        )),
        Err(fault @ HashError::TooCostly) => Err(format!("the password {fault}")),
        Err(_) => Err("the password's hash is damaged".to_owned()),
    };
    match scheme.as_str() {
        "CRYPT" if rest.is_empty() => Err("there is no password".to_owned()),
        "CRYPT" => fits(&["$6$", "$5$", "$y$", "$2"]),
        "SHA512-CRYPT" => fits(&["$6$"]),
        "SHA256-CRYPT" => fits(&["$5$"]),
        "BLF-CRYPT" => fits(&["$2"]),
        "ARGON2ID" => fits(&["$argon2id$"]),
        "PLAIN" | "CLEAR" | "CLEARTEXT" => {
            let mut octets = rest.as_bytes().to_vec();
            let hash = hash_password(&Secret::new(octets.clone()));
            octets.zeroize();
            hash.map(Taken::Hash).map_err(|fault| fault.to_string())
        }
        "SCRAM-SHA-256" => take_keys(rest).map(Taken::Keys),
        _ => Err(format!(
            "passwords of the scheme {{{scheme}}} cannot be taken over"
        )),
    }
}

/// The extra fields: `key=value` with blanks between them.
fn take_extra(user: &mut User, home: &str, extra: &str, note: &mut impl FnMut(String)) {
    for field in extra.split_ascii_whitespace() {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        match key {
            "userdb_mail" => match maildir(home, value) {
                Some(path) => user.maildrop = Some(path),
                None => note(format!(
                    "{field} does not say plainly where a Maildir is; set `maildrop` \
                                      if it is not where the configuration's pattern says"
                )),
            },
            "nologin" => user.disabled = true,
            // Where a process ran and what an index was called has no counterpart, and no effect.
            "userdb_uid" | "userdb_gid" | "userdb_home" => {}
            _ => note(format!(
                "the extra field {key} has no counterpart and was left out"
            )),
        }
    }
}

/// The folder of `maildir:/path` or `maildir:~/path`, without options and variables.
fn maildir(home: &str, value: &str) -> Option<PathBuf> {
    let path = value.strip_prefix("maildir:")?;
    let path = match path.strip_prefix("~/") {
        Some(rest) => PathBuf::from(home).join(rest),
        None => PathBuf::from(path),
    };
    let text = path.to_str()?;
    let climbs = path
        .components()
        .any(|piece| matches!(piece, Component::ParentDir));
    (path.is_absolute() && !climbs && !text.contains(['%', ':', '~'])).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: &str = "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/";
    const BLOWFISH: &str = "$2y$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC";

    fn opens(user: &User, password: &str) -> bool {
        let secret = Secret::new(password.as_bytes().to_vec());
        user.password
            .as_ref()
            .is_some_and(|hash| hash.verify(&secret))
    }

    #[test]
    fn schemes_that_are_known_are_taken_over() {
        let text = format!(
            "# users\n\na@example.test:{{SHA512-CRYPT}}{SIX}:1000:1000::/home/a::\n\
             b:{{CRYPT}}{SIX}\nc:{SIX}::::::\nd:{{BLF-CRYPT}}{BLOWFISH}::::::\n\
             e:{{plain}}correct horse::::::\n"
        );
        let imported = import_passwd_file(&text);
        assert_eq!(imported.notes, []);
        let names: Vec<_> = imported
            .users
            .iter()
            .map(|user| user.name.as_str())
            .collect();
        assert_eq!(names, ["a@example.test", "b", "c", "d", "e"]);
        for user in &imported.users {
            assert!(
                opens(user, "correct horse") && !user.disabled && user.pop3,
                "{}",
                user.name
            );
            assert_eq!(
                user.maildrop, None,
                "a home alone does not say where the mail is"
            );
        }
        assert!(
            imported.users[4]
                .password
                .as_ref()
                .unwrap()
                .as_str()
                .starts_with("$argon2id$")
        );
    }

    #[test]
    fn other_passwords_leave_a_disabled_user_and_a_note() {
        let text = format!(
            "a:{{SSHA}}abc::::::\nb:::::::\nc:{{SHA512-CRYPT}}{BLOWFISH}::::::\nd:x::::::\n\
             e:{{PLAIN}}::::::\nf:{{CRYPT}}$6$rounds=900000000${}::::::\n:x::::::",
            &SIX[3..]
        );
        let imported = import_passwd_file(&text);
        assert_eq!(imported.users.len(), 6);
        assert!(
            imported
                .users
                .iter()
                .all(|user| user.disabled && user.password.is_none())
        );
        assert_eq!(imported.notes.len(), 7);
        for (note, part) in imported.notes.iter().zip([
            "{SSHA}",
            "no password",
            "{SHA512-CRYPT}",
            "{CRYPT}",
            "is empty",
            "seconds of work",
            "no name",
        ]) {
            assert!(note.message.contains(part), "{note}");
            assert!(!note.message.contains("saltstring"), "{note}");
        }
        let first = imported.notes[0].to_string();
        assert!(
            first.starts_with("line 1: user \"a\": ") && first.contains("postern user passwd a")
        );
    }

    #[test]
    fn scram_keys_of_dovecot_are_taken_over() {
        let keys = "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,\
            wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        let imported = import_passwd_file(&format!("a:{{SCRAM-SHA-256}}{keys}::::::"));
        assert_eq!(imported.notes, []);
        let user = &imported.users[0];
        assert!(!user.disabled && user.password.is_none());
        let pencil = Secret::new(b"pencil".to_vec());
        assert!(user.scram.as_ref().unwrap().verify(&pencil));
        for odd in [
            "",
            "4096,x",
            &keys.replace("4096", "1"),
            &format!("{keys},x"),
        ] {
            let imported = import_passwd_file(&format!("a:{{SCRAM-SHA-256}}{odd}::::::"));
            assert!(
                imported.users[0].disabled && imported.notes.len() == 1,
                "{odd}"
            );
        }
    }

    #[test]
    fn a_maildir_is_taken_over_where_it_is_plain() {
        for (home, mail, taken) in [
            ("/home/a", "maildir:/srv/mail/a", Some("/srv/mail/a")),
            ("/home/a", "maildir:~/Maildir", Some("/home/a/Maildir")),
            ("", "maildir:~/Maildir", None),
            ("/home/a", "maildir:/srv/%u", None),
            ("/home/a", "maildir:/srv/a:INDEX=/var/x", None),
            ("/home/a", "maildir:/srv/../a", None),
            ("/home/a", "mbox:~/mail", None),
        ] {
            let text = format!("a:{SIX}:::{}:{home}::userdb_mail={mail}", "");
            let imported = import_passwd_file(&text);
            let maildrop = imported.users[0]
                .maildrop
                .as_deref()
                .and_then(|path| path.to_str());
            assert_eq!(maildrop, taken, "{mail}");
            assert_eq!(imported.notes.len(), usize::from(taken.is_none()), "{mail}");
        }
    }

    #[test]
    fn nologin_disables_and_unknown_fields_are_named() {
        let imported =
            import_passwd_file(&format!("a:{SIX}::::::nologin=y allow_nets=192.0.2.0/24"));
        assert!(imported.users[0].disabled);
        assert!(imported.notes[0].message.contains("allow_nets"));
    }
}
