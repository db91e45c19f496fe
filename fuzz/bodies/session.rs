//! The whole session: line cutter, engine, authenticator and store, with every reply foretold by a
//! model of the maildrop.
//!
//! Input: a first line of letters that say what the server is like (see [`Setup::read`]), then the
//! client's lines. A line that begins with `@` is something that happens meanwhile (see
//! [`Talk::happens`]).

use std::sync::Arc;

use postern::pop3::line::{Lines, Taken};
use postern::pop3::reply::OK;
use postern::pop3::stuffing::{Stuffer, has_ascii_header};
use postern::pop3::verb::Shown;
use postern::pop3::{
    Extent, Next, NotOpened, NotRetrieved, Offer, Order, Profile, Session, Settings, Turn, Utf8,
};
use postern::store::{Maildrop, MemoryStore, StoreError};
use postern_auth::{Exchange, LoginType, Progress, Secret};

use super::model::{Model, well_formed};
use super::secret;
use super::toy::{House, is_mechanism};

/// Plays the session in one piece, in small pieces, and with other passwords. What is sent is the
/// same each time, and so is what is logged.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|octet| *octet == b'\n');
    let (letters, lines) = input.split_at(end.map_or(input.len(), |end| end + 1));
    let setup = Setup::read(letters);
    let whole = Talk::play(&setup, lines, usize::MAX, false);
    let disguised = Talk::play(&setup, lines, usize::MAX, true);
    assert_eq!(whole, disguised, "a password shows");
    // What stands behind STLS matters, and whether it is there already depends on the pieces.
    if !setup.starttls {
        let pieces = Talk::play(&setup, lines, setup.piece, false);
        assert_eq!(whole, pieces, "in pieces of {}", setup.piece);
    }
}

/// What the server is like.
struct Setup {
    settings: Arc<Settings>,
    starttls: bool,
    piece: usize,
}

impl Setup {
    /// Every letter is a switch; unknown ones are ignored.
    fn read(letters: &[u8]) -> Self {
        let mut settings = Settings {
            profile: Profile::Postern,
            greeting: "Postern is ready.".to_owned(),
            max_command: 512,
            max_response: 2048,
            long_initial_response: true,
            response_codes: true,
            pipelining: true,
            order: Order::Ascending,
            utf8: Utf8::On,
            lang: true,
        };
        let (mut starttls, mut piece) = (false, 1);
        for letter in letters {
            match letter {
                b'7' => settings.profile = Profile::Exchange2007,
                b'0' => settings.profile = Profile::Exchange2010,
                b'3' => settings.profile = Profile::Exchange2013,
                b'6' => settings.profile = Profile::Exchange2016,
                b'c' => settings.response_codes = false,
                b'd' => settings.order = Order::Descending,
                b'i' => settings.long_initial_response = false,
                b'l' => settings.lang = false,
                b'm' => settings.max_command = 40,
                b'o' => settings.utf8 = Utf8::Off,
                b'p' => settings.pipelining = false,
                b's' => settings.utf8 = Utf8::Strict,
                b't' => starttls = true,
                b'+' => piece += 3,
                _ => {}
            }
        }
        let settings = Arc::new(settings);
        Self {
            settings,
            starttls,
            piece,
        }
    }

    fn offer(&self, protected: bool) -> Offer {
        let open = protected || !self.starttls;
        Offer {
            mechanisms: if open {
                vec!["PLAIN".to_owned()]
            } else {
                Vec::new()
            },
            password: open,
            starttls: self.starttls && !protected,
        }
    }
}

/// The messages of everybody's maildrop.
const MAIL: [&[u8]; 4] = [
    b"Subject: one\n\n.\n..\nno end",
    b"Subject: two\r\n\r\nbody\r\n.dot\r\n\r\n",
    b"Subject: \xc3\xa4\n\n8-bit\n",
    b"",
];

/// What can be seen of a session from outside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sent: Vec<u8>,
    log: Vec<String>,
}

/// A session with its driver, as `net` and the transcripts have one.
struct Talk<'a> {
    setup: &'a Setup,
    session: Session,
    house: House,
    exchange: Option<Exchange>,
    store: MemoryStore,
    model: Model,
    maildrop: Option<Box<dyn Maildrop>>,
    seen: Seen,
    disguised: bool,
    begun: usize,
    full: bool,
    awaits_tls: bool,
    closed: bool,
}

