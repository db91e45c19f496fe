//! NT hashes in the users file and the key under which they are sealed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::Office;

/// \[MS-NLMP\] §4.2.2.1.2: of "Password".
const HASH: &str = "a4f49c406510bdcab6824ee7c30fd852";

#[test]
fn an_nt_hash_is_stored_kept_and_removed_as_asked() {
    let office = Office::new("");
    office.done(&["user", "add", "ann", "--password-stdin"]);
    assert!(!office.users().contains("nt_hash"), "only when asked for");
    office.done(&["user", "passwd", "ann", "--password-stdin"]);
    assert!(!office.users().contains("nt_hash"), "only when asked for");
    let said = office.done(&["user", "add", "ben", "--password-stdin", "--ntlm"]);
    assert!(
        said.contains("in the clear: `postern user key new"),
        "{said}"
    );
    assert!(office.users().contains(HASH), "{}", office.users());
    let passwd = ["user", "passwd", "ben", "--password-stdin"];
    let (code, said) = office.run_in(None, &passwd, b"another\n");
    assert_eq!(code, Some(0), "{said}");
    let users = office.users();
    assert!(
        users.contains("nt_hash = ") && !users.contains(HASH),
        "renewed: {users}"
    );
    office.done(&["user", "passwd", "ben", "--password-stdin", "--no-ntlm"]);
    assert!(!office.users().contains("nt_hash"), "{}", office.users());
    office.done(&["user", "passwd", "ben", "--password-stdin", "--ntlm"]);
    for (name, form) in [("ann", "no"), ("ben", "clear")] {
        let said = office.done(&["user", "show", name]);
        assert!(said.contains(&format!("nt hash      {form}\n")), "{said}");
        assert!(!said.contains(HASH));
    }
    let said = office.done(&["user", "list", "--json"]);
    assert!(
        said.contains(r#""nt_hash":"clear""#) && !said.contains(HASH),
        "{said}"
    );
    let both = [&passwd[..], &["--ntlm", "--no-ntlm"]].concat();
    assert_eq!(office.run(&both).0, Some(2));
}

#[test]
fn a_key_seals_what_is_there_and_what_comes() {
    let office = Office::new("key_file = \"users.key\"");
    let add = |name| office.run(&["user", "add", name, "--password-stdin", "--ntlm"]);
    let (code, said) = add("ann");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("`postern user key new FILE` makes one"),
        "{said}"
    );
    office.done(&["user", "key", "new", "users.key"]);
    let mode = fs::metadata(office.path("users.key")).expect("a key");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert_eq!(add("ann").0, Some(0));
    let users = office.users();
    assert!(
        users.contains("AES-256-GCM$1$") && !users.contains(HASH),
        "{users}"
    );
    let clear = format!("{users}\n[[user]]\nname = \"ben\"\nnt_hash = \"{HASH}\"\n");
    office.write("users.toml", &clear);
    let said = office.done(&["check"]);
    assert!(
        said.contains("1 NT hashes in it are in the clear"),
        "{said}"
    );
    office.done(&["user", "key", "apply"]);
    assert_eq!(office.users().matches("AES-256-GCM$1$").count(), 2);
    assert!(
        office.users().contains(users.trim()),
        "ann's stays as it was"
    );
    let said = office.done(&["check"]);
    assert!(!said.contains("key"), "{said}");
    let said = office.fails(&["user", "key", "new", "users.key"]);
    assert!(said.contains("never written over"), "{said}");
}

