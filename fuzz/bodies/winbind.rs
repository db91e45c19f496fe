//! Winbind's helper: no name begins a line of its own in a request, and no answer is taken for one
//! to another request, or for a yes that is not plainly one.
//!
//! Input: an octet of choice. For a request, a name, a zero octet and a domain; for an answer, what
//! the helper writes, where `@` at the beginning of a line is the error that ends an answer to this
//! request, and `~` the one that ends another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_auth::readers::{WinbindAnswer, winbind_answer as read, winbind_request};

const NONCE: u64 = 0x0000_0bad_0000_0007;
const MARK: &str = "Error: Unknown request Postern-Sync-00000bad00000007";
const OTHER_MARK: &str = "Error: Unknown request Postern-Sync-00000bad00000006";

/// A request, or an answer.
pub fn run(input: &[u8]) {
    match input.split_first() {
        None => {}
        Some((b'?', rest)) => request(rest),
        Some((_, rest)) => answer(rest),
    }
}

fn request(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (user, domain) = text.split_once('\0').unwrap_or((&text, ""));
    let lines = winbind_request(user, domain, input, NONCE);
    let mut expected = vec![format!("Username:: {}", STANDARD.encode(user))];
    if !domain.is_empty() {
        expected.push(format!("NT-Domain:: {}", STANDARD.encode(domain)));
    }
    let response: String = input.iter().map(|octet| format!("{octet:02x}")).collect();
    expected.extend([
        "LANMAN-Challenge: 0123456789abcdef".to_owned(),
        format!("NT-Response: {response}"),
        "Request-User-Session-Key: Yes".to_owned(),
        ".".to_owned(),
        "Postern-Sync-00000bad00000007: 1".to_owned(),
        String::new(),
    ]);
    assert_eq!(lines.split('\n').collect::<Vec<_>>(), expected);
}

fn answer(input: &[u8]) {
    let said = said(input);
    let whole = read(&said, NONCE);
    // Read in pieces, it comes to the same, and to nothing before it is complete.
    let ends = (0..said.len()).filter(|at| said[*at] == b'\n');
    for end in ends.chain([said.len() / 2, said.len().saturating_sub(1)]) {
        let part = read(&said[..end], NONCE);
        let fits = part == WinbindAnswer::Partial || part == whole;
        assert!(fits, "{part:?} and then {whole:?}");
    }
    let mut before = Vec::new();
    for line in said.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n").map(std::str::from_utf8) {
            None => break,
            Some(Err(_)) => return assert_eq!(whole, WinbindAnswer::OutOfStep),
            Some(Ok(line)) if line.starts_with("Error:") && line.contains(&MARK[23..]) => {
                return judged(&whole, &before);
            }
            Some(Ok(line)) => before.push(line),
        }
    }
    assert_eq!(whole, WinbindAnswer::Partial);
}

/// What the helper wrote.
fn said(input: &[u8]) -> Vec<u8> {
    let lines = input.split_inclusive(|octet| *octet == b'\n');
    lines
        .flat_map(|line| match line.split_first() {
            Some((b'@', rest)) => [MARK.as_bytes(), rest].concat(),
            Some((b'~', rest)) => [OTHER_MARK.as_bytes(), rest].concat(),
            _ => line.to_vec(),
        })
        .collect()
}

/// What these lines can be at most.
fn judged(answer: &WinbindAnswer, lines: &[&str]) {
    let values = |name: &str| -> Vec<&str> {
        let values = lines.iter().filter_map(|line| line.split_once(": "));
        values
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .collect()
    };
    let (said, keys) = (values("Authenticated"), values("User-Session-Key"));
    let (errors, words) = (values("Error"), values("Authentication-Error"));
    let plain = lines.iter().all(|line| *line == "." || line.contains(": "));
    match answer {
        WinbindAnswer::Right(key) => {
            let digits: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(said, ["Yes"]);
            assert!(keys.len() == 1 && keys[0].eq_ignore_ascii_case(&digits));
            assert!(plain && errors.is_empty() && words.len() < 2);
        }
        WinbindAnswer::Wrong(why) | WinbindAnswer::Trouble(why) if errors.is_empty() => {
            assert_eq!((said.as_slice(), keys.len()), (&["No"][..], 0));
            assert!(plain && words.len() < 2);
            assert_eq!(why, words.first().unwrap_or(&""));
        }
        WinbindAnswer::Wrong(_) => panic!("an error is no verdict"),
        WinbindAnswer::Trouble(why) => assert_eq!(why, errors[0]),
        WinbindAnswer::OutOfStep => {
            let digits =
                |key: &&str| key.len() == 32 && key.bytes().all(|octet| octet.is_ascii_hexdigit());
            let yes = said == ["Yes"] && keys.len() == 1 && keys.iter().all(digits);
            let no = said == ["No"] && keys.is_empty();
            let sound = plain && errors.is_empty() && words.len() < 2;
            assert!(!(sound && (yes || no)), "a plain verdict");
        }
        WinbindAnswer::Partial => panic!("the mark is there"),
    }
}
