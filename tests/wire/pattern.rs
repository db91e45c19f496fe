//! Lines whose words are not fixed: `*` is any run of octets, `#` is a decimal number.

use super::text::unescape;

/// What a line looks like, without its CRLF.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Octets(Vec<u8>),
    Any,
    Number,
}

impl Pattern {
    /// Reads a pattern; a literal `*` or `#` is written `\x2A`, `\x23`.
    ///
    /// # Errors
    /// What [`unescape`] says of the words between.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some(at) = rest.find(['*', '#']) {
            pieces.push(Piece::Octets(unescape(&rest[..at])?));
            pieces.push(if rest[at..].starts_with('*') {
                Piece::Any
            } else {
                Piece::Number
            });
            rest = &rest[at + 1..];
        }
        pieces.push(Piece::Octets(unescape(rest)?));
        Ok(Self {
            source: source.to_owned(),
            pieces,
        })
    }

    /// Whether the whole line looks like this.
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        matches(&self.pieces, line)
    }

    /// As written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

fn matches(pieces: &[Piece], line: &[u8]) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return line.is_empty();
    };
    match first {
        Piece::Octets(octets) => line
            .strip_prefix(&octets[..])
            .is_some_and(|line| matches(rest, line)),
        Piece::Any => (0..=line.len()).any(|skip| matches(rest, &line[skip..])),
        Piece::Number => {
            let digits = line
                .iter()
                .take_while(|octet| octet.is_ascii_digit())
                .count();
            digits > 0 && matches(rest, &line[digits..])
        }
    }
}
