//! Words for the client: the only place where an outcome becomes `+OK` or `-ERR`.
//!
//! Only the status and the response code mean anything to a client, so texts differ by profile:
//! the Exchange profiles say what Exchange says, as far as that is known from wire logs. No text
//! ever contains an inner error; that is for the log.

use super::settings::{Profile, Settings};

/// The longest status line, CRLF included (C0001, RFC 2449 §4).
const MAX_STATUS: usize = 512;

/// Everything that the server says in a status line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// The AUTH exchange failed because of the credentials, or of whatever must look like that.
    AuthRefused,
    /// The arguments are missing, too many, or not what the verb takes.
    BadArguments,
    /// A SASL line or initial response is not base64.
    BadBase64,
    /// The account of the session may not log in any more.
    Barred,
    /// The client sent `*`.
    Cancelled,
    /// The idle timer ran out (V0003).
    Expired,
    /// The header is not ASCII and UTF8 was not asked for.
    HeaderNotAscii,
    /// The account has as many sessions as it may have.
    InUse,
    /// The login is done.
    LoggedOn,
    /// The mechanism does not exist, or not here.
    NoMechanism,
    /// The number names no message, or a deleted one.
    NoSuchMessage,
    /// Some marked messages are still there (V0006).
    NotAllRemoved,
    /// Octets came behind STLS before TLS began.
    OctetsBehindStls,
    /// The password was wrong, or whatever must look like that.
    PasswordRefused,
    /// QUIT.
    SigningOff,
    /// The server is stopping.
    Stopping,
    /// STLS: the handshake may begin.
    TlsBegins,
    /// Too many connections, in all or from this address.
    TooManyConnections,
    /// The line is longer than allowed.
    TooLong,
    /// The store, the directory or a worker is in trouble; not the client's fault.
    Unavailable,
    /// Not a command.
    UnknownCommand,
    /// The message was deleted by somebody else after the snapshot (C0004).
    Vanished,
    /// A known command in a state, or on a channel, where it is not allowed.
    WrongState,
}

/// The response code of RFC 2449 §8 and RFC 3206, where there is one.
fn code(say: Say) -> Option<&'static str> {
    match say {
        Say::AuthRefused | Say::PasswordRefused => Some("AUTH"),
        Say::Barred => Some("SYS/PERM"),
        Say::InUse => Some("IN-USE"),
        Say::HeaderNotAscii => Some("UTF8"),
        Say::Stopping | Say::TooManyConnections | Say::Unavailable => Some("SYS/TEMP"),
        Say::BadArguments
        | Say::BadBase64
        | Say::Cancelled
        | Say::Expired
        | Say::LoggedOn
        | Say::NoMechanism
        | Say::NoSuchMessage
        | Say::NotAllRemoved
        | Say::OctetsBehindStls
        | Say::SigningOff
        | Say::TlsBegins
        | Say::TooLong
        | Say::UnknownCommand
        | Say::Vanished
        | Say::WrongState => None,
    }
}

fn is_positive(say: Say) -> bool {
    matches!(say, Say::LoggedOn | Say::SigningOff | Say::TlsBegins)
}

/// The texts that are Postern's own; they serve the Exchange profiles too where Exchange's are not
/// known.
fn own_text(say: Say) -> &'static str {
    match say {
        Say::AuthRefused | Say::PasswordRefused => {
            "Logon failure: unknown user name or bad password."
        }
        Say::BadArguments => "The arguments do not fit the command.",
        Say::BadBase64 => "That is not base64.",
        Say::Barred => "The account may not be used any more. Connection is closed.",
        Say::Cancelled => "The AUTH protocol exchange was canceled by the client.",
        Say::Expired => "Connection is closed. Idle timeout.",
        Say::HeaderNotAscii => "The header is not ASCII; use the UTF8 command before logging in.",
        Say::InUse => "Too many sessions of this user; close one and try again.",
        Say::LoggedOn => "User successfully logged on.",
        Say::NoMechanism => "The authentication mechanism is not supported here.",
        Say::NoSuchMessage => "There is no such message.",
        Say::NotAllRemoved => "Some deleted messages could not be removed.",
        Say::OctetsBehindStls => "Nothing may follow STLS before TLS begins. Connection is closed.",
        Say::SigningOff => "Postern signing off.",
        Say::Stopping => "The server is stopping. Connection is closed.",
        Say::TlsBegins => "Begin TLS negotiation now.",
        Say::TooManyConnections => "Too many connections; try again later.",
        Say::TooLong => "The line is too long. Connection is closed.",
        Say::Unavailable => "The mailbox is not available at the moment; try again later.",
        Say::UnknownCommand => "Unknown command.",
        Say::Vanished => "The message is gone; it was deleted elsewhere.",
        Say::WrongState => "Command is not valid in this state.",
    }
}

/// What Exchange says where wire logs show it. The trailing numbers are Exchange's own.
fn exchange_text(profile: Profile, say: Say) -> Option<&'static str> {
    let newer = matches!(profile, Profile::Exchange2013 | Profile::Exchange2016);
    match (say, profile) {
        (_, Profile::Postern) => None,
        (Say::AuthRefused, _) if newer => {
            Some("Authentication failure: unknown user name or bad password.")
        }
        (Say::TooLong, _) => Some("Protocol error. Connection is closed. 10"),
        (Say::UnknownCommand | Say::BadArguments | Say::BadBase64, _) => Some("Protocol error. 19"),
        (Say::Unavailable, _) => Some("Server Unavailable. 21"),
        (Say::SigningOff, Profile::Exchange2007) => {
            Some("Microsoft Exchange Server 2007 POP3 server signing off.")
        }
        (Say::SigningOff, Profile::Exchange2010) => {
            Some("Microsoft Exchange Server 2010 POP3 server signing off.")
        }
        (Say::SigningOff, Profile::Exchange2013) => {
            Some("Microsoft Exchange Server 2013 POP3 server signing off.")
        }
        (Say::SigningOff, Profile::Exchange2016) => {
            Some("Microsoft Exchange Server 2016 POP3 server signing off.")
        }
        _ => None,
    }
}

/// A complete status line.
pub fn say(settings: &Settings, say: Say) -> Vec<u8> {
    let text = exchange_text(settings.profile, say).unwrap_or_else(|| own_text(say));
    let status = if is_positive(say) { "+OK" } else { "-ERR" };
    match code(say).filter(|_| settings.response_codes) {
        Some(code) => status_line(format_args!("{status} [{code}] {text}")),
        None => status_line(format_args!("{status} {text}")),
    }
}

/// A bare `+OK`: also what stands before the octets of a message.
pub const OK: &[u8] = b"+OK\r\n";

pub(super) fn ok() -> Vec<u8> {
    OK.to_vec()
}

/// A status line from its text: cut to what C0001 allows.
pub(super) fn status_line(text: std::fmt::Arguments<'_>) -> Vec<u8> {
    let mut line = text.to_string().into_bytes();
    line.truncate(MAX_STATUS - 2);
    line.extend_from_slice(b"\r\n");
    line
}

/// The greeting. Its text was checked with the configuration; it never contains an APOP timestamp.
pub(super) fn greeting(settings: &Settings) -> Vec<u8> {
    status_line(format_args!("+OK {}", settings.greeting))
}
