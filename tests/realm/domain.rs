//! `kdc-testenv/ad`: who is in the domain, up in time, down without leftovers, twice in a row.

use std::fs;

use crate::lab::realm::{Part, script};
use crate::lab::world::{Lab, require_root};
use crate::whole::{leftovers, within};

/// What is asked on the mail server of the domain: each line answers with the words beside it. `who`
/// binds under TLS, and Samba says the reason of a refusal in hexadecimal.
const QUESTIONS: [(&str, &str); 13] = [
    (
        "kinit -k -t $KEYS/users.keytab alice && klist",
        "alice@AD.EXAMPLE.TEST",
    ),
    (
        "kvno -k $KEYS/pop.keytab pop/mail.ad.example.test",
        "keytab entry valid",
    ),
    (
        "kvno -k $KEYS/rc4.keytab pop/rc4.ad.example.test",
        "keytab entry valid",
    ),
    ("klist -e -k $KEYS/pop.keytab | grep -c arcfour", "0"),
    (
        "who svc-postern '(sAMAccountName=alice)' proxyAddresses",
        "smtp:a.liddell@example.test",
    ),
    (
        "who svc-postern '(sAMAccountName=paul)' physicalDeliveryOfficeName",
        "paris",
    ),
    (
        r#"who svc-postern "(memberOf:1.2.840.113556.1.4.1941:=CN=pop-users,CN=Users,$LDAP_BASE)" sAMAccountName"#,
        "sAMAccountName: bob",
    ),
    ("who hours", "data 530"),
    ("who old", "data 532"),
    ("who disabled", "data 533"),
    ("who expired", "data 701"),
    ("who mustchange", "data 773"),
    ("who locked", "data 775"),
];

/// What starts a Postern on the member, as somebody who tries would, and fetches messages from it with a
/// password and with the ticket that somebody has by now.
const POSTERN: &str = r#"
    "$1" start "$2/postern" "$2" at=mail.ad.example.test &&
    curl --silent --show-error --cacert "$2/ca/ca.pem" --user alice:Right-1234 pop3s://mail.ad.example.test/2 &&
    curl --silent --show-error --cacert "$2/ca/ca.pem" --user : --login-options AUTH=GSSAPI pop3s://mail.ad.example.test/3
"#;

const WHO: &str = r#"who() {
    ldapsearch -LLL -x -H "$LDAPS_URI" -D "$1@ad.example.test" -w Right-1234 "${@:2}"
}"#;

#[test]
fn a_domain_is_up_in_time_and_leaves_nothing_twice_in_a_row() {
    require_root("Samba");
    let lab = Lab::new();
    for _ in 0..2 {
        let domain = within(30, || Part::start(&lab, "ad", "ad", &[]));
        for (question, words) in QUESTIONS {
            let keys = domain.folder().display();
            let line = format!("{WHO}\nKEYS={keys}\n{question}");
            let output = domain.run("mail", &["bash", "-c", &line]);
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(said.contains(words), "{question}: {said}");
        }
        let folder = domain.folder().to_str().expect("a path of letters");
        let program = script("postern");
        let program = program.to_str().expect("a path of letters");
        let output = domain.run("mail", &["sh", "-c", POSTERN, "sh", program, folder]);
        let said = String::from_utf8_lossy(&output.stdout);
        for message in ["Message 2 for alice", "Message 3 for alice"] {
            assert!(said.contains(message), "{output:?}");
        }
        assert!(
            !leftovers(domain.folder()).is_empty(),
            "nobody is seen at work"
        );
        domain.stop();
        assert_eq!(leftovers(domain.folder()), Vec::<String>::new());
    }
    fs::remove_dir_all(lab.path().join("ad")).expect("nothing holds the folder");
}
