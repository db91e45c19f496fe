//! One open message.

use std::io::IoSliceMut;
use std::path::PathBuf;

use rustix::io::{Errno, ReadWriteFlags};

use super::folder::Opened;
use crate::store::{Message, StoreError};

/// A message that stays readable, whoever renames or deletes it meanwhile.
#[derive(Debug)]
pub(crate) struct OpenMessage {
    file: Opened,
    offset: u64,
    path: PathBuf,
}

impl OpenMessage {
    /// Takes over an open file; the path is for error messages.
    pub(crate) fn new(file: Opened, path: PathBuf) -> Self {
        Self {
            file,
            offset: 0,
            path,
        }
    }

    fn advance(&mut self, read: Result<usize, Errno>) -> Result<usize, StoreError> {
        let count = read.map_err(|errno| StoreError::Failed {
            path: self.path.clone(),
            source: errno.into(),
        })?;
        self.offset = self
            .offset
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl Message for OpenMessage {
    fn length(&self) -> u64 {
        self.file.length
    }

    fn read(&mut self, block: &mut [u8]) -> Result<usize, StoreError> {
        let read = rustix::io::retry_on_intr(|| {
            rustix::io::pread(&self.file.fd, &mut *block, self.offset)
        });
        self.advance(read)
    }

    fn read_now(&mut self, block: &mut [u8]) -> Result<Option<usize>, StoreError> {
        // The end is known, and needs not be asked for.
        if self.offset >= self.file.length {
            return Ok(Some(0));
        }
        let mut parts = [IoSliceMut::new(block)];
        let flags = ReadWriteFlags::NOWAIT;
        match rustix::io::preadv2(&self.file.fd, &mut parts, self.offset, flags) {
            Err(Errno::AGAIN) => Ok(None),
            // This file system cannot tell; it gets a plain read.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => self.read(block).map(Some),
            other => self.advance(other).map(Some),
        }
    }
}
