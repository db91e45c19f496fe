//! Plays `tests/transcripts/**/*.pop3` against the server that is built from this repository, over
//! every transport that a transcript names. `POSTERN_SUBJECT=dovecot` plays them against Dovecot, with
//! the differences that `tests/transcripts/dovecot.toml` explains.
//!
//! `tests/transcripts/README.md` describes the format; the words in it are checked here too.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests read files, start programs and look at the clock"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use wire::dovecot;
use wire::engine::Engine;
use wire::house::House;
use wire::pattern::Pattern;
use wire::play::play;
use wire::postern::{self, Setup};
use wire::script::{Action, Script, Transport, parse};
use wire::text::unescape;

/// Every transcript below one folder.
fn scripts(folder: &str) -> Vec<Script> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths = Vec::new();
    collect(&root.join(folder), &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "there is no transcript in {folder}");
    let read = |path: &PathBuf| {
        let name = path
            .strip_prefix(&root)
            .expect("a path below the root")
            .with_extension("");
        let source = fs::read_to_string(path).expect("a transcript");
        parse(&name.display().to_string(), &source).unwrap_or_else(|problem| panic!("{problem}"))
    };
    paths.iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "pop3") {
            paths.push(path);
        }
    }
}

/// Sessions of a user are counted outside the engine, which only says when they are too many.
const COUNTED_BY_THE_DRIVER: [&str; 2] =
    ["exchange/too-many-sessions", "settings/sessions-of-a-user"];

