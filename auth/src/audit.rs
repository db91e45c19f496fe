//! One record per login attempt, at once, with the true reason and without a secret.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Binding, Caller, clock};

/// The most characters of a typed name in a record.
const MAX_SHOWN: usize = 256;

/// Why an attempt came out as it did. Only the log hears this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The login was allowed.
    Granted,
    /// The account's time is over.
    AccountExpired,
    /// The names in the certificate reach more than one account.
    AmbiguousCertificate,
    /// NTLM: a null session, without a name and a proof.
    Anonymous,
    /// NTLM: the integrity code does not fit the messages; somebody changed one on its way.
    BadMic,
    /// The ticket cannot be opened, or is broken.
    BadTicket,
    /// The client could bind to the channel and was not offered to, though it was: somebody on the
    /// way takes things out of the offer.
    BindingStripped,
    /// The policy says that this account never logs in by POP3.
    Blocked,
    /// The client gave up, or its connection ended, before there was an outcome.
    Cancelled,
    /// The clocks of the client, the KDC and this server differ too much.
    ClockSkew,
    /// The directory could not be asked.
    DirectoryTrouble,
    /// The account is disabled.
    Disabled,
    /// The certificate's time has not come, or is over; or it cannot be read.
    InvalidCertificate,
    /// The keytab or the replay cache cannot be used.
    KerberosTrouble,
    /// The keytab has no key of the type that the ticket needs.
    KeyType,
    /// The keytab has not the version of the key that the ticket needs.
    KeyVersion,
    /// NTLM: the client answered with LM or LMv2 alone, which is never verified.
    LmOnly,
    /// The directory has locked the account after too many wrong passwords.
    LockedOut,
    /// What the client sent is not a message of the mechanism.
    Malformed,
    /// The mechanism is not offered on this channel.
    MechanismNotOffered,
    /// The password is right, and has to be changed before it is of use.
    MustChangePassword,
    /// A domain controller accepted the proof, but no account answers to the name.
    NoAccount,
    /// The client is bound to nothing, and has to be.
    NoBinding,
    /// The mechanism came to its end without anything to verify.
    NoEvidence,
    /// The account has no SCRAM keys, or was not named by its own name.
    NoKeys,
    /// The directory knows the account, and of no mailbox that it has.
    NoMailbox,
    /// NTLM: the client sent no integrity code, and has to.
    NoMic,
    /// NTLM: the account has no NT hash.
    NoNtHash,
    /// The account has no password, so none can be right.
    NoPassword,
    /// The ticket is genuine, but no rule says whose principal it is.
    NoPrincipalRule,
    /// The name and password are right, but the account may not open the mailbox asked for.
    NoRight,
    /// The account is in none of the groups that may use POP3.
    NotInGroup,
    /// NTLM is switched off, and neither the account nor its network is an exception.
    NtlmOff,
    /// NTLM: the client answered with NTLMv1, which is not accepted from its network.
    NtlmV1,
    /// NTLM: the response was made for a server of another name.
    OtherServer,
    /// The mailbox lives in another site.
    OtherSite,
    /// Too much waits for the workers already.
    Overloaded,
    /// The password is right, and too old.
    PasswordExpired,
    /// POP3 is switched off for the account.
    Pop3Off,
    /// The same name and password were refused before on this connection.
    Repeated,
    /// The account of an open session is gone, and another has its name.
    Replaced,
    /// The same authenticator came before.
    Replayed,
    /// NTLM: the response was made at another time; or the client's clock is wrong.
    Stale,
    /// Too many refused logins lately, of the account or from the source; nothing was verified.
    Throttled,
    /// The ticket has expired.
    TicketExpired,
    /// The connection has begun as many attempts as it may; nothing was looked at.
    TooManyAttempts,
    /// The certificate is genuine, but nobody's.
    UnknownCertificate,
    /// The name and password are right, but no account answers to the mailbox asked for.
    UnknownMailbox,
    /// No account answers to the name.
    UnknownUser,
    /// The ticket needs a key of RC4 or older.
    WeakKey,
    /// The client is bound to another channel, in a way that this one does not have, or under a
    /// mechanism that does not bind.
    WrongBinding,
    /// The account may not be used at this time of the day or week.
    WrongHours,
    /// The password is not the account's.
    WrongPassword,
    /// The ticket is for another service, or for a host that the keytab has no key of.
    WrongService,
    /// The account may be used from certain machines only, and this server is none of them.
    WrongWorkstation,
}

