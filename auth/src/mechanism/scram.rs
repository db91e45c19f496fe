//! The guard in front of rsasl's SCRAM (RFC 5802, RFC 7677): no message reaches it that was not
//! looked at here.
//!
//! rsasl 2.3.1 reads before the end of short fields, does not decode `=2C` and `=3D`, takes any
//! binding under the name without `-PLUS`, and leaves extensions out of what is signed. It does the
//! computation; what is read here decides.

use super::authzid;
use crate::{Channel, Reason};

/// The longest message of a client, in octets: two names of 1024, escaped, and the rest.
const MAX_MESSAGE: usize = 8 * 1024;
/// The longest nonce of a client; real ones have 18 to 64.
const MAX_NONCE: usize = 512;
/// The longest name, in octets, after decoding.
const MAX_NAME: usize = 1024;

/// Which channel binding a login had. Only the log hears this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// None.
    #[default]
    None,
    /// RFC 9266.
    TlsExporter,
    /// RFC 5929 §4.
    TlsServerEndPoint,
    /// Another connection's, or nothing that this one could be compared with.
    Wrong,
}

impl Binding {
    /// The word in the log, and where there is a binding its registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
            Self::Wrong => "wrong",
        }
    }

    /// The octets of this binding on a channel, when it has it.
    pub(super) fn data(self, channel: &Channel) -> Option<&[u8]> {
        let facts = channel.tls.as_ref()?;
        match self {
            Self::None | Self::Wrong => None,
            Self::TlsExporter => facts.exporter.as_ref().map(<[u8; 32]>::as_slice),
            Self::TlsServerEndPoint => facts.server_end_point.as_deref(),
        }
    }

    /// The binding of a registered name, when the channel has it.
    pub(super) fn named(name: &str, channel: &Channel) -> Option<Self> {
        [Self::TlsExporter, Self::TlsServerEndPoint]
            .into_iter()
            .find(|kind| kind.as_str() == name && kind.data(channel).is_some())
    }
}

/// Whether there is anything on this channel to bind to.
pub(super) fn can_bind(channel: &Channel) -> bool {
    [Binding::TlsExporter, Binding::TlsServerEndPoint]
        .into_iter()
        .any(|kind| kind.data(channel).is_some())
}

/// What the server offers next to what the client has chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// The client asked for the name that ends in `-PLUS`.
    pub(super) plus: bool,
    /// A name that ends in `-PLUS` is offered on this channel.
    pub(super) plus_is_offered: bool,
}

/// What a client-first-message says (RFC 5802 §7).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst {
    pub(super) login: String,
    pub(super) authzid: Option<String>,
    pub(super) binding: Binding,
}

/// Reads a client-first-message and judges its binding.
pub(super) fn client_first(
    message: &[u8],
    offer: Offer,
    channel: &Channel,
) -> Result<ClientFirst, Reason> {
    let fields = fields(message).ok_or(Reason::Malformed)?;
    // An extension would be signed by the client and not by rsasl; no client sends one.
    let &[flag, authzid, name, nonce] = fields.as_slice() else {
        return Err(Reason::Malformed);
    };
    let nonce = nonce.strip_prefix("r=").ok_or(Reason::Malformed)?;
    let name = name.strip_prefix("n=").ok_or(Reason::Malformed)?;
    if nonce.len() > MAX_NONCE || !is_nonce(nonce) {
        return Err(Reason::Malformed);
    }
    let login = decode(name).ok_or(Reason::Malformed)?;
    let authzid = match authzid.strip_prefix("a=") {
        Some(text) => {
            let text = decode(text).ok_or(Reason::Malformed)?;
            authzid::prepare(&text).map_err(|_| Reason::Malformed)?
        }
        None if authzid.is_empty() => None,
        None => return Err(Reason::Malformed),
    };
    Ok(ClientFirst {
        binding: binding(flag, offer, channel)?,
        login: prepare(login)?,
        authzid,
    })
}

/// RFC 5802 §6: `p=` belongs to the `-PLUS` name and to it alone; a client that says `y` has seen
/// no `-PLUS`, so that where it is offered somebody took it out of the offer.
fn binding(flag: &str, offer: Offer, channel: &Channel) -> Result<Binding, Reason> {
    match (flag, flag.strip_prefix("p=")) {
        (_, Some(name)) if offer.plus => Binding::named(name, channel).ok_or(Reason::WrongBinding),
        (_, Some(_)) => Err(Reason::WrongBinding),
        ("n" | "y", None) if offer.plus => Err(Reason::WrongBinding),
        ("y", None) if offer.plus_is_offered => Err(Reason::BindingStripped),
        ("n" | "y", None) => Ok(Binding::None),
        (_, None) => Err(Reason::Malformed),
    }
}

/// RFC 5802 §5.1: the name is prepared by SASLprep. One that SASLprep refuses (it is older than
/// many characters) is taken as typed, as it is in PLAIN: then it reaches the same account.
fn prepare(login: String) -> Result<String, Reason> {
    match stringprep::saslprep(&login) {
        Ok(prepared) if prepared.is_empty() => Err(Reason::Malformed),
        Ok(prepared) => Ok(prepared.into_owned()),
        Err(_) => Ok(login),
    }
}

/// Whether a message has the form of a client-final-message: a binding, a nonce and a proof, each
/// there, and nothing else.
pub(super) fn is_client_final(message: &[u8]) -> bool {
    let Some(fields) = fields(message) else {
        return false;
    };
    let &[binding, nonce, proof] = fields.as_slice() else {
        return false;
    };
    let long =
        |field: &str, key: &str| field.strip_prefix(key).is_some_and(|rest| !rest.is_empty());
    long(binding, "c=")
        && nonce.strip_prefix("r=").is_some_and(is_nonce)
        // 32 octets in base64, with its padding.
        && proof.strip_prefix("p=").is_some_and(|proof| proof.len() == 44)
}

fn fields(message: &[u8]) -> Option<Vec<&str>> {
    if message.len() > MAX_MESSAGE {
        return None;
    }
    let text = std::str::from_utf8(message).ok()?;
    // One more than any message has, so that a message of commas costs nothing.
    Some(text.splitn(6, ',').collect())
}

/// RFC 5802 §7: `printable`, which is ASCII without the comma.
fn is_nonce(nonce: &str) -> bool {
    let printable = |octet: u8| matches!(octet, 0x21..=0x2b | 0x2d..=0x7e);
    !nonce.is_empty() && nonce.bytes().all(printable)
}

/// RFC 5802 §5.1: `=2C` is a comma, `=3D` an equals sign, and no other `=` may stand there.
fn decode(name: &str) -> Option<String> {
    let mut pieces = name.split('=');
    let mut decoded = pieces.next()?.to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            (None, None) => return None,
        };
        decoded.push(character);
        decoded.push_str(rest);
    }
    (!decoded.is_empty() && decoded.len() <= MAX_NAME).then_some(decoded)
}

/// Why rsasl did not take a proof, from its last message, which no client gets to see.
pub(super) fn why_not(server_final: &[u8]) -> Reason {
    if server_final.starts_with(b"e=channel-bindings-dont-match") {
        Reason::WrongBinding
    } else {
        Reason::WrongPassword
    }
}

#[cfg(test)]
mod tests;
