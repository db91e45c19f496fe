//! Every state of an account, with the preset `exchange-schema`: one refusal on the wire for all of them by
//! every mechanism, and in the record what is wrong.

use std::collections::BTreeSet;

use crate::branch::{Branch, Ending, Way};
use crate::lab::domain::Domain;
use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;

/// The KDC refuses a ticket itself.
const NO_TICKET: &str = "no ticket";

/// Who; the reason with a password, by NTLM, and with a ticket.
type Row = (&'static str, &'static str, &'static str, &'static str);

const ROWS: [Row; 11] = [
    ("alice", "granted", "granted", "granted"),
    ("disabled", "disabled", "disabled", NO_TICKET),
    ("locked", "locked-out", "locked-out", NO_TICKET),
    ("expired", "account-expired", "account-expired", NO_TICKET),
    ("old", "password-expired", "password-expired", NO_TICKET),
    (
        "mustchange",
        "must-change-password",
        "must-change-password",
        NO_TICKET,
    ),
    ("hours", "wrong-hours", "wrong-hours", NO_TICKET),
    ("mary", "pop3-off", "pop3-off", "pop3-off"),
    ("paul", "other-site", "other-site", "other-site"),
    ("noel", "no-mailbox", "no-mailbox", "no-mailbox"),
    ("nobody", "unknown-user", "wrong-password", NO_TICKET),
];

/// What an administrator does to bob while he has a ticket; and what his next login is refused as.
const CHANGES: [(&str, &str, &str); 5] = [
    (
        "protocolSettings",
        "POP3§0§1§4§ISO-8859-1§0§1§0§0",
        "pop3-off",
    ),
    (
        "msExchHomeServerName",
        "/o=Org/ou=London/cn=Configuration/cn=Servers/cn=EX02",
        "other-site",
    ),
    ("accountExpires", "125911584000000000", "account-expired"),
    ("userAccountControl", "514", "disabled"),
    ("msExchMailboxGuid", "", "no-mailbox"),
];

const EXCHANGE: [(&str, &str); 3] = [
    ("ldap.preset", r#""exchange-schema""#),
    ("ldap.site_servers", r#"["EX01=london", "EX02=paris"]"#),
    ("site", r#""london""#),
];

fn logins(domain: &Domain, branch: &Branch, name: &str, password: &str) -> Vec<Option<Ending>> {
    let has_ticket = password == PASSWORD && domain.tries_kinit(&[name]);
    let login = |way: Way| {
        if way.is_by_ticket() {
            return has_ticket.then(|| branch.ticket(domain, way));
        }
        let typed = if way == Way::Ntlm {
            format!("ADTEST\\{name}")
        } else {
            name.to_owned()
        };
        Some(branch.password(way, &typed, password))
    };
    Way::ALL.into_iter().map(login).collect()
}

#[test]
fn every_state_is_refused_alike_and_recorded_as_what_it_is() {
    let lab = Lab::new();
    let domain = Domain::start(&lab);
    let branch = Branch::open(&domain, &EXCHANGE);
    let mut lines = BTreeSet::new();
    let mut wrong = Vec::new();
    let heads = Way::ALL.map(|way| format!("{:22}", way.name()));
    println!("{:12}{}", "account", heads.concat());
    for (name, password, ntlm, ticket) in ROWS {
        let endings = logins(&domain, &branch, name, PASSWORD);
        let mut cells = String::new();
        for (way, ending) in Way::ALL.into_iter().zip(endings) {
            let wanted = match way {
                Way::User | Way::Plain | Way::Login => password,
                Way::Ntlm => ntlm,
                Way::Gssapi | Way::Spnego => ticket,
            };
            let came = ending.as_ref().map_or(NO_TICKET, Ending::reason);
            cells += &format!("{came:22}");
            if came != wanted {
                wrong.push(format!(
                    "{name} by {way:?}: {came}, not {wanted}: {ending:?}"
                ));
            }
            if let Some(ending) = ending
                && ending.stat.is_none()
            {
                lines.insert(ending.line);
            }
        }
        println!("{name:12}{cells}");
    }
    // A wrong password is one, whatever else is wrong with the account.
    for (name, ..) in ROWS {
        for ending in logins(&domain, &branch, name, "wrong")
            .into_iter()
            .flatten()
        {
            lines.insert(ending.line.clone());
            let told = ["wrong-password", "unknown-user", "locked-out"];
            assert!(told.contains(&ending.reason()), "{name}: {}", ending.record);
        }
    }
    what_changes_counts_for_a_ticket_too(&domain, &branch, &mut lines);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lines.len(), 1, "refusals differ: {lines:?}");
}

/// A ticket is good for hours; the account is looked at in each login.
fn what_changes_counts_for_a_ticket_too(
    domain: &Domain,
    branch: &Branch,
    lines: &mut BTreeSet<String>,
) {
    domain.kinit(&["bob"]);
    for (attribute, value, reason) in CHANGES {
        assert_eq!(branch.ticket(domain, Way::Gssapi).reason(), "granted");
        let before = domain.change("bob", attribute, value);
        for way in [Way::Gssapi, Way::Spnego] {
            let ending = branch.until(reason, || branch.ticket(domain, way));
            lines.insert(ending.line);
        }
        domain.change("bob", attribute, &before);
        branch.until("granted", || branch.ticket(domain, Way::Gssapi));
    }
}
