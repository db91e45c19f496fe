//! What one or more sessions work on: a compact, unchanging list of the messages in a Maildir.
//!
//! A message costs 16 octets in the [`Listing`], 4 for its place in the arena, 1 for its folder
//! and its name. Nothing in it depends on a session.

use std::sync::Arc;

use rustix::io::Errno;

use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::{Folder, Place};
use super::index::{self, State};
use super::measure;
use super::table::{Source, Table};
use super::twins;
use super::update::Update;
use crate::store::{Listing, StoreError};

/// The messages of a Maildir at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Sizes and unique ids.
    pub(crate) listing: Arc<Listing>,
    /// Whether every message is in it, with a size that is sure.
    pub(crate) complete: bool,
    names: Vec<u8>,
    ends: Vec<u32>,
}

impl Snapshot {
    /// Where a message was, and its name then.
    pub(crate) fn name(&self, index: usize) -> Option<(Place, &[u8])> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let start = match index.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        let (place, name) = self.names.get(start..end)?.split_first()?;
        Some((
            if *place == b'n' {
                Place::New
            } else {
                Place::Cur
            },
            name,
        ))
    }

    /// Takes the snapshot of an existing Maildir: moves new mail to `cur`, gives it uids, finds
    /// sizes. `exact` asks for wire sizes.
    pub(crate) fn take(
        folder: &Folder,
        exact: bool,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let places = Places::open(folder)?;
        let mut files = Files::list(folder, &places)?;
        if files.by_base().len() < files.len() {
            twins::part(folder, &files, &places, clock);
            files = Files::list(folder, &places)?;
        }
        files.move_to_cur(&places);
        let mut table = Table::new(&files, exact);
        let state = index::read(folder, rustix::fs::OFlags::RDONLY, &mut |entry| {
            table.absorb(entry);
        })?;
        measure::complete(folder, &mut table);
        let update = Update {
            folder,
            places: &places,
            clock,
        };
        match state {
            State::Missing if table.unlisted().is_empty() => {}
            State::Sound(_) if table.unlisted().is_empty() => {
                if table.learned() {
                    remember(&update, &mut table);
                }
            }
            State::Missing | State::Damaged { .. } | State::Sound(_) => update.run(&mut table)?,
        }
        table.part_twins();
        if table.rejected() > 0 {
            tracing::warn!(
                path = %folder.path().display(),
                messages = table.rejected(),
                "imported unique ids that cannot be shown (1 to 70 printable octets, no two \
                 alike); these messages have numbers instead"
            );
        }
        Self::of(&table).map_err(|errno| folder.failed("cur", errno))
    }

    fn of(table: &Table<'_>) -> Result<Self, Errno> {
        let mut listing = Listing::default();
        let (mut names, mut ends) = (Vec::new(), Vec::new());
        for index in table.in_order() {
            let (Some(row), Some((place, name))) = (table.at(index), table.files().get(index))
            else {
                continue;
            };
            listing.push(row.size, row.uid, table.imported(index));
            names.push(if place == Place::New { b'n' } else { b'c' });
            names.extend_from_slice(name);
            ends.push(u32::try_from(names.len()).map_err(|_| Errno::FBIG)?);
        }
        names.shrink_to_fit();
        ends.shrink_to_fit();
        let complete = table
            .shown()
            .all(|(_, row)| row.uid != 0 && row.source != Source::Guess);
        Ok(Self {
            listing: Arc::new(listing),
            complete,
            names,
            ends,
        })
    }
}

/// Writes down sizes that were counted. Not worth failing a session for.
fn remember(update: &Update<'_>, table: &mut Table<'_>) {
    if let Err(error) = update.run(table) {
        tracing::warn!(
            problem = %error,
            "the sizes of messages could not be written down; they are counted again next time"
        );
    }
}
