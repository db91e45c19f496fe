//! Whole messages: of the specification, of clients, and ours.

use super::super::acceptor::Weakness;
use super::super::challenge::NtlmNames;
use super::*;

/// \[MS-NLMP\] with a timestamp, an integrity code and a binding; the key is exchanged.
pub(super) const EXCHANGED: [&str; 3] = [
    "TlRMTVNTUAABAAAAN4II4gAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
    "TlRMTVNTUAACAAAADAAMADgAAAA1goniASNFZ4mrze8AAAAAAAAAAH4AfgBEAAAACgBhSgAAAA9EAE8ATQBBAEkATgACAAwARABPAE0AQQBJAE4AAQAMAFMARQBSAFYARQBSAAQAHABkAG8AbQBhAGkAbgAuAGUAeABhAG0AcABsAGUAAwAqAHMAZQByAHYAZQByAC4AZABvAG0AYQBpAG4ALgBlAHgAYQBtAHAAbABlAAcACAAAkNM2tzTDAQAAAAA=",
    "TlRMTVNTUAADAAAAGAAYAHwAAAAAAQABlAAAAAwADABYAAAACAAIAGQAAAAQABAAbAAAABAAEACUAQAANYKI4goAYUoAAAAPBJe8NMtccD7W0H896ADtoUQATwBNAEEASQBOAFUAcwBlAHIAQwBPAE0AUABVAFQARQBSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB4Wpn7eMqlHFESMMD3VwLsBAQAAAAAAAACQ0za3NMMBqqqqqqqqqqoAAAAAAgAMAEQATwBNAEEASQBOAAEADABTAEUAUgBWAEUAUgAEABwAZABvAG0AYQBpAG4ALgBlAHgAYQBtAHAAbABlAAMAKgBzAGUAcgB2AGUAcgAuAGQAbwBtAGEAaQBuAC4AZQB4AGEAbQBwAGwAZQAHAAgAAJDTNrc0wwEGAAQAAgAAAAoAEADPdjky6dJharlStjtYQgTjCQAyAHAAbwBwAC8AcwBlAHIAdgBlAHIALgBkAG8AbQBhAGkAbgAuAGUAeABhAG0AcABsAGUAAAAAAAAAAABQNBBqM9GIeJh/ciTWAGfa",
];
/// The same without a layer and without an exchanged key.
pub(super) const PLAIN: [&str; 3] = [
    "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
    "TlRMTVNTUAACAAAADAAMADgAAAAFgomiASNFZ4mrze8AAAAAAAAAAH4AfgBEAAAACgBhSgAAAA9EAE8ATQBBAEkATgACAAwARABPAE0AQQBJAE4AAQAMAFMARQBSAFYARQBSAAQAHABkAG8AbQBhAGkAbgAuAGUAeABhAG0AcABsAGUAAwAqAHMAZQByAHYAZQByAC4AZABvAG0AYQBpAG4ALgBlAHgAYQBtAHAAbABlAAcACAAAkNM2tzTDAQAAAAA=",
    "TlRMTVNTUAADAAAAGAAYAHwAAAAAAQABlAAAAAwADABYAAAACAAIAGQAAAAQABAAbAAAAAAAAACUAQAABYKIogoAYUoAAAAPW38Vyf/ZHV8+ChAxZxueA0QATwBNAEEASQBOAFUAcwBlAHIAQwBPAE0AUABVAFQARQBSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB4Wpn7eMqlHFESMMD3VwLsBAQAAAAAAAACQ0za3NMMBqqqqqqqqqqoAAAAAAgAMAEQATwBNAEEASQBOAAEADABTAEUAUgBWAEUAUgAEABwAZABvAG0AYQBpAG4ALgBlAHgAYQBtAHAAbABlAAMAKgBzAGUAcgB2AGUAcgAuAGQAbwBtAGEAaQBuAC4AZQB4AGEAbQBwAGwAZQAHAAgAAJDTNrc0wwEGAAQAAgAAAAoAEADPdjky6dJharlStjtYQgTjCQAyAHAAbwBwAC8AcwBlAHIAdgBlAHIALgBkAG8AbQBhAGkAbgAuAGUAeABhAG0AcABsAGUAAAAAAAAAAAA=",
];
/// What curl sends first: OEM alone.
const CURL_NEGOTIATE: &str = "TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=";
/// What curl once answered: OEM, no domain, no integrity code, a clock of 1970.
const CURL_AUTHENTICATE: &str = "TlRMTVNTUAADAAAAGAAYAEAAAACeAJ4AWAAAAAAAAAD2AAAACAAIAPYAAAAIAAgA/gAAAAAAAAAAAAAABoKBAL9LNW5+nkyHZRmyFaL/LJ4xMjM0MjIzNGUCyhgQ9hw6eWAT13EbDa0BAQAAAAAAAACAPtXesZ0BMTIzNDIyMzQAAAAAAgAEAEMAQwABABIARQBMAEkAUwBBAEIARQBUAEgABAAYAGMAYwAuAGkAYwBlAGQAZQB2AC4AbgB1AAMALABlAGwAaQBzAGEAYgBlAHQAaAAuAGMAYwAuAGkAYwBlAGQAZQB2AC4AbgB1AAAAAAAAAAAAdGVzdHVzZXJjdXJsaG9zdA==";

