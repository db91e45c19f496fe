//! `postern doctor` about Kerberos: each fault in its words, beside what the login's record says of the same fault.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::faults::{REFUSAL, is_not_offered};
use crate::lab::kerberos::Realm;
use crate::lab::pop3::Client;
use crate::lab::tool::Tool;
use crate::lab::world::require_root;
use crate::scene::{Scene, give_keytab, install, keytab};

/// What the doctor said.
struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    /// A line of this check with this mark has all these words, and the remedy below it this one.
    #[track_caller]
    fn has(&self, mark: &str, check: &str, words: &[&str], remedy: &str) {
        let lines: Vec<_> = self.text.lines().collect();
        let start = format!("{mark:4}  {check:13}  ");
        let is_said = |(place, line): (usize, &&str)| {
            let below = lines.get(place + 1).copied().unwrap_or_default();
            line.starts_with(&start)
                && words.iter().all(|word| line.contains(word))
                && (remedy.is_empty() || below.contains("remedy: ") && below.contains(remedy))
        };
        assert!(
            lines.iter().enumerate().any(is_said),
            "no {mark} of {check} with {words:?} and {remedy:?} in:\n{}",
            self.text
        );
    }

    /// How it ended, and how it begins.
    #[track_caller]
    fn is(&self, code: i32, summary: &str) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert!(self.text.starts_with(summary), "{}", self.text);
    }
}

/// A doctor for the scene's server under another name; it sees the realm.
struct Doctor<'a> {
    scene: &'a Scene,
    hostname: &'a str,
    /// What runs it.
    before: Vec<String>,
    client: Vec<String>,
}

impl<'a> Doctor<'a> {
    fn of(scene: &'a Scene) -> Self {
        Self {
            scene,
            hostname: "localhost",
            before: Vec::new(),
            client: Vec::new(),
        }
    }

    fn named(mut self, hostname: &'a str) -> Self {
        self.hostname = hostname;
        self
    }

