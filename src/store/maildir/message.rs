//! One open message.

use std::io::{self, IoSliceMut};
use std::path::PathBuf;

use rustix::io::{Errno, ReadWriteFlags};

use super::folder::{self, Opened};
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

    /// What was read moves the offset. A file that another program cut off or wrote over is an
    /// error: neither half a message nor parts of two must be taken for a whole one.
    fn advance(&mut self, read: Result<usize, Errno>) -> Result<usize, StoreError> {
        let count = read.map_err(|errno| self.failed(errno.into()))?;
        let begun = self.offset > 0;
        self.offset = self
            .offset
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if count == 0 && self.offset < self.file.length {
            return Err(self.changed("another program cut the message off while it was read"));
        }
        // What is read at once is of one moment.
        let at_end = self.offset >= self.file.length;
        if begun && count > 0 && at_end && self.is_rewritten()? {
            return Err(self.changed("another program changed the message while it was read"));
        }
        Ok(count)
    }

    fn is_rewritten(&self) -> Result<bool, StoreError> {
        let stat = rustix::fs::fstat(&self.file.fd).map_err(|errno| self.failed(errno.into()))?;
        Ok(folder::modified(&stat) != self.file.modified)
    }

    fn changed(&self, problem: &'static str) -> StoreError {
        self.failed(io::Error::new(io::ErrorKind::InvalidData, problem))
    }

    fn failed(&self, source: io::Error) -> StoreError {
        StoreError::Failed {
            path: self.path.clone(),
            source,
        }
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
