//! A login: octets carried between the engine and an exchange, and the maildrop opened at the end.

use std::sync::Arc;

use postern_auth::{Holder, Identity, Progress, Secret};

use super::connection::Connection;
use crate::event::Event;
use crate::pop3::{NotOpened, Turn};
use crate::store::Maildrop;

impl Connection {
    /// `AUTH mechanism`.
    pub(super) async fn begin(
        &mut self,
        mechanism: &str,
        initial_response: Option<Secret>,
    ) -> Turn {
        match self
            .service
            .authenticator
            .begin(mechanism, &self.channel, &mut self.caller)
        {
            Ok(exchange) => {
                self.exchange = Some(Box::new(exchange));
                self.step(initial_response).await
            }
            Err(refusal) => self.session.refused(refusal),
        }
    }

    /// USER and PASS walk the same road as a mechanism, in one step.
    pub(super) async fn password(&mut self, login: &[u8], password: Secret) -> Turn {
        let authenticator = &self.service.authenticator;
        let exchange =
            authenticator.begin_password(login, password, &self.channel, &mut self.caller);
        self.exchange = Some(Box::new(exchange));
        self.step(None).await
    }

    pub(super) async fn step(&mut self, response: Option<Secret>) -> Turn {
        let Some(exchange) = &mut self.exchange else {
            return self.session.not_opened(NotOpened::Unavailable);
        };
        // Boxed: the connection shall not keep the room of a login for the rest of its life.
        match Box::pin(exchange.step(response.as_ref().map(Secret::expose))).await {
            Progress::Challenge(challenge) => self.session.challenged(&challenge),
            Progress::Granted(identity) => self.open(identity).await,
            Progress::Refused(refusal) => {
                self.exchange = None;
                self.session.refused(refusal)
            }
        }
    }

    /// The login was right: a place among the user's sessions, then the maildrop.
    async fn open(&mut self, identity: Identity) -> Turn {
        self.exchange = None;
        let account = identity.account().name.clone();
        let session = self.tally.session;
        let Some(place) = self.house.places.enter(&account, &self.service.limits) else {
            Event::UserLimit {
                session,
                account: &account,
            }
            .emit();
            return self.session.not_opened(NotOpened::InUse);
        };
        let seat = self.house.seats.take(Holder::of(&identity));
        let store = self.service.store.clone();
        match self
            .house
            .disk
            .run(self.tally.address, move || store.open(&identity))
            .await
        {
            Ok(Ok(maildrop)) => {
                let maildrop: Arc<dyn Maildrop> = maildrop.into();
                let listing = maildrop.listing().clone();
                self.maildrop = Some(maildrop);
                self.user = Some((place, seat));
                self.tally.account = Some(account);
                self.session.opened(listing)
            }
            Ok(Err(error)) => {
                Event::StoreFailed {
                    session,
                    account: &account,
                    error: &error,
                }
                .emit();
                self.session.not_opened(NotOpened::Unavailable)
            }
            Err(_) => {
                Event::DiskOverloaded { session }.emit();
                self.session.not_opened(NotOpened::Unavailable)
            }
        }
    }
}
