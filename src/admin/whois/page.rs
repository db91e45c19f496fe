//! What was found out, on the screen: in lines for people, or as one JSON object.

use std::io::{self, Write};

use postern_auth::{Account, Description, NtHashForm};

use super::found::{Found, Name, site, state};
use crate::admin::json::Json;
use crate::admin::table::shown;
use crate::config::Config;

/// Lines for people.
pub(super) fn text(out: &mut dyn Write, config: &Config, found: &Found) -> io::Result<()> {
    for (number, name) in found.names.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        for (key, value) in lines(config, name) {
            if !value.is_empty() {
                writeln!(out, "{key:12} {}", shown(&value))?;
            }
        }
    }
    if let Some(right) = found.right() {
        let said = if right {
            "yes, the delegate may open the mailbox with its own password"
        } else {
            "no, and the client is told no more than of a wrong password"
        };
        writeln!(out, "\n{:12} {said}", "right")?;
    }
    Ok(())
}

fn lines(config: &Config, name: &Name) -> Vec<(&'static str, String)> {
    let mut lines = vec![(name.role, name.typed.clone())];
    match &name.login {
        Ok(login) => {
            lines.push(("user", login.user().to_owned()));
            lines.push(("realm", login.realm().unwrap_or_default().to_owned()));
            lines.push(("key", login.key().to_owned()));
        }
        Err(error) => lines.push(("key", format!("none: {error}"))),
    }
    let Some(account) = &name.account else {
        let said = "nobody: no account has this key as its name or an alias";
        lines.push(("account", said.to_owned()));
        return lines;
    };
    lines.push(("account", account.name.clone()));
    lines.push(("state", state(&config.policy, account).to_owned()));
    lines.push(("site", site(&config.policy, account)));
    lines.push((
        "maildrop",
        maildrop(config, account).unwrap_or_else(|no| no),
    ));
    lines.push(("delegates", account.delegates.join(" ")));
    if let Some(description) = &name.description {
        lines.push(("source", description.source.clone()));
        lines.push(("aliases", description.aliases.join(" ")));
        lines.push((
            "password",
            description.password.unwrap_or("none").to_owned(),
        ));
        let scram = if description.scram { "yes" } else { "no" };
        lines.push(("scram", scram.to_owned()));
        lines.push(("nt hash", nt_hash(description).to_owned()));
        lines.push(("certificates", description.certificates.to_string()));
    }
    lines
}

/// One object for programs.
pub(super) fn json(config: &Config, found: &Found) -> Json {
    let names = found.names.iter().map(|name| name_json(config, name));
    Json::Object(vec![
        ("typed", Json::text(&found.typed)),
        ("names", Json::List(names.collect())),
        ("right", Json::maybe(found.right(), Json::Bool)),
    ])
}

fn name_json(config: &Config, name: &Name) -> Json {
    let login = name.login.as_ref().ok();
    let account = name.account.as_ref();
    Json::Object(vec![
        ("role", Json::text(name.role)),
        ("typed", Json::text(&name.typed)),
        ("user", Json::maybe(login, |login| Json::text(login.user()))),
        (
            "realm",
            Json::maybe(login.and_then(|login| login.realm()), Json::text),
        ),
        ("key", Json::maybe(login, |login| Json::text(login.key()))),
        (
            "problem",
            Json::maybe(name.login.as_ref().err(), Json::text),
        ),
        (
            "account",
            Json::maybe(account, |account| {
                account_json(config, account, name.description.as_ref())
            }),
        ),
    ])
}

fn account_json(config: &Config, account: &Account, description: Option<&Description>) -> Json {
    let list = |names: &[String]| Json::List(names.iter().map(Json::text).collect());
    let mut members = vec![
        ("name", Json::text(&account.name)),
        ("state", Json::text(state(&config.policy, account))),
        (
            "site",
            Json::maybe(account.site.as_ref(), |site| Json::text(site.as_str())),
        ),
        (
            "maildrop",
            Json::maybe(maildrop(config, account).ok(), Json::text),
        ),
        ("delegates", list(&account.delegates)),
    ];
    if let Some(description) = description {
        members.extend([
            ("source", Json::text(&description.source)),
            ("aliases", list(&description.aliases)),
            ("password", Json::maybe(description.password, Json::text)),
            ("scram", Json::Bool(description.scram)),
            (
                "nt_hash",
                Json::maybe(description.nt_hash, |_| Json::text(nt_hash(description))),
            ),
            ("certificates", Json::count(description.certificates)),
        ]);
    }
    Json::Object(members)
}

fn nt_hash(description: &Description) -> &'static str {
    match description.nt_hash {
        None => "no",
        Some(NtHashForm::Clear) => "clear",
        Some(NtHashForm::Sealed) => "sealed",
        Some(NtHashForm::Shut) => "sealed, and the key is missing or wrong: see `postern check`",
    }
}

/// Where the mail is, or why it can be nowhere.
fn maildrop(config: &Config, account: &Account) -> Result<String, String> {
    let path = config.maildrop.path(account);
    path.map(|path| path.display().to_string())
        .map_err(|error| format!("none: {error}"))
}