    fn under(mut self, before: &[&str]) -> Self {
        self.before = before.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// With alice's key.
    fn by_alice(mut self) -> Self {
        let keys = self.scene.realm.path("users.keytab");
        let words = ["--client", "alice", "--client-keytab"];
        self.client = words.map(str::to_owned).to_vec();
        self.client.push(keys.display().to_string());
        self
    }

    fn tool(&self) -> Tool {
        let Scene {
            lab,
            realm,
            postern,
        } = self.scene;
        let text = fs::read_to_string(&postern.configuration).expect("the configuration");
        let name = format!("hostname = \"{}\"", self.hostname);
        let text = text.replace(
            &format!("hostname = \"{}\"", crate::lab::world::HOST),
            &name,
        );
        assert!(text.contains(&name), "{text}");
        let configuration = lab.write("doctor.toml", text);
        let program = env!("CARGO_BIN_EXE_postern").to_owned();
        let mut words = self.before.iter().chain([&program]);
        let mut tool = Tool::new(lab, words.next().expect("a program"));
        for word in words {
            tool = tool.arg(word);
        }
        tool = tool.arg("doctor").arg("--config").arg(configuration);
        for word in &self.client {
            tool = tool.arg(word);
        }
        tool.env("KRB5_CONFIG", realm.path("krb5.conf"))
            // Neither is to be read or written.
            .env(
                "KRB5CCNAME",
                format!("FILE:{}", lab.path().join("cache").display()),
            )
            .env("KRB5_KTNAME", "FILE:/nowhere")
    }

    fn says(&self) -> Said {
        said(self.tool())
    }
}

fn said(tool: Tool) -> Said {
    let output = tool.output();
    let octets = [output.stdout, output.stderr].concat();
    Said {
        code: output.status.code(),
        text: String::from_utf8(octets).expect("text"),
    }
}

#[test]
fn a_host_that_is_well_is_said_to_be() {
    let scene = Scene::start();
    let said = Doctor::of(&scene).by_alice().says();
    said.is(0, "POSTERN OK: everything that was looked at is well\n");
    let key = "pop/localhost@EXAMPLE.TEST kvno 1 aes256-cts-hmac-sha1-96";
    said.has("ok", "keytab", &[key], "");
    said.has("ok", "names", &["pop/localhost: there is a key"], "");
    said.has("ok", "kdc", &["of EXAMPLE.TEST answers"], "");
    said.has(
        "ok",
        "clock",
        &["0.", "s ahead of the clock of the KDC"],
        "",
    );
    said.has("ok", "ticket", &[key, "the server would take it"], "");
    said.has("-", "ldap", &["no [ldap]"], "");
    said.has("-", "winbind", &["no domain controller"], "");
    assert!(
        !scene.lab.path().join("cache").exists(),
        "tickets on the disk"
    );
    let said = Doctor::of(&scene).says();
    said.has("-", "ticket", &["--client PRINCIPAL"], "");
}

#[test]
fn a_client_proves_itself_by_its_password_too_and_a_wrong_one_is_its_own_fault() {
    let scene = Scene::start();
    let with = |password: &str| {
        let input = scene.lab.write("password", format!("{password}\n"));
        let tool = Doctor::of(&scene).tool();
        let tool = tool.args(["--client", "bob@EXAMPLE.TEST", "--password-stdin"]);
        said(tool.input(&input))
    };
    let right = with("Right-1234");
    right.is(0, "POSTERN OK");
    right.has("ok", "ticket", &["pop/localhost@EXAMPLE.TEST"], "");
    let wrong = with("Wrong-1234");
    wrong.is(3, "POSTERN UNKNOWN: unknown: ticket\n");
    wrong.has(
        "?",
        "ticket",
        &["bob@EXAMPLE.TEST", "password or key is wrong"],
        "--client",
    );
    assert!(!wrong.text.contains("Wrong-1234"), "{}", wrong.text);
    let alone = Doctor::of(&scene).tool().args(["--client", "bob"]);
    said(alone).is(3, "POSTERN UNKNOWN: standard input is not a terminal");
    let named = ["--client", "bob", "--client-keytab", "/nowhere"];
    let nowhere = said(Doctor::of(&scene).tool().args(named));
    nowhere.has(
        "?",
        "ticket",
        &["there is no keytab /nowhere"],
        "client's key",
    );
    let other = scene.realm.path("imap.keytab").display().to_string();
    let named = ["--client", "bob", "--client-keytab", &other];
    let other = said(Doctor::of(&scene).tool().args(named));
    other.has("?", "ticket", &["no ticket as bob: "], "--client");
}

#[test]
fn a_keytab_that_is_not_there_is_named() {
    let scene = Scene::start();
    fs::remove_file(keytab(&scene.lab)).expect("remove");
    is_not_offered(&scene, "there is no keytab");
    let said = Doctor::of(&scene).says();
    said.is(2, "POSTERN CRITICAL: failed: keytab; unknown: names\n");
    said.has(
        "FAIL",
        "keytab",
        &["server.keytab", "there is no keytab"],
        "kadmin ktadd",
    );
}

#[test]
fn a_keytab_that_cannot_be_read_is_named() {
    require_root("the other user");
    let scene = Scene::start();
    fs::set_permissions(keytab(&scene.lab), fs::Permissions::from_mode(0o600)).expect("chmod");
    std::os::unix::fs::chown(keytab(&scene.lab), Some(0), Some(0)).expect("chown");
    is_not_offered(&scene, "Permission denied");
    let said = Doctor::of(&scene).says();
    said.is(2, "POSTERN CRITICAL: failed: keytab");
    said.has(
        "FAIL",
        "keytab",
        &["cannot be read: Permission denied"],
        "chgrp",
    );
}

#[test]
fn a_keytab_of_another_service_is_named() {
    let scene = Scene::start();
    give_keytab(&scene.lab, &scene.realm, "imap.keytab");
    let words = "no key of pop/* or pop3/*; it holds imap/localhost@EXAMPLE.TEST";
    is_not_offered(&scene, words);
    let said = Doctor::of(&scene).by_alice().says();
    said.is(2, "POSTERN CRITICAL: failed: keytab, ticket");
    said.has("FAIL", "keytab", &[words], "export the key of pop/HOST");
    said.has("FAIL", "ticket", &["(kerberos-trouble)", words], "keytab");
}

#[test]
fn a_rotated_key_is_named() {
    let scene = Scene::start();
    let newer = scene.realm.path("newer.keytab");
    let name = newer.to_str().expect("a plain path").to_owned();
    scene.realm.does(&["rotate"], &["pop/localhost", &name]);
    scene.realm.kinit(&[], "alice");
    assert_eq!(scene.gssapi(&[]), REFUSAL);
    let words = [
        "for pop/localhost@EXAMPLE.TEST kvno 2 aes256-cts-hmac-sha1-96",
        "the keytab holds pop/localhost@EXAMPLE.TEST kvno 1",
        "the keytab is out of date",
    ];
    let record = scene.record("key-version");
    assert!(words.iter().all(|word| record.contains(word)), "{record}");
    let said = Doctor::of(&scene).by_alice().says();
    said.is(2, "POSTERN CRITICAL: failed: ticket\n");
    let words = [&words[..], &["would be refused (key-version)"]].concat();
    said.has(
        "FAIL",
        "ticket",
        &words,
        "export the key of the account again",
    );
    install(&scene.lab, &newer);
    Doctor::of(&scene).by_alice().says().is(0, "POSTERN OK");
}

#[test]
fn keys_of_rc4_alone_are_named() {
    let scene = Scene::start();
    give_keytab(&scene.lab, &scene.realm, "rc4.keytab");
    is_not_offered(&scene, "RC4 or DES alone");
    let said = Doctor::of(&scene).says();
    said.is(2, "POSTERN CRITICAL: failed: keytab");
    let remedy = "msDS-SupportedEncryptionTypes";
    said.has("FAIL", "keytab", &["RC4 or DES alone"], remedy);
    // Beside good keys of another host, who asks for this one is refused.
    let both = scene.realm.path("both.keytab");
    let all = ["pop.keytab", "rc4.keytab"].map(|name| scene.realm.path(name));
    let [mut octets, more] = all.map(|path| fs::read(path).expect("a keytab"));
    octets.extend(&more[2..]);
    fs::write(&both, octets).expect("a keytab");
    install(&scene.lab, &both);
    crate::faults::until_offered(&scene, true);
    assert_eq!(scene.gssapi(&["pop@rc4.example.test"]), REFUSAL);
    let words = "for pop/rc4.example.test@EXAMPLE.TEST kvno 1 arcfour-hmac (RC4)";
    let record = scene.record("weak-key");
    assert!(record.contains(words), "{record}");
    let said = Doctor::of(&scene).by_alice().says();
    said.has(
        "warn",
        "keytab",
        &["pop/rc4.example.test", "has no better one"],
        remedy,
    );
    said.has("FAIL", "ticket", &[words, "(weak-key)"], "keytab");
}

#[test]
fn a_clock_ten_minutes_off_is_named() {
    let scene = Scene::start();
    // The KDC would not give the client a ticket: it has one before its clock goes wrong.
    scene.realm.token(&["pop@localhost"]);
    let late = ["faketime", "-f", "+10m"];
    let mut client = scene.realm.client_under(&late, &["pop@localhost"]);
    let mut door = Client::connect(scene.postern.doors.plain);
    assert_eq!(scene.login(&mut door, "GSSAPI", &mut client), REFUSAL);
    assert!(scene.record("clock-skew").contains("synchronise both"));
    let said = Doctor::of(&scene).under(&late).by_alice().says();
    said.is(2, "POSTERN CRITICAL: failed: clock");
    let words = [
        "10 min 0 s ahead of the clock of the KDC 127.0.0.1:",
        "5 minutes",
    ];
    said.has("FAIL", "clock", &words, "synchronise");
    let said = Doctor::of(&scene)
        .under(&["faketime", "-f", "-130s"])
        .says();
    said.is(1, "POSTERN WARNING: warnings: clock\n");
    said.has("warn", "clock", &["2 min ", "s behind"], "synchronise");
}

#[test]
fn a_kdc_that_is_gone_is_named_and_logins_go_on() {
    let scene = Scene::start();
    scene.realm.token(&["pop@localhost"]);
    scene.realm.does(&["stop"], &[]);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
    scene.record("granted");
    let said = Doctor::of(&scene).by_alice().says();
    said.is(2, "POSTERN CRITICAL: failed: kdc; unknown: clock, ticket\n");
    let words = ["of EXAMPLE.TEST does not answer: Connection refused"];
    said.has(
        "FAIL",
        "kdc",
        &words,
        "until then clients get no new tickets",
    );
    said.has("?", "ticket", &["no KDC of the realm answers"], "KDC");
}

#[test]
fn a_kdc_that_hangs_hangs_nobody() {
    let scene = Scene::start();
    let kdc = fs::read_to_string(scene.realm.path("kdc.pid")).expect("its number");
    let kdc = Pid::from_raw(kdc.trim().parse().expect("a number"));
    kill(kdc, Signal::SIGSTOP).expect("kill");
    let begun = Instant::now();
    let said = Doctor::of(&scene).by_alice().says();
    let took = begun.elapsed();
    kill(kdc, Signal::SIGCONT).expect("kill");
    assert!(took < Duration::from_secs(25), "{took:?}");
    said.is(2, "POSTERN CRITICAL: failed: kdc");
    said.has("FAIL", "kdc", &["it was silent for 3 s"], "krb5.conf");
    said.has("?", "ticket", &["it gave no answer in 10 s"], "hangs");
}

#[test]
fn a_name_that_the_keytab_lacks_is_named() {
    let scene = Scene::start();
    let one = scene.realm.path("one.keytab");
    let name = one.to_str().expect("a plain path");
    let export = [
        "kadmin.local",
        "ktadd",
        "-norandkey",
        "-k",
        name,
        "pop/localhost",
    ];
    scene.realm.does(&["enter"], &export);
    install(&scene.lab, &one);
    // A client that was told to connect to mail.example.test.
    assert_eq!(scene.gssapi(&["pop@mail.example.test"]), REFUSAL);
    let record = scene.record("wrong-service");
    let words = [
        "for pop/mail.example.test@EXAMPLE.TEST kvno 1",
        "the keytab holds pop/localhost@EXAMPLE.TEST kvno 1",
    ];
    assert!(words.iter().all(|word| record.contains(word)), "{record}");
    let said = Doctor::of(&scene)
        .named("mail.example.test")
        .by_alice()
        .says();
    said.is(2, "POSTERN CRITICAL: failed: names, ticket");
    let found = [
        "ask for a ticket for pop/mail.example.test",
        "it holds pop/localhost",
    ];
    said.has("FAIL", "names", &found, "setspn -S pop/mail.example.test");
    let refused = [&words[..], &["would be refused (wrong-service)"]].concat();
    said.has("FAIL", "ticket", &refused, "export the key");
}

#[test]
fn a_name_that_the_kdc_does_not_know_is_named() {
    let scene = Scene::start();
    let said = Doctor::of(&scene)
        .named("elsewhere.example.test")
        .by_alice()
        .says();
    said.is(2, "POSTERN CRITICAL: failed: names, ticket");
    let words = ["knows no such service as pop/elsewhere.example.test@EXAMPLE.TEST"];
    said.has(
        "FAIL",
        "ticket",
        &words,
        "kadmin addprinc -randkey pop/elsewhere.example.test`",
    );
    let words = ["elsewhere.example.test has no address"];
    said.has("warn", "names", &words, "DNS");
}

/// Runs a program that sees other names of hosts.
const AMONG_OTHER_HOSTS: &str =
    r#"mount --make-rprivate / && mount --bind "$1" /etc/hosts && shift && exec "$@""#;

#[test]
fn what_dns_makes_of_the_name_is_compared_with_the_keytab() {
    require_root("a namespace of mounts");
    let scene = Scene::start();
    let among = |hosts: &str| {
        let hosts = scene
            .lab
            .write("hosts", format!("127.0.0.1 localhost\n{hosts}\n"));
        let hosts = hosts.to_str().expect("a plain path").to_owned();
        let before = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            AMONG_OTHER_HOSTS,
            "sh",
            &hosts,
        ];
        Doctor::of(&scene)
            .named("mail.example.test")
            .under(&before)
            .says()
    };
    let said = among("192.0.2.7 mail.example.test");
    said.has("ok", "names", &["pop/mail.example.test"], "");
    let said = among("192.0.2.7 host7.example.test mail.example.test");
    said.is(1, "POSTERN WARNING: warnings: ");
    let words = [
        "DNS calls mail.example.test host7.example.test",
        "ask for pop/host7.example.test",
    ];
    said.has("warn", "names", &words, "dns_canonicalize_hostname");
    let said = among("192.0.2.8 host8.example.test\n192.0.2.8 mail.example.test");
    let words = ["has the address 192.0.2.8, whose name is host8.example.test"];
    said.has("warn", "names", &words, "rdns = false");
}

