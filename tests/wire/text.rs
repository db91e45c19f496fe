//! Octets written as text: escapes, repetitions and base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A line with the line end of the protocol.
pub(crate) fn line(octets: &[u8]) -> Vec<u8> {
    [octets, b"\r\n"].concat()
}

/// What a reader sees: printable ASCII as it is, the rest escaped.
pub(crate) fn show(octets: &[u8]) -> String {
    let shown = octets.escape_ascii().to_string();
    match shown.char_indices().nth(400) {
        Some((end, _)) => format!("{}... ({} octets)", &shown[..end], octets.len()),
        None => shown,
    }
}

/// Base64 as SASL uses it.
pub(crate) fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// Turns `\r`, `\n`, `\t`, `\0`, `\\`, `\xHH`, `<<base64:TEXT>>` and `<<repeat:N:TEXT>>` into
/// octets. TEXT may hold all of these again.
///
/// # Errors
/// A sentence that quotes the unknown escape.
pub(crate) fn unescape(source: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("<<") {
        octets.extend(backslashes(&rest[..at])?);
        let inner = &rest[at + 2..];
        let end = closing(inner).ok_or("`<<` without `>>`")?;
        octets.extend(function(&inner[..end])?);
        rest = &inner[end + 2..];
    }
    octets.extend(backslashes(rest)?);
    Ok(octets)
}

/// Where the `>>` is that ends this function, others inside it left aside.
fn closing(inner: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + inner[from..].find(">>")?;
        if inner[..end].matches("<<").count() == inner[..end].matches(">>").count() {
            return Some(end);
        }
        from = end + 2;
    }
}

fn function(source: &str) -> Result<Vec<u8>, String> {
    if let Some(inner) = source.strip_prefix("base64:") {
        return Ok(base64(&unescape(inner)?).into_bytes());
    }
    let repeat = source
        .strip_prefix("repeat:")
        .and_then(|rest| rest.split_once(':'));
    let (count, inner) = repeat.ok_or_else(|| format!("there is no `<<{source}>>`"))?;
    let count = count
        .parse()
        .map_err(|_| format!("`{count}` is not a count"))?;
    Ok(unescape(inner)?.repeat(count))
}

fn backslashes(source: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut chars = source.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            octets.extend(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        octets.push(match chars.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is no octet"))?
            }
            other => return Err(format!("there is no escape `\\{}`", other.unwrap_or(' '))),
        });
    }
    Ok(octets)
}
