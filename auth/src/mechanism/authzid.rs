//! The authorization identity: whose mailbox is asked for.

/// It cannot be prepared, or nothing is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unprepared;

/// RFC 5034 §4: "If the preparation of the authorization identity fails or results in an empty
/// string (unless it was transmitted as the empty string), the server MUST fail".
pub(crate) fn prepare(authzid: &str) -> Result<Option<String>, Unprepared> {
    if authzid.is_empty() {
        return Ok(None);
    }
    match stringprep::saslprep(authzid) {
        Ok(prepared) if !prepared.is_empty() => Ok(Some(prepared.into_owned())),
        Ok(_) | Err(_) => Err(Unprepared),
    }
}