impl Reason {
    /// The word in the log: lower case with hyphens, never changed once released.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::AccountExpired => "account-expired",
            Self::AmbiguousCertificate => "ambiguous-certificate",
            Self::Anonymous => "anonymous",
            Self::BadMic => "bad-mic",
            Self::BadTicket => "bad-ticket",
            Self::BindingStripped => "binding-stripped",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::ClockSkew => "clock-skew",
            Self::DirectoryTrouble => "directory-trouble",
            Self::Disabled => "disabled",
            Self::InvalidCertificate => "invalid-certificate",
            Self::KerberosTrouble => "kerberos-trouble",
            Self::KeyType => "key-type",
            Self::KeyVersion => "key-version",
            Self::LmOnly => "lm-only",
            Self::LockedOut => "locked-out",
            Self::Malformed => "malformed",
            Self::MechanismNotOffered => "mechanism-not-offered",
            Self::MustChangePassword => "must-change-password",
            Self::NoAccount => "no-account",
            Self::NoBinding => "no-binding",
            Self::NoEvidence => "no-evidence",
            Self::NoKeys => "no-keys",
            Self::NoMailbox => "no-mailbox",
            Self::NoMic => "no-mic",
            Self::NoNtHash => "no-nt-hash",
            Self::NoPassword => "no-password",
            Self::NoPrincipalRule => "no-principal-rule",
            Self::NoRight => "no-right",
            Self::NotInGroup => "not-in-group",
            Self::NtlmOff => "ntlm-off",
            Self::NtlmV1 => "ntlmv1",
            Self::OtherServer => "other-server",
            Self::OtherSite => "other-site",
            Self::Overloaded => "overloaded",
            Self::PasswordExpired => "password-expired",
            Self::Pop3Off => "pop3-off",
            Self::Repeated => "repeated",
            Self::Replaced => "replaced",
            Self::Replayed => "replayed",
            Self::Stale => "stale",
            Self::Throttled => "throttled",
            Self::TicketExpired => "ticket-expired",
            Self::TooManyAttempts => "too-many-attempts",
            Self::UnknownCertificate => "unknown-certificate",
            Self::UnknownMailbox => "unknown-mailbox",
            Self::UnknownUser => "unknown-user",
            Self::WeakKey => "weak-key",
            Self::WrongBinding => "wrong-binding",
            Self::WrongHours => "wrong-hours",
            Self::WrongPassword => "wrong-password",
            Self::WrongService => "wrong-service",
            Self::WrongWorkstation => "wrong-workstation",
        }
    }

    /// Whether the login was allowed.
    pub fn is_granted(self) -> bool {
        self == Self::Granted
    }

    /// Whether the server is to blame, not the client: worth an administrator's look.
    pub fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::DirectoryTrouble | Self::KerberosTrouble | Self::Overloaded
        )
    }
}

/// A stricter rule under which a login that was let in would have been refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WouldBreak {
    /// `ntlm.mode = "off"`.
    NtlmOff,
    /// `extended_protection = "allow"`: the client is bound to something else.
    ProtectionAllow,
    /// `extended_protection = "require"`: the client is bound to nothing.
    ProtectionRequire,
}

impl WouldBreak {
    /// The word in the log, never changed once released.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NtlmOff => "ntlm-off",
            Self::ProtectionAllow => "protection-allow",
            Self::ProtectionRequire => "protection-require",
        }
    }
}

/// Which NTLM a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NtlmForm {
    /// A null session.
    Anonymous,
    /// LM or LMv2 alone.
    Lm,
    /// NTLMv1.
    V1,
    /// NTLMv2.
    V2,
}

