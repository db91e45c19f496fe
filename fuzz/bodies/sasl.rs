//! SASL exchanges: nobody is let in whom the directory does not know, every attempt leaves one
//! record, and nothing that is seen or recorded depends on a password.
//!
//! Input: lines. A line `AUTH name` begins an exchange, `AUTH name base64` begins one with an
//! initial response, `*` gives it up, and every other line is a response, which is base64 or else
//! taken as it stands. In SCRAM's `,r=%` is the nonce of the server and `,p=^` the proof.

use postern::pop3::command::decode;
use postern_auth::{Exchange, LoginRecord, Progress, TlsFacts};

use super::scram::Client;
use super::secret;
use super::toy::{House, disguise, is_mechanism};

/// In the order in which they are offered.
const MECHANISMS: [&str; 5] = [
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "EXTERNAL",
    "PLAIN",
    "LOGIN",
];

/// Plays the dialogue twice, the second time with other passwords: all that is seen of it from
/// outside is the same.
pub fn run(input: &[u8]) {
    let once = play(input, false);
    let disguised = play(input, true);
    assert_eq!(once.0, disguised.0, "a password shows");
    let shown = |records: &[LoginRecord]| format!("{records:#?}");
    assert_eq!(
        shown(&once.1),
        shown(&disguised.1),
        "a password is recorded"
    );
}

/// An exchange that goes on.
struct Talk {
    exchange: Exchange,
    mechanism: String,
    client: Client,
    responses: u32,
    /// Whether it has proven that it knows the key; the server may speak once more.
    proven: bool,
}

/// What a client sees, and the records.
fn play(input: &[u8], disguised: bool) -> (Vec<String>, Vec<LoginRecord>) {
    let facts = TlsFacts {
        exporter: Some([7; 32]),
        server_end_point: Some([8; 32].as_slice().into()),
        previous_end_point: None,
        client_certificate: Some(b"never a certificate".as_slice().into()),
    };
    let mut house = House::new(&MECHANISMS, Some(facts));
    let (mut talk, mut seen) = (None, Vec::new());
    let (mut begun, mut closed) = (0, false);
    for line in input.split(|octet| *octet == b'\n') {
        if closed {
            break;
        }
        let words: Vec<&[u8]> = line.splitn(3, |octet| *octet == b' ').collect();
        let (mut talking, response) = match (words.as_slice(), talk.take()) {
            ([b"AUTH", name, rest @ ..], _) => {
                let name = String::from_utf8_lossy(name);
                begun += usize::from(is_mechanism(&name));
                match begin(&mut house, &name) {
                    Ok(talk) => (talk, rest.first().copied()),
                    Err(refusal) => {
                        closed = refusal.close;
                        seen.push(format!("{refusal:?}"));
                        continue;
                    }
                }
            }
            ([b"*"], _) | (_, None) => continue,
            (_, Some(talking)) => (talking, Some(line)),
        };
        let progress = talking.step(&house, response.map(octets), disguised);
        seen.push(match &progress {
            // Its nonce is a new one each time.
            Progress::Challenge(challenge) => format!("a challenge of {}", challenge.len()),
            Progress::Granted(_) | Progress::Refused(_) => {
                format!("{:?} {progress:?}", talking.exchange)
            }
        });
        match progress {
            Progress::Challenge(_) => talk = Some(talking),
            Progress::Granted(_) => {}
            Progress::Refused(refusal) => closed = refusal.close,
        }
    }
    drop(talk);
    assert_eq!(house.records().len(), begun, "one record an attempt");
    (seen, house.records())
}

fn begin(house: &mut House, name: &str) -> Result<Talk, postern_auth::Refusal> {
    let House {
        authenticator,
        channel,
        caller,
        ..
    } = house;
    let exchange = authenticator.begin(name, channel, caller)?;
    Ok(Talk {
        exchange,
        mechanism: name.to_ascii_uppercase(),
        client: Client::default(),
        responses: 0,
        proven: false,
    })
}

impl Talk {
    /// A step. A password that reaches the directory is the one that was sent.
    fn step(&mut self, house: &House, response: Option<Vec<u8>>, disguised: bool) -> Progress {
        let before = house.asked().len();
        let response = response.map(|response| {
            self.responses += 1;
            let response = if disguised {
                self.other(response)
            } else {
                response
            };
            if !self.mechanism.starts_with("SCRAM-") {
                return response;
            }
            let (said, proven) = self.client.says(&response);
            self.proven |= proven;
            said
        });
        let progress = house.step(&mut self.exchange, response.as_deref(), self.proven);
        if let Progress::Challenge(challenge) = &progress {
            self.client.hears(challenge);
        }
        for question in house.asked().split_off(before) {
            let response = response.as_deref().unwrap_or_default();
            let password = match self.mechanism.as_str() {
                "PLAIN" => response.splitn(3, |octet| *octet == 0).nth(2),
                "LOGIN" => Some(response),
                "EXTERNAL" => Some(&b""[..]),
                _ => None,
            };
            assert_eq!(Some(question.password.as_slice()), password, "as typed");
            assert!(!question.password.contains(&0) || self.mechanism == "LOGIN");
        }
        progress
    }

    /// The same response with another password, if there is one in it.
    fn other(&self, mut response: Vec<u8>) -> Vec<u8> {
        match self.mechanism.as_str() {
            "PLAIN" => {
                let _ = secret::other(&mut response);
            }
            "LOGIN" if self.responses == 2 => disguise(&mut response),
            _ => {}
        }
        response
    }
}

/// The octets of a response: decoded as a session does it, or as they stand.
fn octets(text: &[u8]) -> Vec<u8> {
    match decode(text) {
        Ok(octets) => octets.expose().to_vec(),
        Err(_) => text.to_vec(),
    }
}
