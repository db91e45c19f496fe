//! What was found out, in lines for people.

use std::io::{self, Write};

use postern_auth::{Account, Description, LdapEntry, LdapInquiry, NtHashForm, Proof};

use super::found::{Found, Name, Obstacle, site, state};
use crate::admin::table::shown;
use crate::config::Config;

/// Lines for people.
pub(in crate::admin) fn text(
    out: &mut dyn Write,
    config: &Config,
    found: &Found,
) -> io::Result<()> {
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

type Line = (&'static str, String);

fn lines(config: &Config, name: &Name) -> Vec<Line> {
    let mut lines = vec![(name.role, name.typed.clone())];
    match &name.login {
        Ok(login) => {
            lines.push(("user", login.user().to_owned()));
            lines.push(("realm", login.realm().unwrap_or_default().to_owned()));
            lines.push(("key", login.key().to_owned()));
        }
        Err(error) => lines.push(("key", format!("none: {error}"))),
    }
    match (&name.account, name.obstacle()) {
        (Some(account), _) => lines.extend(account_lines(config, name, account)),
        (None, obstacle) => lines.extend(obstacle.iter().flat_map(obstacle_lines)),
    }
    match &name.ldap {
        Some(Err(trouble)) => lines.push(("directory", trouble.to_string())),
        Some(Ok(asked)) if name.account.is_none() => {
            lines.push(("searched", searched(asked)));
        }
        Some(Ok(_)) | None => {}
    }
    lines
}

/// Why it is nobody, with the entries that answer all the same.
fn obstacle_lines(obstacle: &Obstacle<'_>) -> Vec<Line> {
    let mut lines = vec![("account", obstacle.words())];
    match obstacle {
        Obstacle::Several(found) => {
            lines.extend(found.entries.iter().flat_map(entry_lines));
        }
        Obstacle::Unusable(entry) => lines.extend(entry_lines(entry)),
        Obstacle::Taken(account) => {
            lines.extend(account.entry.iter().map(|dn| ("entry", dn.to_string())));
        }
        Obstacle::Trouble | Obstacle::Nobody => {}
    }
    lines
}

fn entry_lines(entry: &LdapEntry) -> [Line; 2] {
    [
        ("entry", entry.dn.clone()),
        ("answers by", answers_by(entry)),
    ]
}

fn account_lines(config: &Config, name: &Name, account: &Account) -> Vec<Line> {
    let mut lines = vec![
        ("account", account.name.clone()),
        ("state", state(&config.policy, account)),
        ("site", site(&config.policy, account)),
        (
            "maildrop",
            maildrop(config, account).unwrap_or_else(|no| no),
        ),
        ("delegates", account.delegates.join(" ")),
    ];
    if let Some(description) = &name.description {
        lines.extend(local_lines(description));
    }
    if let (Some(entry), Some(Ok(asked))) = (name.entry(), &name.ldap) {
        lines.extend(ldap_lines(config, entry, asked));
    }
    let passed_over = name.passed_over().into_iter();
    lines.extend(passed_over.map(|dn| {
        let said =
            format!("{dn} of the directory, which has the name too: local accounts come first");
        ("instead of", said)
    }));
    lines
}

fn local_lines(description: &Description) -> Vec<Line> {
    let scram = if description.scram { "yes" } else { "no" };
    vec![
        ("source", description.source.clone()),
        ("aliases", description.aliases.join(" ")),
        (
            "password",
            description.password.unwrap_or("none").to_owned(),
        ),
        ("scram", scram.to_owned()),
        ("nt hash", nt_hash(description).to_owned()),
        ("certificates", description.certificates.to_string()),
    ]
}

fn ldap_lines(config: &Config, entry: &LdapEntry, asked: &LdapInquiry) -> Vec<Line> {
    let mut lines = vec![
        ("source", format!("LDAP directory {}", asked.server)),
        ("entry", entry.dn.clone()),
        ("answers by", answers_by(entry)),
        ("aliases", entry.addresses.join(" ")),
        ("password", proof(config).to_owned()),
        ("home", entry.home.clone().unwrap_or_default()),
    ];
    lines.extend(entry.groups.iter().map(|group| ("group", group.clone())));
    let admitted = entry.admitted_by.iter().flatten();
    lines.extend(admitted.map(|group| ("admitted by", group.clone())));
    lines
}

fn answers_by(entry: &LdapEntry) -> String {
    if entry.answers_by.is_empty() {
        return "another spelling, which the directory takes for the same".to_owned();
    }
    entry.answers_by.join(" ")
}

fn searched(asked: &LdapInquiry) -> String {
    let LdapInquiry { server, filter, .. } = asked;
    if asked.base.is_empty() {
        format!("{server} for {filter}")
    } else {
        format!("{server} below {} for {filter}", asked.base)
    }
}

/// How a password of the directory is verified.
fn proof(config: &Config) -> &'static str {
    let proof = config.ldap.as_ref().map(|ldap| &ldap.settings.proof);
    match proof {
        Some(Proof::Read) => "compared with userPassword of the entry",
        Some(Proof::BindAs(_)) => "by a bind under ldap.user_bind_name",
        Some(Proof::Bind) | None => "by a bind as the entry",
    }
}

pub(super) fn nt_hash(description: &Description) -> &'static str {
    match description.nt_hash {
        None => "no",
        Some(NtHashForm::Clear) => "clear",
        Some(NtHashForm::Sealed) => "sealed",
        Some(NtHashForm::Shut) => "sealed, and the key is missing or wrong: see `postern check`",
    }
}

/// Where the mail is, or why it can be nowhere.
pub(in crate::admin) fn maildrop(config: &Config, account: &Account) -> Result<String, String> {
    let path = config.maildrop.path(account);
    path.map(|path| path.display().to_string())
        .map_err(|error| format!("none: {error}"))
}
