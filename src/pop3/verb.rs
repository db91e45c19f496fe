//! The table of verbs: what exists, where it is legal, and what a log may show of it.
//!
//! The parser, the legality check, the log and the manual all read this table and nothing else.

use std::fmt;

/// A command's keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// RFC 5034, and the bare form of \[MS-OXPOP3\] §1.7.
    Auth,
    /// RFC 2449 §5.
    Capa,
    /// RFC 1939 §5.
    Dele,
    /// RFC 6856 §3.
    Lang,
    /// RFC 1939 §5.
    List,
    /// RFC 1939 §5.
    Noop,
    /// RFC 1939 §7.
    Pass,
    /// RFC 1939 §4, §6.
    Quit,
    /// RFC 1939 §5.
    Retr,
    /// RFC 1939 §5.
    Rset,
    /// RFC 1939 §5.
    Stat,
    /// RFC 2595 §4.
    Stls,
    /// RFC 1939 §7.
    Top,
    /// RFC 1939 §7.
    Uidl,
    /// RFC 1939 §7.
    User,
    /// RFC 6856 §2.
    Utf8,
}

/// The states in which a verb is legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    /// Before login only.
    Authorization,
    /// Before and after login.
    Both,
    /// After login only.
    Transaction,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The verb.
    pub verb: Verb,
    /// The keyword in upper case; clients may write it as they like (RFC 1939 §3).
    pub keyword: &'static str,
    /// The arguments as a manual shows them.
    pub arguments: &'static str,
    /// Where it is legal.
    pub legal: Legal,
    /// Whether a log may show the arguments. No, unless somebody thought about it.
    pub loggable: bool,
    /// Where it is specified.
    pub source: &'static str,
}

const fn row(
    verb: Verb,
    usage: (&'static str, &'static str),
    legal: Legal,
    loggable: bool,
    source: &'static str,
) -> Row {
    Row {
        verb,
        keyword: usage.0,
        arguments: usage.1,
        legal,
        loggable,
        source,
    }
}

/// Every verb that Postern knows. APOP is not among them (V0012).
pub const VERBS: &[Row] = &[
    row(
        Verb::Auth,
        ("AUTH", "[mechanism [initial-response]]"),
        Legal::Authorization,
        false,
        "RFC 5034 §4",
    ),
    row(Verb::Capa, ("CAPA", ""), Legal::Both, true, "RFC 2449 §5"),
    row(
        Verb::Dele,
        ("DELE", "message"),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Lang,
        ("LANG", "[tag|*]"),
        Legal::Both,
        false,
        "RFC 6856 §3",
    ),
    row(
        Verb::List,
        ("LIST", "[message]"),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Noop,
        ("NOOP", ""),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Pass,
        ("PASS", "password"),
        Legal::Authorization,
        false,
        "RFC 1939 §7",
    ),
    row(Verb::Quit, ("QUIT", ""), Legal::Both, true, "RFC 1939 §6"),
    row(
        Verb::Retr,
        ("RETR", "message"),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Rset,
        ("RSET", ""),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Stat,
        ("STAT", ""),
        Legal::Transaction,
        true,
        "RFC 1939 §5",
    ),
    row(
        Verb::Stls,
        ("STLS", ""),
        Legal::Authorization,
        true,
        "RFC 2595 §4",
    ),
    row(
        Verb::Top,
        ("TOP", "message lines"),
        Legal::Transaction,
        true,
        "RFC 1939 §7",
    ),
    row(
        Verb::Uidl,
        ("UIDL", "[message]"),
        Legal::Transaction,
        true,
        "RFC 1939 §7",
    ),
    row(
        Verb::User,
        ("USER", "name"),
        Legal::Authorization,
        false,
        "RFC 1939 §7",
    ),
    row(
        Verb::Utf8,
        ("UTF8", ""),
        Legal::Authorization,
        true,
        "RFC 6856 §2",
    ),
];

impl Row {
    /// The row of a keyword in any case.
    pub fn of(keyword: &[u8]) -> Option<&'static Self> {
        VERBS
            .iter()
            .find(|row| row.keyword.as_bytes().eq_ignore_ascii_case(keyword))
    }
}

/// A line as a log may show it: the keyword, and the arguments only where the table says so.
/// Anything that is no command shows nothing at all, since it may be a password typed too early.
pub struct Shown<'a>(pub &'a [u8]);

/// A line as its row, if it is a command at all, and its arguments with the blank before them.
pub fn split(line: &[u8]) -> (Option<&'static Row>, &[u8]) {
    let end = line
        .iter()
        .position(|octet| matches!(octet, b' ' | b'\t'))
        .unwrap_or(line.len());
    let (keyword, arguments) = line.split_at(end);
    (Row::of(keyword), arguments)
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, arguments) = split(self.0);
        match row {
            Some(row) if row.loggable => write!(f, "{}{}", row.keyword, arguments.escape_ascii()),
            Some(row) if arguments.is_empty() => f.write_str(row.keyword),
            Some(row) => write!(f, "{} ...", row.keyword),
            None => f.write_str("(not a command)"),
        }
    }
}