impl NtlmForm {
    /// The word in the log, never changed once released.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Lm => "lm",
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// One attempt to log in. Names are as typed, at most 256 characters, with controls escaped.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    /// The number of the connection.
    pub session: u64,
    /// The client's address; an IPv4-mapped one as IPv4.
    pub address: IpAddr,
    /// `USER` for USER and PASS, else the SASL mechanism; `?` where one attempt too many named none
    /// that this server knows, as what was typed there may be a password in the wrong place.
    pub mechanism: &'static str,
    /// Whether the connection runs under TLS.
    pub tls: bool,
    /// What the client bound itself to, as far as the mechanism binds. It is proven only when the
    /// login was granted.
    pub binding: Binding,
    /// NTLM: which one.
    pub ntlm: Option<NtlmForm>,
    /// NTLM: what the client says about its machine, which need not be true.
    pub workstation: Option<String>,
    /// NTLM: whether the client says that it protects the messages with an integrity code.
    pub mic: Option<bool>,
    /// The stricter rules under which this login would have been refused. Only of one that was
    /// granted, and only where a rule stands on `audit`.
    pub would_break: Vec<WouldBreak>,
    /// The name as typed, if the client came so far. For EXTERNAL the certificate's fingerprint.
    pub login: Option<String>,
    /// The mailbox asked for as typed (the authorization identity), if the client named one.
    pub mailbox: Option<String>,
    /// The account whose mailbox was to be opened, as far as it is known.
    pub account: Option<String>,
    /// The account whose password was given, when it is a delegate.
    pub delegate: Option<String>,
    /// The site of the mailbox.
    pub site: Option<String>,
    /// What came of it.
    pub reason: Reason,
    /// What is behind the reason, and what to do about it, where the reason alone does not say; what
    /// came from the client in it is bounded and escaped.
    pub detail: Option<String>,
    /// From the beginning of the attempt to this record, the refusal delay left out. It contains
    /// the client's own time where a mechanism has several steps.
    pub duration: Duration,
}

/// Takes the records; called on the connection's own thread and must not block.
pub trait Audit: Send + Sync {
    /// One attempt is over.
    fn login(&self, record: &LoginRecord);
}

/// The record of an attempt that goes on. It is handed in exactly once: by [`Self::close`], or
/// as cancelled when it is dropped.
pub(crate) struct Entry {
    audit: Arc<dyn Audit>,
    begun: Instant,
    closed: bool,
    pub(crate) record: LoginRecord,
}

impl Entry {
    /// Begins the record of one attempt.
    pub(crate) fn open(
        audit: &Arc<dyn Audit>,
        mechanism: &'static str,
        tls: bool,
        caller: &Caller,
    ) -> Self {
        let record = LoginRecord {
            session: caller.session(),
            address: caller.address(),
            mechanism,
            tls,
            binding: Binding::None,
            ntlm: None,
            workstation: None,
            mic: None,
            would_break: Vec::new(),
            login: None,
            mailbox: None,
            account: None,
            delegate: None,
            site: None,
            reason: Reason::Cancelled,
            detail: None,
            duration: Duration::ZERO,
        };
        Self {
            audit: Arc::clone(audit),
            begun: clock::instant(),
            closed: false,
            record,
        }
    }

    /// Hands the record in. Only the first call does.
    pub(crate) fn close(&mut self, reason: Reason) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.record.reason = reason;
        self.record.duration = clock::instant().saturating_duration_since(self.begun);
        self.audit.login(&self.record);
    }

    /// Leaves no record.
    pub(crate) fn discard(&mut self) {
        self.closed = true;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(Reason::Cancelled);
    }
}

/// A typed name as it may stand in a log line: at most 256 characters, with controls and characters
/// that turn the direction of writing escaped.
pub(crate) fn shown(typed: &str) -> String {
    let mut text = String::new();
    for (count, character) in typed.chars().enumerate() {
        if count == MAX_SHOWN {
            text.push('…');
            break;
        }
        if character.is_control() || is_direction(character) {
            text.extend(character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    text
}

/// Invisible characters that turn the direction of the text around them.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_cannot_break_a_line() {
        assert_eq!(shown("alice@example.test"), "alice@example.test");
        assert_eq!(shown("CORP\\alice"), "CORP\\alice");
        assert_eq!(
            shown("a\r\nb\u{7f}\u{202e}"),
            "a\\u{d}\\u{a}b\\u{7f}\\u{202e}"
        );
        assert_eq!(shown(&"ä".repeat(999)), format!("{}…", "ä".repeat(256)));
    }
}
