//! Open sessions: they end soon after their account may not log in any more, nobody else's does, and
//! the directory is asked for many at once.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::lab::daemon::until;
use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::realm::{PASSWORD, Part, script};
use crate::lab::world::{ALICE, Lab, require_root};
use crate::openldap::{ldap, modify};
use crate::served::Served;

pub(crate) const PEOPLE: &str = "ou=people,dc=example,dc=test";
pub(crate) const BARRED: &str = "-ERR [SYS/PERM] ";

pub(crate) fn session(served: &Served, name: &str) -> Client {
    let mut client = Client::connect(served.address);
    client.ok(&format!("USER {name}"));
    client.ok(&format!("PASS {PASSWORD}"));
    client
}

/// Who opens somebody else's mailbox.
fn delegate(served: &Served, name: &str, mailbox: &str) -> Client {
    let mut client = Client::connect(served.address);
    client.ok(&format!("USER {name}@example.test/{mailbox}"));
    client.ok(&format!("PASS {PASSWORD}"));
    client
}

/// A crowd of so many, all in one group, and a server for the two groups that may use POP3.
fn crowd(lab: &Lab, people: usize) -> (Part, Served) {
    crowd_with(lab, people, "")
}

/// The same with more settings.
fn crowd_with(lab: &Lab, people: usize, more: &str) -> (Part, Served) {
    let slapd = Part::start(lab, "ldap", "ldap", &[&format!("users={people}")]);
    let mut group = "dn: cn=crowd,ou=groups,dc=example,dc=test\nchangetype: add\n\
                     objectClass: groupOfNames\n"
        .to_owned();
    for number in 1..=people {
        writeln!(group, "member: uid=u{number:05},{PEOPLE}").expect("a string grows");
    }
    modify(lab, &slapd, &group);
    let groups = "groups = [\"cn=pop-users,ou=groups,dc=example,dc=test\", \
                  \"cn=crowd,ou=groups,dc=example,dc=test\"]\n";
    let settings = ldap(&slapd, &format!("{groups}{more}"));
    let served = Served::start(lab, "london", &settings, &[]);
    (slapd, served)
}

/// The record that the sessions of an account end.
pub(crate) fn told(served: &Served, account: &str, reason: &str) {
    until(&format!("the end of {account}: {reason}"), || {
        let log = served.log();
        let is = |line: &&str| {
            line.contains("\"message\":\"sessions end: ")
                && line.contains(&format!("\"account\":\"{account}\""))
                && line.contains(&format!("\"reason\":\"{reason}\""))
        };
        log.lines().find(is).map(|_| ())
    });
}

/// What happens to an account, and what the log calls it.
const CHANGES: [(&str, &str, &str); 5] = [
    (
        "alice",
        "modify\nreplace: posternPop3\nposternPop3: FALSE",
        "pop3-off",
    ),
    ("u00002", "delete", "unknown-user"),
    (
        "u00004",
        "modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z",
        "locked-out",
    ),
    (
        "u00005",
        "modify\nreplace: posternSite\nposternSite: paris",
        "other-site",
    ),
    (
        "u00006",
        "modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1",
        "unknown-user",
    ),
];

/// Gives u00012 the right to the mailbox of u00011, or takes it.
fn right(change: &str) -> String {
    format!(
        "dn: uid=u00011,{PEOPLE}\nchangetype: modify\n{change}: posternDelegate\n\
         posternDelegate: uid=u00012,{PEOPLE}\n\n"
    )
}

/// All of it, u00003 put out of the group, and u00007 moved to where it does not matter.
fn changes() -> String {
    let mut ldif = right("delete");
    for (name, change, _) in CHANGES {
        writeln!(ldif, "dn: uid={name},{PEOPLE}\nchangetype: {change}\n").expect("a string grows");
    }
    ldif + &format!(
        "dn: cn=crowd,ou=groups,dc=example,dc=test\nchangetype: modify\ndelete: member\n\
         member: uid=u00003,{PEOPLE}\n-\nadd: member\n\
         member: uid=u00007,ou=services,dc=example,dc=test\n\n\
         dn: uid=u00007,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=u00007\ndeleteoldrdn: 1\n\
         newsuperior: ou=services,dc=example,dc=test\n"
    )
}

