//! `kdc-testenv/ad`: who is in the domain, up in time, down without leftovers, twice in a row.

use std::fs;

use crate::lab::realm::Part;
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
            let script = format!("{WHO}\nKEYS={keys}\n{question}");
            let output = domain.run("mail", &["bash", "-c", &script]);
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(said.contains(words), "{question}: {said}");
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
