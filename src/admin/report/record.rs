//! One `login` record out of a log, in either of the forms that the server writes.
//!
//! Lines that are no such record are passed over: other records, and what a system log puts before
//! or between them.

use std::collections::HashMap;

/// What the report needs to know of an attempt. Texts are as logged: names typed by strangers, with
/// controls escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// RFC 3339 in UTC, so that texts compare as times do.
    pub(super) time: String,
    pub(super) address: String,
    pub(super) mechanism: String,
    pub(super) tls: bool,
    /// The kind of channel binding; none when there was none, or the mechanism knows none.
    pub(super) binding: Option<String>,
    /// Which NTLM the client spoke: `v2`, `v1`, `lm` or `anonymous`.
    pub(super) ntlm: Option<String>,
    /// The stricter rules under which an allowed login would have been refused: `ntlm-off`,
    /// `protection-allow`, `protection-require`.
    pub(super) would_break: Vec<String>,
    /// The account, or what was typed when none was found.
    pub(super) account: String,
    /// What the client says about its machine; NTLM alone has that.
    pub(super) workstation: Option<String>,
    pub(super) granted: bool,
    pub(super) reason: String,
}

impl Record {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (time, mut fields) = if let Some(json) = line.find('{') {
            from_json(line.get(json..)?)
        } else {
            None
        }
        .or_else(|| from_text(line))?;
        let mut take = |name: &str| fields.remove(name);
        Some(Self {
            time,
            address: take("address")?,
            mechanism: take("mechanism")?,
            tls: take("tls")? == "true",
            binding: take("binding").filter(|binding| binding != "none"),
            granted: take("outcome")? == "granted",
            reason: take("reason")?,
            workstation: take("workstation").filter(|name| !name.is_empty()),
            ntlm: take("ntlm"),
            would_break: rules(take("would_break")),
            account: take("delegate")
                .or_else(|| take("account"))
                .or_else(|| take("login"))
                .unwrap_or_default(),
        })
    }
}

/// Words with commas between them.
fn rules(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    let words = text.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

type Fields = HashMap<String, String>;

/// `log.format = "json"`.
fn from_json(line: &str) -> Option<(String, Fields)> {
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = record.get("fields")?.as_object()?;
    if fields.get("message")?.as_str()? != "login" {
        return None;
    }
    let text = |value: &serde_json::Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let fields = fields
        .iter()
        .map(|(name, value)| (name.clone(), text(value)));
    Some((text(record.get("timestamp")?), fields.collect()))
}

/// `log.format = "human"`: `TIME  INFO login name=value name="text"`.
fn from_text(line: &str) -> Option<(String, Fields)> {
    let (before, mut rest) = line.split_once(" INFO login ")?;
    let time = before.split_whitespace().next_back()?.to_owned();
    let mut fields = Fields::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, behind) = value(behind)?;
        fields.insert(name.trim_start().to_owned(), value);
        rest = behind;
    }
    Some((time, fields))
}

/// A value and what stands behind it. In quotes, a backslash keeps the next character; names in
/// records are escaped once more than that, and stay so.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = text.split_once(' ').unwrap_or((text, ""));
        return Some((value.to_owned(), behind));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.extend(letters.next().map(|(_, kept)| kept)),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let text = r#"2026-11-24T12:00:00.5Z  INFO login session=4 address=10.0.0.7 mechanism="USER" tls=false login="a \"b\"" account="ann" outcome="granted" reason="granted" duration_ms=3"#;
        let json = r#"{"timestamp":"2026-11-24T12:00:00.5Z","level":"INFO","fields":{"message":"login","session":4,"address":"10.0.0.7","mechanism":"USER","tls":false,"login":"a \"b\"","account":"ann","outcome":"granted","reason":"granted","duration_ms":3},"target":"postern::event"}"#;
        let record = Record::parse(text).unwrap();
        assert_eq!(Some(&record), Record::parse(json).as_ref());
        assert_eq!(
            Some(&record),
            Record::parse(&format!("Nov 24 12:00:00 host postern[7]: {text}")).as_ref()
        );
        let expected = Record {
            time: "2026-11-24T12:00:00.5Z".to_owned(),
            address: "10.0.0.7".to_owned(),
            mechanism: "USER".to_owned(),
            tls: false,
            binding: None,
            account: "ann".to_owned(),
            workstation: None,
            ntlm: None,
            would_break: Vec::new(),
            granted: true,
            reason: "granted".to_owned(),
        };
        assert_eq!(record, expected);
    }

    #[test]
    fn a_typed_name_cannot_pass_for_a_field() {
        let line = r#"2026-11-24T12:00:00Z  INFO login session=4 address=10.0.0.7 mechanism="USER" tls=true login="x\" account=\"admin" outcome="refused" reason="unknown-user" duration_ms=3"#;
        let record = Record::parse(line).unwrap();
        assert_eq!(record.account, "x\" account=\"admin");
        assert!(!record.granted);
    }

    #[test]
    fn what_ntlm_says_is_read() {
        let text = r#"2026-11-24T12:00:00Z  INFO login session=4 address=10.0.0.7 mechanism="NTLM" tls=true binding="none" ntlm="v2" mic=true workstation="SCAN 1" would_break="ntlm-off,protection-require" login="CORP\\\\ann" account="ann" outcome="granted" reason="granted" duration_ms=3"#;
        let record = Record::parse(text).unwrap();
        assert_eq!(record.ntlm.as_deref(), Some("v2"));
        assert_eq!(record.workstation.as_deref(), Some("SCAN 1"));
        assert_eq!(record.would_break, ["ntlm-off", "protection-require"]);
        assert_eq!((record.binding, record.account), (None, "ann".to_owned()));
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "-- Boot 1234 --",
            "2026-11-24T12:00:00Z  INFO session session=4",
            "2026-11-24T12:00:00Z  INFO login session=4",
            r#"2026-11-24T12:00:00Z  INFO login mechanism="half"#,
            "{}",
            r#"{"timestamp":"x","fields":{"message":"session"}}"#,
            "{not json} INFO",
        ] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }
}
