//! Plays a transcript against a server, and says where the two part.
//!
//! The server is anything that takes octets and gives octets: see [`Subject`]. The player knows
//! no socket; a pure engine can sit behind the same trait.

use std::collections::BTreeMap;

use super::pattern::Pattern;
use super::script::{Action, Script, Transport};
use super::text::show;

/// A server under test, freshly started with the fixture and the settings of one script.
pub(crate) trait Subject {
    /// Opens a connection; under [`Transport::Implicit`] TLS is already established.
    ///
    /// # Errors
    /// A sentence about what failed.
    fn connect(&mut self, over: Transport) -> Result<Box<dyn Connection>, String>;

    /// Puts a message of the fixture into alice's maildrop, as a delivery agent does.
    ///
    /// # Errors
    /// A sentence about what failed.
    fn deliver(&mut self, message: &str) -> Result<(), String>;

    /// Takes away alice's message of this number (as the fixture numbers them, from 1), as
    /// another program does.
    ///
    /// # Errors
    /// A sentence about what failed.
    fn vanish(&mut self, number: usize) -> Result<(), String>;
}

/// One connection to the server.
pub(crate) trait Connection {
    /// Sends these octets as one segment. A server that has closed is no error here: the next
    /// line will tell.
    ///
    /// # Errors
    /// A sentence about what failed.
    fn send(&mut self, octets: &[u8]) -> Result<(), String>;

    /// The next line, its end included; none when the server has closed. What comes before the
    /// end of the stream without a line end is a line as well.
    ///
    /// # Errors
    /// A sentence when nothing came in time.
    fn line(&mut self) -> Result<Option<Vec<u8>>, String>;

    /// Makes the TLS handshake as the client.
    ///
    /// # Errors
    /// A sentence about what failed.
    fn start_tls(&mut self) -> Result<(), String>;

    /// Ends the connection without a word, by a reset or in order.
    fn hang_up(self: Box<Self>, reset: bool);

    /// What the server sent and nobody asked for, as far as it has arrived.
    fn unread(&self) -> &[u8];
}

/// Plays the script under one profile and over one transport.
///
/// # Errors
/// Where the server departs from the script, with the last things said.
pub(crate) fn play(
    script: &Script,
    profile: &str,
    over: Transport,
    subject: &mut dyn Subject,
) -> Result<(), String> {
    let mut player = Player {
        profile,
        over,
        subject,
        open: BTreeMap::new(),
        current: "a".to_owned(),
        said: Vec::new(),
    };
    let mut line = 0;
    let mut played = player.connect();
    for step in &script.steps {
        if played.is_err() {
            break;
        }
        line = step.line;
        played = player.step(&step.action);
    }
    played.and_then(|()| player.finish()).map_err(|problem| {
        let talk = player
            .said
            .iter()
            .rev()
            .take(8)
            .rev()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n    ");
        format!(
            "{}.pop3:{line} [{profile}, {over:?}]: {problem}\n    {talk}",
            script.name
        )
    })
}

struct Player<'a> {
    profile: &'a str,
    over: Transport,
    subject: &'a mut dyn Subject,
    open: BTreeMap<String, Talk>,
    current: String,
    said: Vec<String>,
}

struct Talk {
    connection: Box<dyn Connection>,
    greeted: bool,
}

