//! `postern doctor` about this host alone: files, ports, a directory that is gone, a helper that is not there.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::Office;

/// A host that is well, with these sections more. Root's server becomes nobody.
fn host(more: &str) -> Office {
    let office = Office::new("");
    fs::set_permissions(office.path(""), Permissions::from_mode(0o755)).expect("permissions");
    let user = if geteuid().is_root() {
        "user = \"nobody\"\n"
    } else {
        ""
    };
    let text = format!(
        "hostname = \"pop.example.test\"\n{user}\
         [[listener]]\naddress = \"127.0.0.1:0\"\n\
         [tls]\ncertificate = \"chain.pem\"\nprivate_key = \"key.pem\"\n\
         [users]\nfile = \"users.toml\"\n[maildrop]\npath = \"mail/{{name}}\"\n{more}",
    );
    put(&office, "postern.toml", &text);
    certify(&office, 2099);
    let (_, said) = office.run(&["user", "add", "ann", "--password-stdin"]);
    assert!(!more.is_empty() || said.contains("is added"), "{said}");
    for folder in ["mail/ann/cur", "mail/ann/new", "mail/ann/tmp", "mail/ann"] {
        fs::create_dir_all(office.path(folder)).expect("a Maildir");
        give(&office, folder);
    }
    office
}

/// Writes a file of the server's user.
fn put(office: &Office, name: &str, text: &str) {
    office.write(name, text);
    give(office, name);
}

fn give(office: &Office, name: &str) {
    if geteuid().is_root() {
        let nobody = User::from_name("nobody").expect("users").expect("nobody");
        let (uid, gid) = (nobody.uid.as_raw(), nobody.gid.as_raw());
        chown(office.path(name), Some(uid), Some(gid)).expect("chown");
    }
}

/// A certificate that ends at the beginning of that year, with its key.
fn certify(office: &Office, year: i32) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["pop.example.test".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    put(office, "chain.pem", &certificate.pem());
    put(office, "key.pem", &key.serialize_pem());
}

/// The doctor ends with this code, and says all of this.
#[track_caller]
fn says(office: &Office, code: i32, words: &[&str]) {
    let (ended, said) = office.run(&["doctor"]);
    assert_eq!(ended, Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "missing: {word}\nin:\n{said}");
    }
}

fn replace(office: &Office, from: &str, to: &str) {
    let text = fs::read_to_string(office.path("postern.toml")).expect("the configuration");
    assert!(text.contains(from), "{from}");
    put(office, "postern.toml", &text.replace(from, to));
}

#[test]
fn a_host_that_is_well_is_said_to_be() {
    let words = [
        "POSTERN OK: everything that was looked at is well\nok    configuration  ",
        "\nok    ports          127.0.0.1:0 is free",
        "\nok    certificate    ",
        "\nok    users          ",
        "users.toml: 1 account\n",
        "\nok    maildrops      ",
        "\n-     keytab         no [gssapi] is configured\n",
        "\n-     ldap           no [ldap] is configured\n",
        "\n-     winbind        no domain controller is asked about NTLM\n",
    ];
    says(&host(""), 0, &words);
}

#[test]
fn a_configuration_that_cannot_be_used_is_all_that_is_said() {
    let office = host("nonsense = 1\n");
    let words = [
        "POSTERN CRITICAL: failed: configuration\nFAIL  configuration  ",
        "nonsense",
    ];
    says(&office, 2, &words);
    let (_, said) = office.run(&["doctor"]);
    assert!(!said.contains("certificate"), "{said}");
}

#[test]
fn certificates_that_ended_or_are_of_another_key_are_named() {
    let office = host("");
    certify(&office, 2001);
    let ended = [
        "failed: certificate\n",
        "FAIL  certificate    ",
        "ended on Jan  1",
        "remedy: renew it",
    ];
    says(&office, 2, &ended);
    certify(&office, 2099);
    let other = KeyPair::generate().expect("a key");
    put(&office, "key.pem", &other.serialize_pem());
    says(
        &office,
        2,
        &[
            "failed: certificate\n",
            "it does not go with",
            "remedy: name the key",
        ],
    );
    certify(&office, 2099);
    replace(&office, "\"pop.example.test\"", "\"mail.example.test\"");
    let words = [
        "POSTERN WARNING: warnings: certificate\n",
        "warn  certificate    ",
        "not for mail.example.test",
    ];
    says(&office, 1, &words);
}