#[test]
fn sessions_end_when_their_account_may_not_log_in_any_more() {
    let lab = Lab::new();
    let (slapd, served) = crowd(&lab, 20);
    let mail = lab.maildir(ALICE);
    mail.deliver(&Mail::new("kept", b"Subject: kept\n\nkept\n", "\n"));
    modify(&lab, &slapd, &right("add"));
    let names = CHANGES.iter().map(|(name, ..)| *name);
    let mut ended: Vec<_> = names
        .chain(["u00002", "u00003"])
        .map(|name| (name, session(&served, name)))
        .collect();
    ended.push(("bob in alice's", delegate(&served, "bob", "alice")));
    ended.push(("u00012 in u00011's", delegate(&served, "u00012", "u00011")));
    ended[0].1.ok("DELE 1");
    let mut staying: Vec<_> = ["bob", "u00007", "u00008", "u00011", "u00012"]
        .iter()
        .map(|name| session(&served, name))
        .collect();

    modify(&lab, &slapd, &changes());
    for (name, client) in &mut ended {
        let last = client.try_line().unwrap_or_default();
        assert!(last.starts_with(BARRED), "{name}: {last:?}");
        assert_eq!(client.try_ask("QUIT"), None, "{name}");
    }
    for (name, _, reason) in CHANGES {
        told(&served, name, reason);
    }
    told(&served, "u00003", "not-in-group");
    told(&served, "u00011", "no-right");
    let ends = |log: &str| log.matches("\"ending\":\"barred\"").count();
    until("a record of each session", || {
        (ends(&served.log()) >= ended.len()).then_some(())
    });
    assert_eq!(mail.len(), 1, "a marked message is gone");
    for client in &mut staying {
        client.ok("NOOP");
    }
    assert_eq!(ends(&served.log()), ended.len());
    let mut again = Client::connect(served.address);
    again.ok("USER u00002");
    assert!(again.ask(&format!("PASS {PASSWORD}")).starts_with("-ERR"));
}

/// The password of whoever gets an old name.
const NEW: &str = "New-1234";

/// The account goes, and somebody new gets its name, the entry's too.
fn replace(lab: &Lab, slapd: &Part, name: &str, more: &str) {
    let ldif = format!(
        "dn: uid={name},{PEOPLE}\nchangetype: delete\n\n\
         dn: uid={name},{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\n\
         objectClass: posternUser\ncn: {name}\nsn: {name}\nposternSite: london\n\
         posternMaildrop: /srv/mail/{name}\nuserPassword: {NEW}\n{more}"
    );
    modify(lab, slapd, &ldif);
}

/// Logs in; the answer.
fn answer(served: &Served, name: &str, password: &str) -> (Client, String) {
    let mut client = Client::connect(served.address);
    client.ok(&format!("USER {name}"));
    let answer = client.ask(&format!("PASS {password}"));
    (client, answer)
}

/// Waits until the sessions have been looked at once more, which one of bob shows.
fn looked_again(lab: &Lab, slapd: &Part, served: &Served) {
    let mut bob = session(served, "bob");
    let ldif = format!("dn: uid=bob,{PEOPLE}\nchangetype: delete\n");
    modify(lab, slapd, &ldif);
    ends(&mut bob, "bob");
}

fn ends(client: &mut Client, name: &str) {
    let last = client.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{name}: {last:?}");
}

#[test]
fn an_old_name_of_somebody_new_is_somebody_new() {
    let lab = Lab::new();
    let (slapd, served) = crowd(&lab, 20);
    modify(&lab, &slapd, &right("add"));
    let mut staying = ["u00001", "u00012"].map(|name| session(&served, name));
    let mut own = session(&served, "u00002");
    let mut delegate = delegate(&served, "u00012", "u00011");
    replace(&lab, &slapd, "u00002", "");
    let right = format!("posternDelegate: uid=u00012,{PEOPLE}\n");
    replace(&lab, &slapd, "u00011", &right);
    ends(&mut own, "u00002");
    ends(&mut delegate, "u00012 in u00011's");
    told(&served, "u00002", "replaced");
    told(&served, "u00011", "replaced");

    let (mut new, said) = answer(&served, "u00002", NEW);
    assert!(said.starts_with("+OK"), "{said}");
    looked_again(&lab, &slapd, &served);
    new.ok("NOOP");
    for client in &mut staying {
        client.ok("NOOP");
    }
}

#[test]
fn nothing_is_kept_of_an_account_whose_name_is_somebody_elses() {
    let lab = Lab::new();
    let cache = "[ldap.cache]\naccounts = \"1h\"\npasswords = \"1h\"\n";
    let (slapd, served) = crowd_with(&lab, 20, cache);
    let mut old = session(&served, "u00002");
    replace(&lab, &slapd, "u00002", "");
    ends(&mut old, "u00002");
    told(&served, "u00002", "replaced");
    let (_, said) = answer(&served, "u00002", PASSWORD);
    assert!(said.starts_with("-ERR"), "{said}");
    let (mut new, said) = answer(&served, "u00002", NEW);
    assert!(said.starts_with("+OK"), "{said}");
    looked_again(&lab, &slapd, &served);
    new.ok("NOOP");
}

