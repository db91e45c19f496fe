//! NTLMv1: \[MS-NLMP\] §4.2.2 and §4.2.3, and the sessions of \[MS-POP3\] §4.

use super::super::legacy::{response, session_challenge};
use super::*;

const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

#[test]
fn ntlmv1_is_that_of_4_2_2_and_4_2_3() {
    let hash = nt_hash("Password");
    assert_eq!(
        response(&hash, &SERVER_CHALLENGE),
        array("67c43011f30298a2ad35ece64f16331c44bdbed927841f94")
    );
    let challenge = session_challenge(&SERVER_CHALLENGE, &[0xaa; 8]);
    assert_eq!(
        response(&hash, &challenge),
        array("7537f803ae367128ca458204bde7caf81e97ed2683267232")
    );
}

/// The messages of §4.2.2 and §4.2.3, without the NEGOTIATE that the document leaves out.
#[test]
fn the_messages_of_4_2_2_and_4_2_3_are_proven() {
    let plain = [
        "4e544c4d53535000020000000c000c0038000000338202e20123456789abcdef00000000000000000000000000000000\
         060070170000000f530065007200760065007200",
        "4e544c4d5353500003000000180018006c00000018001800840000000c000c0048000000080008005400000010001000\
         5c000000100010009c000000358280e20501280a0000000f44006f006d00610069006e00550073006500720043004f00\
         4d005000550054004500520098def7b87f88aa5dafe2df779688a172def11c7d5ccdef1367c43011f30298a2ad35ece6\
         4f16331c44bdbed927841f94518822b1b3f350c8958682ecbb3e3cb7",
    ];
    let transcript = transcript(&base64(NEGOTIATE), &hex(plain[0]), &hex(plain[1]));
    assert_eq!(transcript.authenticate.user, "User");
    let encrypted = array("518822b1b3f350c8958682ecbb3e3cb7");
    assert_eq!(transcript.authenticate.session_key, Some(encrypted));
    let v1 = v1(&transcript);
    assert_eq!(v1.client_challenge, None);
    assert!(transcript.proves_v1(v1, &nt_hash("Password")));
    assert!(!transcript.proves_v1(v1, &nt_hash("password")));
}

const NEGOTIATE: &str = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAFASgKAAAADw==";
/// §4.1 of \[MS-POP3\].
const CHALLENGE: &str = "TlRMTVNTUAACAAAAFAAUADgAAAAFgoqinziKqGYjdlEAAAAAAAAAAGQAZABMAAAABQLODgAAAA9UAEUAUwBUAFMARQBSAFYARQBSAAIAFABUAEUAUwBUAFMARQBSAFYARQBSAAEAFABUAEUAUwBUAFMARQBSAFYARQBSAAQAFABUAGUAcwB0AFMAZQByAHYAZQByAAMAFABUAGUAcwB0AFMAZQByAHYAZQByAAAAAAA=";
pub(super) const AUTHENTICATE: &str = "TlRMTVNTUAADAAAAGAAYAGIAAAAYABgAegAAAAAAAABIAAAACAAIAEgAAAASABIAUAAAAAAAAACSAAAABYKIogUBKAoAAAAPdQBzAGUAcgBOAEYALQBDAEwASQBFAE4AVABKMiQ4djhcSgAAAAAAAAAAAAAAAAAAAAC7zUSgB0Auy98bRi6h3mwHMJfbKNtxmmo=";
/// §4.2: the server refuses it. Its challenge differs in the eight octets of the number alone.
const REFUSED: &str = "TlRMTVNTUAADAAAAGAAYAGIAAAAYABgAegAAAAAAAABIAAAACAAIAEgAAAASABIAUAAAAAAAAACSAAAABYKIogUBKAoAAAAPdQBzAGUAcgBOAEYALQBDAEwASQBFAE4AVAAOarJ6lZ5ZNwAAAAAAAAAAAAAAAAAAAACD9mD8jmWs4FkZe59/nNb1cF2HkL0CGZw=";

#[test]
fn both_sessions_of_ms_pop3_are_what_the_document_says() {
    let transcript = transcript(
        &base64(NEGOTIATE),
        &base64(CHALLENGE),
        &base64(AUTHENTICATE),
    );
    assert_eq!(transcript.authenticate.user, "user");
    assert_eq!(transcript.authenticate.workstation, "NF-CLIENT");
    let response = v1(&transcript);
    assert!(response.client_challenge.is_some());
    assert!(transcript.proves_v1(response, &nt_hash("password")));
    assert!(!transcript.proves_v1(response, &nt_hash("badpassword")));
    // Without extended session security it would be another computation, and wrong.
    let mut older = transcript.clone();
    older.challenge.flags = Flags::from_bits(0xa282_8205);
    assert!(!older.proves_v1(v1(&older), &nt_hash("password")));

    let mut other = base64(CHALLENGE);
    other[24..32].copy_from_slice(&hex("79459de444b8062d"));
    let refused = super::transcript(&base64(NEGOTIATE), &other, &base64(REFUSED));
    assert!(!refused.proves_v1(v1(&refused), &nt_hash("password")));
    assert!(refused.proves_v1(v1(&refused), &nt_hash("badpassword")));
}