impl<'a> Talk<'a> {
    fn play(setup: &'a Setup, input: &[u8], piece: usize, disguised: bool) -> Seen {
        let store = MemoryStore::new();
        for message in MAIL {
            store.deliver("alice", message);
        }
        store.import("alice", MAIL[1], "AAQDadKAAAQz+HlExtz3sqU2uoxlY1qf");
        let mut talk = Self {
            setup,
            session: Session::new(setup.settings.clone(), setup.offer(false)),
            house: House::changed(&["PLAIN"], None, |_, rule| {
                if setup.starttls {
                    rule.login_type = LoginType::Secure;
                }
            }),
            exchange: None,
            model: Model::new(&store),
            store,
            maildrop: None,
            seen: Seen::default(),
            disguised,
            begun: 0,
            full: false,
            awaits_tls: false,
            closed: false,
        };
        talk.seen.sent = talk.session.greeting();
        well_formed(&talk.seen.sent, false);
        let mut lines = Lines::default();
        for part in input.split_inclusive(|octet| *octet == b'\n') {
            if let Some(event) = part.strip_prefix(b"@") {
                talk.happens(event.trim_ascii_end(), &mut lines);
                continue;
            }
            for chunk in part.chunks(piece) {
                if !talk.closed && !talk.awaits_tls {
                    lines.push(chunk);
                    talk.hear(&mut lines);
                }
            }
        }
        talk.end()
    }

    /// The maildrop is as the model has it, and every attempt has left one record.
    fn end(mut self) -> Seen {
        self.exchange = None;
        self.model.agrees_with(&self.store);
        let records = self.house.records();
        assert_eq!(records.len(), self.begun, "one record an attempt");
        self.seen
            .log
            .extend(records.iter().map(|record| format!("{record:?}")));
        self.seen
    }

    /// `v3` another program deletes the message with uid 3; `j3` it cannot be deleted; `n…` a
    /// message comes; `t` the TLS handshake succeeds; `f` the account has too many sessions, until
    /// the next login; `i` the idle timer runs out; `s` the server stops; `o` there is no memory.
    fn happens(&mut self, event: &[u8], lines: &mut Lines) {
        let Some((kind, rest)) = event.split_first() else {
            return;
        };
        let uid = rest
            .first()
            .map_or(0, |digit| u32::from(digit.wrapping_sub(b'0')));
        match kind {
            b'v' => {
                self.store.vanish("alice", uid);
                self.model.vanish(uid);
            }
            b'j' => {
                self.store.jam("alice", uid);
                self.model.jam(uid);
            }
            b'n' => {
                let uid = self.store.deliver("alice", rest);
                self.model.deliver(uid);
            }
            b'f' => self.full = true,
            b't' if self.awaits_tls => {
                lines.clear();
                self.session.secured(self.setup.offer(true));
                self.house.channel.tls = Some(Arc::default());
                self.awaits_tls = false;
            }
            _ if self.closed => {}
            b'i' => self.last_words(Session::expired),
            b's' => self.last_words(Session::stopping),
            b'o' => self.last_words(Session::overloaded),
            _ => {}
        }
    }

    /// The session ends from this side, without UPDATE.
    fn last_words(&mut self, end: fn(&mut Session) -> Turn) {
        let turn = end(&mut self.session);
        assert!(turn.reply.starts_with(b"-ERR "));
        assert!(matches!(turn.next, Next::Close(_)));
        self.carry_out(turn, false);
    }

    fn hear(&mut self, lines: &mut Lines) {
        while !self.closed && !self.awaits_tls {
            let limit = |begun: &[u8]| self.session.line_limit(begun);
            match lines.take(limit) {
                Taken::Partial => break,
                Taken::TooLong => self.last_words(Session::line_too_long),
                Taken::Line(line) => self.line(line.expose(), lines.has_more()),
            }
        }
        assert!(lines.waiting() <= 2048 || self.closed || self.awaits_tls);
    }

    fn line(&mut self, line: &[u8], more: bool) {
        let authenticating = self.session.is_authenticating();
        let hidden = self
            .disguised
            .then(|| secret::disguised(line, authenticating));
        let line = hidden.as_deref().unwrap_or(line);
        if !authenticating {
            self.seen.log.push(Shown(line).to_string());
        }
        let foretold = if self.session.is_logged_in() {
            self.model.foretell(line, &self.setup.settings)
        } else {
            None
        };
        let before = self.seen.sent.len();
        let turn = self.session.line(line, more);
        self.carry_out(turn, secret::is_long(line, authenticating));
        let reply = &self.seen.sent[before..];
        if let Some(foretold) = foretold {
            foretold.check(line, reply);
        }
    }