#[test]
fn the_directory_is_asked_for_many_at_once() {
    const PEOPLE: usize = 120;
    const EACH: usize = 3;
    let lab = Lab::new();
    let (slapd, served) = crowd(&lab, PEOPLE);
    let mut sessions = Vec::new();
    for number in 1..=PEOPLE {
        sessions.extend((0..EACH).map(|_| session(&served, &format!("u{number:05}"))));
    }
    let log = || fs::read_to_string(slapd.file("slapd.log")).expect("slapd's log");
    let before = log().len();
    let searches = until("two looks at everybody", || {
        let log = log();
        let lines = log.get(before..)?.lines();
        let searches: Vec<_> = lines
            .filter(|line| line.contains(" SRCH base="))
            .map(str::to_owned)
            .collect();
        (searches.len() >= 12).then_some(searches)
    });
    let (of_people, of_groups): (Vec<_>, Vec<_>) = searches
        .iter()
        .partition(|line| line.contains("SRCH base=\"dc=example,dc=test\""));
    let asked = |line: &str| line.matches("(uid=u0").count();
    println!(
        "{} sessions of {PEOPLE} accounts: {} searches for accounts, {} for groups",
        sessions.len(),
        of_people.len(),
        of_groups.len()
    );
    // 120 accounts are 50, 50 and 20; the first group has none of them, the second has all.
    assert!(
        of_people.iter().all(|line| asked(line) >= 20),
        "{of_people:?}"
    );
    assert!(of_people.len() * 2 <= of_groups.len() + 2);
    assert!(of_groups.len() <= of_people.len() * 2 + 2);
    assert!(!served.log().contains("sessions end: "));
}

#[test]
fn a_directory_that_is_down_ends_nobodys_session() {
    let lab = Lab::new();
    let (slapd, served) = crowd(&lab, 2);
    let mut session = session(&served, "u00001");
    let mut local = Client::connect(served.address);
    local.ok("USER lotte");
    local.ok("PASS right");
    slapd.stop();
    let unseen = |served: &Served| served.log().matches("open sessions go on unseen").count();
    until("two looks in vain", || (unseen(&served) >= 2).then_some(()));
    session.ok("NOOP");
    // Local accounts are looked at nevertheless.
    served.change_users(&lab, |users| {
        users.replace("[[user]]", "[[user]]\ndisabled = true")
    });
    let last = local.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
    told(&served, "lotte", "disabled");
    session.ok("NOOP");

    slapd.start_again(&[]);
    until("the directory to be asked again", || {
        served
            .log()
            .contains("a server of the directory is in order again")
            .then_some(())
    });
    session.ok("NOOP");
    modify(
        &lab,
        &slapd,
        &format!("dn: uid=u00001,{PEOPLE}\nchangetype: delete\n"),
    );
    let last = session.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
}

/// Logs everybody in, says so, and prints the last line of each; who is not sent away says so.
const CLIENT: &str = r#"
import poplib, sys
clients = {}
for name in sys.argv[2:]:
    client = clients[name] = poplib.POP3("127.0.0.1", int(sys.argv[1]), timeout=60)
    client.user(name)
    client.pass_("Right-1234")
print("in", flush=True)
stays = clients.pop("alice")
for name, client in clients.items():
    print(name, client.file.readline().decode().strip(), flush=True)
print("alice", stays.noop().decode(), flush=True)
"#;

/// The whole of what Active Directory needs, beside the authority of the lab and a NetBIOS name that is
/// not the first part of the domain: its servers are found in DNS.
fn little(domain: &Part) -> String {
    format!(
        "preset = \"ad\"\ndomain = \"ad.example.test\"\nbind_name = \"svc-postern@ad.example.test\"\n\
         authorities = \"{}\"\nrealms = [\"ADTEST\"]\n",
        domain.file("ca/ca.pem").display()
    )
}

