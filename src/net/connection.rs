//! One connection: the only loop that does I/O for a client.
//!
//! Reads a line, asks the engine, does what [`Next`] says, and comes back with the result. What a
//! command means is decided in [`crate::pop3`]; who may come in, in `postern-auth`; mail is touched
//! only by [`crate::store`].
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]
#![expect(
    clippy::disallowed_methods,
    reason = "the door is where time is looked at"
)]

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use postern_auth::{Caller, Channel, Exchange, Reason, Secret};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::places::Place;
use super::seats::Seat;
use super::service::{House, Phase, Service};
use super::stream::Stream;
use crate::config::{Listener, ListenerTls};
use crate::event::{Event, Tally};
use crate::pop3::line::{Lines, Taken};
use crate::pop3::verb::Shown;
use crate::pop3::{Next, Session, Turn};
use crate::protocol_log::{Heard, Minutes};
use crate::store::Maildrop;

/// Replies to pipelined commands are held back until they are this long, in octets.
const PORTION: usize = 32 * 1024;

/// A line that is longer than this before login, in octets, asks for leave.
const SHORT_LINE: usize = 4 * 1024;

/// A login must be done within so many times the idle timer before login, so that nobody keeps a
/// place, or an old generation of the configuration, by saying something now and then.
const LOGIN_WITHIN: u32 = 10;

/// An output buffer of more than this is given back before the connection waits for a line.
const KEPT: usize = 1024;

pub(super) struct Connection {
    pub(super) house: Arc<House>,
    pub(super) service: Arc<Service>,
    listener: Listener,
    pub(super) stream: Stream,
    lines: Lines,
    pub(super) out: Vec<u8>,
    pub(super) session: Session,
    pub(super) channel: Channel,
    pub(super) caller: Caller,
    /// Boxed, as most of a connection's time there is none.
    pub(super) exchange: Option<Box<Exchange>>,
    pub(super) maildrop: Option<Arc<dyn Maildrop>>,
    /// After login: a place among the user's sessions, and among everybody's.
    pub(super) user: Option<(Place<String>, Seat)>,
    long_line: Option<OwnedSemaphorePermit>,
    began: Instant,
    /// The idle timer. It is kept from line to line: putting it off costs nothing, while a new one
    /// for each line would wake the runtime each time.
    alarm: Pin<Box<Sleep>>,
    pub(super) tally: Tally,
    minutes: Option<Box<Minutes>>,
    _presence: Option<OwnedSemaphorePermit>,
}

/// What came of waiting for a line.
enum Input {
    Line(Secret),
    TooLong,
    Overloaded,
    Expired,
    Barred(Reason),
    Stopping,
    Lost,
}

/// Whether the session goes on.
enum Flow {
    Open,
    Closed,
}

impl Connection {
    pub(super) fn new(
        tcp: TcpStream,
        address: IpAddr,
        (service, listener): (Arc<Service>, Listener),
        house: Arc<House>,
    ) -> Self {
        let (number, began) = (house.number(), Instant::now());
        let channel = service.clear(&listener);
        let offer = service.offer(&listener, &channel, address);
        let log = house.protocol_log.as_ref();
        let ends = || (tcp.local_addr().ok(), tcp.peer_addr().ok());
        Self {
            minutes: log.map(|log| Box::new(Minutes::begin(log, number, ends()))),
            session: Session::new(service.settings.clone(), offer),
            stream: Stream::Clear(tcp),
            lines: Lines::default(),
            out: Vec::new(),
            caller: Caller::new(address, number),
            channel,
            listener,
            exchange: None,
            maildrop: None,
            user: None,
            long_line: None,
            began,
            alarm: Box::pin(sleep_until(began)),
            tally: Tally {
                session: number,
                address,
                account: None,
                retrieved: 0,
                deleted: 0,
                ending: None,
                barred: None,
                duration: Duration::ZERO,
            },
            _presence: house.presence(),
            service,
            house,
        }
    }

    /// Serves the client until the end, whatever ends it.
    pub(super) async fn serve(&mut self) {
        // An error here is a client that is gone: there is nobody to tell, and the tally says so.
        let _ = self.converse().await;
        let account = self.tally.account.as_deref();
        if let Some(minutes) = self.minutes.take() {
            minutes.end(account, Instant::now());
        }
        self.tally.duration = self.began.elapsed();
        Event::Ended(&self.tally).emit();
    }

