//! Who are you: the authenticator layer of Postern.
//!
//! This crate knows no POP3 and no client socket. A caller opens an [`Exchange`] with
//! [`Authenticator::begin`], carries octets between it and the client, and gets either an
//! [`Identity`] (the permission slip to open one maildrop, which nothing else can make) or a
//! [`Refusal`] that says no more than the client may know. The true reason goes into the one
//! [`LoginRecord`] that every attempt leaves behind.
//!
//! | room | what it is | what it never does |
//! |---|---|---|
//! | `mechanism` | SASL: collects evidence | ask a directory, say who may log in |
//! | `verify` | every check of a login, once | talk to the client |
//! | [`Directory`], `local`, `ldap` | the accounts | decide |
//! | `gssapi` | Kerberos: contexts, keys, whose principal is which login | ask a KDC or a directory |
//! | `extended_protection` | judges what a client is bound to | know how a mechanism carries it |
//! | `throttle` | counts refused logins | look at a clock |
//! | [`Client`] | the other side of the mechanisms, for trying a login | log anybody in |
//! | [`Pool`] | does slow work fairly | grow |
//! | `readers` | shows private readers of octets to the fuzz targets | let anybody in |

mod account;
mod audit;
mod authenticator;
mod caller;
mod certificate;
mod channel;
mod client;
mod clock;
mod description;
mod directories;
mod directory;
mod entry_id;
mod evidence;
mod exchange;
mod extended_protection;
mod gssapi;
mod holder;
#[cfg(test)]
mod house;
mod identity;
mod ldap;
mod letters;
mod local;
mod login;
mod mechanism;
mod network;
mod ntlm;
mod password;
mod policy;
mod pool;
#[doc(hidden)]
pub mod readers;
mod refusal;
mod scram;
mod secret;
mod source;
mod throttle;
mod verify;
mod winbind;

pub use account::{Account, Site};
pub use audit::{Audit, LoginRecord, NtlmForm, Reason, WouldBreak};
pub use authenticator::Authenticator;
pub use caller::Caller;
pub use certificate::{CertificateName, Fingerprint};
pub use channel::{Channel, TlsFacts};
pub use client::{Client, ClientError};
pub use description::{Description, NtHashForm};
pub use directories::Directories;
pub use directory::{Answer, Directory, Name, Recalled, ScramAnswer, Unavailable, Verdict};
pub use entry_id::EntryId;
pub use exchange::{Exchange, Progress};
pub use extended_protection::ExtendedProtection;
pub use gssapi::{
    ClientSecret, Enctype, Gssapi, GssapiSettings, KeysError, Keytab, KeytabError, KeytabKey,
    LoginPattern, Principal, PrincipalRule, PrincipalRules, RealmRule, ServiceName, TicketError,
    TrialClient, TrialTicket,
};
pub use holder::{Holder, Known};
pub use identity::Identity;
pub use ldap::{
    Address, Attribute, CacheTimes, DomainServers, Groups, LdapDirectory, LdapEntry, LdapInquiry,
    LdapServer, LdapSettings, LdapTls, LdapTlsError, LdapTrouble, Mentioned, NameTemplate, Preset,
    Proof, Schema, SecretFileError, ServerError, ServiceAccount, SetupError, SiteRule, Subschema,
    Survey, UnknownSite, WrittenFilter, base_of_domain, read_secret,
};
pub use local::{
    DamagedNtHash, ImportNote, Imported, KeyError, LocalDirectory, LocalUsers, Owner, Problem,
    SealTrouble, StoredNtHash, User, UsersError, UsersFile, UsersKey, import_passwd_file,
    import_smbpasswd,
};
pub use login::{Login, LoginError};
pub use mechanism::Binding;
pub use network::{Network, NetworkError};
pub use ntlm::{NtHash, NtlmMode, NtlmNames, NtlmPolicy, NtlmVerify};
pub use password::{HashError, PasswordHash, hash_password};
pub use policy::{CrossSite, LoginRule, LoginType, Policy};
pub use pool::{Overloaded, Pace, Pool};
pub use refusal::{Refusal, RefusalKind};
pub use scram::{ScramError, ScramKeys};
pub use secret::Secret;
pub use source::Source;
pub use verify::Recheck;
pub use winbind::{HelperTrial, JoinedNames, Winbind, WinbindSettings};
