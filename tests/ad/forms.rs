//! Every form of a name by every mechanism: it reaches one account and its maildrop, or it is refused, and
//! the record says why.

use crate::branch::{Branch, LOTTE, Way};
use crate::lab::domain::Domain;
use crate::lab::mail::Mail;
use crate::lab::realm::PASSWORD;
use crate::lab::world::{ALICE, BOB, Lab};

/// What was typed; what comes of it with a password; and by NTLM; the arguments of `kinit`; and what comes
/// of that ticket.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// The KDC gives nobody a ticket under this name.
const NONE: &str = "no ticket";
/// The controller says no.
const WRONG: &str = "wrong-password";

/// With `-E` the whole name is the KDC's to understand; with `-C` too it says the account's own name in its
/// place, as Windows asks it to.
#[rustfmt::skip]
const ROWS: [Row; 15] = [
    ("alice", "alice", "alice", "alice", "alice"),
    ("ALICE", "alice", "alice", "ALICE", "alice"),
    ("alice@ad.example.test", "alice", "alice", "-E -C alice@ad.example.test", "alice"),
    ("Alice@AD.Example.Test", "alice", "alice", "alice@AD.EXAMPLE.TEST", "alice"),
    ("ADTEST\\alice", "alice", "alice", "-E -C ADTEST\\alice", NONE),
    ("adtest\\ALICE", "alice", "alice", "-E -C adtest\\ALICE", NONE),
    ("ad.example.test\\alice", "alice", "alice", "-E -C ad.example.test\\alice", NONE),
    ("adtest/alice", "alice", WRONG, "adtest/alice", NONE),
    // This controller takes it for alice's; but it is nobody's user principal name.
    ("alice@ADTEST", "alice", "no-account", "-E -C alice@ADTEST", "alice"),
    // An address is no name to the domain. Where it is one, it is somebody else's: see `outsider`.
    ("alice@example.test", "alice", WRONG, "-E -C alice@example.test", NONE),
    ("a.liddell@example.test", "alice", WRONG, "-E -C a.liddell@example.test", NONE),
    ("A.Liddell@Example.Test", "alice", WRONG, "-E -C A.Liddell@Example.Test", NONE),
    // His user principal name and the name of his account differ; a KDC says either.
    ("robert.tester@ad.example.test", "bob", "bob", "-E -C robert.tester@ad.example.test", "bob"),
    ("Robert.Tester@ad.example.test", "bob", "bob", "robert.tester", "no-account"),
    ("OTHER\\alice", "unknown-user", WRONG, "-E -C OTHER\\alice", NONE),
];

#[test]
fn every_form_of_a_name_by_every_mechanism_reaches_one_account() {
    let lab = Lab::new();
    let domain = Domain::start(&lab);
    let branch = Branch::open(&domain, &[]);
    let mail = Mail::new("one", b"one\n", "\n");
    branch.lab.maildir(ALICE).deliver(&mail);
    branch.lab.maildir(BOB).deliver_all(&[mail.clone(), mail]);

    let heads = Way::ALL.map(|way| format!("{:16}", way.name()));
    println!("{:32}{}", "typed", heads.concat());
    let mut lines = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for (typed, by_password, by_ntlm, kinit, by_ticket) in ROWS {
        let has_ticket = domain.tries_kinit(&kinit.split(' ').collect::<Vec<_>>());
        let mut cells = String::new();
        for way in Way::ALL {
            let (wanted, ending) = match way {
                Way::Gssapi | Way::Spnego => {
                    let ending = has_ticket.then(|| branch.ticket(&domain, way));
                    (by_ticket, ending)
                }
                Way::Ntlm => (by_ntlm, Some(branch.password(way, typed, PASSWORD))),
                Way::User | Way::Plain | Way::Login => {
                    (by_password, Some(branch.password(way, typed, PASSWORD)))
                }
            };
            let came = ending.as_ref().map_or_else(|| NONE.to_owned(), short);
            cells += &format!("{came:16}");
            if came != wanted {
                let problem = format!("{typed} by {way:?}: {came}, not {wanted}: {ending:?}");
                wrong.push(problem);
            }
            if let Some(ending) = ending
                && ending.stat.is_none()
            {
                lines.insert(ending.line);
            }
        }
        println!("{typed:32}{cells}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lines.len(), 1, "refusals differ: {lines:?}");
    // Who is local needs no domain, and the domain does not know him.
    assert_eq!(
        branch.password(Way::Plain, LOTTE.0, LOTTE.1).to_string(),
        LOTTE.0
    );
}

/// Whom it let in, by the account in the record and by the maildrop that was opened.
fn short(ending: &crate::branch::Ending) -> String {
    let name = ending.to_string();
    let Some(name) = name.strip_suffix("@ad.example.test") else {
        return name;
    };
    let stat = ending.stat.as_deref().unwrap_or_default();
    let mails = if name == "alice" { "+OK 1 " } else { "+OK 2 " };
    assert!(stat.starts_with(mails), "{name}: {stat}");
    name.to_owned()
}