    /// Does what a driver does, until the session wants the next line.
    fn carry_out(&mut self, mut turn: Turn, long: bool) {
        let mut reply = Vec::new();
        loop {
            assert!(
                turn.reply.len() <= 64 * 1024,
                "a portion of a listing has a limit"
            );
            reply.append(&mut turn.reply);
            self.seen.log.push(format!("{:?}", turn.next));
            turn = match turn.next {
                Next::Read => {
                    if !self.session.is_authenticating() {
                        self.exchange = None;
                    }
                    break;
                }
                Next::Resume => self.session.resume(),
                Next::Begin {
                    mechanism,
                    initial_response,
                } => self.begin(&mechanism, initial_response.as_ref().map(Secret::expose)),
                Next::Step(response) => self.step(Some(response.expose())),
                Next::Password { login, password } => {
                    self.begun += 1;
                    let House {
                        authenticator,
                        channel,
                        caller,
                        ..
                    } = &mut self.house;
                    let exchange = authenticator.begin_password(&login, password, channel, caller);
                    self.exchange = Some(exchange);
                    self.step(None)
                }
                Next::StartTls => {
                    assert!(self.setup.starttls && !self.session.is_logged_in());
                    self.awaits_tls = true;
                    break;
                }
                Next::Retrieve {
                    index,
                    extent,
                    ascii_header,
                } => match self.retrieve(index, extent, ascii_header) {
                    Ok(mut message) => {
                        reply.append(&mut message);
                        break;
                    }
                    Err(why) => self.session.not_found(why),
                },
                Next::Update(marked) => self.update(&marked),
                Next::Close(_) => {
                    self.closed = true;
                    break;
                }
            };
        }
        well_formed(&reply, long);
        self.seen.sent.append(&mut reply);
    }

    fn begin(&mut self, mechanism: &str, response: Option<&[u8]>) -> Turn {
        assert!(self.maildrop.is_none(), "one login a session");
        self.begun += usize::from(is_mechanism(mechanism));
        let House {
            authenticator,
            channel,
            caller,
            ..
        } = &mut self.house;
        match authenticator.begin(mechanism, channel, caller) {
            Ok(exchange) => {
                self.exchange = Some(exchange);
                self.step(response)
            }
            Err(refusal) => self.session.refused(refusal),
        }
    }

    fn step(&mut self, response: Option<&[u8]>) -> Turn {
        let mut exchange = self.exchange.take().expect("an exchange goes on");
        let progress = self.house.step(&mut exchange, response, false);
        match progress {
            Progress::Challenge(challenge) => {
                self.exchange = Some(exchange);
                self.session.challenged(&challenge)
            }
            Progress::Refused(refusal) => self.session.refused(refusal),
            Progress::Granted(_) if std::mem::take(&mut self.full) => {
                self.session.not_opened(NotOpened::InUse)
            }
            Progress::Granted(identity) => {
                let maildrop = self.store.open_name(&identity.account().name);
                let listing = maildrop.listing().clone();
                self.model.open(&identity.account().name, &listing);
                self.maildrop = Some(maildrop);
                self.session.opened(listing)
            }
        }
    }

    fn retrieve(&self, index: usize, extent: Extent, ascii: bool) -> Result<Vec<u8>, NotRetrieved> {
        let maildrop = self.maildrop.as_ref().expect("the login is done");
        let mut message = maildrop.message(index).map_err(|error| match error {
            StoreError::Vanished => NotRetrieved::Vanished,
            other => panic!("{other}"),
        })?;
        let mut octets = vec![0; 4096];
        let length = message.read(&mut octets).expect("memory can be read");
        octets.truncate(length);
        if ascii && !has_ascii_header(&octets) {
            return Err(NotRetrieved::Utf8);
        }
        let (mut stuffer, mut wire) = (Stuffer::new(extent), OK.to_vec());
        for block in octets.chunks(7) {
            stuffer.push(block, &mut wire);
        }
        stuffer.finish(&mut wire);
        Ok(wire)
    }

    fn update(&mut self, marked: &[usize]) -> Turn {
        let maildrop = self.maildrop.as_ref().expect("the login is done");
        let complete = self.model.update(marked);
        let removed = maildrop.remove(&mut marked.iter().copied());
        assert_eq!(removed.is_ok(), complete);
        self.session.updated(complete)
    }
}
