//! The `postern` command as an administrator types it: every command, and what it says to mistakes.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests write files and start the program"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn postern(arguments: &[&str], input: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A command that does not read may be gone already.
    let _ = child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A folder with a configuration that is fine, but for the users file.
struct Office(TempDir);

impl Office {
    fn new() -> Self {
        let office = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir(office.path("mail")).expect("mail");
        let (certificate, key) = certificate("pop.example.test", 2099);
        office.write("chain.pem", &certificate);
        office.write_private("key.pem", &key);
        office.write(
            "postern.toml",
            "hostname = \"pop.example.test\"\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\n\
             [tls]\ncertificate = \"chain.pem\"\nprivate_key = \"key.pem\"\n\
             [users]\nfile = \"users.toml\"\n\
             [maildrop]\npath = \"mail/{name}\"\n",
        );
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn write_private(&self, name: &str, text: &str) {
        self.write(name, text);
        let only_mine = Permissions::from_mode(0o600);
        fs::set_permissions(self.path(name), only_mine).expect("permissions");
    }

    fn replace(&self, from: &str, to: &str) {
        let path = self.path("postern.toml");
        let text = fs::read_to_string(&path).expect("the configuration");
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).expect("the configuration");
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let config = self.path("postern.toml").display().to_string();
        postern(&[arguments, &["--config", &config]].concat(), input)
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    fn add(&self, name: &str) -> Said {
        self.run_with(
            &["user", "add", name, "--password-stdin"],
            "correct horse\n",
        )
    }

    /// A Maildir with one message.
    fn deliver(&self, name: &str) {
        let maildir = self.path("mail").join(name);
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(folder)).expect("a Maildir");
        }
        fs::write(maildir.join("cur/1.a,S=10:2,S"), "Subject: a\n\nhello\n").expect("a message");
    }
}

