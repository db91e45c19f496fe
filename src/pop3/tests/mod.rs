//! Tests of the engine: no socket, no disk, no clock.

mod client;
mod lines;
mod sessions;
mod stuffed;

use std::sync::Arc;

use postern_auth::{Refusal, RefusalKind};

use super::{Next, Offer, Order, Profile, Session, Settings, Turn, Utf8};
use crate::store::Listing;

/// Settings of the profile `postern` with everything on.
fn settings() -> Settings {
    Settings {
        profile: Profile::Postern,
        greeting: "Postern at your service.".to_owned(),
        max_command: 512,
        max_response: 96 * 1024,
        long_initial_response: true,
        response_codes: true,
        pipelining: true,
        order: Order::Ascending,
        utf8: Utf8::On,
        lang: true,
    }
}

/// What a channel under TLS offers.
fn open_offer() -> Offer {
    Offer {
        mechanisms: vec!["PLAIN".to_owned()],
        password: true,
        starttls: false,
    }
}

/// Three messages of 100, 200 and 300 octets with the ids 7, 9 and an imported one.
fn listing() -> Arc<Listing> {
    let mut listing = Listing::default();
    listing.push(100, 7, None);
    listing.push(200, 9, None);
    listing.push(300, 12, Some("AAQDadKAAAQz+HlExtz3sqU2uoxlY1qf"));
    Arc::new(listing)
}

/// An engine with a driver that grants every login and finds every message.
struct Played {
    session: Session,
    /// What the engine asked for, apart from reading.
    asked: Vec<Next>,
}

impl Played {
    fn new(settings: Settings, offer: Offer) -> Self {
        Self {
            session: Session::new(Arc::new(settings), offer),
            asked: Vec::new(),
        }
    }

    fn logged_in(settings: Settings) -> Self {
        let mut played = Self::new(settings, open_offer());
        played.line("USER alice");
        played.line("PASS secret");
        assert!(played.session.is_logged_in());
        played
    }

    /// What the engine asked for last.
    fn last(&self) -> Option<&Next> {
        self.asked.last()
    }

    /// Sends a line; the driver's work succeeds. Returns all that is sent back.
    fn line(&mut self, line: &str) -> String {
        self.octets(line.as_bytes())
    }

    fn octets(&mut self, line: &[u8]) -> String {
        let mut turn = self.session.line(line, false);
        let mut sent = String::new();
        loop {
            sent.push_str(std::str::from_utf8(&turn.reply).unwrap());
            let next = match turn.next {
                Next::Read => return sent,
                Next::Resume => None,
                next @ (Next::Begin { .. }
                | Next::Close(_)
                | Next::Password { .. }
                | Next::Retrieve { .. }
                | Next::StartTls
                | Next::Step(_)
                | Next::Update(_)) => Some(next),
            };
            turn = match next.map(|next| self.work(next)) {
                None => self.session.resume(),
                Some(Some(turn)) => turn,
                Some(None) => return sent,
            };
        }
    }

    fn work(&mut self, next: Next) -> Option<Turn> {
        let turn = match &next {
            Next::Password { .. } | Next::Step(_) => Some(self.session.opened(listing())),
            Next::Begin {
                initial_response: None,
                ..
            } => Some(self.session.challenged(b"")),
            Next::Begin { .. } => Some(self.session.opened(listing())),
            Next::Update(_) => Some(self.session.updated(true)),
            Next::StartTls => {
                self.session.secured(open_offer());
                None
            }
            Next::Read | Next::Resume | Next::Retrieve { .. } | Next::Close(_) => None,
        };
        self.asked.push(next);
        turn
    }
}

/// A refusal that leaves the connection open.
fn refusal() -> Refusal {
    Refusal {
        kind: RefusalKind::Credentials,
        close: false,
    }
}
