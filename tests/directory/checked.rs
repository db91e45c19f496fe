//! `postern check` on a directory: what the settings name and the directory has not.

use crate::lab::realm::Part;
use crate::lab::world::{Lab, require_root};
use crate::office::Office;
use crate::openldap::ldap;
use crate::served::configuration;

/// What is written wrong, how, the exit code, and what is said.
const MISTAKES: [(&str, &str, i32, &str); 13] = [
    (
        "[ldap.attributes]",
        "[ldap.attributes]\nname = \"uidd\"",
        1,
        "error: ldap.attributes.name: the directory knows no attribute \"uidd\", so nobody can log in",
    ),
    (
        "posternPop3",
        "posternPop4",
        0,
        "warning: ldap.attributes.pop3: the directory knows no attribute \"posternPop4\"",
    ),
    (
        "\"posternAlias\"",
        "\"posternAlais\"",
        0,
        "warning: ldap.attributes.addresses: the directory knows no attribute \"posternAlais\"",
    ),
    (
        "posternSite",
        "posternPlace",
        0,
        "warning: ldap.attributes.site: the directory knows no attribute \"posternPlace\", so every mailbox is in another site",
    ),
    (
        "[ldap.attributes]",
        "[ldap.attributes]\nid = \"entryUIID\"",
        0,
        "warning: ldap.attributes.id: the directory knows no attribute \"entryUIID\", so the sessions",
    ),
    (
        "[ldap.attributes]",
        "[ldap.attributes]\nid = \"employeeNumber\"",
        0,
        "warning: ldap.attributes.id: none of 15 people has an attribute employeeNumber that",
    ),
    (
        "[ldap.attributes]",
        "filter = \"(|(objectClass=inetOrgPerson)(objectClass=posternMan)(uidd=*))\"\n[ldap.attributes]",
        0,
        "warning: ldap.filter: the directory knows no object class \"posternMan\"",
    ),
    (
        "[ldap.attributes]",
        "filter = \"(objectClass=groupOfNames)\"\n[ldap.attributes]",
        1,
        "error: ldap.attributes.name: none of",
    ),
    (
        "[ldap.attributes]",
        "filter = \"(uidd=*)\"\n[ldap.attributes]",
        1,
        "error: ldap.filter: nobody is found below \"dc=example,dc=test\" by (uidd=*)",
    ),
    (
        "base = \"dc=example",
        "base = \"dc=exampel",
        1,
        "error: ldap.base: ",
    ),
    (
        "[ldap.attributes]",
        "groups = [\"cn=pop-user,ou=groups,dc=example,dc=test\"]\n[ldap.attributes]",
        0,
        "warning: ldap.groups: there is no group cn=pop-user,ou=groups,dc=example,dc=test",
    ),
    (
        "[ldap.attributes]",
        "verify = \"read\"\n[ldap.attributes]",
        1,
        "error: ldap.verify: passwords are compared with userPassword",
    ),
    (
        "cn=postern,ou=services",
        "cn=posten,ou=services",
        0,
        "warning: ldap.servers: ",
    ),
];

#[test]
fn settings_that_fit_are_fine() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let groups = "groups = [\"cn=pop-users,ou=groups,dc=example,dc=test\"]";
    let said = Office::new(&lab, &ldap(&slapd, groups)).run(&["check", "--strict"]);
    let beginnings = ["LDAP_URI", "LDAPS_URI"].map(|name| {
        let seen = "its schema was read, 15 people, such as uid=";
        format!("{}: {seen}", slapd.variable(name))
    });
    said.has(0, &[&beginnings[0], &beginnings[1]]);
    assert!(!said.text.contains("ldap."), "{}", said.text);
}

#[test]
fn names_that_the_directory_does_not_know_are_found() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let fitting = ldap(&slapd, "");
    for (from, to, code, finding) in MISTAKES {
        let settings = fitting.replace(from, to);
        assert_ne!(settings, fitting, "{from} is not there");
        Office::new(&lab, &settings)
            .run(&["check"])
            .has(code, &[finding]);
    }
    let reading = fitting
        .replace("[ldap.attributes]", "verify = \"read\"\n[ldap.attributes]")
        .replace("cn=postern,ou=services", "cn=keys,ou=services");
    let said = Office::new(&lab, &reading).run(&["check"]);
    assert!(!said.text.contains("ldap.verify"), "{}", said.text);
}

#[test]
fn a_directory_out_of_reach_is_a_warning_unless_asked_strictly() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, "timeout = \"1s\""));
    slapd.stop();
    let finding = "ldap.servers: cannot connect to ldap";
    office.run(&["check"]).has(
        0,
        &[&format!("warning: {finding}"), "remedy: see that it runs"],
    );
    office
        .run(&["check", "--strict"])
        .has(1, &[&format!("error: {finding}")]);
}

/// Without a word about it, the domain's NetBIOS name is taken for the first part of its name in DNS.
#[test]
fn another_netbios_name_than_the_domains_is_found() {
    require_root("Samba");
    let lab = Lab::new();
    let domain = Part::start(&lab, "ad", "ad", &[]);
    let settings = format!(
        "preset = \"ad\"\ndomain = \"ad.example.test\"\nservers = [\"ldaps://dc.ad.example.test\"]\n\
         bind_name = \"svc-postern@ad.example.test\"\nauthorities = \"{}\"\n",
        domain.file("ca/ca.pem").display()
    );
    let warning = "warning: ldap.realms: Windows calls the domain ad.example.test ADTEST, ";
    for (realms, taken) in [
        ("", Some("and is taken for ad here")),
        (
            "realms = [\"AD\", \"OLD\"]\n",
            Some("and is taken for AD, OLD here"),
        ),
        ("realms = []\n", Some("and no other name is known here")),
        ("realms = [\"AdTest\"]\n", None),
    ] {
        let ldap = format!("{settings}{realms}");
        let config = lab.write("office.toml", configuration(&lab, "london", &ldap));
        let config = config.to_str().expect("a plain path");
        let program = env!("CARGO_BIN_EXE_postern");
        let output = domain.run("mail", &[program, "check", "--config", config]);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8");
        assert!(output.status.success(), "{said}");
        assert!(said.contains("its schema was read"), "{said}");
        match taken {
            Some(taken) => {
                assert!(said.contains(&format!("{warning}{taken}: ")), "{said}");
                assert!(
                    said.contains("remedy: write realms = [\"ADTEST\"]"),
                    "{said}"
                );
            }
            None => assert!(!said.contains("ldap.realms"), "{said}"),
        }
    }
}
