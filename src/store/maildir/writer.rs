//! Writes index lines to a file that somebody else opened, in blocks. Makes nothing durable.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::measure::BLOCK;
use super::table::{Source, Table};
use super::uidlist::{Entry, Header, More};

/// Collects lines and writes them in blocks.
pub(crate) struct Writer<'a> {
    fd: BorrowedFd<'a>,
    block: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Begins where the file's position is.
    pub(crate) fn new(fd: BorrowedFd<'a>) -> Self {
        Self {
            fd,
            block: Vec::new(),
        }
    }

    /// The first line.
    pub(crate) fn header(&mut self, header: &Header) -> Result<(), Errno> {
        header.print(&mut self.block);
        self.flush_at(BLOCK)
    }

    /// One entry, with more in front of its keys.
    pub(crate) fn entry(&mut self, entry: &Entry<'_>, more: More) -> Result<(), Errno> {
        entry.print(more, &mut self.block);
        self.flush_at(BLOCK)
    }

    /// New entries, and then everything to the file.
    pub(crate) fn rows(&mut self, table: &Table<'_>, unlisted: &[usize]) -> Result<(), Errno> {
        for &index in unlisted {
            let Some(row) = table.at(index) else { continue };
            let entry = Entry {
                uid: row.uid,
                keys: b"",
                base: table.base(index),
            };
            // One that an older index told would be lost with it, and be counted again.
            let known = matches!(row.source, Source::Measured | Source::Index);
            let more = More {
                size: known.then_some((table.key(), row.size)),
                cross_out: false,
            };
            self.entry(&entry, more)?;
        }
        self.flush_at(0)
    }

    fn flush_at(&mut self, limit: usize) -> Result<(), Errno> {
        if self.block.len() < limit {
            return Ok(());
        }
        let mut rest = self.block.as_slice();
        while !rest.is_empty() {
            let count = rustix::io::retry_on_intr(|| rustix::io::write(self.fd, rest))?;
            rest = rest.get(count.max(1)..).unwrap_or_default();
        }
        self.block.clear();
        Ok(())
    }
}
