//! Maildrops in memory, for tests of the engine and for fuzzing. Never used by the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postern_auth::Identity;

use super::size::WireSize;
use super::{Listing, Maildrop, Message, RemoveError, Store, StoreError};

/// Maildrops by the canonical names of accounts; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    boxes: Arc<Mutex<BTreeMap<String, Mailbox>>>,
}

#[derive(Debug, Default)]
struct Mailbox {
    messages: BTreeMap<u32, Stored>,
    last: u32,
    stuck: BTreeSet<u32>,
}

#[derive(Debug)]
struct Stored {
    octets: Arc<[u8]>,
    imported: Option<String>,
}

impl MemoryStore {
    /// No mail at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers a message and says its uid.
    pub fn deliver(&self, name: &str, octets: &[u8]) -> u32 {
        self.put(name, octets, None)
    }

    /// Delivers a message that brings a unique id from another server.
    pub fn import(&self, name: &str, octets: &[u8], id: &str) -> u32 {
        self.put(name, octets, Some(id.to_owned()))
    }

    /// Deletes a message as if by another program.
    pub fn vanish(&self, name: &str, uid: u32) {
        if let Some(mailbox) = self.lock().get_mut(name) {
            mailbox.messages.remove(&uid);
        }
    }

    /// Lets every deletion of a message fail from now on.
    pub fn jam(&self, name: &str, uid: u32) {
        self.lock()
            .entry(name.to_owned())
            .or_default()
            .stuck
            .insert(uid);
    }

    /// The uids that are there now.
    pub fn uids(&self, name: &str) -> Vec<u32> {
        let boxes = self.lock();
        boxes
            .get(name)
            .map(|mailbox| mailbox.messages.keys().copied().collect())
            .unwrap_or_default()
    }

    /// Opens a maildrop by the name of its account.
    pub fn open_name(&self, name: &str) -> Box<dyn Maildrop> {
        let boxes = self.lock();
        let mut listing = Listing::default();
        let mut uids = Vec::new();
        for (uid, stored) in boxes.get(name).iter().flat_map(|mailbox| &mailbox.messages) {
            let mut size = WireSize::default();
            size.add(&stored.octets);
            listing.push(size.total(), *uid, stored.imported.as_deref());
            uids.push(*uid);
        }
        let (store, name) = (self.clone(), name.to_owned());
        Box::new(MemoryMaildrop {
            store,
            name,
            listing: Arc::new(listing),
            uids,
        })
    }

    fn put(&self, name: &str, octets: &[u8], imported: Option<String>) -> u32 {
        let mut boxes = self.lock();
        let mailbox = boxes.entry(name.to_owned()).or_default();
        mailbox.last = mailbox.last.saturating_add(1);
        mailbox.messages.insert(
            mailbox.last,
            Stored {
                octets: octets.into(),
                imported,
            },
        );
        mailbox.last
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Mailbox>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn open(&self, identity: &Identity) -> Result<Box<dyn Maildrop>, StoreError> {
        Ok(self.open_name(&identity.account().name))
    }
}

struct MemoryMaildrop {
    store: MemoryStore,
    name: String,
    listing: Arc<Listing>,
    uids: Vec<u32>,
}

impl Maildrop for MemoryMaildrop {
    fn listing(&self) -> &Arc<Listing> {
        &self.listing
    }

    fn message(&self, index: usize) -> Result<Box<dyn Message>, StoreError> {
        let boxes = self.store.lock();
        let uid = self.uids.get(index);
        let stored = uid.and_then(|uid| boxes.get(&self.name)?.messages.get(uid));
        let octets = Arc::clone(&stored.ok_or(StoreError::Vanished)?.octets);
        Ok(Box::new(MemoryMessage { octets, offset: 0 }))
    }

    fn remove(&self, indices: &mut dyn Iterator<Item = usize>) -> Result<(), RemoveError> {
        let mut boxes = self.store.lock();
        let Some(mailbox) = boxes.get_mut(&self.name) else {
            return Ok(());
        };
        let mut left = 0;
        for uid in indices.filter_map(|index| self.uids.get(index)) {
            if mailbox.stuck.contains(uid) && mailbox.messages.contains_key(uid) {
                left += 1;
            } else {
                mailbox.messages.remove(uid);
            }
        }
        if left == 0 {
            return Ok(());
        }
        let source = std::io::ErrorKind::PermissionDenied.into();
        let path = format!("memory/{}", self.name).into();
        Err(RemoveError {
            left,
            first: StoreError::Failed { path, source },
        })
    }
}

struct MemoryMessage {
    octets: Arc<[u8]>,
    offset: usize,
}

impl Message for MemoryMessage {
    fn length(&self) -> u64 {
        u64::try_from(self.octets.len()).unwrap_or(u64::MAX)
    }

    fn read(&mut self, block: &mut [u8]) -> Result<usize, StoreError> {
        let rest = self.octets.get(self.offset..).unwrap_or_default();
        let count = rest.len().min(block.len());
        for (to, from) in block.iter_mut().zip(rest) {
            *to = *from;
        }
        self.offset += count;
        Ok(count)
    }

    fn read_now(&mut self, block: &mut [u8]) -> Result<Option<usize>, StoreError> {
        self.read(block).map(Some)
    }
}
