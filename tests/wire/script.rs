//! The transcript format: what a `.pop3` file says.
//!
//! A file is a header, a line `---`, and a dialogue. `tests/transcripts/README.md` is the page for
//! people; this is the parser. It never talks to a server.

use super::pattern::Pattern;
use super::text::{self, unescape};

/// How the octets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Port 110 without TLS.
    Clear,
    /// Port 110; STLS right after the greeting.
    Stls,
    /// Port 995.
    Implicit,
}

/// One transcript.
#[derive(Debug)]
pub(crate) struct Script {
    /// The path below `tests/transcripts`, without the ending.
    pub(crate) name: String,
    /// What it shows, in one sentence.
    pub(crate) title: String,
    /// The profiles under which it holds.
    pub(crate) profiles: Vec<String>,
    /// The transports over which it holds.
    pub(crate) over: Vec<Transport>,
    /// `plain-text`, `plain-text-authentication` or `secure`.
    pub(crate) login: String,
    /// The name of alice's maildrop.
    pub(crate) maildrop: String,
    /// Ids of conformance rows held by it.
    pub(crate) rows: Vec<String>,
    /// Settings that differ from the profile's, as logical names and TOML values.
    pub(crate) set: Vec<(String, String)>,
    /// The dialogue.
    pub(crate) steps: Vec<Step>,
}

/// One thing that happens, and the line of the file that says so.
#[derive(Debug)]
pub(crate) struct Step {
    /// Counted from 1.
    pub(crate) line: usize,
    /// What happens.
    pub(crate) action: Action,
}

/// What happens in a step.
#[derive(Debug)]
pub(crate) enum Action {
    /// The client sends these octets in one segment.
    Send(Vec<u8>),
    /// The server sends this line, CRLF included.
    Line(Vec<u8>),
    /// The server sends a line that looks like this.
    Like(Pattern),
    /// The server sends lines up to `.`: each of the first matches some line, none of the second any.
    Lines {
        /// Each matches at least one line.
        some: Vec<Pattern>,
        /// Matches no line.
        none: Vec<Pattern>,
    },
    /// The server closes, having sent nothing more.
    Closed,
    /// The client starts TLS, and the handshake succeeds.
    Tls,
    /// The client hangs up; `true` is a reset instead of an orderly end.
    HangUp(bool),
    /// The talk goes on in the connection of this name, which is opened if it is new.
    Connection(String),
    /// Somebody delivers this message to alice.
    Deliver(String),
    /// Somebody deletes alice's message of this number.
    Vanish(usize),
}

/// Reads one file.
///
/// # Errors
/// A sentence that names the line.
pub(crate) fn parse(name: &str, source: &str) -> Result<Script, String> {
    let mut script = empty(name);
    let mut lines = (1..).zip(source.lines());
    let mut ended = false;
    for (number, line) in lines.by_ref() {
        if line == "---" {
            ended = true;
            break;
        }
        header(&mut script, line).map_err(|problem| format!("{name}:{number}: {problem}"))?;
    }
    if !ended {
        return Err(format!("{name}: there is no line `---` after the header"));
    }
    for (number, line) in lines {
        step(&mut script.steps, number, line)
            .map_err(|problem| format!("{name}:{number}: {problem}"))?;
    }
    check(&script).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(script)
}

fn empty(name: &str) -> Script {
    Script {
        name: name.to_owned(),
        title: String::new(),
        profiles: vec!["postern".to_owned()],
        over: vec![Transport::Clear, Transport::Stls, Transport::Implicit],
        login: "plain-text".to_owned(),
        maildrop: "two".to_owned(),
        rows: Vec::new(),
        set: Vec::new(),
        steps: Vec::new(),
    }
}

fn check(script: &Script) -> Result<(), String> {
    if script.title.is_empty() {
        return Err("the header has no `title`".to_owned());
    }
    if script.rows.is_empty() {
        return Err("the header names no conformance row in `rows`".to_owned());
    }
    match script.steps.first().map(|step| &step.action) {
        Some(Action::Line(_) | Action::Like(_)) => Ok(()),
        _ => Err("the dialogue does not begin with the greeting".to_owned()),
    }
}

