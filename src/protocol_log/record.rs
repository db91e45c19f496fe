//! One record: twelve columns, quoted so that nothing a client types forges a column or a line.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::calendar::Moment;
use crate::pop3::verb::{self, Verb};

/// The columns, as the header of a file names them.
pub(super) const FIELDS: &str =
    "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context";

/// What stands for arguments that may be secret.
const MASKED: &str = "*****";

/// What a record says.
pub(super) struct Record<'a> {
    pub(super) time: SystemTime,
    pub(super) session: u64,
    pub(super) number: u64,
    pub(super) server: Option<SocketAddr>,
    pub(super) client: Option<SocketAddr>,
    pub(super) user: &'a str,
    pub(super) duration: Duration,
    pub(super) request: u64,
    pub(super) reply: u64,
    /// The command and its parameters, as [`command`] shows them.
    pub(super) command: &'a (String, String),
    /// The first line of the answer; empty when there was none.
    pub(super) status: &'a [u8],
}

impl Record<'_> {
    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        let address = |address: Option<SocketAddr>| address.map(|a| a.to_string());
        let (command, parameters) = self.command;
        format!(
            "{},{:016X},{},{},{},{},{},{},{},{},{},{}\r\n",
            Moment::of(self.time).text(),
            self.session,
            self.number,
            address(self.server).unwrap_or_default(),
            address(self.client).unwrap_or_default(),
            quoted(shown(self.user.as_bytes())),
            self.duration.as_millis(),
            self.request,
            self.reply,
            command,
            parameters,
            context(self.status),
        )
    }
}

/// The command in lower case and its parameters, both ready for their columns. A line that is no
/// command shows nothing: it may be a password typed too early.
pub(super) fn command(line: &[u8]) -> (String, String) {
    let (row, arguments) = verb::split(line);
    let Some(row) = row else {
        return (String::new(), MASKED.to_owned());
    };
    let arguments = arguments.trim_ascii_start();
    let parameters = if arguments.is_empty() {
        String::new()
    } else if row.loggable || row.verb == Verb::User {
        quoted(shown(arguments))
    } else {
        MASKED.to_owned()
    };
    (row.keyword.to_ascii_lowercase(), parameters)
}

/// `R=ok`, or `R="…"` with the line of a refusal. What a challenge says is nobody's business.
fn context(status: &[u8]) -> String {
    quoted(match status {
        b"" => String::new(),
        status if status.starts_with(b"+OK") => "R=ok".to_owned(),
        status if status.starts_with(b"+ ") => "R=\"+\"".to_owned(),
        status => format!("R=\"{}\"", status.escape_ascii()),
    })
}

/// Text of a client: what could end a line, steer a terminal, turn the order of characters or
/// begin a formula in a spreadsheet is escaped.
fn shown(octets: &[u8]) -> String {
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '=' | '+' | '-' | '@' if text.is_empty() => escape(&mut text, u32::from(character)),
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    escape(&mut text, u32::from(character));
                }
                _ if character.is_control() => escape(&mut text, u32::from(character)),
                _ => text.push(character),
            }
        }
        for octet in chunk.invalid() {
            escape(&mut text, u32::from(*octet));
        }
    }
    text
}

fn escape(text: &mut String, number: u32) {
    // Writing to a String cannot fail.
    let _ = if number < 0x100 {
        write!(text, "\\x{number:02x}")
    } else {
        write!(text, "\\u{{{number:x}}}")
    };
}

/// A column: in quotes, which are doubled inside, where it needs them.
fn quoted(text: String) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
