//! Where attacks are played: a server, a client with the right password, and somebody between them.

use crate::by_hand::Hand;
use crate::exchange::{begin, encode};
use crate::lab::pop3::Client;
use crate::lab::world::{ALICE, BOB, CAROL, Lab};
use crate::message::Message;
use crate::server::{Server, Setup};
use crate::speaker::{Login, Python, Speaker as _};

/// Somebody who has the same password as Alice.
pub(crate) const TWIN: &str = "twin";

/// What stands in the LM and the NT field.
pub(crate) type Responses = fn(&Hand, &Message) -> (Vec<u8>, Vec<u8>);

/// The server and Alice's client, which keeps integrity.
pub(crate) struct Stage {
    // First, so that it ends before its folder vanishes.
    pub(crate) server: Server,
    pub(crate) alice: Python,
    pub(crate) lab: Lab,
}

impl Stage {
    /// With these settings beside the usual ones.
    pub(crate) fn open(settings: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self::open_with(|_| settings.iter().map(owned).collect())
    }

    /// With settings that depend on where the server will be.
    pub(crate) fn open_with(settings: impl FnOnce(&Lab) -> Vec<(String, String)>) -> Self {
        let lab = Lab::new();
        let setup = Setup::new()
            .user(
                ALICE.name,
                ALICE.password,
                &["HOUSE\\alice", "alice@example.test"],
            )
            .user(BOB.name, BOB.password, &["HOUSE\\bob"])
            .user(CAROL.name, CAROL.password, &[])
            .user("jörg", "Öl und Grieß", &[])
            .user(TWIN, ALICE.password, &["HOUSE\\twin"]);
        let setup = settings(&lab)
            .iter()
            .fold(setup, |setup, (key, value)| setup.set(key, value));
        let server = setup.start(&lab);
        let alice = Python::new("pyspnego", Login::new("HOUSE\\alice", ALICE.password));
        Self { server, alice, lab }
    }

    /// A connection in the clear.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.server.doors.plain)
    }

    /// Alice's whole login with each message changed on its way: hers, the server's, hers.
    pub(crate) fn between(
        &mut self,
        negotiate: fn(&mut Message),
        challenge: fn(&mut Message),
        authenticate: fn(&mut Message),
    ) -> String {
        let mut client = self.client();
        let mut first = self.alice.negotiate();
        negotiate(&mut first);
        let mut answer = begin(&mut client, &first);
        challenge(&mut answer);
        let mut last = self.alice.authenticate(&answer);
        authenticate(&mut last);
        client.ask(&encode(&last))
    }

    /// Alice's login with AUTHENTICATE changed on its way.
    pub(crate) fn edited(&mut self, authenticate: fn(&mut Message)) -> String {
        self.between(|_| (), |_| (), authenticate)
    }

    /// A login with AUTHENTICATE made by hand, and changed.
    pub(crate) fn hand(&mut self, hand: Hand, edit: fn(&mut Message)) -> String {
        let mut client = self.client();
        let challenge = begin(&mut client, &hand.negotiate());
        let mut authenticate = hand.authenticate(&challenge);
        edit(&mut authenticate);
        client.ask(&encode(&authenticate))
    }

    /// A login with these LM and NT responses.
    pub(crate) fn responses(&mut self, hand: Hand, responses: Responses) -> String {
        let mut client = self.client();
        let challenge = begin(&mut client, &hand.negotiate());
        let (lm, nt) = responses(&hand, &challenge);
        client.ask(&encode(&hand.with_responses(&challenge, &lm, &nt)))
    }
}

/// Alice's client by hand, with the right password.
pub(crate) fn alice() -> Hand {
    Hand::new(ALICE.name, "HOUSE", ALICE.password)
}
