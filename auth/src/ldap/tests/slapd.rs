//! A real slapd in a folder of its own: started, stopped, held, and gone with its owner.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the server is a program with files"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};

/// A directory server with the entries of `slapd.ldif`.
pub(in crate::ldap) struct Slapd {
    child: Option<Child>,
    folder: tempfile::TempDir,
    port: u16,
    tls_port: u16,
}

impl Slapd {
    /// A server that answers.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let at = folder.path().display().to_string();
        let conf = include_str!("slapd.conf").replace("FOLDER", &at);
        fs::write(folder.path().join("slapd.conf"), conf).unwrap();
        fs::write(folder.path().join("slapd.ldif"), include_str!("slapd.ldif")).unwrap();
        fs::create_dir(folder.path().join("db")).unwrap();
        let added = program("slapadd", folder.path())
            .arg("-l")
            .arg(folder.path().join("slapd.ldif"))
            .output()
            .unwrap();
        assert!(
            added.status.success(),
            "{}",
            String::from_utf8_lossy(&added.stderr)
        );
        let mut slapd = Self {
            child: None,
            folder,
            port: 0,
            tls_port: 0,
        };
        // Somebody else may take a free port before slapd does.
        for _ in 0..5 {
            (slapd.port, slapd.tls_port) = (free_port(), free_port());
            if slapd.try_run() {
                return slapd;
            }
        }
        panic!("slapd does not start: {}", slapd.log());
    }

    /// Starts it again where it was.
    pub(super) fn restart(&mut self) {
        assert!(self.try_run(), "slapd does not start again: {}", self.log());
    }

    fn try_run(&mut self) -> bool {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = program("slapd", self.folder.path())
            .arg("-h")
            .arg(format!(
                "{} {} {}",
                self.plain(),
                self.tls(),
                self.socket_escaped()
            ))
            .args(["-d", "stats"])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let mut child = child;
        for _ in 0..1500 {
            let open = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
            if open(self.port) && open(self.tls_port) && self.socket_path().exists() {
                self.child = Some(child);
                return true;
            }
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("slapd is not ready in 15 s: {}", self.log());
    }

    /// A line for each operation.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it at once; its connections break.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// From now on the kernel accepts connections, and nobody answers.
    pub(super) fn hold(&self) {
        self.signal(Signal::STOP);
        // The signal is sent, and its threads stop one after the other.
        let tasks = format!("/proc/{}/task", self.child.as_ref().unwrap().id());
        let is_stopped = |stat: String| stat.rsplit_once(") ").unwrap().1.starts_with('T');
        while !fs::read_dir(&tasks)
            .unwrap()
            .map(|task| fs::read_to_string(task.unwrap().path().join("stat")).unwrap())
            .all(is_stopped)
        {
            sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on.
    pub(super) fn release(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn plain(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    pub(super) fn tls(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    pub(super) fn socket(&self) -> String {
        format!("ldapi://{}", self.socket_path().display())
    }

    fn socket_escaped(&self) -> String {
        format!(
            "ldapi://{}",
            self.socket_path().display().to_string().replace('/', "%2F")
        )
    }

    fn socket_path(&self) -> PathBuf {
        self.file("ldapi")
    }

    /// A file of the server's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes entries as the administrator.
    pub(super) fn modify(&self, ldif: &str) {
        let file = self.file("change.ldif");
        fs::write(&file, ldif).unwrap();
        let done = Command::new("ldapmodify")
            .args([
                "-x",
                "-H",
                &self.plain(),
                "-D",
                "cn=admin,dc=example,dc=test",
                "-w",
                "admin",
                "-f",
            ])
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(Path::new("/usr/sbin").join(name));
    command.arg("-f").arg(folder.join("slapd.conf"));
    command
}

fn free_port() -> u16 {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    socket.local_addr().unwrap().port()
}

/// An authority, a server that it vouches for, a client `postern`, and an authority of somebody
/// else.
fn certificates(folder: &Path) {
    let authority = |file: &str| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, file);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.join(file), issuer.pem()).unwrap();
        issuer
    };
    authority("other.pem");
    let issuer = authority("ca.pem");
    let server = &["127.0.0.1", "example.test"][..];
    for (file, names) in [("server", server), ("client", &[])] {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(
            DnType::CommonName,
            if file == "client" {
                "postern"
            } else {
                "localhost"
            },
        );
        let certificate = params.signed_by(&key, &issuer).unwrap();
        fs::write(folder.join(format!("{file}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).unwrap();
    }
}