impl Player<'_> {
    fn connect(&mut self) -> Result<(), String> {
        let connection = self.subject.connect(self.over)?;
        self.open.insert(
            self.current.clone(),
            Talk {
                connection,
                greeted: false,
            },
        );
        Ok(())
    }

    fn talk(&mut self) -> Result<&mut Talk, String> {
        self.open
            .get_mut(&self.current)
            .ok_or_else(|| format!("connection {} is over", self.current))
    }

    fn step(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Send(octets) => self.send(octets),
            Action::Line(expected) => self.expect(&show(expected), |line| line == expected),
            Action::Like(pattern) => self.expect(pattern.source(), |line| like(pattern, line)),
            Action::Lines { some, none } => self.lines(some, none),
            Action::Closed => self.closed(),
            Action::Tls => self.talk()?.connection.start_tls(),
            Action::HangUp(reset) => {
                if let Some(talk) = self.open.remove(&self.current) {
                    talk.connection.hang_up(*reset);
                }
                Ok(())
            }
            Action::Connection(name) => {
                self.current.clone_from(name);
                if self.open.contains_key(name) {
                    Ok(())
                } else {
                    self.connect()
                }
            }
            Action::Deliver(message) => self.subject.deliver(message),
            Action::Vanish(number) => self.subject.vanish(*number),
        }
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.said.push(format!("C: {}", show(octets)));
        self.talk()?.connection.send(octets)
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let line = self.talk()?.connection.line()?;
        self.said
            .push(line.as_deref().map_or("S: (closed)".to_owned(), |line| {
                format!("S: {}", show(line))
            }));
        Ok(line)
    }

    fn expect(&mut self, expected: &str, fits: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        let Some(line) = self.next()? else {
            return Err(format!("expected `{expected}`, but the server closed"));
        };
        if !fits(&line) {
            return Err(format!(
                "expected `{expected}`, but the server said `{}`",
                show(&line)
            ));
        }
        well_formed(&line, self.profile)?;
        self.greeted()
    }

    /// Under STLS the handshake follows the greeting.
    fn greeted(&mut self) -> Result<(), String> {
        let over = self.over;
        let talk = self.talk()?;
        if std::mem::replace(&mut talk.greeted, true) || over != Transport::Stls {
            return Ok(());
        }
        talk.connection.send(b"STLS\r\n")?;
        match talk.connection.line()? {
            Some(line) if line.starts_with(b"+OK") => talk.connection.start_tls(),
            other => Err(format!(
                "STLS was answered by `{}`",
                show(&other.unwrap_or_default())
            )),
        }
    }

    fn lines(&mut self, some: &[Pattern], none: &[Pattern]) -> Result<(), String> {
        let mut lines = Vec::new();
        loop {
            match self.next()? {
                None => return Err("the server closed inside a list".to_owned()),
                Some(line) if line == b".\r\n" => break,
                Some(line) => lines.push(line),
            }
        }
        for line in &lines {
            well_formed(line, self.profile)?;
        }
        if let Some(pattern) = some
            .iter()
            .find(|pattern| !lines.iter().any(|line| like(pattern, line)))
        {
            return Err(format!(
                "no line of the list is like `{}`",
                pattern.source()
            ));
        }
        match none
            .iter()
            .find(|pattern| lines.iter().any(|line| like(pattern, line)))
        {
            Some(pattern) => Err(format!("a line of the list is like `{}`", pattern.source())),
            None => Ok(()),
        }
    }

    fn closed(&mut self) -> Result<(), String> {
        match self.next()? {
            Some(line) => Err(format!(
                "expected the end, but the server said `{}`",
                show(&line)
            )),
            None => {
                self.open.remove(&self.current);
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        for (name, talk) in std::mem::take(&mut self.open) {
            let unread = show(talk.connection.unread());
            if !unread.is_empty() {
                return Err(format!(
                    "connection {name}: the server also said `{unread}`"
                ));
            }
        }
        Ok(())
    }
}

fn like(pattern: &Pattern, line: &[u8]) -> bool {
    line.strip_suffix(b"\r\n")
        .is_some_and(|line| pattern.matches(line))
}

/// What holds of every line, whatever it says: RFC 1939 §3, RFC 2449 §4 and §6.4, RFC 3206 §4.
fn well_formed(line: &[u8], profile: &str) -> Result<(), String> {
    if !line.ends_with(b"\r\n") {
        return Err(format!("a line without CRLF: `{}`", show(line)));
    }
    let text = match line {
        [b'+', b'O', b'K', rest @ ..] | [b'-', b'E', b'R', b'R', rest @ ..] => rest,
        _ => return Ok(()),
    };
    if line.len() > 512 {
        return Err(format!("a first line of {} octets", line.len()));
    }
    match text {
        [b'\r', b'\n'] => Ok(()),
        [b' ', b'[', code @ ..] => response_code(code, profile),
        [b' ', ..] => Ok(()),
        _ => Err(format!("no blank after the status: `{}`", show(line))),
    }
}

const CODES: [&[u8]; 6] = [
    b"AUTH]",
    b"IN-USE]",
    b"LOGIN-DELAY]",
    b"SYS/PERM]",
    b"SYS/TEMP]",
    b"UTF8]",
];

fn response_code(code: &[u8], profile: &str) -> Result<(), String> {
    if profile.starts_with("exchange") {
        return Err(
            "Exchange announces no response codes, so no text may begin with `[`".to_owned(),
        );
    }
    if CODES.iter().any(|known| code.starts_with(known)) {
        return Ok(());
    }
    Err(format!("`[{}` is no response code", show(code)))
}
