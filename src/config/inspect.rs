//! The first look at a file: every key and value against the option table, each with its place.
//!
//! What does not fit is reported and left out, so that the rest can be looked at in the same run.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Deserializer};

use super::file::File;
use super::finding::{Finding, Place};
use super::option::{self, Kind, Section, Setting};
use super::quantity::{
    UNLIMITED, octets_from_text, octets_text, quota_from_text, span_from_text, span_text,
};

/// Takes a text apart: what fits, and what was found.
pub(super) fn inspect(text: &str, file: &Path) -> (File, Vec<Finding>) {
    let (mut root, errors) = DeTable::parse_recoverable(text);
    let mut inspector = Inspector {
        text,
        file,
        broken: !errors.is_empty(),
        findings: Vec::new(),
    };
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        inspector.report(
            "",
            offset,
            format!("this is not TOML: {}", error.message()),
            "see https://toml.io for the syntax; texts stand in double quotes".to_owned(),
        );
    }
    if let Some(top) = option::section("") {
        inspector.table(root.get_mut(), top, "");
    }
    let written = File::deserialize(Deserializer::from(root)).unwrap_or_else(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let remedy = "`postern config reference` describes every key".to_owned();
        inspector.report("", offset, error.message().to_owned(), remedy);
        File::default()
    });
    (written, inspector.findings)
}

struct Inspector<'a> {
    text: &'a str,
    file: &'a Path,
    /// Whether the text is not TOML.
    broken: bool,
    findings: Vec<Finding>,
}

impl Inspector<'_> {
    fn report(&mut self, path: &str, offset: usize, problem: String, remedy: String) {
        let place = Place::at(self.file, self.text, offset);
        let finding = Finding::error(problem, remedy).key(path).place(place);
        self.findings.push(finding);
    }

    fn table(&mut self, table: &mut DeTable<'_>, section: &Section, path: &str) {
        let mut wrong = Vec::new();
        for (name, value) in table.iter_mut() {
            if !self.entry(section, path, name, value) {
                wrong.push(name.get_ref().clone().into_owned());
            }
        }
        for name in wrong {
            table.remove(name.as_str());
        }
    }

    /// Looks at one key and its value; says whether it may stay.
    fn entry(
        &mut self,
        section: &Section,
        path: &str,
        name: &Spanned<DeString<'_>>,
        value: &mut Spanned<DeValue<'_>>,
    ) -> bool {
        let key = join(section.name, name.get_ref());
        let path = join(path, name.get_ref());
        if let Some(inner) = option::section(&key) {
            return self.section(inner, place(name, value), value, &path);
        }
        let Some(setting) = option::find(&key) else {
            let problem = "there is no such key".to_owned();
            let remedy = suggestion(section, name.get_ref());
            self.report(&path, name.span().start, problem, remedy);
            return false;
        };
        let Err(problem) = fits(setting, value.get_ref()) else {
            return true;
        };
        if self.broken && value.span().is_empty() {
            // The parser's stand-in for something that it could not read, which was reported.
            return false;
        }
        let words = setting.kind.words();
        let remedy = format!(
            "write {words}, for instance {} = {}",
            setting.name(),
            setting.example
        );
        self.report(&path, place(name, value), problem, remedy);
        false
    }

    /// Looks into a section; says whether it is one.
    fn section(
        &mut self,
        section: &Section,
        offset: usize,
        value: &mut Spanned<DeValue<'_>>,
        path: &str,
    ) -> bool {
        match (value.get_mut(), section.repeated) {
            (DeValue::Table(table), false) => {
                self.table(table, section, path);
                true
            }
            (DeValue::Array(array), true) if array.iter().all(|item| item.get_ref().is_table()) => {
                for (number, item) in array.iter_mut().enumerate() {
                    if let DeValue::Table(table) = item.get_mut() {
                        self.table(table, section, &format!("{path}[{number}]"));
                    }
                }
                true
            }
            _ => {
                let problem = "this is a section, not a value".to_owned();
                let remedy = format!("begin it with a line {}", header(section));
                self.report(path, offset, problem, remedy);
                false
            }
        }
    }
}

/// Where a value is; where the parser does not say it, the place of its key.
fn place(name: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>) -> usize {
    let span = value.span();
    if span.is_empty() {
        name.span().start
    } else {
        span.start
    }
}

