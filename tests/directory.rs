//! Postern on a real directory: OpenLDAP and an Active Directory domain, as `[ldap]` describes them.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests start programs and take the time"
)]
#![expect(
    clippy::print_stdout,
    reason = "the tables of names and accounts are worth reading"
)]

#[path = "directory/ad.rs"]
mod ad;
#[path = "directory/attempts.rs"]
mod attempts;
#[path = "directory/checked.rs"]
mod checked;
#[path = "directory/crowd.rs"]
mod crowd;
#[path = "directory/documented.rs"]
mod documented;
#[path = "directory/emptied.rs"]
mod emptied;
mod lab;
#[path = "directory/live.rs"]
mod live;
#[path = "directory/member_of.rs"]
mod member_of;
#[path = "directory/office.rs"]
mod office;
#[path = "directory/openldap.rs"]
mod openldap;
#[path = "directory/reloaded.rs"]
mod reloaded;
#[path = "directory/served.rs"]
mod served;
#[path = "directory/slow.rs"]
mod slow;
#[path = "directory/vanished.rs"]
mod vanished;
#[path = "directory/whois.rs"]
mod whois;
