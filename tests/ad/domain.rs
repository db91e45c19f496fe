//! A real Active Directory domain: a Samba domain controller and a member with winbind, by kdc-testenv/ad.
//!
//! It is made once and kept below `target/`; each test starts a copy of its own.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::lab::world::{Lab, require_root};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "Right-1234";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kdc-testenv/ad");
const ACCOUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kdc-testenv/ad-accounts");

/// A running domain; it ends with the value.
pub(crate) struct Domain {
    folder: PathBuf,
}

impl Domain {
    /// Starts a copy of the domain in the lab's folder.
    pub(crate) fn start(lab: &Lab) -> Self {
        require_root("a domain controller");
        let made = made();
        let folder = lab.path().join("ad");
        succeed(
            Command::new("cp")
                .args(["--archive", "--reflink=auto"])
                .args([&made, &folder]),
        );
        let domain = Self { folder };
        domain.script("start", &[]);
        domain
    }

    /// The words that run a program on the member, with this machine's network.
    pub(crate) fn member(&self) -> [&str; 6] {
        let folder = self.folder.to_str().expect("a plain path");
        ["env", "HOST_NETWORK=1", SCRIPT, "mail", folder, "env"]
    }

    /// Runs a program on the member.
    pub(crate) fn on_member(&self, command: &[&str]) -> Output {
        self.script("mail", command)
    }

    /// Runs a program on the domain controller.
    pub(crate) fn on_controller(&self, command: &[&str]) -> Output {
        self.script("enter", command)
    }

    fn script(&self, action: &str, command: &[&str]) -> Output {
        succeed(
            Command::new(SCRIPT)
                .arg(action)
                .arg(&self.folder)
                .args(command),
        )
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").arg(&self.folder).status();
    }
}

/// The folder of a domain that is made and stopped. Other test processes may want it too.
fn made() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    for script in [SCRIPT, ACCOUNTS] {
        fs::read(script).expect("a script").hash(&mut hasher);
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ad-{:016x}", hasher.finish()));
    let lock = File::create(folder.with_extension("lock")).expect("a lock");
    lock.lock().expect("a lock");
    if !folder.join("kept").exists() {
        let _ = fs::remove_dir_all(&folder);
        succeed(Command::new(SCRIPT).arg("start").arg(&folder));
        succeed(Command::new(SCRIPT).arg("stop").arg(&folder));
        fs::write(folder.join("kept"), "").expect("a mark");
    }
    folder
}

fn succeed(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}; run script/bootstrap",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
