//! What can go wrong with mail, by blame.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// Why the store could not do what it was asked. Clients never see the text; the log does.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else deleted the message after the snapshot was taken.
    #[error("the message is gone from the maildrop")]
    Vanished,
    /// The account's maildrop does not exist or is not a Maildir that this process may use.
    #[error("{path}: {problem}")]
    Unusable {
        /// The Maildir.
        path: PathBuf,
        /// What is wrong and what to do about it.
        problem: String,
    },
    /// Another process holds the lock of the index for longer than we wait.
    #[error("{path}: locked by another process for too long")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{path}: {source}{}", remedy(source))]
    Failed {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What the administrator can do about an error of the system.
fn remedy(source: &io::Error) -> &'static str {
    match Errno::from_io_error(source) {
        Some(Errno::NOSPC) => ": make room on the disk, in octets and in inodes (df, df -i)",
        Some(Errno::DQUOT) => ": make room in the quota of the owner of the mail",
        Some(Errno::ROFS) => {
            ": mount it writable; after an error of the disk the kernel makes it read-only and says so in its log"
        }
        Some(Errno::IO) => ": the disk or the network behind it fails; the kernel's log says more",
        Some(Errno::MFILE | Errno::NFILE) => {
            ": there are no file descriptors left; raise `LimitNOFILE=` of the unit"
        }
        Some(_) | None => "",
    }
}

/// Some of the marked messages could not be deleted; all the others are.
#[derive(Debug, thiserror::Error)]
#[error("{left} marked messages could not be deleted; the first: {first}")]
pub struct RemoveError {
    /// How many are still there.
    pub left: usize,
    /// Why the first of them is.
    pub first: StoreError,
}