#[test]
fn a_maildrop_that_cannot_be_written_is_named() {
    let office = host("");
    if !geteuid().is_root() {
        return; // Only root has a folder that the server's user cannot write.
    }
    chown(office.path("mail/ann/cur"), Some(0), Some(0)).expect("chown");
    let words = [
        "failed: maildrops\n",
        "mail/ann/cur: maildrop.path: of account \"ann\": EACCES",
        "remedy: the Maildir and all in it must belong to the service user",
    ];
    says(&office, 2, &words);
}

#[test]
fn a_port_that_another_program_has_is_named_with_it() {
    let office = host("");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    replace(&office, "127.0.0.1:0", &address);
    let me = format!("process {}\n", std::process::id());
    let words = [
        "failed: ports\n",
        "FAIL  ports          listener[0].address: ",
        &address,
        "is taken by ",
        &me,
    ];
    says(&office, 2, &words);
    drop(taken);
    says(&office, 0, &[&format!("{address} is free")]);
    // The server itself is no stranger.
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["serve", "--config"])
        .arg(office.path("postern.toml"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the server");
    let begun = Instant::now();
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it does not start"
        );
    }
    let held = format!("is held by the running server, process {}\n", server.id());
    says(&office, 0, &[&held]);
    server.kill().expect("kill");
    server.wait().expect("its end");
}

const LDAP: &str = "[ldap]\npreset = \"openldap\"\nbase = \"dc=example,dc=test\"\nservice = \"anonymous\"\nstarttls = false\n\
    timeout = \"20s\"\nservers = [\"ldap://127.0.0.1:PORT\"]\n";

#[test]
fn a_directory_that_is_gone_or_hangs_is_named() {
    // Nobody accepts what the kernel does, so whoever connects waits.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener
        .local_addr()
        .expect("its address")
        .port()
        .to_string();
    let office = host(&LDAP.replace("PORT", &port));
    let begun = Instant::now();
    let words = [
        "failed: ldap\n",
        "FAIL  ldap           ldap.servers: ldap://127.0.0.1:",
        "did not answer in 5000 ms",
        "firewall",
    ];
    says(&office, 2, &words);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    drop(listener);
    let words = [
        "cannot connect to ldap://127.0.0.1:",
        "refused",
        "remedy: see that it runs",
    ];
    says(&office, 2, &words);
}

#[test]
fn a_helper_that_is_not_there_is_named_by_check_too() {
    let office = host(
        "[login]\nmechanisms = [\"NTLM\", \"PLAIN\"]\n[ntlm]\nverify = \"winbind\"\n[winbind]\nhelper = \"/nowhere/ntlm_auth\"\n",
    );
    let words = [
        "failed: winbind\n",
        "/nowhere/ntlm_auth: winbind.helper: the service user cannot run it",
        "remedy: install it",
    ];
    says(&office, 2, &words);
    let said = office.fails(&["check"]);
    assert!(
        said.contains("/nowhere/ntlm_auth: error: winbind.helper: "),
        "{said}"
    );
}

#[test]
fn a_disk_that_hangs_would_hang_nobody() {
    // A check that waits for something that never comes: a named pipe in place of the certificate.
    let office = host("");
    fs::remove_file(office.path("chain.pem")).expect("removed");
    let pipe = office.path("chain.pem");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    give(&office, "chain.pem");
    let begun = Instant::now();
    let words = [
        "POSTERN UNKNOWN: unknown: certificate\n",
        "?     certificate    it gave no answer in 10 s",
    ];
    says(&office, 3, &words);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn what_is_typed_wrong_is_said() {
    let office = host("");
    for arguments in [
        &["doctor", "--client-keytab", "x"][..],
        &["doctor", "--password-stdin"],
        &[
            "doctor",
            "--client",
            "a",
            "--client-keytab",
            "x",
            "--password-stdin",
        ],
    ] {
        let (code, said) = office.run(arguments);
        assert_eq!(code, Some(2), "{said}");
    }
}
