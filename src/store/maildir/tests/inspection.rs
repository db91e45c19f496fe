//! What the administrator sees.

use super::*;
use crate::store::maildir::{Depth, Finding, IndexHealth, Inspection, Problem};

fn look(site: &Site, depth: Depth) -> Inspection {
    site.store.inspect(&site.account, depth).unwrap()
}

#[test]
fn shows_messages_and_the_index_and_changes_nothing() {
    let site = Site::new();
    site.put("cur/1.a,S=5:2,RS", b"a\n");
    site.put("cur/2.b:2,", b"b\n");
    site.put("new/3.c", b"c\n");
    site.write_index("3 V7 N8\n4 :gone\n5 W3 PImported= :1.a,S=5\n6 :2.b\n9 :to");
    let before = site.index();
    let seen = look(&site, Depth::Show);
    let wanted = IndexHealth::Sound {
        version: 3,
        validity: 7,
        next: 10,
        entries: 3,
        dead: 1,
        torn: true,
    };
    assert_eq!(seen.index, wanted);
    assert!(seen.findings.is_empty(), "{:?}", seen.findings);
    let all: Vec<_> = seen
        .messages
        .iter()
        .map(|it| {
            (
                it.uid,
                it.imported.as_deref(),
                it.file.as_str(),
                it.flags.as_str(),
                it.disk,
                it.wire,
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            (
                Some(5),
                Some("Imported="),
                "cur/1.a,S=5:2,RS",
                "RS",
                Some(5),
                Some(3)
            ),
            (Some(6), None, "cur/2.b:2,", "", None, None),
            (None, None, "new/3.c", "", None, None),
        ]
    );
    assert_eq!(site.index(), before);
    assert_eq!(site.names("new"), ["3.c"]);
}

#[test]
fn verify_finds_lies_and_more() {
    let site = Site::new();
    site.put("cur/1.a,S=5,W=3", b"a\n");
    site.put("cur/2.b", b"b\n");
    site.put("cur/3.c:2,", b"c");
    site.put("cur/3.c:2,S", b"c");
    fs::create_dir(site.maildir.join("new/folder")).unwrap();
    site.write_index("3 V7 N8\n6 W4 S2 P\x07 :2.b\n");
    touch(&site.put("dovecot-uidlist.lock", b""), -200);
    let seen = look(&site, Depth::Verify);
    let text: Vec<String> = seen.findings.iter().map(Finding::to_string).collect();
    let has = |wanted: &str| {
        assert!(
            text.iter().any(|line| line.contains(wanted)),
            "{wanted}: {text:#?}"
        )
    };
    has("cur/1.a,S=5,W=3: the name says S=5, but it is 2");
    has("cur/2.b: the index says W=4, but it is 3");
    has("new/folder: it is not mail");
    has("another file has the same base name");
    has("dovecot-uidlist.lock: a dead process left this lock (its age is 20");
    has("dovecot-uidlist: 1 imported ids cannot be shown");
    assert_eq!(text.len(), 6, "{text:#?}");
    let found = seen
        .messages
        .iter()
        .find(|it| it.file.contains("1.a"))
        .unwrap();
    assert_eq!(
        (found.disk, found.wire),
        (Some(2), Some(3)),
        "what is so, not what is said"
    );
    site.write_index("3 V7\n");
    let problem = "its header has no UIDVALIDITY (V) or no next uid (N)".to_owned();
    assert_eq!(
        look(&site, Depth::Show).index,
        IndexHealth::Damaged { problem }
    );
}

#[test]
fn finds_what_belongs_to_somebody_else_and_cannot_be_read() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a file away.
    }
    let site = Site::new();
    let path = site.put("cur/1.a", b"a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(site.maildir.join("cur"), Some(1234), None).unwrap();
    let seen = site.as_somebody_else(|| look(&site, Depth::Verify));
    let owner = Problem::Owner {
        owner: 1234,
        mode: 0o755,
        me: 0,
    };
    assert!(seen.findings.contains(&Finding {
        file: "cur".to_owned(),
        problem: owner
    }));
    let unreadable = seen
        .findings
        .iter()
        .any(|finding| matches!(finding.problem, Problem::Unreadable(_)));
    assert!(unreadable, "{:?}", seen.findings);
}
