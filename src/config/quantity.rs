//! Durations and sizes as an administrator writes them: `"30s"`, `"10m"`, `"96KiB"`, or a number.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A length of time in the file: a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A number of octets in the file: a number, or a number with `KiB` or `MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Octets(pub(super) u64);

/// A size at which a file is full: 0 means that time decides, and [`UNLIMITED`] is `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota(pub(super) u64);

/// What stands for `"unlimited"`.
pub(super) const UNLIMITED: u64 = u64::MAX;

const SPANS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

const OCTETS: &[(&str, u64)] = &[("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads `"10m"` as milliseconds.
pub(super) fn span_from_text(text: &str) -> Option<u64> {
    from_text(text, SPANS, 1000)
}

/// Reads `"96KiB"` as octets.
pub(super) fn octets_from_text(text: &str) -> Option<u64> {
    from_text(text, OCTETS, 1)
}

/// Reads `"10MiB"` as octets, and `"unlimited"`.
pub(super) fn quota_from_text(text: &str) -> Option<u64> {
    match text {
        "unlimited" => Some(UNLIMITED),
        _ => octets_from_text(text).filter(|octets| *octets != UNLIMITED),
    }
}

/// Writes milliseconds in the largest unit that divides them.
pub(super) fn span_text(milliseconds: u64) -> String {
    to_text(milliseconds, SPANS, "0s")
}

/// Writes octets in the largest unit that divides them.
pub(super) fn octets_text(octets: u64) -> String {
    to_text(octets, OCTETS, "0B")
}

fn from_text(text: &str, units: &[(&str, u64)], bare: u64) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim_start();
    let factor = match unit {
        "" => bare,
        _ => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    if !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn to_text(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    if value == 0 {
        return zero.to_owned();
    }
    units
        .iter()
        .find(|(_, factor)| value.is_multiple_of(*factor))
        .map_or_else(
            || value.to_string(),
            |(name, factor)| format!("{}{name}", value / factor),
        )
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = deserializer.deserialize_any(Amount {
            expected: "a duration such as \"30s\", \"10m\" or a number of seconds",
            text: span_from_text,
            bare: 1000,
        })?;
        Ok(Self(Duration::from_millis(amount)))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = deserializer.deserialize_any(Amount {
            expected: "a size such as \"96KiB\" or a number of octets",
            text: octets_from_text,
            bare: 1,
        })?;
        Ok(Self(amount))
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = deserializer.deserialize_any(Amount {
            expected: "a size such as \"10MiB\", 0, or \"unlimited\"",
            text: quota_from_text,
            bare: 1,
        })?;
        Ok(Self(amount))
    }
}

struct Amount {
    expected: &'static str,
    text: fn(&str) -> Option<u64>,
    bare: u64,
}

impl Visitor<'_> for Amount {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value)
            .ok()
            .and_then(|value| value.checked_mul(self.bare))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        value
            .checked_mul(self.bare)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        (self.text)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_and_written() {
        assert_eq!(span_from_text("500ms"), Some(500));
        assert_eq!(span_from_text("10m"), Some(600_000));
        assert_eq!(span_from_text("90"), Some(90_000));
        assert_eq!(octets_from_text("96KiB"), Some(98_304));
        for wrong in [
            "",
            "m",
            "-1s",
            "1.5s",
            "10 minutes",
            "s10",
            "99999999999999999999d",
        ] {
            assert_eq!(span_from_text(wrong), None, "{wrong:?}");
        }
        assert_eq!(quota_from_text("10MiB"), Some(10 << 20));
        assert_eq!(quota_from_text("unlimited"), Some(UNLIMITED));
        assert_eq!(quota_from_text(&UNLIMITED.to_string()), None);
        for text in ["500ms", "90s", "10m", "1h", "1d", "0s"] {
            assert_eq!(span_text(span_from_text(text).unwrap()), text);
        }
        for text in ["1000B", "96KiB", "1MiB"] {
            assert_eq!(octets_text(octets_from_text(text).unwrap()), text);
        }
    }
}
