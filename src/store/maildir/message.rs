//! One open message.

use std::io::IoSliceMut;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::io::{Errno, ReadWriteFlags};

use crate::store::{Message, StoreError};

/// A message that stays readable, whoever renames or deletes it meanwhile.
#[derive(Debug)]
pub(crate) struct OpenMessage {
    fd: OwnedFd,
    offset: u64,
    path: PathBuf,
}

impl OpenMessage {
    /// Takes over an open file; the path is for error messages.
    pub(crate) fn new(fd: OwnedFd, path: PathBuf) -> Self {
        Self {
            fd,
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
    fn read(&mut self, block: &mut [u8]) -> Result<usize, StoreError> {
        let read =
            rustix::io::retry_on_intr(|| rustix::io::pread(&self.fd, &mut *block, self.offset));
        self.advance(read)
    }

    fn read_now(&mut self, block: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let mut parts = [IoSliceMut::new(block)];
        let flags = ReadWriteFlags::NOWAIT;
        match rustix::io::preadv2(&self.fd, &mut parts, self.offset, flags) {
            Err(Errno::AGAIN) => Ok(None),
            // This file system cannot tell; it gets a plain read.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => self.read(block).map(Some),
            other => self.advance(other).map(Some),
        }
    }
}
