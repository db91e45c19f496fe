//! What one or more sessions work on: a compact, unchanging list of the messages in a Maildir.
//!
//! A message costs 16 octets in the [`Listing`] and about 2 besides what its name does not share
//! with the one before: some 40 to 60 in all. Nothing in it depends on a session.

use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::clock::Clock;
use super::files::{Files, Places};
use super::folder::{Folder, Place};
use super::index::{self, State};
use super::lock::{self, PATIENCE};
use super::measure;
use super::names::Names;
use super::table::{Source, Table};
use super::twins;
use super::update::Update;
use crate::store::{Listing, StoreError};

/// How often a Maildir is looked at again that changes under our eyes.
const ATTEMPTS: u32 = 3;

/// The messages of a Maildir at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Sizes and unique ids.
    pub(crate) listing: Arc<Listing>,
    /// Whether every message is in it, with a size that is sure.
    pub(crate) complete: bool,
    names: Names,
}

impl Snapshot {
    /// Where a message was, and its name then.
    pub(crate) fn name(&self, index: usize) -> Option<(Place, Vec<u8>)> {
        self.names.get(index)
    }

    /// Takes the snapshot of an existing Maildir: moves new mail to `cur`, gives it uids, finds
    /// sizes. `exact` asks for wire sizes.
    pub(crate) fn take(
        folder: &Folder,
        exact: bool,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let places = Places::open(folder)?;
        let update = Update {
            folder,
            places: &places,
            clock,
            patience: PATIENCE,
        };
        for _ in 1..ATTEMPTS {
            if let Some(snapshot) = Self::attempt(&update, exact, false)? {
                return Ok(snapshot);
            }
        }
        Ok(Self::attempt(&update, exact, true)?.unwrap_or_default())
    }

    /// None if a file was renamed or removed while the sizes were found, unless it is the `last`
    /// attempt: a message must not seem deleted because its flags just changed.
    fn attempt(update: &Update<'_>, exact: bool, last: bool) -> Result<Option<Self>, StoreError> {
        let Update {
            folder,
            places,
            clock,
            ..
        } = *update;
        let mut files = Files::list(folder, places)?;
        files.move_to_cur(places);
        let parted;
        let mut table = Table::new(&files, exact);
        if table.twins().next().is_some() {
            twins::part(folder, &files, places, clock);
            parted = Files::list(folder, places)?;
            table = Table::new(&parted, exact);
        }
        let state = index::read(folder, &mut |entry| table.absorb(entry))?;
        if measure::complete(places, &mut table) > 0 && !last {
            return Ok(None);
        }
        table.part_twins();
        // What a client is told of its messages is on the disk before.
        let beyond = match &state {
            State::Sound(summary) => summary.next >= table.beyond_imported(),
            State::Missing | State::Damaged { .. } => true,
        };
        let settled = beyond && !table.has_crossed_out() && table.unlisted().is_empty();
        match state {
            State::Missing | State::Sound(_) if settled && !table.learned() => lock::sweep(folder),
            State::Sound(_) if settled => remember(update, &mut table, state)?,
            State::Missing | State::Damaged { .. } | State::Sound(_) => {
                update.run(&mut table, state)?;
            }
        }
        if table.rejected() > 0 {
            tracing::warn!(
                path = %folder.path().display(),
                messages = table.rejected(),
                "imported unique ids that cannot be shown (1 to 70 printable octets, no two \
                 alike); these messages have numbers instead"
            );
        }
        Self::of(&table)
            .map(Some)
            .map_err(|errno| folder.failed("cur", errno))
    }

    fn of(table: &Table<'_>) -> Result<Self, Errno> {
        let order = table.in_order();
        let mut listing = Listing::with_capacity(order.len());
        let mut names = Names::default();
        for index in order {
            if let (Some(row), Some((place, name))) = (table.at(index), table.files().get(index)) {
                listing.push(row.size, row.uid, table.imported(index));
                names.push(place, name).ok_or(Errno::FBIG)?;
            }
        }
        names.shrink();
        let mut shown = table.shown();
        let complete = shown.all(|(_, row)| row.uid != 0 && row.source != Source::Guess);
        Ok(Self {
            listing: Arc::new(listing),
            complete,
            names,
        })
    }
}

/// Writes down sizes that were counted. Not worth waiting or failing for.
fn remember(update: &Update<'_>, table: &mut Table<'_>, known: State) -> Result<(), StoreError> {
    let update = Update {
        patience: Duration::ZERO,
        ..*update
    };
    let Err(error) = update.run(table, known) else {
        return Ok(());
    };
    if !table.unlisted().is_empty() {
        return Err(error);
    }
    tracing::warn!(
        problem = %error,
        "the sizes of messages could not be written down; they are counted again next time"
    );
    Ok(())
}