pub(super) fn recorded(messages: [&str; 3]) -> Transcript {
    let [negotiate, challenge, authenticate] = messages.map(base64);
    transcript(&negotiate, &challenge, &authenticate)
}

#[test]
fn the_message_of_4_2_4_is_proven_and_too_old() {
    let server = hex(
        "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044\
         000000060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c005300\
         6500720076006500720000000000",
    );
    let client = hex(
        "4e544c4d5353500003000000180018006c00000054005400840000000c000c00480000000800080054000000100\
         010005c00000010001000d8000000358288e20501280a0000000f44006f006d00610069006e0055007300650072\
         0043004f004d005000550054004500520086c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab85\
         1e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c004400\
         6f006d00610069006e0001000c005300650072007600650072000000000000000000c5dad2544fc9799094ce1ce\
         90bc9d03e",
    );
    let transcript = transcript(&base64(CURL_NEGOTIATE), &server, &client);
    assert_eq!(transcript.authenticate.user, "User");
    assert_eq!(transcript.authenticate.domain, "Domain");
    assert_eq!(transcript.authenticate.workstation, "COMPUTER");
    assert!(transcript.authenticate.integrity_code().is_none());
    let key = transcript.prove(v2(&transcript), &nt_hash("Password"));
    let key = key.expect("the right password");
    assert_eq!(key.expose(), &array("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let judged = |demands: &Demands| transcript.judge(v2(&transcript), &key, demands, TIME);
    assert_eq!(judged(&demands()), Err(Weakness::NoIntegrity));
    let lenient = Demands {
        integrity: false,
        ..demands()
    };
    assert_eq!(judged(&lenient), Err(Weakness::Stale));
    assert_eq!(judged(&Demands::default()), Ok(()));
}

#[test]
fn a_client_with_integrity_code_and_binding_is_accepted() {
    for messages in [EXCHANGED, PLAIN] {
        let transcript = recorded(messages);
        let response = v2(&transcript);
        let key = transcript.prove(response, &nt_hash("Password")).unwrap();
        assert_eq!(key.expose(), &array("92de0ea945dccb9a2d6079423a3017ad"));
        assert_eq!(transcript.judge(response, &key, &demands(), TIME), Ok(()));
        let says = response.says().unwrap();
        let binding = array("cf763932e9d2616ab952b63b584204e3");
        assert_eq!((says.integrity, says.binding), (true, Some(binding)));
        assert!(transcript.prove(response, &nt_hash("password")).is_none());
    }
}

#[test]
fn an_old_curl_is_proven_though_it_left_out_the_domain() {
    let server = hex(
        "4e544c4d5353500002000000000000003800000006820100739d406150e0c8d700000000000000000000000038000000\
         0000000000000000",
    );
    let transcript = transcript(&base64(CURL_NEGOTIATE), &server, &base64(CURL_AUTHENTICATE));
    assert_eq!(transcript.authenticate.user, "testuser");
    assert_eq!(transcript.authenticate.domain, "");
    assert!(
        transcript
            .prove(v2(&transcript), &nt_hash("testpass"))
            .is_some()
    );
}

fn names() -> NtlmNames {
    NtlmNames {
        domain: Some("DOMAIN".to_owned()),
        computer: "SERVER".to_owned(),
        dns_domain: Some("domain.example".to_owned()),
        dns_computer: "server.domain.example".to_owned(),
    }
}

#[test]
fn the_challenge_answers_what_the_client_asked() {
    let own = |negotiate: &str| {
        let negotiate = Negotiate::parse(&base64(negotiate)).unwrap();
        Challenge::answer(&negotiate, &names(), [7; 8], TIME).unwrap()
    };
    let unicode = own(EXCHANGED[0]);
    let read = challenge(&unicode.raw);
    assert_eq!(read.server_challenge, [7; 8]);
    assert_eq!(read.flags.bits(), 0xe289_8235);
    assert_eq!(read.target_info, unicode.target_info);
    let target = Octets(&unicode.raw).field(12, 48).unwrap().octets;
    assert_eq!(Encoding::Unicode.decode(target).unwrap(), "DOMAIN");
    let oem = own(CURL_NEGOTIATE);
    assert_eq!(oem.flags.bits(), 0x0089_8206);
    assert_eq!(Octets(&oem.raw).field(12, 48).unwrap().octets, b"DOMAIN");
}

#[test]
fn a_server_without_a_domain_speaks_for_itself() {
    let negotiate = Negotiate::parse(&base64(CURL_NEGOTIATE)).unwrap();
    let names = NtlmNames {
        domain: None,
        dns_domain: None,
        ..names()
    };
    let challenge = Challenge::answer(&negotiate, &names, [7; 8], TIME).unwrap();
    assert!(challenge.flags.contains(Flags::TARGET_TYPE_SERVER));
    assert_eq!(
        Octets(&challenge.raw).field(12, 48).unwrap().octets,
        b"SERVER"
    );
}