/// The header line of a section.
pub(super) fn header(section: &Section) -> String {
    if section.repeated {
        format!("[[{}]]", section.name)
    } else {
        format!("[{}]", section.name)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Whether a value is of the kind and in the range of its setting; if not, what is wrong.
fn fits(setting: &Setting, value: &DeValue<'_>) -> Result<(), String> {
    match (&setting.kind, value) {
        (Kind::Text | Kind::Path | Kind::Command, DeValue::String(_))
        | (Kind::Switch, DeValue::Boolean(_)) => Ok(()),
        (Kind::Choice(words), DeValue::String(word)) => {
            let known = words.contains(&word.as_ref());
            known
                .then_some(())
                .ok_or_else(|| format!("{word:?} is not one of its words"))
        }
        (Kind::List | Kind::Command, DeValue::Array(items)) => {
            let texts = items.iter().all(|item| item.get_ref().is_str());
            texts
                .then_some(())
                .ok_or_else(|| "the list contains something that is not a text".to_owned())
        }
        (Kind::Number(from, to), DeValue::Integer(_)) => {
            within(integer(value), *from, *to, |number| number.to_string())
        }
        (Kind::Span(from, to), DeValue::Integer(_)) => within(
            integer(value).and_then(|seconds| seconds.checked_mul(1000)),
            *from,
            *to,
            span_text,
        ),
        (Kind::Span(from, to), DeValue::String(text)) => match span_from_text(text) {
            None => Err(format!("{text:?} is not a duration")),
            amount => within(amount, *from, *to, span_text),
        },
        (Kind::Octets(from, to), DeValue::Integer(_)) => {
            within(integer(value), *from, *to, octets_text)
        }
        (Kind::Octets(from, to), DeValue::String(text)) => match octets_from_text(text) {
            None => Err(format!("{text:?} is not a size")),
            amount => within(amount, *from, *to, octets_text),
        },
        (Kind::Quota(from, to), DeValue::Integer(_)) => quota(integer(value), *from, *to),
        (Kind::Quota(from, to), DeValue::String(text)) => match quota_from_text(text) {
            None => Err(format!("{text:?} is not a size")),
            Some(UNLIMITED) => Ok(()),
            amount => quota(amount, *from, *to),
        },
        (_, other) => Err(format!("a value of type {} does not fit", other.type_str())),
    }
}

/// The number, unless it is negative or larger than 64 bits.
fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn quota(amount: Option<u64>, from: u64, to: u64) -> Result<(), String> {
    match amount {
        Some(0) => Ok(()),
        amount => within(amount, from, to, octets_text),
    }
}

fn within(amount: Option<u64>, from: u64, to: u64, words: fn(u64) -> String) -> Result<(), String> {
    match amount {
        Some(amount) if (from..=to).contains(&amount) => Ok(()),
        Some(amount) => Err(format!("{} is out of range", words(amount))),
        None => Err("the number is out of range".to_owned()),
    }
}

/// What was probably meant by an unknown key.
fn suggestion(section: &Section, name: &str) -> String {
    if let Some(setting) = option::all().find(|setting| setting.name() == name) {
        let home = setting.key.rsplit_once('.').map_or("", |(home, _)| home);
        return match option::section(home) {
            Some(home) if !home.name.is_empty() => format!("it belongs under {}", header(home)),
            _ => "it belongs at the top of the file, before the first section".to_owned(),
        };
    }
    let inner = option::SECTIONS.iter().filter_map(|inner| {
        let (home, name) = inner.name.rsplit_once('.').unwrap_or(("", inner.name));
        (home == section.name && !name.is_empty()).then_some(name)
    });
    let known: Vec<_> = section
        .settings
        .iter()
        .map(Setting::name)
        .chain(inner)
        .collect();
    match known.iter().min_by_key(|known| distance(known, name)) {
        Some(near) if distance(near, name) <= 3 => format!("did you mean `{near}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// How many octets must be added, removed or replaced to make one word of the other.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (number, from) in left.bytes().enumerate() {
        let mut diagonal = number;
        let mut previous = number + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(right.bytes()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            previous = replaced.min(previous + 1).min(diagonal + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = number + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
