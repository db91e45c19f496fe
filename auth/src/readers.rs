//! What fuzz targets reach of the readers that are private otherwise: octets in, plain data out.
//!
//! Not a part of the interface: nothing but `fuzz/bodies` uses it, and nobody logs in by it.

use crate::gssapi;
use crate::ldap;
use crate::ntlm::{self, Malformed, Response};
use crate::winbind;
use crate::{Enctype, Login, NameTemplate, NtlmForm, NtlmNames, Principal, Schema};

/// AUTHENTICATE as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticate {
    /// The user's name.
    pub user: String,
    /// The domain.
    pub domain: String,
    /// What the client calls its machine.
    pub workstation: String,
    /// NegotiateFlags.
    pub flags: u32,
    /// What it offers as proof.
    pub form: NtlmForm,
    /// NTLMv1: the response, and the client's challenge where there is one.
    pub v1: Option<([u8; 24], Option<[u8; 8]>)>,
    /// NTLMv2: the proof, and what it is over.
    pub v2: Option<([u8; 16], Vec<u8>)>,
    /// The encrypted session key.
    pub session_key: Option<[u8; 16]>,
    /// The integrity code, and the message with zeros in its place.
    pub code: Option<([u8; 16], Vec<u8>)>,
}

/// Reads AUTHENTICATE, with names in UTF-16 or in OEM.
///
/// # Errors
/// Why it is none, in words.
pub fn ntlm_authenticate(message: &[u8], unicode: bool) -> Result<Authenticate, String> {
    let encoding = if unicode {
        ntlm::Encoding::Unicode
    } else {
        ntlm::Encoding::Oem
    };
    let read = ntlm::Authenticate::parse(message, encoding).map_err(words)?;
    let code = read.integrity_code();
    let (form, v1, v2) = match read.response {
        Response::Anonymous => (NtlmForm::Anonymous, None, None),
        Response::LmOnly => (NtlmForm::Lm, None, None),
        Response::V1(one) => (
            NtlmForm::V1,
            Some((one.response, one.client_challenge)),
            None,
        ),
        Response::V2(two) => (NtlmForm::V2, None, Some((two.proof, two.temp))),
    };
    Ok(Authenticate {
        user: read.user,
        domain: read.domain,
        workstation: read.workstation,
        flags: read.flags.bits(),
        form,
        v1,
        v2,
        session_key: read.session_key,
        code,
    })
}

/// The CHALLENGE that answers a NEGOTIATE.
///
/// # Errors
/// Why there is none, in words.
pub fn ntlm_challenge(
    negotiate: &[u8],
    names: &NtlmNames,
    server_challenge: [u8; 8],
    timestamp: u64,
) -> Result<Vec<u8>, String> {
    let negotiate = ntlm::Negotiate::parse(negotiate).map_err(words)?;
    ntlm::Challenge::answer(&negotiate, names, server_challenge, timestamp)
        .map(|challenge| challenge.raw)
        .map_err(words)
}

/// A list of AV pairs, in its order.
///
/// # Errors
/// Why it is none, in words.
pub fn ntlm_pairs(octets: &[u8]) -> Result<Vec<(u16, &[u8])>, String> {
    ntlm::AvPairs::parse(octets)
        .map(ntlm::AvPairs::into_list)
        .map_err(words)
}

fn words(fault: Malformed) -> String {
    fault.to_string()
}

/// What winbind's helper answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WinbindAnswer {
    /// There is more to come.
    Partial,
    /// Nothing that answers the request.
    OutOfStep,
    /// The response is right; the session key.
    Right([u8; 16]),
    /// It is wrong, in the controller's words.
    Wrong(String),
    /// The controller could not be asked, in the helper's words.
    Trouble(String),
}

/// The lines of a request to winbind's helper.
pub fn winbind_request(user: &str, domain: &str, response: &[u8], nonce: u64) -> String {
    let request = winbind::Request {
        user: user.to_owned(),
        domain: domain.to_owned(),
        server_challenge: *b"\x01\x23\x45\x67\x89\xab\xcd\xef",
        response: response.to_vec(),
    };
    winbind::request(&request, nonce)
}

/// What has come of an answer to a request with this number.
pub fn winbind_answer(read: &[u8], nonce: u64) -> WinbindAnswer {
    match winbind::answer(read, nonce) {
        Ok(None) => WinbindAnswer::Partial,
        Ok(Some(winbind::Verdict::Right(key))) => WinbindAnswer::Right(*key.expose()),
        Ok(Some(winbind::Verdict::Wrong(words))) => WinbindAnswer::Wrong(words),
        Ok(Some(winbind::Verdict::Trouble(words))) => WinbindAnswer::Trouble(words),
        Err(winbind::OutOfStep) => WinbindAnswer::OutOfStep,
    }
}

/// Whom a Kerberos ticket is for, and the version and type of its key, out of a client's first token.
pub fn ticket(token: &[u8]) -> Option<(Principal, Option<u32>, Enctype)> {
    let ticket = gssapi::ticket(token)?;
    Some((ticket.service, ticket.kvno, ticket.enctype))
}

/// The filter that finds who typed this.
pub fn ldap_filter(schema: &Schema, login: &Login) -> String {
    ldap::filter_text(schema, login)
}

/// The name under which an account binds.
pub fn ldap_bind_name(template: &NameTemplate, account: &str) -> Option<String> {
    ldap::bind_name(template, account)
}
