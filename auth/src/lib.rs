//! Who are you: the authenticator layer of Postern.
//!
//! This crate knows no POP3 and no client socket. A caller opens an [`Exchange`] with
//! [`Authenticator::begin`], carries octets between it and the client, and gets either an
//! [`Identity`] (the permission slip to open one maildrop, which nothing else can make) or a
//! [`Refusal`] that says no more than the client may know. The true reason goes into the one
//! [`LoginRecord`] that every attempt leaves behind.

mod account;
mod audit;
mod authenticator;
mod caller;
mod channel;
mod exchange;
mod identity;
mod policy;
mod refusal;
mod secret;

pub use account::{Account, Site};
pub use audit::{Audit, LoginRecord, Reason};
pub use authenticator::Authenticator;
pub use caller::Caller;
pub use channel::{Channel, Protection};
pub use exchange::{Exchange, Progress};
pub use identity::Identity;
pub use policy::{CrossSite, LoginRule, LoginType, Policy};
pub use refusal::{Refusal, RefusalKind};
pub use secret::Secret;
