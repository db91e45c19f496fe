//! Pages rendered from the option table: the reference, the example and the man page.

mod example;
mod man;
mod reference;

pub use example::example;
pub use man::man;
pub use reference::reference;

use super::option::{Setting, Standing};
use super::profile::Profile;

/// The default in words: one value, or one for each profile that differs from `postern`.
fn default_words(setting: &Setting, code: fn(&str) -> String) -> String {
    match setting.default {
        Standing::Required => "none; the key must be there".to_owned(),
        Standing::Absent(words) => words.to_owned(),
        Standing::Value(_) => value_words(setting, code),
    }
}

fn value_words(setting: &Setting, code: fn(&str) -> String) -> String {
    let value = |profile| setting.default_text(profile).unwrap_or_default();
    let first = value(Profile::Postern);
    let mut words = code(&first);
    let mut others: Vec<(String, Vec<&str>)> = Vec::new();
    for profile in Profile::ALL {
        let text = value(profile);
        if text == first {
            continue;
        }
        match others.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(profile.name()),
            None => others.push((text, vec![profile.name()])),
        }
    }
    for (text, names) in others {
        words.push_str(&format!("; {} under {}", code(&text), names.join(", ")));
    }
    words
}
