//! What a reason in the log means, and what to do about it: the words of `docs/operating.md`, so that
//! they stand in one place.

/// The page with the table of reasons.
const PAGE: &str = include_str!("../../docs/operating.md");

/// One row of the table, without the marks of Markdown.
pub(super) struct Meaning {
    /// What happened.
    pub(super) what: String,
    /// What to do about it; may be empty.
    pub(super) remedy: String,
}

/// The meaning of a reason by its word in the log.
pub(super) fn of(reason: &str) -> Option<Meaning> {
    let head = format!("| `{reason}` | ");
    let row = PAGE.lines().find_map(|line| line.strip_prefix(&head))?;
    let (what, remedy) = row.strip_suffix('|')?.rsplit_once(" | ")?;
    let plain = |text: &str| text.trim().replace('`', "").replace("\\|", "|");
    Some(Meaning {
        what: plain(what),
        remedy: plain(remedy),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reason_has_its_meaning_and_its_remedy() {
        let meaning = super::of("not-in-group").unwrap();
        assert_eq!(meaning.what, "the account is in none of ldap.groups");
        assert_eq!(meaning.remedy, "add it to one");
        assert!(
            super::of("other-site")
                .unwrap()
                .what
                .contains("login.cross_site")
        );
        assert!(super::of("no-such-word").is_none());
        assert!(super::of("granted").is_some());
    }
}
