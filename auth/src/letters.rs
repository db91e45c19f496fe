//! One spelling of a typed name, and when two names look alike.
//!
//! The mappings are those of the profile UsernameCaseMapped (RFC 8265 §3.3.2): width, case and
//! normalisation. Its list of permitted characters is not taken over, as names of Windows may have
//! blanks and signs in them; what cannot be seen is refused instead. No name is ever changed into
//! another one that only looks like it.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

/// Letters of fullwidth and halfwidth forms, which have another width and are otherwise the same.
const WIDTHS: RangeInclusive<char> = '\u{ff01}'..='\u{ffdc}';

/// `Default_Ignorable_Code_Point` of Unicode, beyond ASCII: what is not drawn at all, or changes
/// only how its neighbours are drawn. Some directories overlook these when they compare names.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    // The Braille pattern without a dot is drawn as a blank.
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether nobody could see that the letter is there, or tell it from a blank.
pub(crate) fn is_invisible(letter: char) -> bool {
    let is_blank = letter != ' ' && letter.is_whitespace();
    is_blank || INVISIBLE.iter().any(|range| range.contains(&letter))
}

/// The one spelling of a name: usual width, lower case without regard to language, composed (NFC).
pub(crate) fn spelled(typed: &str) -> String {
    let usual = |letter: char| {
        let wide = WIDTHS
            .contains(&letter)
            .then(|| std::iter::once(letter).nfkc());
        let plain = wide.is_none().then_some(letter);
        wide.into_iter().flatten().chain(plain)
    };
    let lower = typed.chars().flat_map(usual).flat_map(char::to_lowercase);
    lower.nfc().collect()
}

/// What two names have in common that a person, a client or a directory could mistake for each
/// other: in any case (`ß` is `ss`, `ı` is `i`), in compatible forms (NFKC), and in letters that
/// look the same (UTS #39 §4).
///
/// Two names of ASCII alone are always told apart, as everywhere: `0` and `o`, `rn` and `m` look
/// the same by the standard.
pub(crate) fn likeness(name: &str) -> String {
    let upper = name.chars().flat_map(char::to_uppercase);
    let folded: String = upper.flat_map(char::to_lowercase).nfkc().collect();
    // The lower case of `İ`.
    skeleton(&folded.replace("i\u{307}", "i")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        for (typed, name) in [
            ("ALICE", "alice"),
            ("ａｌｉｃｅ＠Ｃｏｒｐ．ｔｅｓｔ", "alice@corp.test"),
            ("Andre\u{301}", "andr\u{e9}"),
            ("ANDR\u{c9}", "andr\u{e9}"),
            ("\u{212a}elvin", "kelvin"),
            ("\u{212b}ngstr\u{f6}m", "\u{e5}ngstr\u{f6}m"),
            ("STRAẞE", "straße"),
            ("ｶﾞ", "ガ"),
            ("ΣΟΦΟΣ", "σοφοσ"),
        ] {
            assert_eq!(spelled(typed), name, "{typed}");
        }
    }

    /// Pairs that look alike, or are alike in capitals.
    const TWINS: [(&str, &str); 7] = [
        ("\u{131}lker", "ilker"),
        ("\u{130}lker", "ilker"),
        ("straße", "strasse"),
        ("\u{430}lice", "alice"),
        ("\u{17f}am", "sam"),
        ("σοφος", "σοφοσ"),
        ("ﬁn", "fin"),
    ];

    #[test]
    fn other_letters_stay_other_letters() {
        for (one, other) in TWINS.into_iter().chain([("andré", "andre")]) {
            assert_ne!(spelled(one), spelled(other));
        }
    }

    #[test]
    fn names_that_look_alike_are_found() {
        let more = [("аррӏе", "apple"), ("①", "1")];
        for (one, other) in TWINS.into_iter().chain(more) {
            let like = |name| likeness(&spelled(name));
            assert_eq!(like(one), like(other), "{one} {other}");
        }
        for (one, other) in [("andré", "andre"), ("müller", "muller"), ("øre", "ore")] {
            assert_ne!(likeness(one), likeness(other));
        }
    }

    #[test]
    fn what_cannot_be_seen_is_known() {
        for letter in
            "\u{200b}\u{200d}\u{ad}\u{202e}\u{2066}\u{feff}\u{a0}\u{3000}\u{e0041}\u{fe0f}".chars()
        {
            assert!(is_invisible(letter), "{letter:?}");
        }
        assert!(!" aß\u{301}木".chars().any(is_invisible));
    }
}
