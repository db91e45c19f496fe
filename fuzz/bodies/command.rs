//! One line as a command: what is accepted prints and parses to the same, numbers are numbers, and
//! what a log shows of it holds no secret. The input is the line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern::pop3::command::{Command, decode, parse, verb};
use postern::pop3::verb::{Shown, VERBS, Verb};

/// Parses, prints, parses again.
pub fn run(line: &[u8]) {
    shown(line);
    base64(line);
    let Some((row, rest)) = verb(line) else {
        return;
    };
    let keyword = &line[..line.len() - rest.len()];
    assert!(keyword.eq_ignore_ascii_case(row.keyword.as_bytes()));
    assert!(matches!(rest.first(), None | Some(b' ' | b'\t')));
    let parsed = parse(row.verb, rest);
    if let Some(wanted) = numbers(row.verb, rest) {
        assert_eq!(parsed.as_ref().ok(), wanted.as_ref(), "{line:?}");
    }
    let Ok(command) = parsed else { return };
    let again = print(&command);
    let (row_again, rest_again) = verb(&again).expect("the verb was printed");
    assert_eq!(row_again.verb, row.verb);
    let twice = parse(row_again.verb, rest_again);
    assert_eq!(twice.as_ref(), Ok(&command), "{again:?}");
    match &command {
        Command::Pass(_) => assert_eq!(format!("{command:?}"), "Pass(Secret(redacted))"),
        Command::Auth(name, Some(_)) => assert_eq!(
            format!("{command:?}"),
            format!("Auth({name:?}, Some(Secret(redacted)))")
        ),
        _ => {}
    }
}

/// One line of printable ASCII, and of what may be secret only that it is there.
fn shown(line: &[u8]) {
    let shown = Shown(line).to_string();
    assert!(shown.bytes().all(|octet| matches!(octet, b' '..=b'~')));
    let row = verb(line).map(|(row, _)| row);
    if !row.is_some_and(|row| row.loggable) {
        let hidden = |shown: &str| {
            shown == "(not a command)"
                || VERBS
                    .iter()
                    .any(|row| shown.trim_end_matches(" ...") == row.keyword)
        };
        assert!(hidden(&shown), "{shown}");
    }
}

/// What is accepted is exactly what an encoder writes, and everything that it writes is accepted.
fn base64(line: &[u8]) {
    if let Ok(decoded) = decode(line)
        && line != b"="
    {
        assert_eq!(STANDARD.encode(decoded.expose()).as_bytes(), line);
    }
    let decoded = decode(STANDARD.encode(line).as_bytes()).expect("base64 is accepted");
    assert_eq!(decoded.expose(), line);
}

/// What a verb with numbers must come to, by another way; none for the other verbs.
fn numbers(verb: Verb, rest: &[u8]) -> Option<Option<Command<'static>>> {
    let words: Vec<&[u8]> = rest
        .split(|octet| b" \t".contains(octet))
        .filter(|word| !word.is_empty())
        .collect();
    let numbers: Option<Vec<u64>> = words.iter().map(|word| number(word)).collect();
    let numbers = numbers.unwrap_or_else(|| vec![0; 9]);
    Some(match (verb, numbers.as_slice()) {
        (Verb::Dele, [number]) => Some(Command::Dele(*number)),
        (Verb::Retr, [number]) => Some(Command::Retr(*number)),
        (Verb::Top, [number, lines]) => Some(Command::Top(*number, *lines)),
        (Verb::List, []) => Some(Command::List(None)),
        (Verb::List, [number]) => Some(Command::List(Some(*number))),
        (Verb::Uidl, []) => Some(Command::Uidl(None)),
        (Verb::Uidl, [number]) => Some(Command::Uidl(Some(*number))),
        (Verb::Dele | Verb::List | Verb::Retr | Verb::Top | Verb::Uidl, _) => None,
        _ => return None,
    })
}

/// Digits, of which any number of zeros may stand in front.
fn number(word: &[u8]) -> Option<u64> {
    let zeros = word.iter().take_while(|octet| **octet == b'0').count();
    let digits = &word[zeros..];
    if digits.len() > 20 {
        return None;
    }
    let sum = digits.iter().try_fold(0_u128, |sum, octet| {
        let digit = octet.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(sum * 10 + u128::from(digit))
    })?;
    u64::try_from(sum).ok()
}

/// A command as a client would write it.
fn print(command: &Command<'_>) -> Vec<u8> {
    let text = match command {
        Command::Auth(name, None) => format!("AUTH {name}"),
        Command::Auth(name, Some(response)) if response.is_empty() => format!("AUTH {name} ="),
        Command::Auth(name, Some(response)) => {
            format!("AUTH {name} {}", STANDARD.encode(response.expose()))
        }
        Command::AuthList => "AUTH".to_owned(),
        Command::Capa => "CAPA".to_owned(),
        Command::Dele(number) => format!("DELE {number}"),
        Command::Lang(None) => "LANG".to_owned(),
        Command::Lang(Some(tag)) => format!("LANG {tag}"),
        Command::List(None) => "LIST".to_owned(),
        Command::List(Some(number)) => format!("LIST {number}"),
        Command::Noop => "NOOP".to_owned(),
        Command::Pass(password) => return [b"PASS ", password.expose()].concat(),
        Command::Quit => "QUIT".to_owned(),
        Command::Retr(number) => format!("RETR {number}"),
        Command::Rset => "RSET".to_owned(),
        Command::Stat => "STAT".to_owned(),
        Command::Stls => "STLS".to_owned(),
        Command::Top(number, lines) => format!("TOP {number} {lines}"),
        Command::Uidl(None) => "UIDL".to_owned(),
        Command::Uidl(Some(number)) => format!("UIDL {number}"),
        Command::User(name) => return [b"USER ", *name].concat(),
        Command::Utf8 => "UTF8".to_owned(),
    };
    text.into_bytes()
}
