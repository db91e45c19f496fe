//! Active Directory with the preset `ad`: every form of a name reaches one account, every state of
//! an account is refused alike and recorded as what it is.

use std::fmt::Write;

use crate::lab::realm::{PASSWORD, Part, script};
use crate::lab::world::{Lab, require_root};
use crate::served::Served;

/// Logs in by USER and PASS and by AUTH PLAIN, as each line of its input says, and prints the answers.
const CLIENT: &str = r#"
import base64, poplib, sys
for line in sys.stdin:
    name, password = line.rstrip("\n").split("\t")
    answers = []
    for way in ("PASS", "PLAIN"):
        client = poplib.POP3("127.0.0.1", int(sys.argv[1]))
        client.encoding = "UTF-8"
        try:
            if way == "PASS":
                client.user(name)
                answer = client.pass_(password)
            else:
                message = base64.b64encode(f"\0{name}\0{password}".encode())
                answer = client._shortcmd("AUTH PLAIN " + message.decode())
        except poplib.error_proto as error:
            answer = error.args[0]
        answers.append(answer.decode())
        client.close()
    print("\t".join(answers))
"#;

/// What was typed, the password, and the account and the reason of the record.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// On a server for the members of a group.
const LOGINS: [Row; 29] = [
    ("alice", PASSWORD, "alice", "granted"),
    ("ALICE@ad.example.test", PASSWORD, "alice", "granted"),
    ("ADTEST\\alice", PASSWORD, "alice", "granted"),
    ("adtest/alice", PASSWORD, "alice", "granted"),
    ("ad.example.test\\alice", PASSWORD, "alice", "granted"),
    ("alice@ADTEST", PASSWORD, "alice", "granted"),
    ("alice@example.test", PASSWORD, "alice", "granted"),
    ("a.liddell@example.test", PASSWORD, "alice", "granted"),
    ("bob", PASSWORD, "bob", "granted"),
    ("bob@ad.example.test", PASSWORD, "bob", "granted"),
    ("robert.tester@ad.example.test", PASSWORD, "bob", "granted"),
    ("bob@example.test", PASSWORD, "bob", "granted"),
    ("alice", "wrong", "alice", "wrong-password"),
    ("OTHER\\alice", PASSWORD, "-", "unknown-user"),
    ("alice@other.test", PASSWORD, "-", "unknown-user"),
    ("alice*", PASSWORD, "-", "unknown-user"),
    ("dc$", PASSWORD, "-", "unknown-user"),
    ("nobody", PASSWORD, "-", "unknown-user"),
    ("jörg", PASSWORD, "jörg", "not-in-group"),
    ("noel", PASSWORD, "noel", "not-in-group"),
    ("paul", PASSWORD, "paul", "not-in-group"),
    ("disabled", PASSWORD, "disabled", "disabled"),
    ("expired", PASSWORD, "expired", "account-expired"),
    ("mustchange", PASSWORD, "mustchange", "must-change-password"),
    ("old", PASSWORD, "old", "password-expired"),
    ("locked", PASSWORD, "locked", "locked-out"),
    ("hours", PASSWORD, "hours", "wrong-hours"),
    ("disabled", "wrong", "disabled", "wrong-password"),
    ("lotte", "right", "lotte", "granted"),
];

/// On a server in Paris, for whoever has mail.
const IN_PARIS: [Row; 5] = [
    ("paul", PASSWORD, "paul", "granted"),
    ("alice", PASSWORD, "alice", "other-site"),
    ("alice", "wrong", "alice", "wrong-password"),
    ("noel", PASSWORD, "noel", "no-mailbox"),
    ("jörg", PASSWORD, "jörg", "no-mailbox"),
];

fn answers(domain: &Part, lab: &Lab, served: &Served, logins: &[(&str, &str)]) -> Vec<String> {
    let mut input = String::new();
    for (name, password) in logins {
        writeln!(input, "{name}\t{password}").expect("a string grows");
    }
    let (client, input) = (lab.write("client.py", CLIENT), lab.write("logins", input));
    let line = format!(
        "/usr/bin/python3 {} {} <{}",
        client.display(),
        served.address.port(),
        input.display()
    );
    let output = domain.run("mail", &["bash", "-c", &line]);
    let said = String::from_utf8(output.stdout).expect("answers in UTF-8");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    said.lines().map(str::to_owned).collect()
}

/// Logs in as each row says, and prints the table. Gives the refusals.
fn tried(domain: &Part, lab: &Lab, served: &Served, rows: &[Row]) -> Vec<String> {
    let typed: Vec<_> = rows.iter().map(|row| (row.0, row.1)).collect();
    let answers = answers(domain, lab, served, &typed);
    assert_eq!(answers.len(), rows.len());
    let mut refusals = Vec::new();
    for ((typed, _, account, reason), answer) in rows.iter().zip(&answers) {
        println!("{typed:30} {account:12} {reason:22} {answer}");
        let account = match *account {
            "-" | "lotte" => (*account).to_owned(),
            name => format!("{name}@ad.example.test"),
        };
        assert_eq!(
            served.count(typed, reason, &account),
            2,
            "{typed}: {answer}"
        );
        let granted = answer.split('\t').all(|answer| answer.starts_with("+OK"));
        assert_eq!(granted, *reason == "granted", "{typed}: {answer}");
        if !granted {
            refusals.extend(answer.split('\t').map(str::to_owned));
        }
    }
    refusals
}

#[test]
fn every_form_of_a_name_and_every_state_of_an_account() {
    require_root("Samba");
    let lab = Lab::new();
    let domain = Part::start(&lab, "ad", "ad", &[]);
    // The whole of what Active Directory needs, beside the authority of the lab and a NetBIOS name
    // that is not the first part of the domain.
    let little = format!(
        r#"preset = "ad"
domain = "ad.example.test"
bind_name = "svc-postern@ad.example.test"
authorities = "{}"
realms = ["ADTEST"]
"#,
        domain.file("ca/ca.pem").display()
    );
    let script = script("ad").display().to_string();
    let folder = domain.folder().display().to_string();
    let before = [script.as_str(), "mail", &folder];
    let groups = "groups = [\"CN=pop-users,CN=Users,DC=ad,DC=example,DC=test\"]\n";
    let served = Served::start(&lab, "london", &format!("{little}{groups}"), &before);
    let mut refusals = tried(&domain, &lab, &served, &LOGINS);
    let attributes =
        "attributes.site = \"physicalDeliveryOfficeName\"\nattributes.mailbox = \"mail\"\n";
    let served = Served::start(&lab, "paris", &format!("{little}{attributes}"), &before);
    refusals.extend(tried(&domain, &lab, &served, &IN_PARIS));
    refusals.sort();
    refusals.dedup();
    assert_eq!(
        refusals.len(),
        1,
        "one refusal for all of them: {refusals:?}"
    );
}
