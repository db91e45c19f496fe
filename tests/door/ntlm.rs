//! NTLM at the real door: what the log says of a client that can do NTLMv1 alone.

use crate::wire::postern::{Setup, start};

const NEGOTIATE: &str = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAFASgKAAAADw==";
/// NTLMv1 of the user `user` at the machine `NF-CLIENT` ([MS-POP3] §4.1).
const AUTHENTICATE: &str = "TlRMTVNTUAADAAAAGAAYAGIAAAAYABgAegAAAAAAAABIAAAACAAIAEgAAAASABIAUAAAAAAAAACSAAAABYKIogUBKAoAAAAPdQBzAGUAcgBOAEYALQBDAEwASQBFAE4AVABKMiQ4djhcSgAAAAAAAAAAAAAAAAAAAAC7zUSgB0Auy98bRi6h3mwHMJfbKNtxmmo=";

#[test]
fn a_client_of_ntlmv1_is_named_with_a_remedy() {
    let house = start(&Setup::new().set("login.mechanisms", r#"["NTLM", "PLAIN"]"#));
    let mut client = house.client();
    let challenge = client.ask(&format!("AUTH NTLM {NEGOTIATE}"));
    assert!(challenge.starts_with("+ "), "{challenge}");
    let answer = client.ask(AUTHENTICATE);
    assert!(answer.starts_with("-ERR [AUTH] "), "{answer}");
    house.logged(&[
        "\"login\"",
        "\"reason\":\"ntlmv1\"",
        "\"ntlm\":\"v1\"",
        "\"mic\":false",
        "\"workstation\":\"NF-CLIENT\"",
    ]);
    house.logged(&[
        "NTLMv1 refused",
        "\"address\":\"127.0.0.1\"",
        "\"workstation\":\"NF-CLIENT\"",
        "ntlm.accept_ntlmv1",
    ]);
}
