//! Kerberos: GSSAPI (RFC 4752 over RFC 4121 tokens) and GSS-SPNEGO, for logins alone.
//!
//! This room accepts contexts with MIT's library, says whose ticket it was, and explains why one
//! was not taken. It never asks a directory, asks no KDC for a login (`trial` does, for
//! administrators), and decides only which login a principal is ([`PrincipalRules`]). Everything that calls the library runs in a [`crate::Pool`].
//!
//! GSS-SPNEGO has no negotiation of layers: the login is over with the context, as Windows and
//! Cyrus SASL have it.

mod acquire;
mod ap_req;
mod enctype;
mod failure;
mod keys;
mod keytab;
mod layer;
mod number;
mod principal;
mod rules;
mod talk;
mod trial;

pub(crate) use ap_req::read as ticket;
pub use enctype::Enctype;
pub(crate) use failure::Failure;
pub use keys::{Gssapi, GssapiSettings, KeysError, ServiceName};
pub use keytab::{Keytab, KeytabError, KeytabKey};
pub use principal::Principal;
pub(crate) use rules::is_self;
pub use rules::{LoginPattern, PrincipalRule, PrincipalRules, RealmRule};
pub(crate) use talk::{Bindings, Flavour, Proven, Said, Talk};

pub use trial::{ClientSecret, TicketError, TrialClient, TrialTicket};

#[cfg(test)]
mod tests;
