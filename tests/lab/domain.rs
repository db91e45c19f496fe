//! A real Active Directory domain: a Samba domain controller and a member with winbind, by
//! `kdc-testenv/ad`.
//!
//! It is made once and kept below `target/`; each test starts a copy of its own.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::kerberos::Realm;
use super::realm::{PASSWORD, Part, script};
use super::world::{Lab, require_root};

/// Sets one attribute in the controller's own database, and prints what it was.
const CHANGE: &str = r#"
import sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

name, attribute, value = sys.argv[1:]
loadparm = LoadParm()
loadparm.load_default()
sam = SamDB(session_info=system_session(), lp=loadparm)
[entry] = sam.search(expression=f"(sAMAccountName={name})", attrs=[attribute])
sys.stdout.buffer.write(bytes(entry.get(attribute, idx=0) or b""))
message = ldb.Message(entry.dn)
message[attribute] = ldb.MessageElement(value or [], ldb.FLAG_MOD_REPLACE, attribute)
sam.modify(message)
"#;

/// A running domain; it ends with the value.
pub(crate) struct Domain(Part);

impl Domain {
    /// Starts a copy of the domain in the lab's folder.
    pub(crate) fn start(lab: &Lab) -> Self {
        require_root("a domain controller");
        let made = made();
        let folder = lab.path().join("ad");
        let copied = Command::new("cp")
            .args(["--archive", "--reflink=auto"])
            .args([&made, &folder])
            .status();
        assert!(copied.is_ok_and(|status| status.success()), "cp");
        let part = Part::in_folder(folder, "ad");
        part.start_again(&[]);
        Self(part)
    }

    /// The domain as a Kerberos realm.
    pub(crate) fn realm(self) -> Realm {
        Realm::of_domain(self.0)
    }

    /// The words that run a program on the member, with this machine's network.
    pub(crate) fn member(&self) -> Vec<String> {
        let before = ["env", "HOST_NETWORK=1"].map(str::to_owned);
        let words = before.into_iter().chain(self.0.words("mail"));
        words.chain(["env".to_owned()]).collect()
    }

    /// The words that run a program on the member, in the domain's own network.
    pub(crate) fn inside(&self) -> [String; 3] {
        self.0.words("mail")
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// The network in which controller and member see each other.
    pub(crate) fn network(&self) -> String {
        let pid = fs::read_to_string(self.0.file("dc.pid")).expect("the controller's process");
        format!("/proc/{}/ns/net", pid.trim())
    }

    /// The tickets on the member are from now on this user's: the arguments of `kinit`.
    pub(crate) fn kinit(&self, arguments: &[&str]) {
        assert!(self.tries_kinit(arguments), "no ticket for {arguments:?}");
    }

    /// The same, where the KDC may not know the name: whether it gave a ticket.
    pub(crate) fn tries_kinit(&self, arguments: &[&str]) -> bool {
        let input = format!("printf '%s\\n' {PASSWORD} | kinit \"$@\"");
        let shell = ["sh", "-c", &input, "sh"];
        let output = self.0.run("mail", &[&shell, arguments].concat());
        output.status.success()
    }

    /// Sets an attribute of an account, or takes it away when the value is empty; says what it was.
    pub(crate) fn change(&self, account: &str, attribute: &str, value: &str) -> String {
        let output =
            self.on_controller(&["/usr/bin/python3", "-c", CHANGE, account, attribute, value]);
        String::from_utf8(output.stdout).expect("a value of text")
    }

    /// Runs a program on the member.
    pub(crate) fn on_member(&self, command: &[&str]) -> Output {
        self.0.does("mail", command)
    }

    /// Runs a program on the domain controller.
    pub(crate) fn on_controller(&self, command: &[&str]) -> Output {
        self.0.does("enter", command)
    }
}

/// The folder of a domain that is made and stopped. Other test processes may want it too.
fn made() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    for name in ["ad", "ad-accounts"] {
        let octets = fs::read(script(name)).expect("a script");
        octets.hash(&mut hasher);
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ad-{:016x}", hasher.finish()));
    let lock = File::create(folder.with_extension("lock")).expect("a lock");
    lock.lock().expect("a lock");
    if !folder.join("kept").exists() {
        let _ = fs::remove_dir_all(&folder);
        let part = Part::in_folder(folder.clone(), "ad");
        part.start_again(&[]);
        part.stop();
        fs::write(folder.join("kept"), "").expect("a mark");
    }
    folder
}
