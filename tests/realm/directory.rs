//! `kdc-testenv/ldap`: who is in the directory, and what it says to each.

use std::fs;
use std::path::Path;

use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;

/// What slapd says to a bind by StartTLS.
fn bind(lab: &Lab, slapd: &Part, dn: &str, password: &str) -> String {
    let output = slapd
        .tool(lab, "ldapwhoami")
        .args(["-x", "-ZZ", "-e", "ppolicy", "-D", dn, "-w", password])
        .output();
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
}

/// The values of the attribute in the entries that the filter finds, for the service account.
fn values(lab: &Lab, slapd: &Part, filter: &str, attribute: &str) -> Vec<String> {
    let service = "cn=postern,ou=services,dc=example,dc=test";
    let output = slapd
        .tool(lab, "ldapsearch")
        .args(["-x", "-LLL", "-H", &slapd.variable("LDAPS_URI")])
        .args(["-D", service, "-w", PASSWORD, "-E", "pr=500/noprompt"])
        .args(["-o", "ldif-wrap=no", filter, attribute])
        .run();
    let text = String::from_utf8(output).expect("LDIF");
    let start = format!("{attribute}: ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
    lines.map(str::to_owned).collect()
}

#[test]
fn each_state_of_an_account_is_somebody() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    for (uid, password, words) in [
        ("alice", PASSWORD, "dn:uid=alice,"),
        ("alice", "wrong", "Invalid credentials (49)"),
        ("nobody", PASSWORD, "Invalid credentials (49)"),
        (
            "carol",
            PASSWORD,
            "Invalid credentials (49); Password expired",
        ),
        ("dave", PASSWORD, "Invalid credentials (49); Account locked"),
        ("erin", PASSWORD, "Success (0); Password must be changed"),
        (r"pat\2Bx", "p*t)(…", r"dn:uid=pat\2Bx,"),
        (r"w(ei*rd)\5Cx", "p*t)(…", r"dn:uid=w(ei*rd)\5Cx,"),
        ("crypt", PASSWORD, "dn:uid=crypt,"),
        ("argon2", PASSWORD, "dn:uid=argon2,"),
    ] {
        let dn = format!("uid={uid},ou=people,dc=example,dc=test");
        let answer = bind(&lab, &slapd, &dn, password);
        assert!(answer.contains(words), "{uid}: {answer}");
    }
    assert_eq!(values(&lab, &slapd, "(uid=mary)", "posternPop3"), ["FALSE"]);
    assert_eq!(values(&lab, &slapd, "(uid=paul)", "posternSite"), ["paris"]);
    let twins = "(posternAlias=twins@example.test)";
    assert_eq!(values(&lab, &slapd, twins, "uid").len(), 2);
    let group = "(memberOf=cn=pop-users,ou=groups,dc=example,dc=test)";
    assert_eq!(values(&lab, &slapd, group, "uid"), ["alice", "bob"]);
}

#[test]
fn five_wrong_passwords_lock_an_account() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let dn = "uid=bob,ou=people,dc=example,dc=test";
    for _ in 0..5 {
        assert!(bind(&lab, &slapd, dn, "wrong").contains("Invalid credentials"));
    }
    let answer = bind(&lab, &slapd, dn, PASSWORD);
    assert!(answer.contains("Account locked"), "{answer}");
}

#[test]
fn a_crowd_is_there_and_a_second_directory_is_trusted_like_the_first() {
    let lab = Lab::new();
    let first = Part::start(&lab, "ldap", "first", &["users=10000", "log=none"]);
    assert_eq!(values(&lab, &first, "(uid=u*)", "uid").len(), 10_000);
    let authority = format!("ca={}", first.file("ca").display());
    let second = Part::start(&lab, "ldap", "second", &[&authority]);
    assert_ne!(first.variable("LDAP_URI"), second.variable("LDAP_URI"));
    first.stop();
    let output = second
        .tool(&lab, "ldapwhoami")
        .env("LDAPTLS_CACERT", first.variable("LDAP_CA"))
        .args(["-x", "-ZZ", "-D", "uid=alice,ou=people,dc=example,dc=test"])
        .args(["-w", PASSWORD])
        .run();
    assert!(output.starts_with(b"dn:uid=alice,"));
}

#[test]
fn a_certificate_and_the_socket_say_who_somebody_is() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let external = |uri: &str, who: &str| {
        let tool = slapd
            .tool(&lab, "ldapwhoami")
            .env("LDAPTLS_CERT", slapd.file(&format!("ca/{who}.pem")))
            .env("LDAPTLS_KEY", slapd.file(&format!("ca/{who}.key")));
        let output = tool.args(["-Q", "-Y", "EXTERNAL", "-H", uri]).run();
        String::from_utf8(output).expect("text").trim().to_owned()
    };
    let ldaps = slapd.variable("LDAPS_URI");
    assert_eq!(
        external(&ldaps, "alice"),
        "dn:uid=alice,ou=people,dc=example,dc=test"
    );
    assert_eq!(
        external(&ldaps, "postern"),
        "dn:cn=postern,ou=services,dc=example,dc=test"
    );
    assert_eq!(
        external(&slapd.variable("LDAPI_URI"), "alice"),
        "dn:cn=admin,dc=example,dc=test"
    );
}

#[test]
fn the_page_names_everybody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |path: &str| fs::read_to_string(root.join(path)).expect("a file of ours");
    let page = text("docs/kdc-testenv.md");
    let people = text("kdc-testenv/people.ldif");
    let names: Vec<_> = people
        .lines()
        .filter_map(|line| line.strip_prefix("uid: "))
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let as_entry = format!("uid={name}");
        let as_code = format!("`{name}`");
        assert!(
            page.contains(&as_entry) || page.contains(&as_code),
            "{name} is not in docs/kdc-testenv.md"
        );
    }
}