    async fn converse(&mut self) -> io::Result<()> {
        if self.listener.tls == ListenerTls::Implicit {
            self.start_tls().await?;
        }
        self.heard(Heard::Arrival);
        self.out = self.session.greeting();
        self.answered();
        loop {
            let input = self.input().await?;
            self.heard(match &input {
                Input::Line(line) => Heard::Line(line.expose(), self.lines.taken()),
                Input::Lost => return Ok(()),
                Input::TooLong
                | Input::Overloaded
                | Input::Expired
                | Input::Barred(_)
                | Input::Stopping => Heard::Trouble(self.lines.waiting()),
            });
            let turn = match input {
                Input::Line(line) => self.line(line.expose()),
                Input::TooLong => self.session.line_too_long(),
                Input::Overloaded => self.session.overloaded(),
                Input::Expired => self.session.expired(),
                Input::Barred(reason) => {
                    self.tally.barred = Some(reason);
                    self.session.barred()
                }
                Input::Stopping => self.session.stopping(),
                Input::Lost => return Ok(()),
            };
            let flow = self.carry_out(turn).await?;
            self.answered();
            if let Flow::Closed = flow {
                self.stream.close().await;
                return Ok(());
            }
        }
    }

    fn heard(&mut self, what: Heard<'_>) {
        if let Some(minutes) = &mut self.minutes {
            minutes.heard(what, &self.out, Instant::now());
        }
    }

    /// The answer is complete; an exchange goes on with the next line, and is one command.
    fn answered(&mut self) {
        if let Some(minutes) = &mut self.minutes {
            let (account, now) = (self.tally.account.as_deref(), Instant::now());
            let goes_on = self.session.is_authenticating();
            minutes.answered(&self.out, goes_on, account, now);
        }
    }

    fn line(&mut self, line: &[u8]) -> Turn {
        if !self.session.is_authenticating() {
            let (session, command) = (self.tally.session, Shown(line));
            if tracing::enabled!(tracing::Level::DEBUG) {
                Event::Command {
                    session,
                    command: command.to_string(),
                }
                .emit();
            }
        }
        self.session.line(line, self.lines.has_more())
    }

    /// The next line. Replies go out before the connection waits, and the clock of the idle timer
    /// runs from then: part of a line does not stop it (V0002).
    async fn input(&mut self) -> io::Result<Input> {
        // Asked before a line is taken: who always has the next one ready is never waited for.
        if self.is_overdue() {
            return Ok(Input::Expired);
        }
        let mut deadline = None;
        loop {
            // Before a line is taken, too: a QUIT that has come already must not delete anything.
            if let Some(reason) = self.barred() {
                return Ok(Input::Barred(reason));
            }
            match self.lines.take(|begun| self.session.line_limit(begun)) {
                Taken::Line(line) => {
                    self.long_line = None;
                    return Ok(Input::Line(line));
                }
                Taken::TooLong => return Ok(Input::TooLong),
                Taken::Partial => {}
            }
            if !self.may_hold_line() {
                return Ok(Input::Overloaded);
            }
            self.flush().await?;
            if self.out.capacity() > KEPT {
                self.out = Vec::new();
            }
            let deadline = *deadline.get_or_insert_with(|| self.deadline());
            let last_phase = self.last_phase();
            if self.house.has_reached(last_phase) {
                return Ok(Input::Stopping);
            }
            self.alarm.as_mut().reset(deadline);
            let seat = self.user.as_ref().map(|(_, seat)| seat);
            tokio::select! {
                biased;
                read = self.stream.read(&mut self.lines) => {
                    if !read? {
                        return Ok(Input::Lost);
                    }
                }
                () = self.alarm.as_mut() => return Ok(Input::Expired),
                over = self.house.reached_or_barred(last_phase, seat) => {
                    if over {
                        return Ok(Input::Stopping);
                    }
                }
            }
        }
    }

    /// Before login, long lines share a fixed amount of memory: what strangers hold is bounded in
    /// total, not only for each connection.
    fn may_hold_line(&mut self) -> bool {
        let held = self
            .long_line
            .as_ref()
            .map_or(SHORT_LINE, |leave| SHORT_LINE + leave.num_permits());
        let wanted = self.lines.waiting().saturating_sub(held);
        if self.session.is_logged_in() || wanted == 0 {
            return true;
        }
        match (self.house.places.long_line(wanted), &mut self.long_line) {
            (None, _) => return false,
            (Some(leave), Some(before)) => before.merge(leave),
            (Some(leave), none) => *none = Some(leave),
        }
        true
    }

    /// Why the session may not go on, once that is so.
    pub(super) fn barred(&self) -> Option<Reason> {
        self.user.as_ref().and_then(|(_, seat)| seat.barred())
    }

    /// How far the server's end may come before the client is told.
    fn last_phase(&self) -> Phase {
        if self.session.is_logged_in() {
            Phase::Ending
        } else {
            Phase::Draining
        }
    }

