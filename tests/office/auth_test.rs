//! `postern auth test` with local users: every mechanism with a password, and what is never shown.

use crate::{Office, Said};

const SECRET: &str = "a-Secret-That-Is-Long";

/// Listeners in the clear and under TLS, which is not tried; NTLM is for one network.
const CONFIG: &str = "\
hostname = \"pop.example.test\"
site = \"london\"
[login]
type = \"plain-text\"
mechanisms = [\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"NTLM\", \"PLAIN\", \"LOGIN\"]
[[listener]]
address = \"127.0.0.1:1110\"
tls = \"none\"
[[listener]]
address = \"127.0.0.1:1995\"
tls = \"implicit\"
[tls]
certificate = \"none.pem\"
private_key = \"none.key\"
[ntlm]
mode = \"off\"
except = [\"192.0.2.0/24\"]
[users]
file = \"users.toml\"
[maildrop]
path = \"mail/{name}\"
";

fn office() -> Office {
    let office = Office::new("");
    office.write("postern.toml", CONFIG);
    let with = ["user", "add", "ann", "--password-stdin", "--ntlm"];
    let (code, said) = office.run_in(None, &with, format!("{SECRET}\n").as_bytes());
    assert_eq!(code, Some(0), "{said}");
    let users = office.users();
    office.write(
        "users.toml",
        &format!("{users}\n[[user]]\nname = \"far\"\nsite = \"Oslo\"\n"),
    );
    office
}

/// One attempt; nothing of the password or of what it is kept as may be said.
fn attempt(office: &Office, arguments: &[&str], password: &str) -> Said {
    let all = [&["auth", "test", "--password-stdin"], arguments].concat();
    let (code, said) = office.run_in(None, &all, format!("{password}\n").as_bytes());
    let users = office.users();
    let kept = users.lines().filter_map(|line| line.split('"').nth(1));
    let kept = kept.filter(|value| value.len() > 20);
    for secret in kept.chain([SECRET, password]) {
        assert!(
            !said.contains(secret),
            "{arguments:?} says {secret}: {said}"
        );
    }
    (code, said)
}

#[test]
fn every_mechanism_with_a_password_is_tried() {
    let office = office();
    for mechanism in ["user-pass", "plain", "login", "scram", "scram-plus", "ntlm"] {
        let with = ["ann", "--mechanism", mechanism, "--address", "192.0.2.7"];
        let (code, said) = attempt(&office, &with, SECRET);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("\noutcome      granted\n"), "{said}");
        assert!(
            said.contains("under TLS from 192.0.2.7, as at the listener 127.0.0.1:1995"),
            "{said}"
        );
        let (code, said) = attempt(&office, &with, "another-Password");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("\nrecord       wrong-password\n"), "{said}");
        assert!(said.contains("[AUTH] Logon failure"), "{said}");
    }
    // Not made by the attempts.
    assert!(!office.path("mail/ann").exists());
}

#[test]
fn the_rules_of_the_listener_and_of_the_network_hold() {
    let office = office();
    let with = ["ann", "--mechanism", "ntlm"];
    let (code, said) = attempt(&office, &with, SECRET);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("record       mechanism-not-offered"),
        "{said}"
    );
    // Without TLS nothing can be bound to it.
    let with = [
        "ann",
        "--mechanism",
        "scram-plus",
        "--listener",
        "127.0.0.1:1110",
    ];
    let (code, said) = attempt(&office, &with, SECRET);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("and under TLS; see --mechanism"), "{said}");
    let (code, said) = attempt(&office, &["ann", "--no-tls"], SECRET);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("begins with TLS at once"), "{said}");
    let (code, said) = attempt(&office, &["far"], SECRET);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("asked        the password of far: the account has none"),
        "{said}"
    );
    let secure = CONFIG.replace("plain-text", "plain-text-authentication");
    office.write("postern.toml", &secure);
    let with = ["ann", "--listener", "127.0.0.1:1110"];
    let (code, said) = attempt(&office, &with, SECRET);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("refused before a password was looked at"),
        "{said}"
    );
    assert!(
        said.contains("wire         S: -ERR Command is not valid"),
        "{said}"
    );
}