#[test]
fn a_key_is_exchanged_whole_or_not_at_all() {
    let office = Office::new("key_file = \"users.key\"");
    office.done(&["user", "key", "new", "users.key"]);
    for name in ["ann", "ben"] {
        office.done(&["user", "add", name, "--password-stdin", "--ntlm"]);
    }
    let path = |name: &str| office.path(name);
    fs::rename(path("users.key"), path("old.key")).expect("renamed");
    office.done(&["user", "key", "new", "users.key"]);
    let before = office.users();
    let said = office.fails(&["check"]);
    assert!(
        said.contains("\"ann\", one of 2, was sealed under another key"),
        "{said}"
    );
    let said = office.fails(&["user", "key", "apply"]);
    assert!(said.contains("name the key with --old"), "{said}");
    assert_eq!(office.users(), before);
    let said = office.done(&["user", "key", "apply", "--old", "old.key"]);
    assert!(said.contains("2 NT hashes are sealed anew"), "{said}");
    office.done(&["check"]);
    fs::set_permissions(path("users.key"), Permissions::from_mode(0o644)).expect("a mode");
    let said = office.fails(&["check"]);
    assert!(
        said.contains("mode 644") && said.contains("chmod 600"),
        "{said}"
    );
}

#[test]
fn a_credential_of_systemd_is_the_key() {
    let office = Office::new("");
    fs::create_dir(office.path("credentials")).expect("a folder");
    office.done(&["user", "key", "new", "credentials/postern-users.key"]);
    let folder = office.path("credentials").display().to_string();
    let add = ["user", "add", "ann", "--password-stdin", "--ntlm"];
    let (code, said) = office.run_in(Some(&folder), &add, b"Password\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(office.users().contains("AES-256-GCM$1$"));
    let (code, said) = office.run_in(Some(&folder), &["check"], b"");
    assert!(code == Some(0) && !said.contains("key"), "{said}");
    // By hand nobody has the credential: that is no error of the configuration.
    let said = office.done(&["check"]);
    assert!(said.contains("set users.key_file, or hand the"), "{said}");
    let said = office.fails(&["user", "add", "ben", "--password-stdin", "--ntlm"]);
    assert!(
        said.contains("no key is named to seal the new one"),
        "{said}"
    );
    assert!(!office.users().contains("ben"));
}

#[test]
fn a_password_that_ntlm_cannot_carry_is_refused() {
    let office = Office::new("");
    office.done(&["user", "add", "ann", "--password-stdin", "--ntlm"]);
    let before = office.users();
    let passwd = ["user", "passwd", "ann", "--password-stdin"];
    let (code, said) = office.run_in(None, &passwd, b"caf\xe9\n");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("not UTF-8") && said.contains("--no-ntlm"),
        "{said}"
    );
    assert_eq!(office.users(), before);
}

#[test]
fn users_of_samba_are_imported() {
    let office = Office::new("");
    office.done(&["user", "add", "ann@example.test", "--password-stdin"]);
    let none = "X".repeat(32);
    office.write(
        "smbpasswd",
        &format!(
            "ANN@example.test:1000:{none}:{HASH}:[U          ]:LCT-65E5C6A9:\n\
             ben:1001:{none}:{}:[UD         ]:LCT-65E5C6A9:\n\
             cem:1002:{none}:{none}:[U          ]:LCT-65E5C6A9:\n\
             dan:1003:{none}:NO PASSWORDXXXXXXXXXXXXXXXXXXXXX:[NU         ]:LCT-65E5C6A9:\n\
             desk$:1004:{none}:{HASH}:[W          ]:LCT-65E5C6A9:\n\
             root@here\n",
            HASH.to_uppercase()
        ),
    );
    let import = ["user", "import", "--smbpasswd", "smbpasswd"];
    let before = office.users();
    let (code, said) = office.run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(office.users(), before);
    let said = office.fails(&import);
    for part in [
        "ANN@example.test: has its NT hash now\n",
        "ben: added\n",
        "smbpasswd:3: cem: there is no NT hash",
        "smbpasswd:4: dan: there is no NT hash",
        "smbpasswd:5: desk$: is a machine",
        "smbpasswd:6: root@here: is no line of smbpasswd",
        "2 added, 4 with something to look at",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let users = office.users();
    assert_eq!(users.matches(HASH).count(), 2, "{users}");
    assert!(!said.contains(HASH));
    let said = office.done(&["user", "show", "ben"]);
    assert!(
        said.contains("disabled") && said.contains("nt hash      clear"),
        "{said}"
    );
    let said = office.fails(&import);
    assert!(
        said.contains("ANN@example.test: has an NT hash already"),
        "{said}"
    );
}
