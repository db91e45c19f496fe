//! What is said to `ntlm_auth --helper-protocol=ntlm-server-1`, and what it answers.
//!
//! A request and an answer are lines `Key: value` that end with a single `.`. After a refusal the
//! program writes that dot twice, so a reader that counts dots would be one answer behind for ever,
//! and give one user the verdict of another. So every request ends with a parameter that nobody
//! knows, with a number used once in its name: the program repeats it in an error line, and only
//! what stands before that line is the answer.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::ntlm::Key;

/// The longest answer that is read, in octets; a real one has less than 300.
pub(super) const MAX_ANSWER: usize = 8192;

/// A response to be judged by a domain controller.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The user's name as sent.
    pub(crate) user: String,
    /// The domain as sent; may be empty.
    pub(crate) domain: String,
    /// What the server sent.
    pub(crate) server_challenge: [u8; 8],
    /// The NT response, whole.
    pub(crate) response: Vec<u8>,
}

/// What the domain controller said. Why it said no is prose, differs between an unknown user and a
/// wrong password, and is for the log alone.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The response is right; the session key.
    Right(Key),
    /// It is not, with the controller's words.
    Wrong(String),
    /// The controller could not be asked, with the program's words.
    Trouble(String),
}

/// The program said something that is not an answer to this request: it has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the helper's answer is not one to this request")]
pub(crate) struct OutOfStep;

/// The lines of a request. Names are always in base64: a line end in one would begin another line.
pub(crate) fn request(request: &Request, nonce: u64) -> String {
    let mut lines = String::new();
    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    let hex = |octets: &[u8]| {
        octets.iter().fold(String::new(), |mut digits, octet| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{octet:02x}");
            digits
        })
    };
    let mut line = |key: &str, value: &str| {
        lines.push_str(key);
        lines.push_str(": ");
        lines.push_str(value);
        lines.push('\n');
    };
    line("Username:", &encoded(&request.user));
    // An empty value is an error to the program.
    if !request.domain.is_empty() {
        line("NT-Domain:", &encoded(&request.domain));
    }
    line("LANMAN-Challenge", &hex(&request.server_challenge));
    line("NT-Response", &hex(&request.response));
    line("Request-User-Session-Key", "Yes");
    lines.push_str(".\n");
    lines.push_str(&parameter(nonce));
    lines.push_str(": 1\n");
    lines
}

fn parameter(nonce: u64) -> String {
    format!("Postern-Sync-{nonce:016x}")
}

/// What was read so far: none while the answer is not complete.
pub(crate) fn answer(read: &[u8], nonce: u64) -> Result<Option<Verdict>, OutOfStep> {
    let parameter = parameter(nonce);
    let mut before = Vec::new();
    for line in read.split_inclusive(|octet| *octet == b'\n') {
        // A read may end anywhere, also within a character.
        let Some(line) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let line = std::str::from_utf8(line).map_err(|_| OutOfStep)?;
        if line.starts_with("Error:") && line.contains(&parameter) {
            return verdict(&before).map(Some);
        }
        before.push(line);
    }
    Ok(None)
}

/// Exactly one verdict; a session key with a yes, and never without.
fn verdict(lines: &[&str]) -> Result<Verdict, OutOfStep> {
    let mut authenticated = None;
    let mut key = None;
    let mut words = None;
    for line in lines.iter().filter(|line| **line != ".") {
        let (name, value) = line.split_once(": ").ok_or(OutOfStep)?;
        let place = match name {
            "Authenticated" => &mut authenticated,
            "User-Session-Key" => &mut key,
            "Authentication-Error" => &mut words,
            // Of this request, as the one before was read to its end.
            "Error" => return Ok(Verdict::Trouble(value.to_owned())),
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(OutOfStep);
        }
    }
    match (authenticated, key) {
        (Some("Yes"), Some(key)) => session_key(key).map(Verdict::Right).ok_or(OutOfStep),
        (Some("No"), None) => {
            let words = words.unwrap_or_default().to_owned();
            Ok(if is_trouble(&words) {
                Verdict::Trouble(words)
            } else {
                Verdict::Wrong(words)
            })
        }
        _ => Err(OutOfStep),
    }
}

/// The refusals that say nothing about the user. The program has no code for them.
fn is_trouble(words: &str) -> bool {
    const TROUBLE: [&str; 6] = [
        "No logon servers",
        "NO_LOGON_SERVERS",
        "trust relationship",
        "TRUSTED_",
        "IO_TIMEOUT",
        "winbind",
    ];
    TROUBLE.iter().any(|trouble| words.contains(trouble))
}

fn session_key(digits: &str) -> Option<Key> {
    let mut octets = [0; 16];
    // `from_str_radix` would take a sign for a digit.
    if digits.len() != 32 || !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    for (octet, at) in octets.iter_mut().zip((0..32).step_by(2)) {
        *octet = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(Key::new(octets))
}
