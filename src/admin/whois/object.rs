//! What was found out, as one JSON object for programs.

use postern_auth::{Account, Description, LdapEntry, LdapInquiry, LdapTrouble};

use super::found::{Found, Name, state};
use super::lines::{maildrop, nt_hash};
use crate::admin::json::Json;
use crate::config::Config;

/// One object for programs.
pub(in crate::admin) fn json(config: &Config, found: &Found) -> Json {
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
            "obstacle",
            Json::maybe(name.obstacle(), |obstacle| Json::text(obstacle.word())),
        ),
        (
            "account",
            Json::maybe(account, |account| {
                account_json(config, account, name.description.as_ref())
            }),
        ),
        (
            "directory",
            Json::maybe(name.ldap.as_ref(), |asked| directory_json(config, asked)),
        ),
    ])
}

fn list(texts: &[String]) -> Json {
    Json::List(texts.iter().map(Json::text).collect())
}

fn account_json(config: &Config, account: &Account, description: Option<&Description>) -> Json {
    let mut members = vec![
        ("name", Json::text(&account.name)),
        ("state", Json::text(state(&config.policy, account))),
        (
            "barred",
            Json::maybe(account.barred, |reason| Json::text(reason.as_str())),
        ),
        (
            "site",
            Json::maybe(account.site.as_ref(), |site| Json::text(site.as_str())),
        ),
        (
            "maildrop",
            Json::maybe(maildrop(config, account).ok(), Json::text),
        ),
        ("delegates", list(&account.delegates)),
        ("entry", Json::maybe(account.entry.as_ref(), Json::text)),
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

fn directory_json(config: &Config, asked: &Result<LdapInquiry, LdapTrouble>) -> Json {
    let found = match asked {
        Ok(found) => found,
        Err(trouble) => return Json::Object(vec![("trouble", Json::text(trouble))]),
    };
    let entries = found.entries.iter().map(|entry| entry_json(config, entry));
    Json::Object(vec![
        ("trouble", Json::Null),
        ("server", Json::text(&found.server)),
        ("base", Json::text(&found.base)),
        ("filter", Json::text(&found.filter)),
        ("entries", Json::List(entries.collect())),
        ("more", Json::Bool(found.more)),
    ])
}

fn entry_json(config: &Config, entry: &LdapEntry) -> Json {
    let account = entry.account.as_ref();
    Json::Object(vec![
        ("dn", Json::text(&entry.dn)),
        ("answers_by", list(&entry.answers_by)),
        (
            "account",
            Json::maybe(account, |account| account_json(config, account, None)),
        ),
        ("addresses", list(&entry.addresses)),
        ("groups", list(&entry.groups)),
        (
            "admitted_by",
            Json::maybe(entry.admitted_by.as_deref(), list),
        ),
        ("home", Json::maybe(entry.home.as_ref(), Json::text)),
    ])
}
