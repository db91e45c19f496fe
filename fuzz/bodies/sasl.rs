//! SASL exchanges: nobody is let in whom the directory does not know, every attempt leaves one
//! record, and no record says anything of a password.
//!
//! Input: lines. A line `AUTH name` begins an exchange, `AUTH name base64` begins one with an
//! initial response, `*` gives it up, and every other line is a response, which is base64 or else
//! taken as it stands.

use postern::pop3::command::decode;
use postern_auth::{Exchange, LoginRecord, Progress};

use super::secret;
use super::toy::House;

/// Plays the dialogue twice, the second time with other passwords: all that is seen of it from
/// outside is the same.
pub fn run(input: &[u8]) {
    let once = play(input, false);
    let disguised = play(input, true);
    assert_eq!(once.seen, disguised.seen, "a password shows");
    let shown = |records: &[LoginRecord]| format!("{records:#?}");
    assert_eq!(
        shown(&once.records),
        shown(&disguised.records),
        "a password is recorded"
    );
}

struct Outcome {
    seen: Vec<String>,
    records: Vec<LoginRecord>,
}

fn play(input: &[u8], disguised: bool) -> Outcome {
    let mut house = House::new();
    let (mut exchange, mut seen) = (None, Vec::new());
    let (mut begun, mut closed) = (0, false);
    for line in input.split(|octet| *octet == b'\n') {
        let words: Vec<&[u8]> = line.splitn(3, |octet| *octet == b' ').collect();
        let (mut talking, response) = match (words.as_slice(), exchange.take()) {
            (_, _) if closed => break,
            ([b"AUTH", name, rest @ ..], _) => {
                begun += 1;
                let name = String::from_utf8_lossy(name);
                match house
                    .authenticator
                    .begin(&name, &house.channel, &mut house.caller)
                {
                    Ok(begun) => (begun, rest.first().map(|text| octets(text))),
                    Err(refusal) => {
                        closed = refusal.close;
                        seen.push(format!("{refusal:?}"));
                        continue;
                    }
                }
            }
            ([b"*"], _) | (_, None) => continue,
            (_, Some(talking)) => (talking, Some(octets(line))),
        };
        let response = response.map(|response| if disguised { other(response) } else { response });
        let progress = step(&house, &mut talking, response.as_deref());
        seen.push(format!("{talking:?} {progress:?}"));
        match progress {
            Progress::Challenge(_) => exchange = Some(talking),
            Progress::Granted(_) => {}
            Progress::Refused(refusal) => closed = refusal.close,
        }
    }
    drop(exchange);
    assert_eq!(house.records().len(), begun, "one record an attempt");
    Outcome {
        seen,
        records: house.records(),
    }
}

/// A step, and what PLAIN must make of it by another way (RFC 4616 §2).
fn step(house: &House, exchange: &mut Exchange, response: Option<&[u8]>) -> Progress {
    let before = house.asked().len();
    let progress = house.step(exchange, response);
    let asked = house.asked().split_off(before);
    let parts: Vec<&[u8]> = response
        .unwrap_or_default()
        .split(|octet| *octet == 0)
        .collect();
    for question in &asked {
        let [_, _, password] = parts.as_slice() else {
            panic!("{question:?} was asked of {response:?}");
        };
        assert_eq!(question.password, *password, "as typed");
    }
    let fit = |part: &&[u8]| part.len() <= 255 && std::str::from_utf8(part).is_ok();
    if let [b"", login, password] = parts.as_slice()
        && parts.iter().all(fit)
        && !login.is_empty()
        && !password.is_empty()
        && matches!(progress, Progress::Challenge(_))
    {
        panic!("PLAIN has one step");
    }
    progress
}

/// The octets of a response: decoded as a session does it, or as they stand.
fn octets(text: &[u8]) -> Vec<u8> {
    match decode(text) {
        Ok(octets) => octets.expose().to_vec(),
        Err(_) => text.to_vec(),
    }
}

/// The same response with another password, if it is a message of PLAIN.
fn other(mut response: Vec<u8>) -> Vec<u8> {
    let _ = secret::other(&mut response);
    response
}
