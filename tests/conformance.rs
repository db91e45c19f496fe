//! Keeps `docs/conformance.md` true: every requirement has a row, every row names a test that is
//! there, or says what it waits for. The page is rendered from `tests/conformance.toml`;
//! `POSTERN_BLESS=1 cargo test --test conformance` writes it again.

#![expect(
    clippy::disallowed_methods,
    reason = "outside the server: this reads the sources"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How many requirements there are; one more or less is a decision, not an accident.
const ROWS: usize = 240;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    section: String,
    requirement: String,
    #[serde(default)]
    held_by: Vec<String>,
    waits_for: Option<String>,
    exception: Option<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn table() -> Vec<Row> {
    let source = read("tests/conformance.toml").expect("the table");
    let table: Table =
        toml::from_str(&source).unwrap_or_else(|error| panic!("tests/conformance.toml: {error}"));
    table.row
}

/// The ids in the `rows` of a transcript's header.
fn rows_of(source: &str) -> BTreeSet<String> {
    let header = source.split("\n---\n").next().unwrap_or_default();
    let rows = header
        .lines()
        .filter_map(|line| line.strip_prefix("rows: "));
    rows.flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// Whether the test is there, and a transcript knows what it holds.
fn check(id: &str, test: &str) -> Result<(), String> {
    if let Some((path, name)) = test.split_once("::") {
        let source = read(path)?;
        let (head, rest) = source
            .split_once(&format!("fn {name}("))
            .ok_or(format!("{test}: no such test"))?;
        let marked = head
            .lines()
            .rev()
            .take(4)
            .any(|line| line.trim_start().starts_with("#["));
        return if marked && !rest.is_empty() {
            Ok(())
        } else {
            Err(format!("{test} is not a test"))
        };
    }
    if rows_of(&read(test)?).contains(id) {
        Ok(())
    } else {
        Err(format!("{test} does not name {id}"))
    }
}

fn transcripts(folder: &Path, found: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            transcripts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "pop3") {
            let name = path
                .strip_prefix(root())
                .expect("a path below the root")
                .display()
                .to_string();
            let rows = rows_of(&read(&name).expect("a transcript"));
            found.insert(name, rows);
        }
    }
}

#[test]
fn every_requirement_is_held_or_says_why_not() {
    let rows = table();
    let mut problems = Vec::new();
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id.as_str()).collect();
    if rows.len() != ROWS || ids.len() != ROWS {
        problems.push(format!(
            "{} rows with {} ids, not {ROWS}",
            rows.len(),
            ids.len()
        ));
    }
    for row in &rows {
        let answers = [
            !row.held_by.is_empty(),
            row.waits_for.is_some(),
            row.exception.is_some(),
        ];
        if answers.iter().filter(|answer| **answer).count() != 1 {
            problems.push(format!(
                "{}: needs exactly one of held_by, waits_for, exception",
                row.id
            ));
        }
        problems.extend(
            row.held_by
                .iter()
                .filter_map(|test| check(&row.id, test).err()),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_transcript_stands_in_the_rows_that_it_names() {
    let rows = table();
    let mut found = BTreeMap::new();
    transcripts(&root().join("tests/transcripts"), &mut found);
    let mut problems = Vec::new();
    for (name, ids) in &found {
        for id in ids {
            let stands = rows
                .iter()
                .any(|row| row.id == *id && row.held_by.contains(name));
            if !stands {
                problems.push(format!("{name} names {id}, which does not name it"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A test as a link; the page lies in `docs`.
fn link(test: &str) -> String {
    let (path, name) = test.split_once("::").unwrap_or((test, ""));
    let short = path
        .strip_prefix("tests/transcripts/")
        .or_else(|| path.strip_prefix("tests/"))
        .unwrap_or(path);
    let short = short
        .strip_suffix(".pop3")
        .or_else(|| short.strip_suffix(".rs"))
        .unwrap_or(short);
    let colons = if name.is_empty() { "" } else { "::" };
    format!("[{short}{colons}{name}](../{path})")
}

fn render(rows: &[Row]) -> String {
    let (held, waiting, exceptions) = count(rows);
    let mut page = format!(
        "# Conformance\n\nEvery requirement that Postern is held to, with the tests that hold it. Made from \
         `tests/conformance.toml` by\n`tests/conformance.rs`; the ids are those of [MS-STANXPOP3], [MS-OXPOP3], \
         [MS-NLMP] and the RFCs.\n\n{held} rows are held, {waiting} wait for something that is not there yet, \
         {exceptions} cannot arise.\n"
    );
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = &row.section;
            let _ = write!(
                page,
                "\n## {section}\n\n| id | requirement | held by |\n|---|---|---|\n"
            );
        }
        let answer = match (&row.waits_for, &row.exception) {
            (Some(reason), _) => format!("waits for {reason}"),
            (None, Some(reason)) => format!("cannot arise: {reason}"),
            (None, None) => row
                .held_by
                .iter()
                .map(|test| link(test))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let requirement = row.requirement.replace('|', "\\|");
        let _ = writeln!(page, "| {} | {requirement} | {answer} |", row.id);
    }
    page
}

fn count(rows: &[Row]) -> (usize, usize, usize) {
    let held = rows.iter().filter(|row| !row.held_by.is_empty()).count();
    let waiting = rows.iter().filter(|row| row.waits_for.is_some()).count();
    (held, waiting, rows.len() - held - waiting)
}

#[test]
fn the_page_is_what_the_table_says() {
    let rows = table();
    let (held, waiting, exceptions) = count(&rows);
    // Not `println!`, which the test runner keeps for itself when a test passes.
    let count =
        format!("conformance: {held} rows held, {waiting} waiting, {exceptions} cannot arise\n");
    std::io::stdout()
        .write_all(count.as_bytes())
        .expect("standard output");
    let page = render(&rows);
    if std::env::var_os("POSTERN_BLESS").is_some() {
        fs::write(root().join("docs/conformance.md"), &page).expect("writing the page");
    }
    let committed = read("docs/conformance.md").unwrap_or_default();
    assert!(
        committed == page,
        "docs/conformance.md is old: POSTERN_BLESS=1 cargo test --test conformance"
    );
}

#[test]
fn every_wound_names_a_test_that_is_there() {
    let page = read("docs/wounds.md").expect("the page");
    let named: Vec<_> = page
        .split('`')
        .filter(|word| word.starts_with("tests/") || word.starts_with("src/"))
        .collect();
    assert!(named.len() > 20, "the page names {} tests", named.len());
    let missing = |test: &&str| match test.split_once("::") {
        Some((path, name)) => {
            !read(path).is_ok_and(|source| source.contains(&format!("fn {name}(")))
        }
        None => !root().join(test).exists(),
    };
    let missing: Vec<_> = named.into_iter().filter(missing).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