fn header(script: &mut Script, line: &str) -> Result<(), String> {
    if line.starts_with('#') || line.is_empty() {
        return Ok(());
    }
    let (key, value) = line
        .split_once(": ")
        .ok_or("a header line is `key: value`")?;
    let words = || {
        value
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    match key {
        "title" => script.title = value.to_owned(),
        "profile" if value == "exchange" => script.profiles = exchange(),
        "profile" if value == "all" => {
            script.profiles.extend(exchange());
        }
        "profile" => script.profiles = words(),
        "over" => {
            script.over = words()
                .iter()
                .map(|word| transport(word))
                .collect::<Result<_, _>>()?
        }
        "login" => script.login = value.to_owned(),
        "maildrop" => script.maildrop = value.to_owned(),
        "rows" => script.rows.extend(words()),
        "rfc" => {}
        "set" => {
            let (name, value) = value.split_once(" = ").ok_or("`set` is `name = value`")?;
            script.set.push((name.to_owned(), value.to_owned()));
        }
        _ => return Err(format!("there is no header `{key}`")),
    }
    Ok(())
}

/// The profiles that imitate a release of Exchange.
pub(crate) fn exchange() -> Vec<String> {
    [
        "exchange-2007",
        "exchange-2010",
        "exchange-2013",
        "exchange-2016",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn transport(word: &str) -> Result<Transport, String> {
    match word {
        "clear" => Ok(Transport::Clear),
        "stls" => Ok(Transport::Stls),
        "implicit" => Ok(Transport::Implicit),
        _ => Err(format!("there is no transport `{word}`")),
    }
}

fn step(steps: &mut Vec<Step>, line: usize, source: &str) -> Result<(), String> {
    if source.is_empty() || source.starts_with('#') {
        return Ok(());
    }
    let (mark, rest) = source.split_once(' ').unwrap_or((source, ""));
    let action = match mark {
        "C:" => {
            let octets = text::line(&unescape(rest)?);
            // Lines of the client that follow one another travel in one segment.
            if let Some(Step {
                action: Action::Send(before),
                line: last,
            }) = steps.last_mut()
                && *last + 1 == line
                && before.ends_with(b"\r\n")
            {
                *last = line;
                before.extend(octets);
                return Ok(());
            }
            Action::Send(octets)
        }
        "C1:" => Action::Send(unescape(rest)?),
        "S:" => Action::Line(text::line(&unescape(rest)?)),
        "S~" => Action::Like(Pattern::parse(rest)?),
        "S+" | "S-" => return listed(steps, line, mark, rest),
        "@" => event(rest)?,
        _ => return Err(format!("a line does not begin with `{mark}`")),
    };
    steps.push(Step { line, action });
    Ok(())
}

fn listed(steps: &mut Vec<Step>, line: usize, mark: &str, rest: &str) -> Result<(), String> {
    let pattern = Pattern::parse(rest)?;
    if !matches!(
        steps.last(),
        Some(Step {
            action: Action::Lines { .. },
            ..
        })
    ) {
        steps.push(Step {
            line,
            action: Action::Lines {
                some: Vec::new(),
                none: Vec::new(),
            },
        });
    }
    if let Some(Step {
        action: Action::Lines { some, none },
        ..
    }) = steps.last_mut()
    {
        if mark == "S+" {
            some.push(pattern)
        } else {
            none.push(pattern)
        }
    }
    Ok(())
}

fn event(source: &str) -> Result<Action, String> {
    let (verb, object) = source.split_once(' ').unwrap_or((source, ""));
    Ok(match verb {
        "closed" => Action::Closed,
        "tls" => Action::Tls,
        "hangup" => Action::HangUp(false),
        "reset" => Action::HangUp(true),
        "connection" => Action::Connection(object.to_owned()),
        "deliver" => Action::Deliver(object.to_owned()),
        "vanish" => Action::Vanish(object.parse().map_err(|_| "`vanish` needs a number")?),
        _ => return Err(format!("there is no event `{verb}`")),
    })
}