    /// When the wait for this line ends. Strangers also have an end to all their lines together.
    fn deadline(&self) -> Instant {
        let idle = Instant::now() + self.idle();
        if self.session.is_logged_in() {
            return idle;
        }
        idle.min(self.login_deadline())
    }

    fn login_deadline(&self) -> Instant {
        self.began + self.service.timeouts.pre_authenticated * LOGIN_WITHIN
    }

    fn is_overdue(&self) -> bool {
        !self.session.is_logged_in() && Instant::now() >= self.login_deadline()
    }

    pub(super) fn idle(&self) -> Duration {
        if self.session.is_logged_in() {
            self.service.timeouts.authenticated
        } else {
            self.service.timeouts.pre_authenticated
        }
    }

    /// Sends what has gathered.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let idle = self.idle();
        self.stream.write(&self.out, idle).await?;
        if let Some(minutes) = &mut self.minutes {
            minutes.sent(&self.out);
        }
        self.out.clear();
        Ok(())
    }

    /// Does what the engine says until it wants the next line.
    async fn carry_out(&mut self, mut turn: Turn) -> io::Result<Flow> {
        loop {
            self.out.append(&mut turn.reply);
            if self.out.len() >= PORTION {
                self.flush().await?;
            }
            turn = match turn.next {
                Next::Read => {
                    if !self.session.is_authenticating() {
                        // A cancelled exchange is dropped, and nothing of it survives.
                        self.exchange = None;
                    }
                    return Ok(Flow::Open);
                }
                Next::Resume => {
                    self.flush().await?;
                    self.session.resume()
                }
                Next::Begin {
                    mechanism,
                    initial_response,
                } => self.begin(&mechanism, initial_response).await,
                Next::Step(response) => self.step(Some(response)).await,
                Next::Password { login, password } => self.password(&login, password).await,
                Next::StartTls => {
                    self.flush().await?;
                    self.start_tls().await?;
                    return Ok(Flow::Open);
                }
                Next::Retrieve {
                    index,
                    extent,
                    ascii_header,
                } => match self.retrieve(index, extent, ascii_header).await? {
                    Ok(()) => return Ok(Flow::Open),
                    Err(why) => self.session.not_found(why),
                },
                Next::Update(marked) => self.update(marked).await,
                Next::Close(ending) => {
                    self.flush().await?;
                    self.tally.ending = Some(ending);
                    return Ok(Flow::Closed);
                }
            };
        }
    }

    /// STLS, or the first thing on an implicit listener. A failed handshake ends the connection;
    /// it never goes on in the clear.
    async fn start_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &self.service.tls else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let Stream::Clear(tcp) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        self.lines.clear();
        let idle = self.service.timeouts.pre_authenticated;
        // Boxed: the connection shall not keep the room of a handshake for the rest of its life.
        let handshake = Box::pin(timeout(idle, tls.handshake(tcp)));
        let handshake = tokio::select! {
            () = self.house.reached(Phase::Draining) => return Err(io::ErrorKind::Interrupted.into()),
            made = handshake => made,
        };
        match handshake.unwrap_or_else(|late| Err(late.into())) {
            Ok((stream, facts)) => {
                self.stream = Stream::Tls(Box::new(stream));
                self.channel.tls = Some(Arc::new(facts));
                let offer =
                    self.service
                        .offer(&self.listener, &self.channel, self.caller.address());
                self.session.secured(offer);
                Ok(())
            }
            Err(error) => {
                let (session, address) = (self.tally.session, self.tally.address);
                Event::HandshakeFailed {
                    session,
                    address,
                    error: &error,
                }
                .emit();
                Err(error)
            }
        }
    }

    /// UPDATE: the answer goes out after the deletions are on disk.
    async fn update(&mut self, marked: Vec<usize>) -> Turn {
        let Some(maildrop) = self.maildrop.clone() else {
            return self.session.updated(false);
        };
        let count = marked.len();
        let removal = move || maildrop.remove(&mut marked.into_iter());
        let session = self.tally.session;
        match self.house.disk.run(self.tally.address, removal).await {
            Ok(Ok(())) => {
                self.tally.deleted = count;
                self.session.updated(true)
            }
            Ok(Err(error)) => {
                self.tally.deleted = count.saturating_sub(error.left);
                let account = self.tally.account.as_deref().unwrap_or_default();
                Event::RemoveFailed {
                    session,
                    account,
                    error: &error,
                }
                .emit();
                self.session.updated(false)
            }
            Err(_) => {
                Event::DiskOverloaded { session }.emit();
                self.session.updated(false)
            }
        }
    }
}
