//! The engine without a server: the same transcripts, with neither socket nor process, so that a
//! difference between engine and daemon is a fault of the driver.
//!
//! The configuration, the authenticator and the store are the real ones. What the driver of the
//! daemon does with a socket is done here with two buffers; TLS is only said to have begun.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use postern::net::Service;
use postern::pop3::line::{Lines, Taken};
use postern::pop3::reply::OK;
use postern::pop3::stuffing::{Stuffer, has_ascii_header};
use postern::pop3::{Extent, Next, NotOpened, NotRetrieved, Session, Turn};
use postern::store::{Maildrop, StoreError};
use postern_auth::{Caller, Channel, Exchange, Pool, Progress, Secret, TlsFacts};
use tokio::runtime::{Builder, Runtime};

use super::house::Ground;
use super::play::{Connection, Subject};
use super::postern::{Setup, users};
use super::script::Transport;

/// The listeners of [`Setup::toml`], by their place.
const STARTTLS: usize = 0;
const IMPLICIT: usize = 1;

/// An engine for one transcript, with a Maildir of its own.
pub(crate) struct Engine {
    ground: Ground,
    service: Arc<Service>,
    runtime: Arc<Runtime>,
    delivered: usize,
}

impl Engine {
    /// As the daemon would be started for it.
    pub(crate) fn start(setup: &Setup) -> Self {
        let ground = Ground::prepare(&setup.maildrop);
        ground.secret("users.toml", &users());
        let file = ground.path("postern.toml");
        let accepted = postern::config::check(&setup.toml(&ground), &file, "pop.example.test")
            .unwrap_or_else(|findings| panic!("{findings}"));
        let hashing = Arc::new(Pool::new("hash", 1, 64, 64).expect("a thread"));
        let service = postern::serve::assemble(&accepted.config, &hashing).expect("a service");
        // Time stands still, so a refusal's delay costs nothing.
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        Self {
            ground,
            service: Arc::new(service),
            runtime: Arc::new(runtime.expect("a runtime")),
            delivered: 0,
        }
    }
}

impl Subject for Engine {
    fn connect(&mut self, over: Transport) -> Result<Box<dyn Connection>, String> {
        let place = if over == Transport::Implicit {
            IMPLICIT
        } else {
            STARTTLS
        };
        let mut talk = Talk::new(self.service.clone(), self.runtime.clone(), place);
        if over == Transport::Implicit {
            talk.secure();
        }
        talk.out = talk.session.greeting();
        Ok(Box::new(talk))
    }

    fn deliver(&mut self, message: &str) -> Result<(), String> {
        self.delivered += 1;
        self.ground.deliver(message, self.delivered)
    }

    fn vanish(&mut self, number: usize) -> Result<(), String> {
        self.ground.vanish(number)
    }
}

struct Talk {
    service: Arc<Service>,
    runtime: Arc<Runtime>,
    place: usize,
    session: Session,
    channel: Channel,
    caller: Caller,
    exchange: Option<Exchange>,
    maildrop: Option<Box<dyn Maildrop>>,
    lines: Lines,
    out: Vec<u8>,
    awaits_tls: bool,
    closed: bool,
}

