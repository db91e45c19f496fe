//! A client of SCRAM-SHA-256, from RFC 5802 and RFC 7677 alone; it can be told to bind wrongly.

use aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256;
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client::Client;
use super::text::base64;

/// One login.
pub(crate) struct Scram<'a> {
    /// `SCRAM-SHA-256` or the same with `-PLUS`.
    pub(crate) mechanism: &'a str,
    /// The flag: `n`, `y` or `p=` and the name of a binding.
    pub(crate) flag: &'a str,
    /// What the client takes the channel for.
    pub(crate) binding: &'a [u8],
    /// The name.
    pub(crate) login: &'a str,
    /// The password.
    pub(crate) password: &'a str,
}

impl Scram<'_> {
    /// Goes as far as the server lets it. The last answer, and the server-first-message if there
    /// was one. A server that cannot prove itself is a panic.
    pub(crate) fn talk(&self, client: &mut Client) -> (String, Option<String>) {
        match self.begin(client) {
            Ok(server_first) => (self.end(client, &server_first), Some(server_first)),
            Err(answer) => (answer, None),
        }
    }

    /// Says the name. The server-first-message.
    ///
    /// # Errors
    /// What the server answered instead.
    pub(crate) fn begin(&self, client: &mut Client) -> Result<String, String> {
        let begun = base64(format!("{},,{}", self.flag, self.first()).as_bytes());
        let answer = client.ask(&format!("AUTH {} {begun}", self.mechanism));
        match answer.strip_prefix("+ ") {
            Some(challenge) => Ok(text(challenge)),
            None => Err(answer),
        }
    }

    /// Proves the password after [`Self::begin`]; the last answer.
    pub(crate) fn end(&self, client: &mut Client, server_first: &str) -> String {
        let (last, signature) = self.prove(&self.first(), server_first);
        let answer = client.ask(&base64(last.as_bytes()));
        let Some(challenge) = answer.strip_prefix("+ ") else {
            return answer;
        };
        assert_eq!(
            text(challenge),
            format!("v={signature}"),
            "the server's proof"
        );
        client.ask("")
    }

    /// The client-first-message without the flag.
    fn first(&self) -> String {
        format!("n={},r=rOprNGfwEbeRWgbNEkqO", self.login)
    }

    /// The last message, and what the server has to answer.
    fn prove(&self, first: &str, server_first: &str) -> (String, String) {
        let field = |number: usize, key: &str| {
            let field = server_first.split(',').nth(number).expect("a field");
            field.strip_prefix(key).expect("its key").to_owned()
        };
        let (nonce, salt, rounds) = (field(0, "r="), field(1, "s="), field(2, "i="));
        let salt = STANDARD.decode(salt).expect("a salt");
        let rounds = rounds.parse().expect("a number");
        let mut salted = [0; 32];
        let password = self.password.as_bytes();
        pbkdf2::derive(PBKDF2_HMAC_SHA256, rounds, &salt, password, &mut salted);
        let bound = [self.flag.as_bytes(), b",,", self.binding].concat();
        let last = format!("c={},r={nonce}", STANDARD.encode(bound));
        let message = format!("{first},{server_first},{last}");
        let client_key = mac(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let signature = mac(stored_key.as_ref(), message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, octet)| key ^ octet)
            .collect();
        let server_key = mac(&salted, b"Server Key");
        (
            format!("{last},p={}", STANDARD.encode(proof)),
            STANDARD.encode(mac(&server_key, message.as_bytes())),
        )
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

fn text(challenge: &str) -> String {
    let octets = STANDARD.decode(challenge).expect("base64");
    String::from_utf8(octets).expect("text")
}