fn certificate(name: &str, until: i32) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_after = date_time_ymd(until, 1, 1);
    params.not_before = date_time_ymd(2000, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn the_command_line_teaches() {
    let said = postern(&["--help"], "");
    assert_eq!(said.code, Some(0));
    assert!(
        said.out.contains("Begin with:\n  postern demo"),
        "{}",
        said.out
    );
    assert!(
        postern(&["user", "add", "--help"], "")
            .out
            .contains("Examples:")
    );
    assert!(postern(&["--version"], "").out.starts_with("postern "));
    for wrong in [
        &[][..],
        &["nonsense"],
        &["user"],
        &["check", "--jsn"],
        &["user", "add"],
    ] {
        let said = postern(wrong, "");
        assert_eq!(said.code, Some(2), "{wrong:?}");
        assert!(said.err.contains("Usage:"), "{}", said.err);
    }
}

#[test]
fn pages_and_completions_are_printed() {
    assert!(
        postern(&["config", "reference"], "")
            .out
            .starts_with("# Configuration\n")
    );
    assert!(
        postern(&["config", "example"], "")
            .out
            .contains("\n[[listener]]\n")
    );
    assert!(
        postern(&["config", "man"], "")
            .out
            .starts_with(".TH postern.toml 5")
    );
    for shell in ["bash", "fish", "zsh"] {
        assert!(
            postern(&["completions", shell], "")
                .out
                .contains("maildrop"),
            "{shell}"
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let man = folder.path().join("man");
    let said = postern(
        &["config", "man", "--directory", &man.display().to_string()],
        "",
    );
    assert_eq!(
        (said.code, said.out.lines().count()),
        (Some(0), 31),
        "{}",
        said.err
    );
    assert!(man.join("postern-user-add.1").exists() && man.join("postern.toml.5").exists());
    let said = postern(&["config", "man", "--directory", "/proc/no"], "");
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("/proc/no: cannot be written"),
        "{}",
        said.err
    );
}

#[test]
fn a_sound_configuration_is_fine() {
    let office = Office::new();
    office.add("ann@example.test");
    let said = office.run(&["check"]);
    assert_eq!(said.code, Some(0), "{}", said.out);
    assert!(!said.out.contains("error:"), "{}", said.out);
}

#[test]
fn every_mistake_of_a_configuration_is_said_with_its_place() {
    let office = Office::new();
    office.replace("[tls]", "tsl = \"implicit\"\n[tls]");
    office.replace("127.0.0.1:0", "localhost");
    let said = office.run(&["check"]);
    assert_eq!(said.code, Some(1));
    for expected in [
        "postern.toml:3:11: error: listener[0].address: \"localhost\" is not an address",
        "postern.toml:4:1: error: listener[0].tsl: there is no such key\n  remedy: did you mean `tls`?",
        ": 2 errors, no warnings",
    ] {
        assert!(
            said.out.contains(expected),
            "missing: {expected}\nin:\n{}",
            said.out
        );
    }
    let said = office.run(&["check", "--json"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.starts_with("{\"file\":"), "{}", said.out);
    assert!(
        said.out.contains("\"errors\":2,\"warnings\":0"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("\"key\":\"listener[0].tsl\""),
        "{}",
        said.out
    );
    for command in [
        &["serve"][..],
        &["user", "list"],
        &["maildrop", "show", "ann"],
    ] {
        let said = office.run(command);
        assert_eq!(said.code, Some(1), "{command:?}");
        assert!(said.err.contains("did you mean `tls`?"), "{}", said.err);
    }
}

#[test]
fn a_missing_configuration_is_said() {
    let said = postern(&["check", "--config", "/nowhere/postern.toml"], "");
    assert_eq!(said.code, Some(1));
    assert!(
        said.out
            .contains("/nowhere/postern.toml: error: cannot be read"),
        "{}",
        said.out
    );
    assert!(said.out.contains("postern config example"), "{}", said.out);
}

/// The findings about one thing that was made wrong.
fn found(office: &Office, expected: &str, code: i32) {
    let said = office.run(&["check"]);
    assert!(
        said.out.contains(expected),
        "missing: {expected}\nin:\n{}",
        said.out
    );
    assert_eq!(said.code, Some(code), "{}", said.out);
}

#[test]
fn certificates_are_looked_at() {
    let office = Office::new();
    office.add("ann");
    office.replace("hostname = \"pop.", "hostname = \"other.");
    found(
        &office,
        "warning: tls.certificate: it is for pop.example.test, and not for other",
        0,
    );
    let key = office.path("key.pem");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("permissions");
    found(
        &office,
        "error: tls.private_key: everybody on this host can get at the private key",
        1,
    );
    let (ended, its_key) = certificate("other.example.test", 2001);
    office.write("chain.pem", &ended);
    found(&office, "error: tls.certificate: it does not go with", 1);
    office.write_private("key.pem", &its_key);
    found(&office, "ended on Jan  1", 1);
    let (one, its_key) = certificate("other.example.test", 2099);
    let mut stranger = CertificateParams::new(["stranger.test".to_owned()]).expect("a name");
    stranger
        .distinguished_name
        .push(rcgen::DnType::CommonName, "a stranger");
    let pair = KeyPair::generate().expect("a key");
    let stranger = stranger.self_signed(&pair).expect("a certificate").pem();
    office.write("chain.pem", &(one + &stranger));
    office.write_private("key.pem", &its_key);
    found(
        &office,
        "error: tls.certificate: the certificates are not in order",
        1,
    );
    office.write("chain.pem", "");
    found(
        &office,
        "error: tls.certificate: it contains no certificate",
        1,
    );
    fs::remove_file(key).expect("removed");
    found(&office, "error: tls.private_key: it cannot be read", 1);
}

#[test]
fn files_and_ports_are_looked_at() {
    let office = Office::new();
    found(
        &office,
        "error: users.file: it is not there\n  remedy: `postern user add NAME`",
        1,
    );
    office.add("ann");
    let users = office.path("users.toml");
    fs::set_permissions(&users, Permissions::from_mode(0o644)).expect("permissions");
    found(&office, "error: users.file: ", 1);
    fs::set_permissions(&users, Permissions::from_mode(0o600)).expect("permissions");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    office.replace("127.0.0.1:0", &address);
    found(
        &office,
        &format!("warning: listener[0].address: {address} is in use"),
        0,
    );
    office.replace(&address, "192.0.2.1:0");
    found(
        &office,
        "error: listener[0].address: no interface of this host has the address 192.0.2.1:0",
        1,
    );
    office.replace("192.0.2.1:0", "127.0.0.1:0");
    office.replace("{name}", "{user}");
    office.add("ann@one.test");
    found(
        &office,
        "mail/ann: warning: maildrop.path: the accounts \"ann\" and \"ann@one.test\" share it",
        0,
    );
    fs::remove_dir(office.path("mail")).expect("removed");
    found(&office, "error: maildrop.path: it cannot be looked at", 1);
}

/// The server reads the configuration as root at its start, and as its own user on SIGHUP.
#[test]
fn a_configuration_that_only_root_can_read_is_found() {
    if !nix::unistd::geteuid().is_root() {
        return; // Only root has a file that the server's user cannot read.
    }
    let office = Office::new();
    let everybody = Permissions::from_mode(0o755);
    fs::set_permissions(office.0.path(), everybody).expect("permissions");
    office.replace("hostname", "user = \"nobody\"\nhostname");
    let file = office.path("postern.toml");
    let only_root = ": error: the server's user cannot read it, so SIGHUP is refused: ";
    for (mode, seen) in [(0o600, true), (0o644, false)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("permissions");
        let said = office.run(&["check"]).out;
        assert_eq!(said.contains(only_root), seen, "{mode:o}: {said}");
        let remedy = format!("chmod 640 {}", file.display());
        assert_eq!(said.contains(&remedy), seen, "{mode:o}: {said}");
    }
}

#[test]
fn a_user_is_added_changed_and_removed() {
    let office = Office::new();
    let said = office.add("ann@example.test");
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("ann@example.test is added to"),
        "{}",
        said.out
    );
    assert!(said.out.contains("mail/ann@example.test"), "{}", said.out);
    let users = || fs::read_to_string(office.path("users.toml")).expect("the users file");
    let before = users();
    assert!(
        before.contains("$argon2id$") && !before.contains("correct horse"),
        "{before}"
    );
    let said = office.run_with(
        &["user", "passwd", "ANN@example.test", "--password-stdin"],
        "new one\n",
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_ne!(users(), before);
    assert_eq!(
        office.run(&["user", "disable", "ann@example.test"]).code,
        Some(0)
    );
    let said = office.run(&["user", "list"]);
    assert!(
        said.out.starts_with("NAME              STATE     PASSWORD"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("ann@example.test  disabled  Argon2"),
        "{}",
        said.out
    );
    assert_eq!(
        office.run(&["user", "enable", "ann@example.test"]).code,
        Some(0)
    );
    let said = office.run(&["user", "list", "--json"]);
    assert!(
        said.out
            .starts_with("[{\"name\":\"ann@example.test\",\"disabled\":false"),
        "{}",
        said.out
    );
    let said = office.run(&["user", "show", "ann@example.test"]);
    assert!(said.out.contains("state        active\n"), "{}", said.out);
    assert!(!said.out.contains("$argon2"), "{}", said.out);
    let said = office.run(&["user", "show", "ann@example.test", "--json"]);
    assert!(
        said.out.trim_end().ends_with("mail/ann@example.test\"}"),
        "{}",
        said.out
    );
}

#[test]
fn mail_of_a_removed_user_stays() {
    let office = Office::new();
    office.add("ann@example.test");
    let users = || fs::read_to_string(office.path("users.toml")).expect("the users file");
    office.deliver("ann@example.test");
    let said = office.run(&["user", "remove", "ann@example.test"]);
    assert!(said.out.contains("stays there"), "{}", said.out);
    assert!(office.path("mail/ann@example.test/cur").exists());
    assert_eq!(users().matches("[[user]]").count(), 0);
}

#[test]
fn the_next_command_is_said() {
    let office = Office::new();
    office.replace("\"127.0.0.1:0\"", "\"[::]:995\"\ntls = \"implicit\"");
    let said = office.add("ann");
    assert!(
        said.out
            .contains("curl --user 'ann' pop3s://pop.example.test:995/"),
        "{}",
        said.out
    );
}

#[test]
fn passwords_are_never_taken_from_elsewhere() {
    let office = Office::new();
    let said = office.run(&["user", "add", "ann"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("use --password-stdin"), "{}", said.err);
    assert_eq!(
        office.run(&["user", "add", "ann", "--password", "x"]).code,
        Some(2)
    );
    let said = office.run_with(&["user", "add", "ann", "--password-stdin"], "\n");
    assert!(said.err.contains("the password is empty"), "{}", said.err);
    assert!(!office.path("users.toml").exists());
}

#[test]
fn a_password_is_stored_with_scram_keys_or_without() {
    let office = Office::new();
    let digest = format!("sha256:{}", "ab".repeat(32));
    let add = |name: &str, more: &[&str]| {
        let arguments = [&["user", "add", name, "--password-stdin"], more].concat();
        let said = office.run_with(&arguments, "correct horse\n");
        assert_eq!(said.code, Some(0), "{}", said.err);
    };
    let users = || fs::read_to_string(office.path("users.toml")).expect("the users file");
    add("ben", &["--no-scram", "--certificate", &digest]);
    assert!(!users().contains("SCRAM") && !users().contains("scram_secret"));
    add("ann", &[]);
    let text = users();
    assert!(text.contains("scram = \"SCRAM-SHA-256$600000:"), "{text}");
    assert_eq!(text.matches("scram_secret = ").count(), 1, "{text}");
    let said = office.run(&["user", "list"]);
    let line = |name: &str| {
        let lines = said.out.lines();
        let found = lines
            .filter(|line| line.starts_with(name))
            .collect::<String>();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("ann"), "ann active Argon2 yes no 0", "{}", said.out);
    assert_eq!(line("ben"), "ben active Argon2 no no 1", "{}", said.out);
    let said = office.run(&["user", "show", "ben", "--json"]);
    assert!(said.out.contains("\"scram\":false"), "{}", said.out);
    assert!(said.out.contains(&digest), "{}", said.out);
    for name in ["ann", "ben"] {
        let said = office.run(&["user", "show", name]);
        assert!(!said.out.contains("600000"), "{}", said.out);
    }
    let passwd = ["user", "passwd", "ann", "--password-stdin", "--no-scram"];
    assert_eq!(office.run_with(&passwd, "new one\n").code, Some(0));
    assert!(!users().contains("SCRAM-SHA-256$"), "{}", users());
    assert!(
        users().contains("scram_secret = "),
        "salts of the others stay"
    );
    let said = office.run_with(
        &[
            "user",
            "add",
            "eve",
            "--password-stdin",
            "--certificate",
            "sha256:12",
        ],
        "x\n",
    );
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("openssl x509"), "{}", said.err);
}

#[test]
fn mistakes_about_users_are_said() {
    let office = Office::new();
    assert_eq!(office.add("ann").code, Some(0));
    let said = office.add("ANN");
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("there is a user \"ann\" already"),
        "{}",
        said.err
    );
    for command in ["show", "disable", "enable", "remove"] {
        let said = office.run(&["user", command, "ben"]);
        assert_eq!(said.code, Some(1), "{command}");
        assert!(
            said.err.contains("there is no user \"ben\""),
            "{}",
            said.err
        );
    }
    for name in ["../etc", "a/b", "", ".ann", "a\u{1b}[31m"] {
        let said = office.add(name);
        assert_eq!(said.code, Some(1), "{name:?}");
        assert!(!said.err.contains('\u{1b}'), "{}", said.err);
    }
}

#[test]
fn accounts_of_dovecot_are_imported() {
    let office = Office::new();
    office.add("ann");
    let hash = "$6$abcdefgh$yVfUwsw5T.JApa8POvClA1pQ5peiq97DUNyXCZN5IrF.BMSkiaLQ5kvpuEm/VQ1Tvh/KV2TcaWh8qinoW5dhA1";
    office.write(
        "passwd",
        &format!("ben:{{SHA512-CRYPT}}{hash}::::::\nann:{{SHA512-CRYPT}}{hash}::::::\n"),
    );
    let file = office.path("passwd").display().to_string();
    let said = office.run(&["user", "import", &file, "--dry-run"]);
    assert!(
        said.out.contains("ben: would be added\n"),
        "{}{}",
        said.out,
        said.err
    );
    assert!(
        said.out.contains("ann: is there already, left as it is\n"),
        "{}",
        said.out
    );
    assert!(!office.run(&["user", "list"]).out.contains("ben"));
    let said = office.run(&["user", "import", &file]);
    assert_eq!(said.code, Some(0), "{}", said.out);
    let said = office.run(&["user", "list"]);
    assert!(
        said.out.contains("ben   active  SHA-512 crypt"),
        "{}",
        said.out
    );
    office.write("passwd", "eve:{UNKNOWN}x::::::\n");
    let said = office.run(&["user", "import", &file]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.contains("passwd:1: eve: "), "{}", said.out);
    let said = office.run(&["user", "import", "/nowhere"]);
    assert!(
        said.err.contains("/nowhere: cannot be read"),
        "{}",
        said.err
    );
}

#[test]
fn maildrops_are_shown_and_verified() {
    let office = Office::new();
    office.add("ann");
    let said = office.run(&["maildrop", "show", "ann"]);
    assert!(
        said.out.contains("no mail was ever delivered"),
        "{}",
        said.out
    );
    office.deliver("ann");
    let said = office.run(&["maildrop", "show", "ann"]);
    assert_eq!(said.code, Some(0));
    assert!(said.out.contains("index: none yet"), "{}", said.out);
    assert!(said.out.contains("cur/1.a,S=10:2,S"), "{}", said.out);
    // The name says 10 octets, and there are 18.
    let said = office.run(&["maildrop", "verify", "ann"]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(
        said.out.contains("found: cur/1.a,S=10:2,S: "),
        "{}",
        said.out
    );
    let said = office.run(&["maildrop", "verify", "ann", "--json"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out
            .contains("\"findings\":[{\"file\":\"cur/1.a,S=10:2,S\""),
        "{}",
        said.out
    );
    let maildir = office.path("mail/ann/cur");
    rename(&maildir, "1.a,S=10:2,S", "1.a,S=18:2,S");
    let said = office.run(&["maildrop", "verify", "ann"]);
    assert_eq!(said.code, Some(0), "{}", said.out);
    assert!(said.out.contains("nothing wrong was found"), "{}", said.out);
    assert!(
        !maildir.join("../dovecot-uidlist").exists(),
        "looking made an index"
    );
    let said = office.run(&["maildrop", "show", "ben"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("there is no user \"ben\""),
        "{}",
        said.err
    );
}

fn rename(folder: &Path, from: &str, to: &str) {
    fs::rename(folder.join(from), folder.join(to)).expect("renamed");
}

#[test]
fn the_folder_of_the_protocol_log_is_looked_at() {
    let office = Office::new();
    office.add("ann@example.test");
    office.replace(
        "[users]",
        "[protocol_log]\nenabled = true\nfolder = \"records\"\n[users]",
    );
    found(
        &office,
        "error: protocol_log.folder: it cannot be looked at",
        1,
    );
    office.write("records", "");
    found(&office, "error: protocol_log.folder: it is not a folder", 1);
    fs::remove_file(office.path("records")).expect("removing it");
    fs::create_dir(office.path("records")).expect("the folder");
    assert_eq!(office.run(&["check"]).code, Some(0));
}
