//! Pages and files that say something about the program: they must say what it does.
#![expect(
    clippy::disallowed_methods,
    reason = "outside the server: tests read files"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

use postern::config::{check, render};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files with this end below a folder.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// Whether a configuration may be shown to people: it resolves, without a warning.
fn resolves(text: &str, place: &str) {
    match check(
        text,
        Path::new("/etc/postern/postern.toml"),
        "pop.example.test",
    ) {
        Ok(accepted) => assert!(
            accepted.warnings.is_empty(),
            "{place}: {:?}",
            accepted.warnings
        ),
        Err(rejected) => panic!("{place}: {rejected}"),
    }
}

#[test]
fn the_committed_pages_are_the_rendered_ones() {
    let again = "run: postern config";
    assert!(
        text("docs/configuration.md") == render::reference(),
        "{again} reference > docs/configuration.md"
    );
    assert!(
        text("packaging/postern.toml") == render::example(),
        "{again} example > packaging/postern.toml"
    );
    let pages = postern::cli::man_pages().expect("rendered in memory");
    for (name, page) in &pages {
        let committed = text(&format!("docs/man/{name}"));
        assert!(
            committed.as_bytes() == page,
            "{again} man --directory docs/man ({name})"
        );
    }
    let committed = fs::read_dir(root().join("docs/man"))
        .expect("docs/man")
        .count();
    assert_eq!(
        committed,
        pages.len(),
        "a page in docs/man is of no command any more"
    );
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut sources = files(&root().join("src"), ".rs");
    sources.extend(files(&root().join("auth/src"), ".rs"));
    assert!(sources.len() > 50, "{}", sources.len());
    for path in sources {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(
            text.starts_with("//! "),
            "{} does not open with //!",
            path.display()
        );
    }
}

#[test]
fn every_configuration_that_is_shown_resolves() {
    resolves(&text("packaging/postern.toml"), "packaging/postern.toml");
    let mut pages = files(&root().join("docs"), ".md");
    pages.push(root().join("README.md"));
    let mut shown = 0;
    for path in pages {
        let page = fs::read_to_string(&path).expect("a page");
        for block in page.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            if !block.contains("[[user]]") {
                resolves(block, &path.display().to_string());
                shown += 1;
            }
        }
    }
    assert!(shown > 0, "no page shows a configuration");
}

/// The words of `Reason::as_str`.
fn reasons() -> Vec<String> {
    let source = text("auth/src/audit.rs");
    let body = source
        .split("fn as_str(self)")
        .nth(1)
        .expect("Reason::as_str");
    let body = body.split("\n    }\n").next().unwrap_or_default();
    body.split("=> \"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

/// The message of every record that `src/event.rs` writes, up to its first colon.
fn records() -> Vec<String> {
    let source = text("src/event.rs");
    let calls = ["debug!(", "error!(", "info!(", "warn!("];
    let after = |call| source.split(call).skip(1).collect::<Vec<_>>();
    let last_literal = |rest: &str| {
        let arguments = rest.split(");").next()?.split("),").next()?;
        let mut quoted = arguments.rsplit('"');
        let message = quoted.nth(1)?;
        Some(message.split(':').next().unwrap_or(message).to_owned())
    };
    calls
        .into_iter()
        .flat_map(after)
        .filter_map(last_literal)
        .collect()
}

#[test]
fn every_record_is_explained() {
    let guide = text("docs/operating.md");
    let records = records();
    assert!(records.len() > 15, "{records:?}");
    for record in &records {
        assert!(
            guide.contains(&format!("`{record}")),
            "{record} is not in docs/operating.md"
        );
    }
}

#[test]
fn every_reason_is_explained() {
    let guide = text("docs/operating.md");
    let reasons = reasons();
    assert!(reasons.len() > 10, "{reasons:?}");
    for reason in &reasons {
        assert!(
            guide.contains(&format!("\n| `{reason}` | ")),
            "{reason} is not in docs/operating.md"
        );
    }
    let filter = text("packaging/fail2ban/filter.d/postern.conf");
    let words = filter
        .split("reason=\"(?:")
        .nth(1)
        .and_then(|rest| rest.split(')').next());
    for word in words.expect("the reasons of the filter").split('|') {
        assert!(
            reasons.iter().any(|reason| reason == word),
            "{word} in the filter is no reason"
        );
    }
}

#[test]
fn the_guide_names_settings_that_exist() {
    let reference = render::reference();
    let pages = text("docs/operating.md") + &text("README.md") + &text("packaging/postern.service");
    let homes = [
        "login.",
        "ntlm.",
        "winbind.",
        "limits.",
        "timeouts.",
        "tls.",
        "users.",
        "maildrop.",
        "log.",
        "protocol_log.",
        "messages.",
    ];
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    let mut named = 0;
    for piece in pages.split(|c: char| !word(c)) {
        let piece = piece.trim_matches('.');
        let file = [".toml", ".key", ".md"]
            .iter()
            .any(|end| piece.ends_with(end));
        if !file && homes.iter().any(|home| piece.starts_with(home)) {
            assert!(
                reference.contains(&format!("### `{piece}`")),
                "{piece} is no setting"
            );
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}
