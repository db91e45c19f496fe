//! Accounts on the screen. Never a password hash, only its kind.

use postern_auth::{PasswordHash, StoredNtHash, User, UsersFile};

use super::maildrop;
use crate::admin::json::Json;
use crate::admin::table::{self, shown};
use crate::admin::{AdminError, Office, Outcome};
use crate::config::Config;

impl Office<'_> {
    pub(super) fn list(&mut self, file: &UsersFile, json: bool) -> Result<Outcome, AdminError> {
        if json {
            let users = file
                .users()
                .iter()
                .map(|user| Json::Object(members(user)))
                .collect();
            writeln!(self.out, "{}", Json::List(users))?;
            return Ok(Outcome::Fine);
        }
        let rows: Vec<_> = file
            .users()
            .iter()
            .map(|user| {
                [
                    user.name.clone(),
                    state(user).to_owned(),
                    scheme(user).to_owned(),
                    scram(user).to_owned(),
                    nt_hash(user).to_owned(),
                    user.certificates.len().to_string(),
                    user.site.clone().unwrap_or_default(),
                    user.aliases.join(" "),
                    user.delegates.join(" "),
                ]
            })
            .collect();
        table::write(
            self.out,
            [
                "NAME",
                "STATE",
                "PASSWORD",
                "SCRAM",
                "NT HASH",
                "CERTS",
                "SITE",
                "ALIASES",
                "DELEGATES",
            ],
            &rows,
        )?;
        Ok(Outcome::Fine)
    }

    pub(super) fn show(
        &mut self,
        config: &Config,
        user: &User,
        json: bool,
    ) -> Result<Outcome, AdminError> {
        let place = maildrop(config, user);
        if json {
            let mut members = members(user);
            members.retain(|(name, _)| *name != "maildrop");
            members.push((
                "maildrop",
                Json::maybe(place, |place| Json::text(place.display())),
            ));
            writeln!(self.out, "{}", Json::Object(members))?;
            return Ok(Outcome::Fine);
        }
        let place = place.map_or_else(
            || "none: the name does not fit maildrop.path, give the account a maildrop".to_owned(),
            |place| place.display().to_string(),
        );
        let lines = [
            ("name", user.name.clone()),
            ("state", state(user).to_owned()),
            ("password", scheme(user).to_owned()),
            ("scram", scram(user).to_owned()),
            ("nt hash", nt_hash(user).to_owned()),
            ("certificates", user.certificates.join(" ")),
            (
                "site",
                user.site
                    .clone()
                    .unwrap_or_else(|| "this server's own".to_owned()),
            ),
            ("aliases", user.aliases.join(" ")),
            ("delegates", user.delegates.join(" ")),
            ("maildrop", place),
        ];
        for (name, value) in lines {
            if !value.is_empty() {
                writeln!(self.out, "{name:12} {}", shown(&value))?;
            }
        }
        Ok(Outcome::Fine)
    }
}

fn members(user: &User) -> Vec<(&'static str, Json)> {
    let list = |names: &[String]| Json::List(names.iter().map(Json::text).collect());
    vec![
        ("name", Json::text(&user.name)),
        ("disabled", Json::Bool(user.disabled)),
        ("pop3", Json::Bool(user.pop3)),
        ("password", Json::text(scheme(user))),
        ("scram", Json::Bool(user.scram.is_some())),
        ("nt_hash", Json::text(nt_hash(user))),
        ("certificates", list(&user.certificates)),
        ("site", Json::maybe(user.site.as_ref(), Json::text)),
        ("exact_size", Json::maybe(user.exact_size, Json::Bool)),
        ("aliases", list(&user.aliases)),
        ("delegates", list(&user.delegates)),
        (
            "maildrop",
            Json::maybe(user.maildrop.as_ref(), |path| Json::text(path.display())),
        ),
    ]
}

fn state(user: &User) -> &'static str {
    if user.disabled {
        "disabled"
    } else if user.pop3 {
        "active"
    } else {
        "POP3 off"
    }
}

/// Whether there are keys for SCRAM-SHA-256.
fn scram(user: &User) -> &'static str {
    if user.scram.is_some() { "yes" } else { "no" }
}

/// Whether there is an NT hash, and in which form.
fn nt_hash(user: &User) -> &'static str {
    match &user.nt_hash {
        None => "no",
        Some(StoredNtHash::Clear(_)) => "clear",
        Some(StoredNtHash::Sealed(_)) => "sealed",
    }
}

/// The kind of hash.
fn scheme(user: &User) -> &'static str {
    let hash = user.password.as_ref();
    hash.map_or("none", PasswordHash::scheme_name)
}
