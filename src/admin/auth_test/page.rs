//! An attempt on the screen: in lines for people, or as one JSON object.

use std::io::{self, Write};

use postern_auth::Identity;

use super::tried::Tried;
use super::watch::Step;
use crate::admin::json::Json;
use crate::admin::meaning;
use crate::admin::table::shown;
use crate::admin::whois;
use crate::config::Config;

/// Lines for people: the name, the way, the steps, the wire, and what it came to.
pub(super) fn text(out: &mut dyn Write, config: &Config, tried: &Tried) -> io::Result<()> {
    whois::text(out, config, &tried.found)?;
    writeln!(out)?;
    let mut line = |key: &str, value: &str| {
        if value.is_empty() {
            return Ok(());
        }
        writeln!(out, "{key:12} {}", shown(value))
    };
    line("mechanism", &way(tried))?;
    for step in &tried.steps {
        line("asked", &format!("{}: {}", step.question(), step.answer()))?;
    }
    for spoken in &tried.came.wire {
        let who = if spoken.by_client { "C:" } else { "S:" };
        line("wire", format!("{who} {}", spoken.text).trim_end())?;
    }
    if let Some(why) = &tried.came.gave_up {
        line("client", &format!("gave up: {why}"))?;
    }
    line("outcome", outcome(tried))?;
    line("record", tried.reason())?;
    if let Some(meaning) = meaning::of(tried.reason()) {
        line("meaning", &meaning.what)?;
        line("remedy", &meaning.remedy)?;
    }
    if let Some(record) = &tried.record {
        line("detail", record.detail.as_deref().unwrap_or_default())?;
    }
    if let Some(identity) = &tried.came.identity {
        line("opens", &opens(config, identity))?;
    }
    Ok(())
}

fn way(tried: &Tried) -> String {
    let tls = if tried.tls {
        "under TLS"
    } else {
        "without TLS"
    };
    format!(
        "{} {tls} from {}, as at the listener {}",
        tried.mechanism.shown(),
        tried.address,
        tried.listener
    )
}

fn outcome(tried: &Tried) -> &'static str {
    if tried.came.identity.is_some() {
        "granted"
    } else if tried.record.is_none() {
        "refused before a password was looked at: this listener does not take one here"
    } else {
        "refused"
    }
}

/// What the server would open now.
fn opens(config: &Config, identity: &Identity) -> String {
    let account = identity.account();
    let maildrop = whois::maildrop(config, account).unwrap_or_else(|no| no);
    if identity.actor() == account.name {
        maildrop
    } else {
        format!("{maildrop}, for the delegate {}", identity.actor())
    }
}

/// One object for programs.
pub(super) fn json(config: &Config, tried: &Tried) -> Json {
    let meaning = meaning::of(tried.reason());
    let identity = tried.came.identity.as_ref();
    let record = tried.record.as_ref();
    let wire = tried.came.wire.iter().map(|spoken| {
        let who = if spoken.by_client { "client" } else { "server" };
        Json::Object(vec![(who, Json::text(&spoken.text))])
    });
    Json::Object(vec![
        ("name", whois::json(config, &tried.found)),
        ("mechanism", Json::text(tried.mechanism.shown())),
        ("listener", Json::text(&tried.listener)),
        ("tls", Json::Bool(tried.tls)),
        ("address", Json::text(tried.address)),
        ("asked", Json::List(tried.steps.iter().map(step).collect())),
        ("wire", Json::List(wire.collect())),
        (
            "gave_up",
            Json::maybe(tried.came.gave_up.as_ref(), Json::text),
        ),
        ("granted", Json::Bool(identity.is_some())),
        ("reason", Json::text(tried.reason())),
        (
            "meaning",
            Json::maybe(meaning.as_ref(), |meaning| Json::text(&meaning.what)),
        ),
        (
            "remedy",
            Json::maybe(meaning.as_ref(), |meaning| Json::text(&meaning.remedy)),
        ),
        (
            "detail",
            Json::maybe(record.and_then(|record| record.detail.as_ref()), Json::text),
        ),
        (
            "account",
            Json::maybe(
                record.and_then(|record| record.account.as_ref()),
                Json::text,
            ),
        ),
        (
            "delegate",
            Json::maybe(
                record.and_then(|record| record.delegate.as_ref()),
                Json::text,
            ),
        ),
        (
            "site",
            Json::maybe(record.and_then(|record| record.site.as_ref()), Json::text),
        ),
        (
            "opens",
            Json::maybe(identity, |identity| Json::text(opens(config, identity))),
        ),
    ])
}

fn step(step: &Step) -> Json {
    Json::Object(vec![
        ("step", Json::text(step.word())),
        ("question", Json::text(step.question())),
        ("answer", Json::text(step.answer())),
    ])
}
