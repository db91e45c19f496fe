//! The configuration: a text is accepted with values in their ranges, or refused with at least one
//! error, and every finding says where and what to do. The input is the text.

use std::path::Path;

use postern::config::{Config, Finding, Severity, check};
use postern::pop3::reply::OK;

/// Checks the text twice, the second time with a comment in front: nothing may change but lines.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let first = outcome(text);
    if text.starts_with('\u{feff}') {
        // A byte order mark is one at the very beginning only.
        return;
    }
    let second = outcome(&format!("# one more line\n{text}"));
    match (first, second) {
        (Ok((config, warnings)), Ok((again, warnings_again))) => {
            sound(&config);
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
            assert_eq!(warnings, warnings_again);
        }
        (Err(findings), Err(again)) => assert_eq!(findings, again),
        (first, second) => panic!("{first:?}\n{second:?}"),
    }
}

type Outcome = Result<(Config, Vec<String>), Vec<String>>;

/// What is said, without the places.
fn outcome(text: &str) -> Outcome {
    let file = Path::new("/etc/postern/postern.toml");
    let told = |findings: &[Finding]| {
        findings
            .iter()
            .map(|finding| about(finding, text))
            .collect::<Vec<_>>()
    };
    match check(text, file, "pop.example.test") {
        Ok(accepted) => {
            let warning = |finding: &Finding| finding.severity == Severity::Warning;
            assert!(accepted.warnings.iter().all(warning));
            let warnings = told(&accepted.warnings);
            Ok((accepted.config, warnings))
        }
        Err(rejected) => {
            let error = |finding: &Finding| finding.severity == Severity::Error;
            assert!(rejected.0.iter().any(error), "refused without an error");
            assert!(!rejected.to_string().is_empty());
            Err(told(&rejected.0))
        }
    }
}

fn about(finding: &Finding, text: &str) -> String {
    assert!(
        !finding.problem.is_empty() && !finding.remedy.is_empty(),
        "{finding:?}"
    );
    if let Some(place) = &finding.place {
        let lines = text.matches('\n').count() + 1;
        assert!(
            place.line.is_none_or(|line| (1..=lines).contains(&line)),
            "{finding}"
        );
        let longest = text.split('\n').map(|line| line.chars().count()).max();
        let last = longest.unwrap_or(0) + 1;
        assert!(
            place
                .column
                .is_none_or(|column| (1..=last).contains(&column)),
            "{finding}"
        );
    }
    format!(
        "{} {} {} {}",
        finding.severity, finding.key, finding.problem, finding.remedy
    )
}

/// What the rest of the server takes for granted.
fn sound(config: &Config) {
    assert!((40..=1024).contains(&config.limits.max_command));
    assert!((12 * 1024..=1024 * 1024).contains(&config.limits.max_sasl_line));
    assert!(config.limits.max_connections > 0);
    assert!(!config.listeners.is_empty());
    for (number, listener) in config.listeners.iter().enumerate() {
        let before = &config.listeners[..number];
        let twice = before.iter().any(|other| other.address == listener.address);
        assert!(
            !twice || listener.address.port() == 0,
            "{}",
            listener.address
        );
    }
    let banner = config.banner.as_bytes();
    assert!(banner.len() + " \r\n".len() + OK.len() <= 512 + "\r\n".len());
    assert!(
        banner
            .iter()
            .all(|octet| matches!(octet, b' '..=b'~') && *octet != b'<')
    );
    assert!(!banner.starts_with(b"["));
    assert!(config.hostname.len() <= 253 && config.hostname.is_ascii());
    assert!(config.users_file.is_absolute());
    assert!(config.policy.attempts_per_connection > 0);
}