#[test]
fn active_directory_says_who_is_disabled_or_out_of_the_group() {
    require_root("Samba");
    let lab = Lab::new();
    let domain = Part::start(&lab, "ad", "ad", &[]);
    let change = |words: &[&str]| {
        let words: Vec<_> = [&["samba-tool"][..], words].concat();
        let done = domain.run("enter", &words);
        assert!(done.status.success(), "{done:?}");
    };
    for name in ["noel", "crowd"] {
        change(&["group", "addmembers", "pop-users", name]);
    }
    let here = script("ad").display().to_string();
    let folder = domain.folder().display().to_string();
    let groups = "groups = [\"CN=pop-users,CN=Users,DC=ad,DC=example,DC=test\"]\n";
    let ldap = little(&domain) + groups;
    let served = Served::start(&lab, "london", &ldap, &[&here, "mail", &folder]);
    let mut sessions = Command::new(&here)
        .args(["mail", &folder, "/usr/bin/python3"])
        .arg(lab.write("client.py", CLIENT))
        .arg(served.address.port().to_string())
        .args(["alice", "bob", "noel", "crowd"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a client");
    let mut lines = BufReader::new(sessions.stdout.take().expect("its answers")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), "in");
    // bob is a member through another group.
    change(&["group", "removemembers", "sales", "bob"]);
    change(&["user", "disable", "noel"]);
    change(&["user", "delete", "crowd"]);
    for name in ["bob", "noel", "crowd"] {
        let last = next();
        println!("{last}");
        assert!(last.starts_with(&format!("{name} {BARRED}")), "{last}");
    }
    assert!(next().starts_with("alice +OK"));
    assert!(sessions.wait().expect("its end").success());
    told(&served, "bob@ad.example.test", "not-in-group");
    told(&served, "noel@ad.example.test", "disabled");
    told(&served, "crowd@ad.example.test", "unknown-user");
    let found = "\"message\":\"DNS tells the servers of the domain\"";
    let log = served.log();
    let record = log.lines().find(|line| line.contains(found));
    let record = record.expect("the servers that DNS tells");
    assert!(
        record.contains("\"servers\":\"ldap://dc.ad.example.test:389\""),
        "{record}"
    );
}

/// Makes the domain controller the home server of alice.
const HOME: &str = r#"
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
loadparm = LoadParm()
loadparm.load_default()
sam = SamDB(session_info=system_session(), lp=loadparm)
message = ldb.Message(ldb.Dn(sam, f"CN=alice,CN=Users,{sam.domain_dn()}"))
home = "/o=Org/ou=Group/cn=Configuration/cn=Servers/cn=DC"
message["home"] = ldb.MessageElement(home, ldb.FLAG_MOD_REPLACE, "physicalDeliveryOfficeName")
sam.modify(message)
"#;

/// Tries each name once, and prints the answers.
const LOGINS: &str = r#"
import poplib, sys
for name in sys.argv[2:]:
    client = poplib.POP3("127.0.0.1", int(sys.argv[1]), timeout=60)
    client.user(name)
    try:
        print(name, client.pass_("Right-1234").decode())
    except poplib.error_proto as error:
        print(name, error.args[0].decode())
"#;

#[test]
fn active_directory_tells_the_site_of_a_home_server() {
    require_root("Samba");
    let lab = Lab::new();
    let domain = Part::start(&lab, "ad", "ad", &[]);
    let run = |place: &str, words: &[&str]| {
        let done = domain.run(place, words);
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).expect("text")
    };
    run("enter", &["/usr/bin/python3", "-c", HOME]);
    let here = script("ad").display().to_string();
    let folder = domain.folder().display().to_string();
    let sites = "site_of_server = \"directory\"\n\
                 attributes.site = \"physicalDeliveryOfficeName\"\n";
    let ldap = little(&domain) + sites;
    for (site, alice) in [("Default-First-Site-Name", "+OK"), ("paris", "-ERR")] {
        let served = Served::start(&lab, site, &ldap, &[&here, "mail", &folder]);
        let port = served.address.port().to_string();
        let names = ["alice", "bob"];
        let words = ["/usr/bin/python3", "-c", LOGINS, &port, names[0], names[1]];
        let answers = run("mail", &words);
        println!("{site}: {answers}");
        // bob's server, `london`, is in no site.
        let mut answers = answers.lines();
        for (name, begins) in names.iter().zip([alice, "-ERR"]) {
            let answer = answers.next().expect("an answer");
            assert!(answer.starts_with(&format!("{name} {begins}")), "{answer}");
        }
        let (_, site_of_bob) = served.record("bob", "other-site");
        assert_eq!(site_of_bob, "?");
        if site == "paris" {
            let (_, site_of_alice) = served.record("alice", "other-site");
            assert_eq!(site_of_alice, "Default-First-Site-Name");
        }
    }
}
