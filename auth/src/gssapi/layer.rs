//! The security layer of RFC 4752 §3.2 and §3.3: none is offered, and none can be chosen.
//!
//! TLS protects what follows; a second layer inside it would protect nothing more.

/// Bit 1: no security layer.
const NO_LAYER: u8 = 1;
/// The longest authorization identity, in octets.
const MAX_AUTHZID: usize = 1024;

/// The offer: no layer, and so a largest message of 0 octets.
pub(super) const OFFER: [u8; 4] = [NO_LAYER, 0, 0, 0];

/// Why a choice is not one of the offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotOffered {
    #[error("the answer to the offer of layers is shorter than four octets")]
    Short,
    #[error("the client chose a security layer that was not offered, or none of them")]
    Layer,
    #[error("the authorization identity is too long, is not UTF-8 or has a NUL in it")]
    Authzid,
}

/// The authorization identity in a client's choice; empty when it names none.
pub(super) fn choice(answer: &[u8]) -> Result<&str, NotOffered> {
    // RFC 4752 §3.1 wants a size of 0 when there is no layer; s-nail sends 0xFFFF. It means nothing
    // then, so it is not looked at.
    let ([layer, _, _, _], authzid) = answer.split_first_chunk().ok_or(NotOffered::Short)?;
    if *layer != NO_LAYER {
        return Err(NotOffered::Layer);
    }
    if authzid.len() > MAX_AUTHZID || authzid.contains(&0) {
        return Err(NotOffered::Authzid);
    }
    std::str::from_utf8(authzid).map_err(|_| NotOffered::Authzid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_choice_is_no_layer() {
        assert_eq!(choice(b"\x01\0\0\0"), Ok(""));
        assert_eq!(choice(b"\x01\0\0\0alice"), Ok("alice"));
        assert_eq!(choice("\u{1}\0\0\0é".as_bytes()), Ok("é"));
        assert_eq!(choice(b"\x01\0\xff\xffalice"), Ok("alice"), "s-nail");
    }

    #[test]
    fn everything_else_is_refused() {
        for (answer, why) in [
            (&b""[..], NotOffered::Short),
            (b"\x01\0\0", NotOffered::Short),
            (b"\0\0\0\0", NotOffered::Layer),
            (b"\x02\0\0\0", NotOffered::Layer),
            (b"\x03\0\0\0", NotOffered::Layer),
            (b"\x04\0\x10\0", NotOffered::Layer),
            (b"\x05\0\0\0", NotOffered::Layer),
            (b"\x81\0\0\0", NotOffered::Layer),
            (b"\x01\0\0\0alice\0", NotOffered::Authzid),
            (b"\x01\0\0\0\0", NotOffered::Authzid),
            (b"\x01\0\0\0\xc0\x80", NotOffered::Authzid),
        ] {
            assert_eq!(choice(answer), Err(why), "{answer:?}");
        }
        let long = [&OFFER[..], &[b'a'; 1025]].concat();
        assert_eq!(choice(&long), Err(NotOffered::Authzid));
    }
}
