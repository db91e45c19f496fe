//! Commands about accounts as an administrator types them: NT hashes and their key, `whois` and `auth test`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests write files and start the program"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod auth_test;
mod doctor;
mod nt_hash;
mod whois;

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with a configuration; `users` is more of its section of that name.
struct Office(TempDir);

/// Exit code, and everything that was said.
type Said = (Option<i32>, String);

impl Office {
    fn new(users: &str) -> Self {
        let office = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir(office.path("mail")).expect("mail");
        office.write(
            "postern.toml",
            &format!(
                "hostname = \"pop.example.test\"\n[login]\ntype = \"plain-text\"\n\
                 [[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"none\"\n\
                 [users]\nfile = \"users.toml\"\n{users}\n[maildrop]\npath = \"mail/{{name}}\"\n",
            ),
        );
        office
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("permissions");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn users(&self) -> String {
        fs::read_to_string(self.path("users.toml")).expect("the users file")
    }

    /// In the folder, with a credential folder of systemd if one is given.
    fn run_in(&self, credentials: Option<&str>, arguments: &[&str], input: &[u8]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.env_remove("CREDENTIALS_DIRECTORY");
        if let Some(folder) = credentials {
            command.env("CREDENTIALS_DIRECTORY", folder);
        }
        let mut child = command
            .args(arguments)
            .args(["--config", "postern.toml"])
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        // A command that does not read may be gone already.
        let _ = pipe.write_all(input);
        drop(pipe);
        let output = child.wait_with_output().expect("the program ends");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        (output.status.code(), text)
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.run_in(None, arguments, b"Password\n")
    }

    /// Runs what must succeed.
    fn done(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// Runs what must fail.
    fn fails(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        said
    }
}
