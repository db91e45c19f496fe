//! From a line to a command: keywords, separators, numbers. Bounded by the line, which the driver
//! bounded before.
//!
//! Separators are one or more SPACE or TAB (\[MS-STANXPOP3\] §2.1.1), blanks behind the last argument
//! are ignored, and no argument has a limit of its own (§2.1.2). PASS is different: exactly one
//! separator goes, and the rest of the line is the password, blanks included (V0011).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_auth::Secret;

use super::verb::{Row, Verb, split};

/// A parsed command. What may be secret in it cannot be printed.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// AUTH with a mechanism and perhaps an initial response, decoded.
    Auth(&'a str, Option<Secret>),
    /// AUTH without a mechanism: the client asks which there are.
    AuthList,
    /// CAPA.
    Capa,
    /// DELE.
    Dele(u64),
    /// LANG with or without a tag.
    Lang(Option<&'a str>),
    /// LIST of one or of all messages.
    List(Option<u64>),
    /// NOOP.
    Noop,
    /// PASS: all that follows one separator.
    Pass(Secret),
    /// QUIT.
    Quit,
    /// RETR.
    Retr(u64),
    /// RSET.
    Rset,
    /// STAT.
    Stat,
    /// STLS.
    Stls,
    /// TOP: message and lines.
    Top(u64, u64),
    /// UIDL of one or of all messages.
    Uidl(Option<u64>),
    /// USER: all that follows, without the blanks around it. Account names may contain blanks.
    User(&'a [u8]),
    /// UTF8.
    Utf8,
}

/// Why a line is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The arguments are missing, too many, or not what the verb takes.
    Arguments,
    /// The initial response is not base64 (RFC 5034 §4 asks to be strict).
    Base64,
}

/// Splits the keyword off and finds its row; the rest still begins with its separator.
pub fn verb(line: &[u8]) -> Option<(&'static Row, &[u8])> {
    let (row, rest) = split(line);
    row.map(|row| (row, rest))
}

/// Parses the arguments of a verb.
///
/// # Errors
/// [`Malformed`] when they are not what the verb takes.
pub fn parse(verb: Verb, rest: &[u8]) -> Result<Command<'_>, Malformed> {
    let mut arguments = rest
        .split(|octet| is_blank(*octet))
        .filter(|part| !part.is_empty());
    let command = match verb {
        // The two that take the rest of the line as it is.
        Verb::Pass => return password(rest).map(Command::Pass),
        Verb::User => return nonempty(rest.trim_ascii()).map(Command::User),
        Verb::Auth => match arguments.next() {
            None => Command::AuthList,
            Some(name) => {
                Command::Auth(mechanism(name)?, arguments.next().map(decode).transpose()?)
            }
        },
        Verb::Capa => Command::Capa,
        Verb::Dele => Command::Dele(number(arguments.next())?),
        Verb::Lang => Command::Lang(arguments.next().map(ascii).transpose()?),
        Verb::List => Command::List(optional(arguments.next())?),
        Verb::Noop => Command::Noop,
        Verb::Quit => Command::Quit,
        Verb::Retr => Command::Retr(number(arguments.next())?),
        Verb::Rset => Command::Rset,
        Verb::Stat => Command::Stat,
        Verb::Stls => Command::Stls,
        Verb::Top => Command::Top(number(arguments.next())?, number(arguments.next())?),
        Verb::Uidl => Command::Uidl(optional(arguments.next())?),
        Verb::Utf8 => Command::Utf8,
    };
    match arguments.next() {
        None => Ok(command),
        Some(_) => Err(Malformed::Arguments),
    }
}

/// Decodes a line or argument of base64; a single `=` is an empty response (RFC 5034 §4).
///
/// # Errors
/// [`Malformed::Base64`] for a foreign octet, bad padding or bad length.
pub fn decode(text: &[u8]) -> Result<Secret, Malformed> {
    match text {
        b"=" => Ok(Secret::new(Vec::new())),
        _ => base64(text),
    }
}

/// Decodes a line of an exchange, where an empty line is an empty response.
///
/// # Errors
/// As [`decode`].
pub(super) fn base64(text: &[u8]) -> Result<Secret, Malformed> {
    STANDARD
        .decode(text)
        .map(Secret::new)
        .map_err(|_| Malformed::Base64)
}

/// Exactly one separator goes (V0011).
fn password(rest: &[u8]) -> Result<Secret, Malformed> {
    let password = rest.get(1..).ok_or(Malformed::Arguments)?;
    Ok(Secret::new(password.to_vec()))
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn nonempty(text: &[u8]) -> Result<&[u8], Malformed> {
    if text.is_empty() {
        Err(Malformed::Arguments)
    } else {
        Ok(text)
    }
}

fn ascii(text: &[u8]) -> Result<&str, Malformed> {
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(|octet| octet.is_ascii_graphic()) => Ok(text),
        _ => Err(Malformed::Arguments),
    }
}

/// RFC 4422 §3.1: 1 to 20 of `A-Z 0-9 - _`, in any case here.
fn mechanism(text: &[u8]) -> Result<&str, Malformed> {
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let name = ascii(text)?;
    if name.len() <= 20 && name.bytes().all(fits) {
        Ok(name)
    } else {
        Err(Malformed::Arguments)
    }
}

/// Digits only: no sign, no blank, no overflow.
fn number(text: Option<&[u8]>) -> Result<u64, Malformed> {
    let text = ascii(text.ok_or(Malformed::Arguments)?)?;
    if !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(Malformed::Arguments);
    }
    text.parse().map_err(|_| Malformed::Arguments)
}

fn optional(text: Option<&[u8]>) -> Result<Option<u64>, Malformed> {
    text.map(|text| number(Some(text))).transpose()
}
