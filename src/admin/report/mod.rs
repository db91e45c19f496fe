//! `postern report auth`: who still logs in by what should go, out of the server's own records.
//!
//! It reads logs and changes nothing. It never needs the running server.

mod record;
mod summary;

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use record::Record;
use summary::{Kind, Summary, Use, Who};

use super::json::Json;
use super::table;
use super::{AdminError, Office, Outcome};
use crate::calendar::Moment;

/// The longest line of a log that is looked at; a record has a few hundred octets.
const MAX_LINE: u64 = 64 * 1024;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A log cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file, or `standard input`.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Office<'_> {
    pub(super) fn report(
        &mut self,
        logs: &[PathBuf],
        since: Option<Duration>,
        json: bool,
    ) -> Result<Outcome, AdminError> {
        let since = since.and_then(|since| self.now.checked_sub(since));
        let since = since.map(|since: SystemTime| Moment::of(since).text());
        let mut summary = Summary::default();
        let mut read = |log: &mut dyn Read| count(log, since.as_deref(), &mut summary);
        if logs.is_empty() {
            read(&mut io::stdin().lock()).map_err(|error| failed("standard input", error))?;
        }
        for path in logs {
            let read = open(path).and_then(|mut log| read(&mut log));
            read.map_err(|error| failed(path.display(), error))?;
        }
        if json {
            writeln!(self.out, "{}", members(&summary))?;
        } else {
            self.report_text(&summary)?;
        }
        Ok(Outcome::Fine)
    }

    fn report_text(&mut self, summary: &Summary) -> io::Result<()> {
        writeln!(self.out, "{} attempts to log in; let in:", summary.attempts)?;
        for (mechanism, count) in &summary.granted {
            writeln!(self.out, "  {mechanism:20} {count}")?;
        }
        for kind in Kind::ALL {
            let Some(uses) = summary.uses.get(&kind) else {
                continue;
            };
            writeln!(self.out, "\n{}", kind.heading())?;
            let headings = [
                "ACCOUNT",
                "ADDRESS",
                "MECHANISM",
                "MACHINE",
                "TIMES",
                "REFUSED",
                "FIRST",
                "LAST",
            ];
            let mut uses: Vec<_> = uses.iter().collect();
            uses.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.count));
            let rows: Vec<_> = uses
                .into_iter()
                .map(|(who, entry)| {
                    [
                        who.account.clone(),
                        who.address.clone(),
                        who.mechanism.clone(),
                        who.machine.clone().unwrap_or_default(),
                        entry.count.to_string(),
                        entry.refused.to_string(),
                        entry.first.clone(),
                        entry.last.clone(),
                    ]
                })
                .collect();
            table::write(self.out, headings, &rows)?;
        }
        Ok(())
    }
}

fn failed(path: impl ToString, source: io::Error) -> AdminError {
    let path = path.to_string();
    ReportError::Read { path, source }.into()
}

#[expect(
    clippy::disallowed_types,
    reason = "the office reads the log that it is given"
)]
fn open(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// Counts the records of a log that are not older than `since`.
fn count(log: &mut dyn Read, since: Option<&str>, summary: &mut Summary) -> io::Result<()> {
    let mut log = BufReader::new(log);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut log).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let record = Record::parse(String::from_utf8_lossy(&line).trim_end());
        if let Some(record) =
            record.filter(|record| since.is_none_or(|since| &*record.time >= since))
        {
            summary.add(&record);
        }
    }
}

fn members(summary: &Summary) -> Json {
    let granted = summary.granted.iter();
    let granted = granted.map(|(mechanism, count)| {
        Json::Object(vec![
            ("mechanism", Json::text(mechanism)),
            ("logins", Json::Number(*count)),
        ])
    });
    let uses = summary.uses.iter().flat_map(|(kind, uses)| {
        let one = |(who, times): (&Who, &Use)| {
            Json::Object(vec![
                ("kind", Json::text(kind.as_str())),
                ("account", Json::text(&who.account)),
                ("address", Json::text(&who.address)),
                ("mechanism", Json::text(&who.mechanism)),
                ("machine", Json::maybe(who.machine.as_ref(), Json::text)),
                ("times", Json::Number(times.count)),
                ("refused", Json::Number(times.refused)),
                ("first", Json::text(&times.first)),
                ("last", Json::text(&times.last)),
            ])
        };
        uses.iter().map(one).collect::<Vec<_>>()
    });
    Json::Object(vec![
        ("attempts", Json::Number(summary.attempts)),
        ("granted", Json::List(granted.collect())),
        ("uses", Json::List(uses.collect())),
    ])
}
