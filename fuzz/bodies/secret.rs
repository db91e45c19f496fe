//! The same line with another password in it, for what must not depend on the password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern::pop3::command::{decode, verb};
use postern::pop3::verb::Verb;

use super::toy::disguise;

/// PASS and AUTH PLAIN with other passwords of the same length; any other line as it is.
pub(crate) fn disguised(line: &[u8], authenticating: bool) -> Vec<u8> {
    let mut line = line.to_vec();
    let known = verb(&line).map(|(row, rest)| (row.verb, line.len() - rest.len()));
    let start = match known {
        _ if authenticating => 0,
        Some((Verb::Pass, end)) if end < line.len() => {
            disguise(&mut line[end + 1..]);
            return line;
        }
        Some((Verb::Auth, end)) => {
            let blank = |octet: &u8| matches!(octet, b' ' | b'\t');
            let name = end + line[end..].iter().take_while(|octet| blank(octet)).count();
            let gap = name
                + line[name..]
                    .iter()
                    .take_while(|octet| !blank(octet))
                    .count();
            gap + line[gap..].iter().take_while(|octet| blank(octet)).count()
        }
        _ => return line,
    };
    let end = line.trim_ascii_end().len().max(start);
    let end = if authenticating { line.len() } else { end };
    if let Some(other) = plain(&line[start..end]) {
        line.splice(start..end, other);
    }
    line
}

/// A message of PLAIN with another password.
pub(crate) fn plain(text: &[u8]) -> Option<Vec<u8>> {
    let mut message = decode(text).ok()?.expose().to_vec();
    other(&mut message)?;
    Some(STANDARD.encode(message).into_bytes())
}

/// Changes the password in a message of PLAIN; none when it is not one.
pub(crate) fn other(message: &mut [u8]) -> Option<()> {
    let nuls = message.iter().filter(|octet| **octet == 0).count();
    let last = message.iter().rposition(|octet| *octet == 0)?;
    disguise(message.get_mut(last + 1..).filter(|_| nuls == 2)?);
    Some(())
}

/// Whether the reply may have several lines.
pub(crate) fn is_long(line: &[u8], authenticating: bool) -> bool {
    let Some((row, rest)) = verb(line).filter(|_| !authenticating) else {
        return false;
    };
    let bare = rest.trim_ascii().is_empty();
    match row.verb {
        Verb::Capa | Verb::Retr | Verb::Top => true,
        Verb::Auth | Verb::Lang | Verb::List | Verb::Uidl => bare,
        _ => false,
    }
}