#[test]
fn programs_read_the_same() {
    let scene = Scene::start();
    scene.realm.does(&["stop"], &[]);
    let said = said(Doctor::of(&scene).tool().arg("--json"));
    assert_eq!(said.code, Some(2), "{}", said.text);
    let found: serde_json::Value = serde_json::from_str(&said.text).expect("JSON");
    assert_eq!(
        (&found["status"], &found["code"]),
        (&"critical".into(), &2.into())
    );
    let of = |name: &str| {
        let checks = found["checks"].as_array().expect("a list");
        let check = checks.iter().find(|check| check["name"] == name);
        check.expect("the check").clone()
    };
    assert_eq!(of("kdc")["status"], "critical");
    assert_eq!(of("kdc")["findings"][0]["severity"], "error");
    assert!(of("kdc")["findings"][0]["remedy"].is_string());
    assert_eq!(of("clock")["status"], "unknown");
    assert_eq!(of("ldap")["status"], "none");
    assert_eq!(of("names")["status"], "ok");
    assert!(of("keytab")["well"][0].is_string());
}

/// Another realm has other keys under the same names and numbers.
#[test]
fn a_key_of_another_realm_of_the_same_name_is_named() {
    let scene = Scene::start();
    let other = Realm::start();
    install(&scene.lab, &other.path("pop.keytab"));
    assert_eq!(scene.gssapi(&[]), REFUSAL);
    scene.record("bad-ticket");
    let said = Doctor::of(&scene).by_alice().says();
    said.is(2, "POSTERN CRITICAL: failed: ticket\n");
    said.has(
        "FAIL",
        "ticket",
        &["(bad-ticket)", "cannot decrypt"],
        "export the key",
    );
}
