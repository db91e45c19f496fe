//! How a client says who it is: USER and PASS, or a SASL mechanism by AUTH (RFC 5034).
//!
//! NTLM is that of the `ntlmclient` crate, Kerberos that of the system's library. Both work on the
//! thread that all clients share: what they take is the load's, never the server's.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use clap::ValueEnum;
use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_HOSTBASED_SERVICE, GSS_NT_USER_NAME, OidSet};
use ntlmclient::{Credentials, Flags, Message, NegotiateMessage};

use crate::Outcome;
use crate::client::Client;

/// Whom a Kerberos ticket is for.
const SERVICE: &[u8] = b"pop@localhost";
/// RFC 4752 §3.1: no security layer, no size; and no other mailbox than the user's own.
const NO_LAYER: [u8; 4] = [1, 0, 0, 0];
/// The name that an NTLM client gives itself.
const WORKSTATION: &str = "LOAD";

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Mechanism {
    UserPass,
    Plain,
    Ntlm,
    Gssapi,
}

impl Mechanism {
    /// Logs in. GSSAPI takes the ticket of this user from the cache that the environment names, and
    /// no password.
    pub(crate) async fn log_in(
        self,
        client: &mut Client,
        user: &str,
        password: &str,
    ) -> Outcome<()> {
        match self {
            Self::UserPass => {
                client.command(&format!("USER {user}")).await?;
                client.send(&format!("PASS {password}\r\n")).await?;
                client.ok(&format!("PASS of {user}")).await?;
            }
            Self::Plain => {
                let response = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
                client.send(&format!("AUTH PLAIN {response}\r\n")).await?;
                client.ok(&format!("AUTH PLAIN of {user}")).await?;
            }
            Self::Ntlm => ntlm(client, user, password).await?,
            Self::Gssapi => gssapi(client, user).await?,
        }
        Ok(())
    }
}

/// NTLMv2, without an integrity code and without bindings.
async fn ntlm(client: &mut Client, user: &str, password: &str) -> Outcome<()> {
    let flags = Flags::NEGOTIATE_UNICODE
        | Flags::REQUEST_TARGET
        | Flags::NEGOTIATE_NTLM
        | Flags::NEGOTIATE_WORKSTATION_SUPPLIED;
    let negotiate = Message::Negotiate(NegotiateMessage {
        flags,
        supplied_domain: String::new(),
        supplied_workstation: WORKSTATION.to_owned(),
        os_version: ntlmclient::OsVersion::default(),
    });
    client.send("AUTH NTLM\r\n").await?;
    client.challenge("AUTH NTLM").await?;
    answer(client, &negotiate.to_bytes()?).await?;
    let challenge = client.challenge("NEGOTIATE_MESSAGE").await?;
    let Message::Challenge(challenge) = Message::try_from(challenge.as_slice())? else {
        return Err("AUTH NTLM: the server said what is no CHALLENGE_MESSAGE".into());
    };
    let target = challenge.target_information.iter();
    let target: Vec<u8> = target.flat_map(|entry| entry.to_bytes()).collect();
    let credentials = Credentials {
        username: user.to_owned(),
        password: password.to_owned(),
        domain: String::new(),
    };
    let now = ntlmclient::get_ntlm_time();
    let response =
        ntlmclient::respond_challenge_ntlm_v2(challenge.challenge, &target, now, &credentials);
    let authenticate = response.to_message(&credentials, WORKSTATION, flags);
    answer(client, &authenticate.to_bytes()?).await?;
    client.ok(&format!("AUTH NTLM of {user}")).await?;
    Ok(())
}

/// Kerberos, with the proof that the server has its key (RFC 4752).
async fn gssapi(client: &mut Client, user: &str) -> Outcome<()> {
    let user_name = Name::new(user.as_bytes(), Some(GSS_NT_USER_NAME))?;
    let mechanisms = OidSet::singleton(GSS_MECH_KRB5)?;
    let ticket = Cred::acquire(
        Some(&user_name),
        None,
        CredUsage::Initiate,
        Some(&mechanisms),
    );
    let ticket = ticket.map_err(|error| format!("there is no ticket of {user}: {error}"))?;
    let service = Name::new(SERVICE, Some(GSS_NT_HOSTBASED_SERVICE))?;
    let flags = CtxFlags::GSS_C_MUTUAL_FLAG | CtxFlags::GSS_C_INTEG_FLAG;
    let mut context = ClientCtx::new(Some(ticket), service, flags, Some(GSS_MECH_KRB5));
    client.send("AUTH GSSAPI\r\n").await?;
    client.challenge("AUTH GSSAPI").await?;
    let mut heard = None;
    while !context.is_complete() {
        let token = context.step(heard.as_deref(), None)?;
        answer(client, token.as_deref().unwrap_or_default()).await?;
        heard = Some(client.challenge("a token of GSSAPI").await?);
    }
    let offer = context.unwrap(heard.as_deref().unwrap_or_default())?;
    if offer.len() != NO_LAYER.len() {
        return Err("AUTH GSSAPI: the server offers no layers".into());
    }
    let choice = context.wrap(false, &NO_LAYER)?;
    answer(client, &choice).await?;
    client.ok(&format!("AUTH GSSAPI of {user}")).await?;
    Ok(())
}

async fn answer(client: &mut Client, message: &[u8]) -> Outcome<()> {
    client
        .send(&format!("{}\r\n", BASE64_STANDARD.encode(message)))
        .await
}
