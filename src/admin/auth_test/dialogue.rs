//! One attempt, from the client's first line to the server's last: the engine and the authenticator of
//! the server, without a socket and without the mail.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_auth::{
    Authenticator, Caller, Channel, Client, Exchange, Identity, Progress, Refusal, RefusalKind,
    Secret,
};

use crate::pop3::{Next, NotOpened, Offer, Session, Settings, Turn};
use crate::store::Listing;

/// What stands for what nobody may read.
const HIDDEN: &str = "*****";
/// More lines than any mechanism has: what does not end is given up.
const MOST_LINES: usize = 16;

/// A line on the wire, without what nobody may read.
pub(super) struct Spoken {
    /// Whether the client said it.
    pub(super) by_client: bool,
    pub(super) text: String,
}

/// What came of an attempt.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) wire: Vec<Spoken>,
    /// The permission that the server would open the maildrop with.
    pub(super) identity: Option<Identity>,
    /// What the client was refused as.
    pub(super) refused: Option<RefusalKind>,
    /// Why the client gave up, if it did.
    pub(super) gave_up: Option<String>,
}

/// Two ends of a connection that is none.
pub(super) struct Dialogue<'a> {
    authenticator: &'a Authenticator,
    channel: &'a Channel,
    caller: Caller,
    session: Session,
    exchange: Option<Exchange>,
    challenge: Vec<u8>,
    outcome: Outcome,
}

impl<'a> Dialogue<'a> {
    /// A connection from this address.
    pub(super) fn new(
        authenticator: &'a Authenticator,
        settings: Arc<Settings>,
        channel: &'a Channel,
        address: IpAddr,
    ) -> Self {
        let mechanisms = authenticator.mechanisms(channel, address);
        let offer = Offer {
            mechanisms: mechanisms.into_iter().map(str::to_owned).collect(),
            password: authenticator.permits_password(channel),
            starttls: false,
        };
        Self {
            authenticator,
            channel,
            caller: Caller::new(address, 0),
            session: Session::new(settings, offer),
            exchange: None,
            challenge: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// USER and PASS.
    pub(super) async fn user_pass(mut self, typed: &str, password: &Secret) -> Outcome {
        let user = format!("USER {typed}");
        let welcome = self.line(user.as_bytes(), user.clone()).await;
        if welcome {
            let octets = [b"PASS ", password.expose()].concat();
            let pass = Secret::new(octets);
            self.line(pass.expose(), format!("PASS {HIDDEN}")).await;
        }
        self.outcome
    }

    /// AUTH with a mechanism.
    pub(super) async fn sasl(mut self, mechanism: &str, client: &mut Client) -> Outcome {
        let auth = format!("AUTH {mechanism}");
        self.line(auth.as_bytes(), auth.clone()).await;
        for _ in 0..MOST_LINES {
            if !self.session.is_authenticating() {
                break;
            }
            match client.answer(&self.challenge) {
                Ok(answer) => {
                    let shown = if answer.is_empty() { "" } else { HIDDEN };
                    let line = Secret::new(STANDARD.encode(answer.expose()).into_bytes());
                    self.line(line.expose(), shown.to_owned()).await;
                }
                Err(why) => {
                    self.outcome.gave_up = Some(why.to_string());
                    self.line(b"*", "*".to_owned()).await;
                }
            }
        }
        self.outcome
    }

    /// The client says a line, and the server answers. Says whether the answer was `+OK`.
    async fn line(&mut self, line: &[u8], shown: String) -> bool {
        self.outcome.wire.push(Spoken {
            by_client: true,
            text: shown,
        });
        let mut turn = self.session.line(line, false);
        loop {
            if !turn.reply.is_empty() {
                let positive = self.heard(&turn.reply);
                return positive;
            }
            turn = match turn.next {
                Next::Begin {
                    mechanism,
                    initial_response,
                } => self.begin(&mechanism, initial_response).await,
                Next::Step(response) => self.step(Some(response)).await,
                Next::Password { login, password } => {
                    let exchange = self.authenticator.begin_password(
                        &login,
                        password,
                        self.channel,
                        &mut self.caller,
                    );
                    self.exchange = Some(exchange);
                    self.step(None).await
                }
                Next::Read
                | Next::Resume
                | Next::StartTls
                | Next::Retrieve { .. }
                | Next::Update(_)
                | Next::Close(_) => return false,
            };
        }
    }

    /// A challenge is shown by its length: what is in one is for the client alone.
    fn heard(&mut self, reply: &[u8]) -> bool {
        let text = String::from_utf8_lossy(reply);
        let text = text.trim_end();
        let text = match text.strip_prefix("+ ") {
            Some(challenge) if !challenge.is_empty() => format!("+ {HIDDEN}"),
            _ => text.to_owned(),
        };
        let positive = text.starts_with("+OK");
        self.outcome.wire.push(Spoken {
            by_client: false,
            text,
        });
        positive
    }

    async fn begin(&mut self, mechanism: &str, initial_response: Option<Secret>) -> Turn {
        let begun = self
            .authenticator
            .begin(mechanism, self.channel, &mut self.caller);
        match begun {
            Ok(exchange) => {
                self.exchange = Some(exchange);
                self.step(initial_response).await
            }
            Err(refusal) => self.refused(refusal),
        }
    }

    async fn step(&mut self, response: Option<Secret>) -> Turn {
        let Some(exchange) = &mut self.exchange else {
            return self.session.not_opened(NotOpened::Unavailable);
        };
        let response = response.as_ref().map(Secret::expose);
        match exchange.step(response).await {
            Progress::Challenge(challenge) => {
                let turn = self.session.challenged(&challenge);
                self.challenge = challenge;
                turn
            }
            // Here the server opens the maildrop. An empty one stands for it: nothing is touched.
            Progress::Granted(identity) => {
                self.outcome.identity = Some(identity);
                self.session.opened(Arc::new(Listing::default()))
            }
            Progress::Refused(refusal) => self.refused(refusal),
        }
    }

    fn refused(&mut self, refusal: Refusal) -> Turn {
        self.exchange = None;
        self.outcome.refused = Some(refusal.kind);
        self.session.refused(refusal)
    }
}
