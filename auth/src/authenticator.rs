//! The front desk: which mechanisms a channel may use, and the start of an exchange.

use std::net::IpAddr;
use std::sync::Arc;

use crate::audit::Entry;
use crate::caller::{Admission, Standing};
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::exchange::State;
use crate::mechanism::{self, Conversation, MechanismSpec, Surroundings};
use crate::throttle::Throttle;
use crate::verify::Desk;
use crate::{
    Audit, Caller, Channel, Directory, Exchange, Gssapi, Holder, LoginType, Policy, Reason,
    Recheck, Refusal, RefusalKind, Secret, Winbind,
};

/// Shared by all connections; replaced whole when the configuration is reloaded.
pub struct Authenticator {
    desk: Arc<Desk>,
    audit: Arc<dyn Audit>,
}

impl Authenticator {
    /// Lets in the users of a directory.
    pub fn with_directory(
        policy: Policy,
        directory: Arc<dyn Directory>,
        audit: Arc<dyn Audit>,
    ) -> Self {
        let (throttle, clock) = (Arc::new(Throttle::default()), Clock::start());
        Self {
            desk: Arc::new(Desk {
                policy,
                directory,
                winbind: None,
                throttle,
                clock,
                gssapi: None,
            }),
            audit,
        }
    }

    /// The same desk, which also asks a domain controller about NTLM; or no longer does.
    #[must_use]
    pub fn with_winbind(mut self, winbind: Option<Arc<Winbind>>) -> Self {
        self.desk = Arc::new(Desk {
            winbind,
            ..(*self.desk).clone()
        });
        self
    }

    /// How a domain controller is asked, if one is.
    pub fn winbind(&self) -> Option<&Arc<Winbind>> {
        self.desk.winbind.as_ref()
    }

    /// The same desk under another policy and with another directory, after the configuration was
    /// reloaded. What the throttle has counted stays counted; exchanges that were begun before go
    /// on under the old policy.
    #[must_use]
    pub fn reloaded(&self, policy: Policy, directory: Arc<dyn Directory>) -> Self {
        let desk = Desk {
            policy,
            directory,
            ..(*self.desk).clone()
        };
        Self {
            desk: Arc::new(desk),
            audit: Arc::clone(&self.audit),
        }
    }

    /// The same desk with Kerberos: GSSAPI and GSS-SPNEGO are offered while it has a key.
    #[must_use]
    pub fn with_gssapi(mut self, gssapi: Option<Arc<Gssapi>>) -> Self {
        self.desk = Arc::new(Desk {
            gssapi,
            ..(*self.desk).clone()
        });
        self
    }

    /// The SASL mechanisms that a client on this channel may use now, in the order of the rule.
    /// Names that this server does not know are left out, and NTLM where the client may not use it.
    pub fn mechanisms(&self, channel: &Channel, client: IpAddr) -> Vec<&str> {
        let offered = self.offered(channel, client);
        offered.map(MechanismSpec::name).collect()
    }

    /// Whether these sessions may go on: whoever could not log in now may not. Accounts that
    /// several of them have are asked about once, and many in one question.
    pub async fn recheck(&self, holders: &[&Holder]) -> Recheck {
        self.desk.recheck(holders).await
    }

    /// Whether USER and PASS may be used on this channel.
    pub fn permits_password(&self, channel: &Channel) -> bool {
        channel.rule.user_pass && permits(channel, true)
    }