impl Talk {
    fn new(service: Arc<Service>, runtime: Arc<Runtime>, place: usize) -> Self {
        let listener = &service.listeners[place];
        let rule = listener.rule.clone();
        let channel = Channel {
            tls: None,
            rule,
            extra_end_points: Arc::default(),
        };
        let offer = service.offer(listener, &channel, IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self {
            session: Session::new(service.settings.clone(), offer),
            caller: Caller::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
            channel,
            service,
            runtime,
            place,
            exchange: None,
            maildrop: None,
            lines: Lines::default(),
            out: Vec::new(),
            awaits_tls: false,
            closed: false,
        }
    }

    fn secure(&mut self) {
        self.channel.tls = Some(Arc::new(TlsFacts::default()));
        let offer = self.service.offer(
            &self.service.listeners[self.place],
            &self.channel,
            self.caller.address(),
        );
        self.lines.clear();
        self.session.secured(offer);
        self.awaits_tls = false;
    }

    fn carry_out(&mut self, mut turn: Turn) {
        loop {
            self.out.append(&mut turn.reply);
            turn = match turn.next {
                Next::Read => {
                    if !self.session.is_authenticating() {
                        self.exchange = None;
                    }
                    return;
                }
                Next::Resume => self.session.resume(),
                Next::Begin {
                    mechanism,
                    initial_response,
                } => self.begin(&mechanism, initial_response),
                Next::Step(response) => self.step(Some(response.expose())),
                Next::Password { login, password } => self.password(&login, password),
                Next::StartTls => {
                    self.awaits_tls = true;
                    return;
                }
                Next::Retrieve {
                    index,
                    extent,
                    ascii_header,
                } => match self.retrieve(index, extent, ascii_header) {
                    Ok(()) => return,
                    Err(why) => self.session.not_found(why),
                },
                Next::Update(marked) => {
                    let maildrop = self.maildrop.as_ref().expect("a maildrop");
                    let done = maildrop.remove(&mut marked.into_iter());
                    self.session.updated(done.is_ok())
                }
                Next::Close(_) => {
                    self.closed = true;
                    return;
                }
            };
        }
    }

    fn begin(&mut self, mechanism: &str, initial_response: Option<Secret>) -> Turn {
        match self
            .service
            .authenticator
            .begin(mechanism, &self.channel, &mut self.caller)
        {
            Ok(exchange) => {
                self.exchange = Some(exchange);
                self.step(initial_response.as_ref().map(Secret::expose))
            }
            Err(refusal) => self.session.refused(refusal),
        }
    }

    fn password(&mut self, login: &[u8], password: Secret) -> Turn {
        let authenticator = &self.service.authenticator;
        let exchange =
            authenticator.begin_password(login, password, &self.channel, &mut self.caller);
        self.exchange = Some(exchange);
        self.step(None)
    }

    fn step(&mut self, response: Option<&[u8]>) -> Turn {
        let exchange = self.exchange.as_mut().expect("an exchange");
        match self.runtime.block_on(exchange.step(response)) {
            Progress::Challenge(challenge) => self.session.challenged(&challenge),
            Progress::Refused(refusal) => self.session.refused(refusal),
            Progress::Granted(identity) => match self.service.store.open(&identity) {
                Ok(maildrop) => {
                    let listing = maildrop.listing().clone();
                    self.maildrop = Some(maildrop);
                    self.session.opened(listing)
                }
                Err(_) => self.session.not_opened(NotOpened::Unavailable),
            },
        }
    }

    fn retrieve(
        &mut self,
        index: usize,
        extent: Extent,
        ascii_header: bool,
    ) -> Result<(), NotRetrieved> {
        let maildrop = self.maildrop.as_ref().expect("a maildrop");
        let mut message = maildrop.message(index).map_err(|error| match error {
            StoreError::Vanished => NotRetrieved::Vanished,
            StoreError::Failed { .. } | StoreError::Locked { .. } | StoreError::Unusable { .. } => {
                NotRetrieved::Unavailable
            }
        })?;
        let mut octets = Vec::new();
        let mut block = [0; 1000];
        while let length @ 1.. = message.read(&mut block).expect("a readable message") {
            octets.extend_from_slice(&block[..length]);
        }
        if ascii_header && !has_ascii_header(&octets) {
            return Err(NotRetrieved::Utf8);
        }
        self.out.extend_from_slice(OK);
        let mut stuffer = Stuffer::new(extent);
        octets
            .chunks(7)
            .for_each(|chunk| stuffer.push(chunk, &mut self.out));
        stuffer.finish(&mut self.out);
        Ok(())
    }
}

impl Connection for Talk {
    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.lines.push(octets);
        while !self.closed && !self.awaits_tls {
            let turn = match self.lines.take(|begun| self.session.line_limit(begun)) {
                Taken::Line(line) => self.session.line(line.expose(), self.lines.has_more()),
                Taken::TooLong => self.session.line_too_long(),
                Taken::Partial => break,
            };
            self.carry_out(turn);
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.out.iter().position(|octet| *octet == b'\n') {
            Some(end) => Ok(Some(self.out.drain(..=end).collect())),
            None if self.closed => Ok(None),
            None => Err("the engine says nothing".to_owned()),
        }
    }

    fn start_tls(&mut self) -> Result<(), String> {
        if !self.awaits_tls {
            return Err("the engine does not expect TLS".to_owned());
        }
        self.secure();
        Ok(())
    }

    fn hang_up(self: Box<Self>, _reset: bool) {}

    fn unread(&self) -> &[u8] {
        &self.out
    }
}