/// Plays all transcripts of a folder against the engine, without a socket or a process.
fn hold_engine(folder: &str) {
    let mut failures = Vec::new();
    for script in &scripts(folder) {
        for profile in &script.profiles {
            if COUNTED_BY_THE_DRIVER.contains(&script.name.as_str()) {
                continue;
            }
            // What the transport changes for the engine is the offer, which the daemon's runs hold.
            let over = script.over.first().copied().unwrap_or(Transport::Clear);
            let mut engine = Engine::start(&Setup::of(script, profile));
            failures.extend(play(script, profile, over, &mut engine).err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Plays all transcripts of a folder over one transport, and tells all that failed.
fn hold(folder: &str, over: Transport) {
    let differences = Differences::read();
    let mut failures = Vec::new();
    let mut played = 0;
    for script in scripts(folder)
        .iter()
        .filter(|script| script.over.contains(&over))
    {
        for profile in &script.profiles {
            if !differences.can_play(script, profile) {
                continue;
            }
            let outcome = start(script, profile)
                .and_then(|mut house| play(script, profile, over, &mut house));
            failures.extend(differences.judge(&script.name, outcome));
            played += 1;
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {played} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn is_dovecot() -> bool {
    std::env::var("POSTERN_SUBJECT").is_ok_and(|subject| subject == "dovecot")
}

fn start(script: &Script, profile: &str) -> Result<House, String> {
    if is_dovecot() {
        return Ok(dovecot::start(&script.maildrop, &script.login));
    }
    postern::try_start(&Setup::of(script, profile))
        .map_err(|log| format!("{}.pop3 [{profile}]: no start: {log}", script.name))
}

/// Where Dovecot differs, and why.
struct Differences(BTreeMap<String, String>);

impl Differences {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/dovecot.toml");
        let table: toml::Table = fs::read_to_string(path)
            .expect("the differences")
            .parse()
            .expect("TOML");
        let reason = |value: &toml::Value| value.as_str().expect("a reason").to_owned();
        Self(
            table
                .iter()
                .map(|(name, value)| (name.clone(), reason(value)))
                .collect(),
        )
    }

    /// Whether the question makes sense: Dovecot imitates no Exchange, and has other settings.
    fn can_play(&self, script: &Script, profile: &str) -> bool {
        !is_dovecot() || (profile == "postern" && script.set.is_empty())
    }

    /// A failure that nobody expected, or a success that nobody expected.
    fn judge(&self, name: &str, outcome: Result<(), String>) -> Option<String> {
        if !is_dovecot() {
            return outcome.err();
        }
        match (outcome, self.0.get(name)) {
            (Ok(()), Some(reason)) => Some(format!(
                "{name}: Dovecot passes, although dovecot.toml says: {reason}"
            )),
            (Err(problem), None) => Some(problem),
            (Ok(()), None) | (Err(_), Some(_)) => None,
        }
    }
}

/// One test for each folder and transport.
macro_rules! hold {
    ($($folder:ident: $($over:ident)+;)+) => {
        $(mod $folder {
            #[test]
            fn engine() {
                super::hold_engine(stringify!($folder));
            }

            $(#[test]
            fn $over() {
                super::hold(stringify!($folder), super::$over);
            })+
        })+

        /// A folder that no test plays holds nothing.
        #[test]
        fn every_folder_is_played() {
            let played = [$(stringify!($folder)),+];
            for script in scripts("") {
                let folder = script.name.split('/').next().expect("a folder");
                assert!(played.contains(&folder), "{}.pop3 is played by no test", script.name);
            }
        }
    };
}

#[expect(non_upper_case_globals, reason = "the names of the tests")]
const clear: Transport = Transport::Clear;
#[expect(non_upper_case_globals, reason = "the names of the tests")]
const stls: Transport = Transport::Stls;
#[expect(non_upper_case_globals, reason = "the names of the tests")]
const implicit: Transport = Transport::Implicit;

hold! {
    auth: clear stls implicit;
    base: clear stls implicit;
    capa: clear stls implicit;
    exchange: clear stls implicit;
    settings: clear stls implicit;
    tls: clear;
    utf8: clear stls implicit;
}

#[test]
fn a_script_is_read() {
    let script = parse(
        "x",
        "title: t\nprofile: exchange\nrows: A B\nover: clear\n---\nS: +OK\nC: USER a\nC: PASS b\n\n# note\nC1: no\\x20end\n\
         S~ -ERR *\nS+ TOP\nS- STLS\n@ vanish 2\n@ closed\n",
    )
    .expect("a good script");
    assert_eq!(script.profiles.len(), 4);
    assert_eq!(script.rows, ["A", "B"]);
    let actions: Vec<_> = script.steps.iter().map(|step| &step.action).collect();
    assert!(matches!(actions[1], Action::Send(octets) if octets == b"USER a\r\nPASS b\r\n"));
    assert!(matches!(actions[2], Action::Send(octets) if octets == b"no end"));
    assert!(
        matches!(actions[4], Action::Lines { some, none } if some.len() == 1 && none.len() == 1)
    );
    assert!(matches!(actions[5], Action::Vanish(2)));
    assert_eq!(actions.len(), 7);
}

#[test]
fn a_bad_script_is_refused_with_its_line() {
    let cases = [
        (
            "title: t\nrows: A\n---\nS: +OK\nX: no\n",
            "x:5: a line does not begin with `X:`",
        ),
        (
            "title: t\nrows: A\n---\nC: first\n",
            "x: the dialogue does not begin with the greeting",
        ),
        (
            "title: t\n---\nS: +OK\n",
            "x: the header names no conformance row in `rows`",
        ),
        (
            "title: t\nrows: A\n",
            "x: there is no line `---` after the header",
        ),
        ("colour: red\n---\n", "x:1: there is no header `colour`"),
        (
            "title: t\nrows: A\n---\nS: \\q\n",
            "x:4: there is no escape `\\q`",
        ),
        (
            "title: t\nrows: A\n---\nS: +OK\n@ dance\n",
            "x:5: there is no event `dance`",
        ),
    ];
    for (source, problem) in cases {
        assert_eq!(parse("x", source).expect_err("a bad script"), problem);
    }
}

#[test]
fn octets_are_written_as_text() {
    let cases: [(&str, &[u8]); 6] = [
        ("<<base64:\\0<<repeat:2:a>>>>.", b"AGFh."),
        ("a\\tb\\0\\\\", b"a\tb\0\\"),
        ("\\xff\\r\\n", b"\xff\r\n"),
        ("<<repeat:3:ab>>!", b"ababab!"),
        ("AUTH PLAIN <<base64:\\0a\\0b>>", b"AUTH PLAIN AGEAYg=="),
        ("gr\u{fc}n", b"gr\xc3\xbcn"),
    ];
    for (source, octets) in cases {
        assert_eq!(unescape(source).expect("octets"), octets, "{source}");
    }
    assert!(unescape("<<twice:a>>").is_err());
}

#[test]
fn patterns_match_whole_lines() {
    let fits = |pattern: &str, line: &str| {
        Pattern::parse(pattern)
            .expect("a pattern")
            .matches(line.as_bytes())
    };
    assert!(fits("+OK*", "+OK"));
    assert!(fits("+OK*", "+OK text"));
    assert!(fits("+OK # #", "+OK 2 120"));
    assert!(fits("-ERR [AUTH] *", "-ERR [AUTH] no"));
    assert!(fits("\\x2A#", "*7"));
    assert!(!fits("+OK # #", "+OK 2 120 x"));
    assert!(!fits("+OK #", "+OK "));
    assert!(!fits("-ERR *", "-ERR"));
}
