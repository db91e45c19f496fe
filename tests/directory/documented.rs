//! `docs/active-directory.md` and `docs/openldap.md`, done as they stand there: the commands, the
//! configuration, and what they print. With POSTERN_BLESS=1 the pages get what is printed now.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::lab::daemon::Daemon;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::{Lab, is_root, require_root};

/// A page, and how its names are those of the lab.
struct Page {
    path: PathBuf,
    text: String,
    /// What stands there, what it is here, and what is to be read again where that is printed.
    names: Vec<(&'static str, String, &'static str)>,
}

impl Page {
    fn read(name: &str, lab: &Lab) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = fs::read_to_string(&path).expect("a page");
        let here = |name: &str| lab.path().join(name).display().to_string();
        let names = vec![
            ("/etc/postern", here("etc"), "/etc/postern"),
            ("/var/mail", here("mail"), "/var/mail"),
        ];
        Self { path, text, names }
    }

    fn name(&mut self, documented: &'static str, here: &str, printed: &'static str) {
        self.names.push((documented, here.to_owned(), printed));
    }

    /// What is fenced as this language, in the words of the lab.
    fn blocks(&self, language: &str) -> Vec<String> {
        let fence = format!("\n```{language}\n");
        let blocks = self.text.split(fence.as_str()).skip(1);
        let blocks = blocks.filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block));
        let blocks: Vec<_> = blocks.map(|block| self.here(block)).collect();
        assert!(
            !blocks.is_empty(),
            "{} has no {language}",
            self.path.display()
        );
        blocks
    }

    /// Blocks of settings that belong behind the configuration.
    fn settings(&self) -> Vec<String> {
        let blocks = self.blocks("");
        let settings = blocks
            .into_iter()
            .filter(|block| block.starts_with("[ldap"));
        settings.collect()
    }

    fn here(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (documented, here, _)| {
            text.replace(documented, here)
        })
    }

    fn documented(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (_, here, printed)| {
            text.replace(here, printed)
        })
    }

    /// Runs each command that is shown with what it prints, and compares.
    fn transcripts(&mut self, run: impl Fn(&str) -> Output) {
        let mut text = String::new();
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once("\n```console\n") {
            let (block, after) = after.split_once("\n```").expect("the end of a block");
            let command = block.lines().next().unwrap_or_default();
            let command = command.strip_prefix("$ ").expect("a command");
            let output = run(&self.here(command));
            let said = [output.stdout, output.stderr].concat();
            // A terminal shows a line of a message as one line.
            let said = String::from_utf8(said)
                .expect("UTF-8")
                .replace("\r\n", "\n");
            assert!(!said.contains(PASSWORD), "{command}: {said}");
            let said = self.documented(&said);
            write!(
                text,
                "{before}\n```console\n$ {command}\n{}\n```",
                said.trim_end()
            )
            .expect("a string grows");
            rest = after;
        }
        text.push_str(rest);
        if std::env::var_os("POSTERN_BLESS").is_some() {
            fs::write(&self.path, &text).expect("the page");
        } else if text != self.text {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let (here, there) = (lines(&text), lines(&self.text));
            let differing = here.iter().zip(&there).find(|(here, there)| here != there);
            panic!(
                "{} is not what is printed: {differing:?}\n{text}",
                self.path.display()
            );
        }
        self.text = text;
    }
}

/// The configuration of the page, in its place, with the files that it names.
fn install(lab: &Lab, page: &Page, authority: &Path) -> PathBuf {
    let etc = lab.dir("etc/tls");
    let put = |name: &str, contents: &[u8]| {
        let path = lab.path().join("etc").join(name);
        fs::write(&path, contents).expect("a file of the configuration");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
        lab.give(&path);
        path
    };
    let read = |name: &str| fs::read(authority.join(name)).expect("a file of the authority");
    put("tls/directory-ca.pem", &read("ca.pem"));
    put("tls/chain.pem", &read("server.pem"));
    put("tls/key.pem", &read("server.key"));
    put("ldap-password", format!("{PASSWORD}\n").as_bytes());
    put("users.toml", b"");
    for path in [etc.as_path(), &lab.path().join("etc"), &lab.dir("mail")] {
        lab.give(path);
    }
    let toml = page.blocks("toml").remove(0);
    let toml = if is_root() {
        toml.replace("\"postern\"", "\"nobody\"")
    } else {
        toml.replace("user     = \"postern\"\n", "")
    };
    // Not every machine has file descriptors for the default.
    let toml = format!("{toml}\n[limits]\nmax_connections = 100\n");
    put("postern.toml", toml.as_bytes())
}

/// A script in which `postern` is ours, with this configuration.
fn script(config: &Path, command: &str) -> String {
    let program = env!("CARGO_BIN_EXE_postern");
    let more = if command.contains("auth test") {
        "--password-stdin"
    } else {
        ""
    };
    format!(
        "export PASSWORD={PASSWORD}\npostern() {{ '{program}' \"$@\" --config '{}' {more}; }}\n{command} \
         <<<'{PASSWORD}'",
        config.display()
    )
}

/// Whose the mail is on the pages.
const OWNER: &str = "-o postern -g postern";

