//! The minutes of one session: what was asked, what was answered, and how long that took.
//!
//! Time is handed in. An AUTH exchange is one record, with all its lines and answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::record::{Record, command};
use super::{ProtocolLog, now};

/// What a connection heard.
pub enum Heard<'a> {
    /// A client came.
    Arrival,
    /// A line without its end, and its octets on the wire with it.
    Line(&'a [u8], usize),
    /// No line, but a reason to end; so many octets were there.
    Trouble(usize),
}

/// The longest part of an answer's first line that is kept, in octets: a reply line (RFC 2449 §4).
const STATUS: usize = 512;

/// The minutes of one session.
pub struct Minutes {
    log: ProtocolLog,
    session: u64,
    /// The server's address and the client's.
    ends: (Option<SocketAddr>, Option<SocketAddr>),
    number: u64,
    sent: u64,
    entry: Option<Entry>,
    /// Whether the record of the end is begun.
    closed: bool,
}

/// A command whose answer is not complete.
struct Entry {
    command: (String, String),
    request: u64,
    reply: u64,
    worked: Duration,
    /// Since when, and where in all that was sent, the answer to the last line begins.
    since: Instant,
    mark: u64,
    status: Vec<u8>,
    /// The answer is complete, but the exchange goes on with the next line.
    waits: bool,
}

impl Minutes {
    /// Begins them; `ends` are the server's address and the client's.
    pub fn begin(
        log: &ProtocolLog,
        session: u64,
        ends: (Option<SocketAddr>, Option<SocketAddr>),
    ) -> Self {
        Self {
            log: log.clone(),
            session,
            ends,
            number: 0,
            sent: 0,
            entry: None,
            closed: false,
        }
    }

    /// Something came; `out` is what waits to be sent of the answers before.
    pub fn heard(&mut self, what: Heard<'_>, out: &[u8], now: Instant) {
        let mark = self.sent + length(out);
        let (command, request) = match what {
            Heard::Line(line, octets) => match &mut self.entry {
                Some(entry) => {
                    entry.request += octets as u64;
                    (entry.since, entry.mark, entry.waits) = (now, mark, false);
                    entry.status.clear();
                    return;
                }
                None => (command(line), octets),
            },
            Heard::Arrival => (name("OpenSession"), 0),
            Heard::Trouble(octets) => {
                self.closed = true;
                (name("CloseSession"), octets)
            }
        };
        self.write(None);
        self.entry = Some(Entry {
            command,
            request: request as u64,
            reply: 0,
            worked: Duration::ZERO,
            since: now,
            mark,
            status: Vec::new(),
            waits: false,
        });
    }

    /// All of `out` was sent.
    pub fn sent(&mut self, out: &[u8]) {
        self.note(out);
        self.sent += length(out);
    }

    /// The answer is complete; `out` is what waits of it. With `goes_on` the next line belongs to
    /// the same command.
    pub fn answered(&mut self, out: &[u8], goes_on: bool, account: Option<&str>, now: Instant) {
        self.note(out);
        let end = self.sent + length(out);
        let Some(entry) = &mut self.entry else {
            return;
        };
        entry.reply += end.saturating_sub(entry.mark);
        entry.worked += now.duration_since(entry.since);
        entry.waits = goes_on;
        if !goes_on {
            self.write(account);
        }
    }

    /// The session is over. A command whose answer was cut off has its record with what was sent.
    pub fn end(mut self, account: Option<&str>, now: Instant) {
        match &self.entry {
            Some(entry) if entry.waits => self.write(account),
            Some(_) => self.answered(&[], false, account, now),
            None => {}
        }
        if !self.closed {
            self.heard(Heard::Trouble(0), &[], now);
            self.answered(&[], false, account, now);
        }
    }

    /// Keeps the first line of the answer, if `out` has it.
    fn note(&mut self, out: &[u8]) {
        let Some(entry) = &mut self.entry else {
            return;
        };
        let begin = usize::try_from(entry.mark.saturating_sub(self.sent)).unwrap_or(usize::MAX);
        let answer = out.get(begin..).unwrap_or_default();
        if entry.status.is_empty() {
            let line = answer.split(|octet| matches!(octet, b'\r' | b'\n')).next();
            let line = line.unwrap_or_default();
            let line = line.get(..STATUS).unwrap_or(line);
            entry.status.extend_from_slice(line);
        }
    }

    fn write(&mut self, account: Option<&str>) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let record = Record {
            time: now(),
            session: self.session,
            number: self.number,
            server: self.ends.0,
            client: self.ends.1,
            user: account.unwrap_or_default(),
            duration: entry.worked,
            request: entry.request,
            reply: entry.reply,
            command: &entry.command,
            status: &entry.status,
        };
        self.number += 1;
        self.log.write(&record.line());
    }
}

/// What is no command of the client, by the name that Exchange gives it.
fn name(name: &str) -> (String, String) {
    (name.to_owned(), String::new())
}

fn length(out: &[u8]) -> u64 {
    out.len() as u64
}
