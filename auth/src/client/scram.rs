//! SCRAM-SHA-256 and -PLUS (RFC 5802 §5, RFC 7677) from the client's side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::ClientError;
use crate::Secret;
use crate::scram::{MOST_ITERATIONS, client_keys, hmac};

/// Octets of the client's nonce, before base64.
const NONCE: usize = 18;

/// How far the talk has come.
pub(super) struct Scram {
    password: Secret,
    /// RFC 5802 §7, `gs2-header`: what the client binds itself to.
    header: &'static str,
    binding: Vec<u8>,
    /// `client-first-message-bare`.
    bare: String,
    nonce: String,
    /// What the server has to say at the end, once it is known.
    wanted: Option<Secret>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    First,
    Final,
    Check,
    Over,
}

impl Scram {
    /// None when the system has no random numbers, or the password is not text.
    pub(super) fn new(login: &str, password: &Secret, exporter: Option<&[u8]>) -> Option<Self> {
        std::str::from_utf8(password.expose()).ok()?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).ok()?;
        let nonce = STANDARD.encode(nonce);
        // RFC 5802 §5.1: the signs that would end the name.
        let name = login.replace('=', "=3D").replace(',', "=2C");
        Some(Self {
            password: password.clone(),
            header: if exporter.is_some() {
                "p=tls-exporter,,"
            } else {
                "n,,"
            },
            binding: exporter.unwrap_or_default().to_vec(),
            bare: format!("n={name},r={nonce}"),
            nonce,
            wanted: None,
            step: Step::First,
        })
    }

    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<Secret, ClientError> {
        match self.step {
            Step::First => {
                self.step = Step::Final;
                let message = format!("{}{}", self.header, self.bare);
                Ok(Secret::new(message.into_bytes()))
            }
            Step::Final => {
                self.step = Step::Check;
                self.prove(challenge)
            }
            Step::Check => {
                self.step = Step::Over;
                self.check(challenge)
            }
            Step::Over => Err(ClientError::Malformed),
        }
    }

    /// `client-final-message`: the proof that we know the password.
    fn prove(&mut self, server_first: &[u8]) -> Result<Secret, ClientError> {
        let malformed = ClientError::Malformed;
        let server_first = std::str::from_utf8(server_first).map_err(|_| malformed)?;
        let mut fields = server_first.split(',');
        let mut field = |head| fields.next().and_then(|field| field.strip_prefix(head));
        let (nonce, salt, rounds) = (field("r="), field("s="), field("i="));
        let nonce = nonce.filter(|nonce| nonce.starts_with(&self.nonce));
        let nonce = nonce.ok_or(malformed)?;
        let salt = salt.and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt.ok_or(malformed)?;
        // The work is ours to do: no server makes us do more than this.
        let rounds = rounds.and_then(|rounds| rounds.parse().ok());
        let rounds = rounds.filter(|rounds| *rounds <= MOST_ITERATIONS);
        let rounds = rounds.ok_or(malformed)?;
        let bound = STANDARD.encode([self.header.as_bytes(), &self.binding].concat());
        let last = format!("c={bound},r={nonce}");
        let message = format!("{},{server_first},{last}", self.bare);
        let keys = client_keys(&self.password, &salt, rounds).ok_or(malformed)?;
        let stored_key = Sha256::digest(keys.client.expose());
        let signature = hmac(&stored_key, &[message.as_bytes()]).ok_or(malformed)?;
        self.wanted = hmac(keys.server.expose(), &[message.as_bytes()]);
        let pairs = keys.client.expose().iter().zip(signature.expose());
        let proof = Secret::new(pairs.map(|(left, right)| left ^ right).collect());
        let last = format!("{last},p={}", STANDARD.encode(proof.expose()));
        Ok(Secret::new(last.into_bytes()))
    }

    /// The server's proof that it knows the password.
    fn check(&self, server_final: &[u8]) -> Result<Secret, ClientError> {
        let said = server_final.strip_prefix(b"v=");
        let said = said.and_then(|said| STANDARD.decode(said).ok());
        match said.map(Secret::new) {
            None => Err(ClientError::Malformed),
            said if said == self.wanted => Ok(Secret::new(Vec::new())),
            Some(_) => Err(ClientError::NotProven),
        }
    }
}
