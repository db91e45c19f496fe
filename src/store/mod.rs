//! The mail: the only room that touches it.
//!
//! A [`Store`] opens one [`Maildrop`] per session: a snapshot of the messages as they were at that
//! moment (C0004 of \[MS-STANXPOP3\]), without a lock. Everything here blocks; `net` decides on which
//! thread. Nothing is opened without an [`Identity`].

mod error;
mod listing;
pub mod maildir;
pub mod memory;
mod size;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use postern_auth::Identity;

pub use error::{RemoveError, StoreError};
pub use listing::{Listing, Uid};
pub use maildir::MaildirStore;
pub use memory::MemoryStore;

/// Opens maildrops.
pub trait Store: Send + Sync {
    /// Takes the snapshot that one session works on.
    ///
    /// # Errors
    /// [`StoreError`] when the maildrop is missing, unreadable or in trouble.
    fn open(&self, identity: &Identity) -> Result<Box<dyn Maildrop>, StoreError>;
}

/// One session's snapshot of a mailbox. Messages are known by their index in the listing, from 0.
pub trait Maildrop: Send + Sync {
    /// Sizes and unique ids, in the order of delivery.
    fn listing(&self) -> &Arc<Listing>;

    /// Opens a message for reading; its name may have changed since the snapshot (flags).
    ///
    /// # Errors
    /// [`StoreError::Vanished`] when somebody else deleted it.
    fn message(&self, index: usize) -> Result<Box<dyn Message>, StoreError>;

    /// Deletes the messages at these indices, and never another one. Goes on after a failure
    /// (V0006); one that is gone already counts as deleted. Durable when it returns.
    ///
    /// # Errors
    /// [`RemoveError`] says how many could not be deleted and why the first of them could not.
    fn remove(&self, indices: &mut dyn Iterator<Item = usize>) -> Result<(), RemoveError>;
}

/// The octets of one message as they are stored: line ends may be LF or CRLF or both.
pub trait Message: Send {
    /// How many octets there are. A message does not grow: nothing beyond this is read.
    fn length(&self) -> u64;

    /// Reads the next octets into `block`; 0 is the end. May wait for the disk.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk or the file fails.
    fn read(&mut self, block: &mut [u8]) -> Result<usize, StoreError>;

    /// As [`Self::read`], but `None` instead of waiting for the disk.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk or the file fails.
    fn read_now(&mut self, block: &mut [u8]) -> Result<Option<usize>, StoreError>;
}
