//! The folder, the address, the users and the owner of the mail.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::unistd::{Uid, User as Account};
use tempfile::TempDir;

use super::mail::Folder;
use super::pki::Pki;

/// Somebody with a mailbox.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    /// The login.
    pub(crate) name: &'static str,
    /// The password.
    pub(crate) password: &'static str,
    /// Keys of it for SCRAM-SHA-256, with the fewest iterations that there may be.
    pub(crate) scram: &'static str,
    /// Its NT hash: MD4 of it in UTF-16.
    pub(crate) nt_hash: &'static str,
}

/// An ordinary user.
pub(crate) const ALICE: User = User {
    name: "alice",
    password: "wonder-1865",
    scram: "SCRAM-SHA-256$4096:K9gGyX8OAK8aH8Myj6djqQ==$bJ7U2qxgf2xAQlFnPh2cEEp+I25lymeldRJSiivQ8hc=:fQdUTMzKMkzxXe4W/ZaT4xm+8jjlCtwxHrxwEjydW0Q=",
    nt_hash: "03906a9ffc54049fd8d9f70f3fa59cbf",
};
/// Another ordinary user.
pub(crate) const BOB: User = User {
    name: "bob",
    password: "builder-1999",
    scram: "SCRAM-SHA-256$4096:gbY32PzSxtpjWeaWMROhFw==$DHGNn1upLeAkezmbwLjZZH+uZXKdFCGg7vRkAWT5LbY=:8ozcGAsZAmgnzLon0k/z9FjLoNh7SEHp3jE7Hs/9Jks=",
    nt_hash: "93e39c1f3c9726138a699686d0dd67e9",
};
/// A user whose password has blanks and letters outside ASCII; not every client can send it.
pub(crate) const CAROL: User = User {
    name: "carol",
    password: "grüße an  alle ",
    scram: "SCRAM-SHA-256$4096:TCbZB0wn2J7eWScMCsFLcQ==$rEbB9tZaAKFeTtfLTKoStx0zu56jkSW1+It9SquJHkA=:tTKikKHLl5JUz58sTlJlZySp/mMMLFd+3HRL7FV52FQ=",
    nt_hash: "376cea567582435dc54da48d3457ace0",
};

/// All users of the lab.
pub(crate) const USERS: [User; 3] = [ALICE, BOB, CAROL];

/// The name in the certificate, beside `localhost` and the lab's address.
pub(crate) const HOST: &str = "pop.example.test";

/// A world of its own for one test; it vanishes with the value.
pub(crate) struct Lab {
    folder: TempDir,
    /// This lab's own loopback address: a port that was free on it stays free.
    pub(crate) address: Ipv4Addr,
    /// Its certificate authority and the server's certificate.
    pub(crate) pki: Pki,
    /// Who owns the mail: an unprivileged user when the tests run as root, otherwise ourselves.
    pub(crate) uid: u32,
    /// The owner's group.
    pub(crate) gid: u32,
    /// What `login.extended_protection` is set to.
    pub(crate) extended_protection: String,
}

impl Lab {
    /// Makes the folder, the certificates and an empty Maildir for each of [`USERS`].
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("postern-lab-")
            .tempdir_in("/tmp")
            .expect("a folder under /tmp");
        // The servers become other users and must reach what is inside.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        let (uid, gid) = mail_owner();
        let address = own_address();
        let pki = Pki::new(folder.path(), address);
        let lab = Self {
            folder,
            address,
            pki,
            uid,
            gid,
            extended_protection: "allow".to_owned(),
        };
        lab.give(&lab.dir("mail"));
        for user in USERS {
            lab.maildir(user);
        }
        lab
    }

    /// The lab's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder in the lab, made when it is not there.
    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).expect("a folder in the lab");
        path
    }

    /// Writes a file in the lab and says where it is.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, contents).expect("a file in the lab");
        path
    }

    /// Makes the owner of the mail the owner of this path.
    pub(crate) fn give(&self, path: &Path) {
        chown(path, Some(self.uid), Some(self.gid)).expect("chown");
    }

    /// The user's Maildir, made when it is not there.
    pub(crate) fn maildir(&self, user: User) -> Folder {
        let home = self.dir(&format!("mail/{}", user.name));
        self.give(&home);
        Folder::new(home.join("Maildir"), self.uid, self.gid)
    }

    /// A port that nothing uses. Servers that can listen on port 0 do not need it.
    pub(crate) fn free_port(&self) -> SocketAddr {
        let listener = TcpListener::bind((self.address, 0)).expect("a free port");
        listener.local_addr().expect("its address")
    }
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Stops a test that needs root, saying what to do.
pub(crate) fn require_root(who: &str) {
    assert!(
        is_root(),
        "{who} runs as root here: run the tests as root (sudo script/test)"
    );
}

fn mail_owner() -> (u32, u32) {
    if !is_root() {
        return (
            Uid::effective().as_raw(),
            nix::unistd::Gid::effective().as_raw(),
        );
    }
    let nobody = Account::from_name("nobody")
        .expect("/etc/passwd")
        .expect("a user nobody");
    (nobody.uid.as_raw(), nobody.gid.as_raw())
}

/// 127.x.y.z made of the process id and a counter: tests run side by side, each in a process of
/// its own, and nobody else listens on that address.
fn own_address() -> Ipv4Addr {
    static COUNTER: AtomicU32 = AtomicU32::new(1);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed) & 3;
    let [_, a, b, c] = ((std::process::id() & 0x003F_FFFF) | count << 22).to_be_bytes();
    Ipv4Addr::new(127, a, b, c)
}

impl AsRef<Path> for Lab {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl From<&Lab> for IpAddr {
    fn from(lab: &Lab) -> Self {
        Self::V4(lab.address)
    }
}
