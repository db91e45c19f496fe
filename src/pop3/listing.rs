//! LIST and UIDL: one line a message, made in portions so that 100,000 of them hold no memory.

use super::marks::Marks;
use super::reply;
use super::settings::Order;
use super::transaction::in_order;
use crate::store::{Listing, Uid};

/// A portion is sent when it is this long, in octets.
const PORTION: usize = 32 * 1024;

/// What stands behind the number.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// LIST: nothing follows the size (V0005).
    Size,
    /// UIDL.
    UniqueId,
}

impl Column {
    /// The single-line form.
    pub(super) fn line(self, listing: &Listing, index: usize, number: u64) -> Vec<u8> {
        match self {
            Self::Size => reply::status_line(format_args!(
                "+OK {number} {}",
                listing.size(index).unwrap_or(0)
            )),
            Self::UniqueId => match listing.uid(index) {
                Some(uid) => reply::status_line(format_args!("+OK {number} {uid}")),
                None => reply::status_line(format_args!("+OK {number}")),
            },
        }
    }

    fn row(self, text: &mut Vec<u8>, listing: &Listing, index: usize, number: usize) {
        let mut digits = itoa::Buffer::new();
        let value = match (self, listing.size(index), listing.uid(index)) {
            (Self::Size, Some(size), _) => digits.format(size),
            (Self::UniqueId, _, Some(Uid::Number(uid))) => digits.format(uid),
            (Self::UniqueId, _, Some(Uid::Imported(id))) => id,
            _ => return,
        };
        text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        text.push(b' ');
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
}

/// A listing that is being sent.
pub(super) struct Rows {
    column: Column,
    place: usize,
}

impl Rows {
    pub(super) fn new(column: Column) -> Self {
        Self { column, place: 0 }
    }

    /// The next rows, and whether they are the last; the last portion ends with the dot.
    pub(super) fn some(
        &mut self,
        listing: &Listing,
        marks: &Marks,
        order: Order,
    ) -> (Vec<u8>, bool) {
        let mut text = Vec::new();
        while let Some(index) = in_order(self.place, listing.len(), order) {
            self.place += 1;
            if !marks.contains(index) {
                self.column.row(&mut text, listing, index, self.place);
            }
            if text.len() >= PORTION {
                return (text, false);
            }
        }
        text.extend_from_slice(b".\r\n");
        (text, true)
    }
}
