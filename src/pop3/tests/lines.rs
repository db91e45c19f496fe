//! Lines and commands: separators, limits, numbers.

use postern_auth::Secret;
use proptest::prelude::*;

use crate::pop3::command::{Command, Malformed, decode, parse, verb};
use crate::pop3::line::{Lines, Taken};
use crate::pop3::verb::Shown;

fn secret(octets: &[u8]) -> Secret {
    Secret::new(octets.to_vec())
}

fn line(octets: &[u8]) -> Taken {
    Taken::Line(secret(octets))
}

fn parsed(line: &[u8]) -> Result<Command<'_>, Malformed> {
    let (row, rest) = verb(line).expect("a known verb");
    parse(row.verb, rest)
}

/// 2.1.1: one or more SPACE or TAB, and blanks behind the last argument.
#[test]
fn separators_are_runs_of_blanks() {
    for line in ["LIST 1", "list\t1", "LiSt \t  1", "LIST 1  ", "LIST\t1\t"] {
        assert_eq!(
            parsed(line.as_bytes()),
            Ok(Command::List(Some(1))),
            "{line:?}"
        );
    }
    assert_eq!(parsed(b"TOP \t 1\t\t0 "), Ok(Command::Top(1, 0)));
}

/// V0011: one separator goes, all else is the password.
#[test]
fn a_password_keeps_its_blanks() {
    assert_eq!(
        parsed(b"PASS a b  c "),
        Ok(Command::Pass(secret(b"a b  c ")))
    );
    assert_eq!(parsed(b"PASS  x"), Ok(Command::Pass(secret(b" x"))));
    assert_eq!(parsed(b"PASS\t\tx"), Ok(Command::Pass(secret(b"\tx"))));
    assert_eq!(parsed(b"PASS "), Ok(Command::Pass(secret(b""))));
    assert_eq!(parsed(b"PASS"), Err(Malformed::Arguments));
}

/// RFC1939-5d.
#[test]
fn numbers_are_digits_and_nothing_else() {
    for number in [
        "-1",
        "+1",
        "1x",
        "0x1",
        "1.0",
        "18446744073709551616",
        "\u{661}",
    ] {
        assert_eq!(
            parsed(format!("RETR {number}").as_bytes()),
            Err(Malformed::Arguments),
            "{number}"
        );
    }
    assert_eq!(parsed(b"RETR"), Err(Malformed::Arguments));
    assert_eq!(parsed(b"RETR 007"), Ok(Command::Retr(7)));
    assert_eq!(parsed(b"TOP 1"), Err(Malformed::Arguments));
}

/// RFC1939-5h, RFC2449-5a.
#[test]
fn what_takes_no_argument_gets_none() {
    for line in [
        "STAT 1",
        "NOOP x",
        "RSET y",
        "QUIT z",
        "CAPA x",
        "STLS x",
        "UTF8 x",
        "LIST 1 2",
        "RETR 1 2",
        "TOP 1 2 3",
    ] {
        assert_eq!(parsed(line.as_bytes()), Err(Malformed::Arguments), "{line}");
    }
}

/// RFC5034-4i.
#[test]
fn base64_is_strict() {
    for text in [
        "=AAA", "AAA=BBB", "AA A=", "AAA", "AAAA\r", "AB==\n", "A===", "!!!!", "==", "AB=",
    ] {
        assert_eq!(decode(text.as_bytes()), Err(Malformed::Base64), "{text:?}");
    }
    assert_eq!(decode(b"="), Ok(secret(b"")));
    assert_eq!(decode(b"AGEAYg=="), Ok(secret(b"\0a\0b")));
}

/// MSPOP3-2.2.1: both spellings of the question.
#[test]
fn bare_auth_is_a_question() {
    assert_eq!(parsed(b"AUTH"), Ok(Command::AuthList));
    assert_eq!(parsed(b"AUTH "), Ok(Command::AuthList));
    assert_eq!(
        parsed(b"auth plain ="),
        Ok(Command::Auth("plain", Some(secret(b""))))
    );
    assert_eq!(parsed(b"AUTH PL@IN"), Err(Malformed::Arguments));
    assert_eq!(
        parsed(b"AUTH ABCDEFGHIJKLMNOPQRSTU"),
        Err(Malformed::Arguments)
    );
}

/// A log never shows what may be secret, whatever the case of the keyword.
#[test]
fn shown_lines_hide_secrets() {
    let shown = |line: &[u8]| Shown(line).to_string();
    assert_eq!(shown(b"pass hunter2"), "PASS ...");
    assert_eq!(shown(b"AUTH PLAIN AGEAYg=="), "AUTH ...");
    assert_eq!(shown(b"hunter2"), "(not a command)");
    assert_eq!(shown(b"PASSWORD hunter2"), "(not a command)");
    assert_eq!(shown(b"RETR 1\x1b[2J"), "RETR 1\\x1b[2J");
}

/// 2.1.2b: the limit counts the line end.
#[test]
fn the_limit_counts_the_line_end() {
    let take = |octets: &[u8]| {
        let mut lines = Lines::default();
        lines.push(octets);
        lines.take(|_| 10)
    };
    assert_eq!(take(b"12345678\r\n"), line(b"12345678"));
    assert_eq!(take(b"123456789\r\n"), Taken::TooLong);
    assert_eq!(take(b"123456789\n"), line(b"123456789"));
    assert_eq!(take(b"123456789"), Taken::Partial);
    assert_eq!(take(b"1234567890"), Taken::TooLong);
}

/// RFC1939-3g: LF alone ends a line; a CR elsewhere does not.
#[test]
fn only_lf_ends_a_line() {
    let mut lines = Lines::default();
    lines.push(b"NOOP\nDE\rLE 1\r\r\n");
    assert_eq!(lines.take(|_| 512), line(b"NOOP"));
    assert_eq!(lines.take(|_| 512), line(b"DE\rLE 1\r"));
    assert_eq!(lines.take(|_| 512), Taken::Partial);
    assert!(!lines.has_more());
}

proptest! {
    /// However the stream is cut, the same lines come out of it.
    #[test]
    fn any_chunking_gives_the_same_lines(
        stream in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
        cuts in prop::collection::vec(1usize..20, 1..50),
    ) {
        let all = |chunks: Vec<&[u8]>| {
            let mut lines = Lines::default();
            let mut taken = Vec::new();
            for chunk in chunks {
                lines.push(chunk);
                while let Taken::Line(line) = lines.take(|_| 1000) {
                    taken.push(line);
                }
            }
            (taken, lines.waiting())
        };
        let mut chunks = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (chunk, behind) = rest.split_at((*cut).min(rest.len()));
            chunks.push(chunk);
            rest = behind;
        }
        prop_assert_eq!(all(chunks), all(vec![&stream]));
    }

    /// No line makes the parser panic, and what it accepts was bounded by the line.
    #[test]
    fn every_line_has_an_answer(line in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Some((row, rest)) = verb(&line) {
            let _ = parse(row.verb, rest);
        }
        let _ = Shown(&line).to_string();
    }
}
