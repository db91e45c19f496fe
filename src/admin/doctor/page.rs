//! What was seen, on the screen: a line for each thing, or one JSON object.

use std::io::{self, Write};

use super::seen::{Seen, Status};
use crate::admin::check;
use crate::admin::json::Json;
use crate::admin::table::shown;
use crate::config::Finding;

/// What is wrong comes first in one line, for monitoring; then every check has its lines, in the order of the
/// table. A line begins with how bad it is, and its remedy is on the next.
pub(super) fn text(
    out: &mut dyn Write,
    status: Status,
    lines: &[(&'static str, Seen)],
) -> io::Result<()> {
    writeln!(out, "POSTERN {}: {}", status.as_str(), summary(lines))?;
    for (name, seen) in lines {
        let mut line = |mark: &str, words: &str| {
            let words = shown(words);
            writeln!(out, "{mark:4}  {name:13}  {words}")
        };
        match seen {
            Seen::Needless(why) => line("-", why)?,
            Seen::Unknown { why, remedy } => {
                line("?", why)?;
                write_remedy(out, remedy)?;
            }
            Seen::Looked { well, findings } => {
                for words in well {
                    line("ok", words)?;
                }
                for finding in findings {
                    write_finding(out, name, finding)?;
                }
            }
        }
    }
    Ok(())
}

fn write_finding(out: &mut dyn Write, name: &str, finding: &Finding) -> io::Result<()> {
    let mark = match Status::of(finding) {
        Status::Critical => "FAIL",
        Status::Ok | Status::Unknown | Status::Warning => "warn",
    };
    let place = finding.place.as_ref().map(ToString::to_string);
    let key = Some(finding.key.clone()).filter(|key| !key.is_empty());
    let mut words: Vec<_> = place.into_iter().chain(key).collect();
    words.push(finding.problem.clone());
    writeln!(out, "{mark:4}  {name:13}  {}", shown(&words.join(": ")))?;
    write_remedy(out, &finding.remedy)
}

fn write_remedy(out: &mut dyn Write, remedy: &str) -> io::Result<()> {
    writeln!(out, "      remedy: {}", shown(remedy))
}

/// The names of the checks that are not well, the worst first.
fn summary(lines: &[(&'static str, Seen)]) -> String {
    let names = |wanted: Status| {
        let of = lines
            .iter()
            .filter(move |(_, seen)| seen.status() == Some(wanted));
        of.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    let parts = [
        ("failed", names(Status::Critical)),
        ("warnings", names(Status::Warning)),
        ("unknown", names(Status::Unknown)),
    ];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<_> = parts
        .map(|(words, names)| format!("{words}: {names}"))
        .collect();
    if parts.is_empty() {
        "everything that was looked at is well".to_owned()
    } else {
        parts.join("; ")
    }
}

/// One object for programs.
pub(super) fn json(status: Status, lines: &[(&'static str, Seen)]) -> Json {
    let checks = lines.iter().map(|(name, seen)| {
        let word = seen.status().map_or_else(|| "none".to_owned(), lower);
        let mut members = vec![("name", Json::text(name)), ("status", Json::text(word))];
        members.extend(words(seen));
        Json::Object(members)
    });
    Json::Object(vec![
        ("status", Json::text(lower(status))),
        ("code", Json::Number(u64::from(status.code()))),
        ("checks", Json::List(checks.collect())),
    ])
}

fn words(seen: &Seen) -> Vec<(&'static str, Json)> {
    match seen {
        Seen::Needless(why) => vec![("needless", Json::text(why))],
        Seen::Unknown { why, remedy } => {
            vec![("problem", Json::text(why)), ("remedy", Json::text(remedy))]
        }
        Seen::Looked { well, findings } => {
            let well = well.iter().map(Json::text).collect();
            let findings = findings.iter().map(check::json).collect();
            vec![
                ("well", Json::List(well)),
                ("findings", Json::List(findings)),
            ]
        }
    }
}

fn lower(status: Status) -> String {
    status.as_str().to_ascii_lowercase()
}