/// Whose it is here.
fn owner() -> &'static str {
    if is_root() {
        "-o nobody -g nogroup"
    } else {
        ""
    }
}

/// The server, run behind these words.
fn serve(lab: &Lab, before: &[String], config: &Path) -> Daemon {
    let program = env!("CARGO_BIN_EXE_postern").to_owned();
    let mut words = before.iter().chain([&program]);
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).args(["serve", "--config"]).arg(config);
    let mut server = Daemon::start(lab, "postern", &mut command);
    server.await_ready("the record `ready`", |server| {
        server.log().contains(" ready").then_some(())
    });
    server
}

fn done(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}{problem}");
}

/// Each fragment behind the configuration is known to the directory.
fn fragments_fit(page: &Page, config: &Path, run: impl Fn(&Path, &str) -> Output) {
    let whole = fs::read_to_string(config).expect("the configuration");
    for settings in page.settings() {
        let more = config.with_extension("more.toml");
        fs::write(&more, format!("{whole}\n{settings}\n")).expect("a configuration");
        let output = run(&more, "postern check --strict");
        done(&settings, &output);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("ldap.attributes"), "{settings}: {said}");
    }
}

#[test]
fn the_page_on_active_directory_leads_to_fetched_mail() {
    require_root("Samba");
    let lab = Lab::new();
    let domain = Part::start(&lab, "ad", "ad", &[]);
    let mut page = Page::read("docs/active-directory.md", &lab);
    let config = install(&lab, &page, &domain.file("ca"));
    let on = |host: &str, script: &str| domain.run(host, &["bash", "-c", script]);
    page.name(OWNER, owner(), OWNER);
    // At a terminal curl would ask for the password.
    let door = " pop3s://mail.ad.example.test/";
    page.name(door, &format!(":{PASSWORD}{door}"), door);
    let [account, group, tls, message] = page.blocks("sh").try_into().expect("four steps");
    for step in [&account, &group] {
        done(
            step,
            &on("enter", &format!("set -e; PASSWORD={PASSWORD}\n{step}")),
        );
    }
    let output = on("mail", &tls);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    done(&message, &on("mail", &message));
    let server = OnceCell::new();
    page.transcripts(|command| {
        // Until then nobody listens, as on a machine where the page is followed.
        if command.starts_with("curl ") {
            server.get_or_init(|| serve(&lab, &domain.words("mail"), &config));
        }
        on("mail", &script(&config, command))
    });
    drop(server);
    fragments_fit(&page, &config, |config, command| {
        on("mail", &script(config, command))
    });
}

/// What the directory lets strangers and its users see before the page is followed: nothing.
const NOTHING: &str = "dn: olcDatabase={1}mdb,cn=config
changetype: modify
replace: olcAccess
olcAccess: {0}to attrs=userPassword by anonymous auth by * none
olcAccess: {1}to * by * none
";

#[test]
fn the_page_on_openldap_leads_to_fetched_mail() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let mut page = Page::read("docs/openldap.md", &lab);
    let (ldap, ldaps, ldapi) = (
        slapd.variable("LDAP_URI"),
        slapd.variable("LDAPS_URI"),
        slapd.variable("LDAPI_URI"),
    );
    page.name(
        "ldap://ldap.example.test",
        &ldap,
        "ldap://ldap.example.test:389",
    );
    page.name(
        "ldaps://ldap.example.test",
        &ldaps,
        "ldaps://ldap.example.test:636",
    );
    page.name("ldapi:///", &ldapi, "ldapi:///");
    page.name("[::]:995", "127.0.0.1:0", "[::]:995");
    page.name("-x -W ", &format!("-x -w {PASSWORD} "), "-x -W ");
    page.name(OWNER, owner(), OWNER);
    let config = install(&lab, &page, &slapd.file("ca"));
    let run = |script: &str| {
        let mut command = Command::new("bash");
        command.args(["-c", script]).envs(slapd.env());
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.output().expect("bash")
    };
    let nothing = format!("ldapmodify -Q -Y EXTERNAL -H {ldapi} <<'END'\n{NOTHING}END");
    done("shut the directory", &run(&nothing));
    let [account, rules, tls, message] = page.blocks("sh").try_into().expect("four steps");
    let step = |step: &str| run(&format!("set -e; PASSWORD={PASSWORD}\n{step}"));
    done(&account, &step(&account));
    let before = run(&script(&config, "postern check --strict"));
    assert!(!before.status.success(), "nobody may read yet: {before:?}");
    done(&rules, &step(&rules));
    let output = step(&tls);
    assert!(
        output.stdout.starts_with(b"dn:cn=pop,ou=services"),
        "{output:?}"
    );
    done(&message, &step(&message));
    let server = serve(&lab, &[], &config);
    let log = server.log();
    let (_, port) = log.split_once("127.0.0.1:").expect("an address");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let door = " pop3s://pop.example.test/";
    let here = format!(":{PASSWORD} pop3s://localhost:{port}/");
    page.name(door, &here, door);
    page.transcripts(|command| run(&script(&config, command)));
    drop(server);
    fragments_fit(&page, &config, |config, command| {
        run(&script(config, command))
    });
}