    /// Begins `AUTH mechanism` (any case). The first step is given the initial response, or `None`
    /// when the client sent none.
    ///
    /// # Errors
    /// A refusal of kind `Mechanism` when it is not offered on this channel; the attempt has left
    /// its record. Of kind `Unavailable` when the mechanism cannot be started. Of kind
    /// `Credentials`, and to close, when the connection has begun as many attempts as it may; only
    /// the first of these leaves a record.
    pub fn begin(
        &self,
        mechanism: &str,
        channel: &Channel,
        caller: &mut Caller,
    ) -> Result<Exchange, Refusal> {
        let known = mechanism::find(mechanism);
        // What was typed here may be a password in the wrong place: it is not recorded.
        let name = known.map_or("?", MechanismSpec::name);
        let (admitted, standing, mut entry) = self.open(name, channel, caller);
        let refusal = |kind| {
            let close = standing.is_used_up(self.desk.policy.attempts_per_connection);
            Refusal { kind, close }
        };
        if !admitted {
            return Err(refusal(RefusalKind::Credentials));
        }
        let client = caller.address();
        let Some(spec) = self
            .offered(channel, client)
            .find(|spec| spec.name() == name)
        else {
            entry.close(Reason::MechanismNotOffered);
            return Err(refusal(RefusalKind::Mechanism));
        };
        let surroundings = Surroundings {
            channel,
            client,
            plus_is_offered: self.offered(channel, client).any(MechanismSpec::binds),
            names: &self.desk.policy.ntlm.names,
            gssapi: self.desk.gssapi.as_ref(),
        };
        let Some(conversation) = Conversation::begin(spec, &surroundings) else {
            entry.close(Reason::DirectoryTrouble);
            return Err(refusal(RefusalKind::Unavailable));
        };
        let state = State::Talking(conversation);
        Ok(Exchange::new(
            Arc::clone(&self.desk),
            standing,
            entry,
            state,
        ))
    }

    /// Begins USER and PASS: the same road as PLAIN, one step (`None`), no challenge. The caller
    /// asks [`Self::permits_password`] first; if it did not, the step is a refusal of kind
    /// `Mechanism`. When the connection has begun as many attempts as it may, the step is at once
    /// a refusal of kind `Credentials`, and to close.
    pub fn begin_password(
        &self,
        login: &[u8],
        password: Secret,
        channel: &Channel,
        caller: &mut Caller,
    ) -> Exchange {
        let (admitted, standing, entry) = self.open("USER", channel, caller);
        let state = if !admitted {
            State::TooMany
        } else if self.permits_password(channel) {
            Evidence::from_user_pass(login, password).map_or(State::Unreadable, State::Holding)
        } else {
            State::NotOffered
        };
        Exchange::new(Arc::clone(&self.desk), standing, entry, state)
    }

    /// The rule's mechanisms, as far as they are known, the login type permits them here, the channel
    /// and the server have what they need, and the client may use them.
    fn offered<'a>(
        &'a self,
        channel: &'a Channel,
        client: IpAddr,
    ) -> impl Iterator<Item = &'static MechanismSpec> + 'a {
        let names = channel.rule.mechanisms.iter();
        let known = names.filter_map(|name| mechanism::find(name));
        let ntlm = self.desk.policy.ntlm.offers(client);
        let has_keys = || self.desk.gssapi.as_ref().is_some_and(Gssapi::is_ready);
        known.filter(move |spec| {
            permits(channel, spec.plaintext)
                && spec.fits(channel)
                && (ntlm || !spec.is_ntlm())
                && (!spec.needs_keys() || has_keys())
        })
    }

    /// Opens an attempt and its record, and says whether the connection may still begin it.
    fn open(
        &self,
        mechanism: &'static str,
        channel: &Channel,
        caller: &Caller,
    ) -> (bool, Arc<Standing>, Entry) {
        let (standing, admission) = caller.begin(self.desk.policy.attempts_per_connection);
        let mut entry = Entry::open(&self.audit, mechanism, channel.is_protected(), caller);
        match admission {
            Admission::Admitted => {}
            Admission::Turned => entry.close(Reason::TooManyAttempts),
            Admission::TurnedAgain => entry.discard(),
        }
        (admission == Admission::Admitted, standing, entry)
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator")
            .field("policy", &self.desk.policy)
            .finish_non_exhaustive()
    }
}

/// `LoginType` of Set-PopSettings.
fn permits(channel: &Channel, plaintext: bool) -> bool {
    match channel.rule.login_type {
        LoginType::PlainText => true,
        LoginType::PlainTextAuthentication => channel.is_protected() || !plaintext,
        LoginType::Secure => channel.is_protected(),
    }
}

#[cfg(test)]
mod tests;
