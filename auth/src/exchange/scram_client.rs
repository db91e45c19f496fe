//! A client of SCRAM for the tests, and what it sees (RFC 5802 §5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::house::House;
use crate::scram::{ScramKeys, hmac};
use crate::{Caller, Channel, Secret};

/// A client of SCRAM that can be told to do wrong things.
pub(super) struct Client<'a> {
    pub(super) mechanism: &'a str,
    pub(super) gs2: &'a str,
    pub(super) login: &'a str,
    pub(super) password: &'a str,
    /// What it thinks that the channel is.
    pub(super) binding: &'a [u8],
}

pub(super) const PLAIN: Client<'static> = Client {
    mechanism: "SCRAM-SHA-256",
    gs2: "n,,",
    login: "alice",
    password: "right",
    binding: b"",
};

/// What a client has seen of one attempt, and when.
pub(super) struct Seen {
    pub(super) challenges: Vec<String>,
    pub(super) outcome: Progress,
    pub(super) took: Duration,
}

impl Client<'_> {
    pub(super) async fn attempt(
        &self,
        house: &House,
        channel: &Channel,
        caller: &mut Caller,
    ) -> Seen {
        let begun = clock::instant();
        let mut challenges = Vec::new();
        let outcome = self.steps(house, channel, caller, &mut challenges).await;
        Seen {
            challenges,
            outcome,
            took: begun.elapsed(),
        }
    }

    async fn steps(
        &self,
        house: &House,
        channel: &Channel,
        caller: &mut Caller,
        seen: &mut Vec<String>,
    ) -> Progress {
        let mut exchange = house.desk.begin(self.mechanism, channel, caller).unwrap();
        let bare = format!("n={},r=client", self.login);
        let first = format!("{}{bare}", self.gs2);
        let server_first = match exchange.step(Some(first.as_bytes())).await {
            Progress::Challenge(challenge) => String::from_utf8(challenge).unwrap(),
            over @ (Progress::Granted(_) | Progress::Refused(_)) => return over,
        };
        seen.push(server_first.clone());
        let (last, signature) = self.answer(&bare, &server_first);
        let server_final = match exchange.step(Some(last.as_bytes())).await {
            Progress::Challenge(challenge) => String::from_utf8(challenge).unwrap(),
            over @ (Progress::Granted(_) | Progress::Refused(_)) => return over,
        };
        assert_eq!(server_final, format!("v={signature}"), "RFC 5802 §5");
        seen.push(server_final);
        exchange.step(Some(b"")).await
    }

    /// The client-final-message, and the signature that the server must have.
    pub(super) fn answer(&self, bare: &str, server_first: &str) -> (String, String) {
        let fields: Vec<&str> = server_first.split(',').collect();
        let nonce = fields[0].strip_prefix("r=").unwrap();
        let salt = STANDARD
            .decode(fields[1].strip_prefix("s=").unwrap())
            .unwrap();
        let rounds = fields[2]
            .strip_prefix("i=")
            .unwrap()
            .parse::<u32>()
            .unwrap();
        let bound = STANDARD.encode([self.gs2.as_bytes(), self.binding].concat());
        let last = format!("c={bound},r={nonce}");
        let message = format!("{bare},{server_first},{last}");
        let password = Secret::new(self.password.as_bytes().to_vec());
        // What the client knows is the salted password; its keys are made of it here again.
        let keys = ScramKeys::derive(&password, salt.clone(), rounds).unwrap();
        let signature = hmac(keys.stored_key(), &[message.as_bytes()]).unwrap();
        let mut salted = [0; 32];
        aws_lc_rs::pbkdf2::derive(
            aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256,
            rounds.try_into().unwrap(),
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let client_key = hmac(&salted, &[b"Client Key"]).unwrap();
        let proof: Vec<u8> = client_key
            .expose()
            .iter()
            .zip(signature.expose())
            .map(|(left, right)| left ^ right)
            .collect();
        let verifier = hmac(keys.server_key(), &[message.as_bytes()]).unwrap();
        (
            format!("{last},p={}", STANDARD.encode(proof)),
            STANDARD.encode(verifier.expose()),
        )
    }
}

/// Salt and iterations of a server-first-message; its nonce always differs.
pub(super) fn shape(server_first: &str) -> (&str, usize, &str) {
    let fields: Vec<&str> = server_first.split(',').collect();
    (fields[1], fields[0].len(), fields[2])
}
