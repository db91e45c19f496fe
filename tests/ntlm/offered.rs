//! A mechanism that is not offered where a client asks for it: refused at once, and recorded. A word
//! that names no mechanism is no attempt to log in.

use crate::exchange::encode;
use crate::lab::pop3::Client;
use crate::stage::{Stage, alice};

/// Asks for it in this way; the record is the next one, and there is no other.
fn refused_and_recorded(stage: &Stage, client: &mut Client, ask: &str, mechanism: &str) {
    let before = stage.server.logins();
    client.refused(ask);
    let record = stage.server.login(before);
    let fields = &record["fields"];
    assert_eq!(fields["mechanism"], mechanism, "{ask}: {record}");
    assert_eq!(fields["reason"], "mechanism-not-offered", "{ask}: {record}");
    assert_eq!(fields["outcome"], "refused", "{ask}: {record}");
    // Nobody is looked at: what the client says of itself is not read.
    assert!(fields.get("login").is_none(), "{ask}: {record}");
    assert_eq!(stage.server.logins(), before + 1, "{ask}");
}

/// Where every login must be bound to a certificate, and there is no TLS.
#[test]
fn ntlm_in_clear_text_where_binding_is_required() {
    for more in [("login.user_pass", "true"), ("login.user_pass", "false")] {
        let stage = Stage::open(&[
            ("login.extended_protection", r#""require""#),
            ("login.mechanisms", r#"["NTLM"]"#),
            more,
        ]);
        let mut client = stage.client();
        assert!(
            !client
                .lines("CAPA")
                .iter()
                .any(|line| line.contains("NTLM"))
        );
        refused_and_recorded(&stage, &mut client, "AUTH NTLM", "NTLM");
        let negotiate = encode(&alice().negotiate());
        let initial = format!("auth ntlm {negotiate}");
        refused_and_recorded(&stage, &mut client, &initial, "NTLM");
    }
}

/// Nothing is offered before TLS; some clients send the password all the same.
#[test]
fn anything_before_tls_under_login_type_secure() {
    let stage = Stage::open(&[]);
    let mut client = Client::connect(stage.server.doors.secure);
    let closed = client.refused("AUTH");
    for (ask, mechanism) in [
        ("AUTH NTLM", "NTLM"),
        ("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "PLAIN"),
        ("AUTH plain", "PLAIN"),
        ("AUTH GSSAPI", "GSSAPI"),
    ] {
        refused_and_recorded(&stage, &mut client, ask, mechanism);
        assert_eq!(client.refused("AUTH"), closed, "the session is as before");
    }
}

/// Kerberos without a key, and a mechanism that no rule names.
#[test]
fn a_mechanism_that_is_not_configured() {
    let stage = Stage::open(&[]);
    let mut client = stage.client();
    refused_and_recorded(&stage, &mut client, "AUTH GSSAPI", "GSSAPI");
    refused_and_recorded(&stage, &mut client, "AUTH SCRAM-SHA-256", "SCRAM-SHA-256");
}

#[test]
fn a_word_that_names_no_mechanism_is_no_login() {
    let stage = Stage::open(&[]);
    let before = stage.server.logins();
    for door in [stage.server.doors.plain, stage.server.doors.secure] {
        let mut client = Client::connect(door);
        for word in ["NOSUCH", "S3cr3t", "CRAM-MD5 AAAA"] {
            client.refused(&format!("AUTH {word}"));
        }
    }
    // A record that comes later would stand behind this one.
    let mut client = stage.client();
    client.refused("AUTH GSSAPI");
    let record = stage.server.login(before);
    assert_eq!(record["fields"]["mechanism"], "GSSAPI", "{record}");
}
