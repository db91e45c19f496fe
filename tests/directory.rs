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
mod lab;
#[path = "directory/live.rs"]
mod live;
#[path = "directory/openldap.rs"]
mod openldap;
#[path = "directory/served.rs"]
mod served;
