//! Extended Protection: whether a login is bound to the TLS connection that it came over.
//!
//! Without it, who gets a client to log in elsewhere can hand the talk on to this server. NTLM and
//! GSSAPI clients bind themselves to the server's certificate (`tls-server-end-point`, RFC 5929
//! §4). The rule is decided here, for every mechanism alike; how a mechanism carries the binding
//! is its own business. SCRAM has its own rule: a name that ends in `-PLUS` binds, always.

use crate::Reason;
use crate::audit::WouldBreak;

/// What a listener asks of NTLM and GSSAPI: Exchange's and IIS' `ExtendedProtectionPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedProtection {
    /// Bindings are not looked at.
    None,
    /// As [`Self::None`], but the record of a login says which stricter rule would refuse it.
    Audit,
    /// A client that binds must be bound to this server; one that cannot is let in.
    #[default]
    Allow,
    /// Every client must bind. Without a certificate to bind to (no TLS, or one whose signature
    /// defines no hash), and without `tls.extra_certificates`, nobody can.
    Require,
}

/// What a client bound itself to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Nothing.
    Nothing,
    /// A certificate that this server stands behind.
    Here,
    /// Another certificate.
    Elsewhere,
    /// Something, but the connection has no certificate to compare it with.
    Unknown,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// The login may go on.
    Accepted,
    /// It may go on, and would not under this stricter rule.
    Noted(WouldBreak),
    /// It may not.
    Refused(Reason),
}

impl ExtendedProtection {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Audit => "audit",
            Self::Allow => "allow",
            Self::Require => "require",
        }
    }

    /// What becomes of a login with this binding, whose proof is right.
    pub(crate) fn judge(self, bound: Bound) -> Ruling {
        match (self, bound) {
            (Self::None, _) | (_, Bound::Here) | (Self::Allow, Bound::Nothing) => Ruling::Accepted,
            (Self::Audit, Bound::Nothing) => Ruling::Noted(WouldBreak::ProtectionRequire),
            (Self::Audit, Bound::Elsewhere | Bound::Unknown) => {
                Ruling::Noted(WouldBreak::ProtectionAllow)
            }
            (Self::Require, Bound::Nothing) => Ruling::Refused(Reason::NoBinding),
            (Self::Allow | Self::Require, Bound::Elsewhere | Bound::Unknown) => {
                Ruling::Refused(Reason::WrongBinding)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule with every binding, in one table.
    #[test]
    fn every_rule_meets_every_binding() {
        use Bound::{Elsewhere, Here, Nothing, Unknown};
        use ExtendedProtection::{Allow, Audit, None, Require};
        let ok = Ruling::Accepted;
        let allow = Ruling::Noted(WouldBreak::ProtectionAllow);
        let require = Ruling::Noted(WouldBreak::ProtectionRequire);
        let wrong = Ruling::Refused(Reason::WrongBinding);
        let missing = Ruling::Refused(Reason::NoBinding);
        let rows = [
            (Nothing, [ok, require, ok, missing]),
            (Here, [ok, ok, ok, ok]),
            (Elsewhere, [ok, allow, wrong, wrong]),
            (Unknown, [ok, allow, wrong, wrong]),
        ];
        for (bound, expected) in rows {
            let judged = [None, Audit, Allow, Require].map(|rule| rule.judge(bound));
            assert_eq!(judged, expected, "{bound:?}");
        }
    }
}
