//! Files and index entries brought together: what is known of each message before a snapshot is
//! made of it. Lives only while a Maildir is opened.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Files;
use super::folder::Place;
use super::index::BELIEVABLE;
use super::name;
use super::uidlist::{Entry, More};

/// The longest imported unique id (RFC 1939 §7).
const MAX_IMPORTED: usize = 70;

/// Where a size comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Not known yet.
    Nowhere,
    /// `,S=` or `,W=` in the file's name.
    Name,
    /// `S` or `W` in the index.
    Index,
    /// Just counted; the index does not have it.
    Measured,
    /// Not to be known: the file cannot be read. Shown as the size on disk, never written down.
    Guess,
}

/// What is known of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// 0 as long as there is none.
    pub(crate) uid: u32,
    /// In octets.
    pub(crate) size: u64,
    /// Where the size comes from.
    pub(crate) source: Source,
    /// Not shown: a second file of the same base name, or gone.
    pub(crate) hidden: bool,
}

impl Row {
    /// A file whose name may tell its size.
    fn told(size: Option<u64>) -> Self {
        let source = if size.is_some() {
            Source::Name
        } else {
            Source::Nowhere
        };
        Self {
            uid: 0,
            size: size.unwrap_or(0),
            source,
            hidden: false,
        }
    }
}

/// The rows, one for each file of the listing.
pub(crate) struct Table<'a> {
    files: &'a Files,
    rows: Vec<Row>,
    imported: BTreeMap<usize, Box<str>>,
    /// Whose imported id is to be crossed out in the index.
    crossed_out: BTreeSet<usize>,
    order: BTreeMap<usize, u32>,
    key: u8,
    rejected: usize,
}

impl<'a> Table<'a> {
    /// Begins with what the names tell. `exact` asks for wire sizes, else for sizes on disk.
    pub(crate) fn new(files: &'a Files, exact: bool) -> Self {
        let key = if exact { b'W' } else { b'S' };
        let size = |whole| name::number(name::base(whole), key);
        let mut rows: Vec<Row> = files
            .iter()
            .map(|(_, whole)| Row::told(size(whole)))
            .collect();
        for twin in files.twins() {
            if let Some(row) = rows.get_mut(*twin) {
                row.hidden = true;
            }
        }
        Self {
            files,
            rows,
            imported: BTreeMap::new(),
            crossed_out: BTreeSet::new(),
            order: BTreeMap::new(),
            key,
            rejected: 0,
        }
    }

    /// Takes what an index entry says. A later entry for the same name wins.
    pub(crate) fn absorb(&mut self, entry: &Entry<'_>) {
        let Some(index) = self.files.find(entry.base) else {
            return;
        };
        let Some(row) = self.rows.get_mut(index) else {
            return;
        };
        row.uid = entry.uid;
        if row.source != Source::Name
            && let Some(size) = entry.value(self.key).and_then(name::decimal)
        {
            row.size = size;
            row.source = Source::Index;
        }
        self.imported.remove(&index);
        self.order.remove(&index);
        if let Some(id) = entry.value(b'P') {
            match imported(id) {
                Some(id) if !entry.is_crossed_out() => {
                    self.imported.insert(index, id.into());
                }
                _ => self.rejected += 1,
            }
        }
        let order = entry.value(b'O').and_then(name::decimal);
        if let Some(order) = order.and_then(|order| u32::try_from(order).ok()) {
            self.order.insert(index, order);
        }
    }

    /// Forgets all uids, before the index is read again under the lock. Sizes stay.
    pub(crate) fn forget_uids(&mut self) {
        for row in &mut self.rows {
            row.uid = 0;
        }
        self.imported.clear();
        self.crossed_out.clear();
        self.order.clear();
        self.rejected = 0;
    }

    /// The row of a base name.
    pub(crate) fn row(&self, base: &[u8]) -> Option<&Row> {
        self.files.find(base).and_then(|index| self.rows.get(index))
    }

    /// The row of a file.
    pub(crate) fn at(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    /// All rows that are shown, with the index of their files.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().filter(|(_, row)| !row.hidden)
    }

    /// Files whose base name another one has, and that are not shown for that.
    pub(crate) fn twins(&self) -> impl Iterator<Item = (Place, &'a [u8])> {
        self.files
            .twins()
            .iter()
            .filter_map(|index| self.files.get(*index))
    }

    /// A row, to be changed.
    pub(crate) fn row_mut(&mut self, index: usize) -> Option<&mut Row> {
        self.rows.get_mut(index)
    }

    /// The listing.
    pub(crate) fn files(&self) -> &'a Files {
        self.files
    }

    /// `S` or `W`.
    pub(crate) fn key(&self) -> u8 {
        self.key
    }

    /// How many messages have a uid.
    pub(crate) fn listed(&self) -> u64 {
        self.shown()
            .filter(|(_, row)| row.uid != 0)
            .map(|_| 1)
            .sum()
    }

    /// Those without a uid, oldest delivery first.
    pub(crate) fn unlisted(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = self
            .shown()
            .filter(|(_, row)| row.uid == 0)
            .map(|(index, _)| index)
            .collect();
        indices.sort_by_cached_key(|index| {
            let base = self.base(*index);
            (name::delivered(base), base)
        });
        indices
    }

    /// Whether some message has a uid and a size that the index does not have.
    pub(crate) fn learned(&self) -> bool {
        self.shown()
            .any(|(_, row)| row.uid != 0 && row.source == Source::Measured)
    }

    /// Numbers that a new message must not get, for an imported id looks the same.
    pub(crate) fn taken(&self) -> BTreeSet<u32> {
        self.imported.values().filter_map(|id| number(id)).collect()
    }

    /// A number above those, of the ones that a mailbox can have reached by counting. New uids begin
    /// there, so that they are no imported id of a message that was deleted meanwhile either.
    pub(crate) fn beyond_imported(&self) -> u32 {
        let taken = self.taken();
        let highest = taken.range(..BELIEVABLE).next_back();
        highest.map_or(0, |number| number + 1)
    }

    /// The base name of a file.
    pub(crate) fn base(&self, index: usize) -> &'a [u8] {
        self.files
            .get(index)
            .map(|(_, whole)| name::base(whole))
            .unwrap_or_default()
    }

    /// The imported unique id of a file.
    pub(crate) fn imported(&self, index: usize) -> Option<&str> {
        self.imported.get(&index).map(AsRef::as_ref)
    }

    /// How many imported ids cannot be shown.
    pub(crate) fn rejected(&self) -> usize {
        self.rejected
    }

    /// Crosses out imported ids that stand twice, or that are another message's own number: no two
    /// messages may share a unique id (C0009). A message that loses its imported id has its own
    /// number from then on, which may be the imported id of another.
    ///
    /// From then on for good, so it has to be written down: when the other message is deleted, the
    /// index would look as if the id were this one's, and a client that has the other would never
    /// fetch this one.
    pub(crate) fn part_twins(&mut self) {
        loop {
            let twins = self.imported_twins();
            if twins.is_empty() {
                return;
            }
            self.rejected += twins.len();
            for index in twins {
                self.imported.remove(&index);
                self.crossed_out.insert(index);
            }
        }
    }

    /// Whether an imported id was crossed out that still stands in the index.
    pub(crate) fn has_crossed_out(&self) -> bool {
        !self.crossed_out.is_empty()
    }

    /// What the index does not know yet of the message of an entry.
    pub(crate) fn more(&self, entry: &Entry<'_>) -> More {
        let known = self.files.find(entry.base).and_then(|index| {
            let row = self.rows.get(index)?;
            (row.uid == entry.uid).then_some((index, row))
        });
        let Some((index, row)) = known else {
            return More::default();
        };
        let measured = row.source == Source::Measured;
        More {
            size: measured.then_some((self.key, row.size)),
            cross_out: self.crossed_out.contains(&index),
        }
    }

    fn imported_twins(&self) -> Vec<usize> {
        if self.imported.is_empty() {
            return Vec::new();
        }
        // A message that waits for its number has none that an imported `0` could be.
        let own: BTreeSet<u32> = self
            .shown()
            .filter(|(index, row)| row.uid != 0 && !self.imported.contains_key(index))
            .map(|(_, row)| row.uid)
            .collect();
        // By uid, not by the order of a folder: the same one keeps the id in every session.
        let uid = |index: usize| self.at(index).map_or(0, |row| row.uid);
        let mut by_uid: Vec<(usize, &str)> = self
            .imported
            .iter()
            .map(|(index, id)| (*index, &**id))
            .collect();
        by_uid.sort_unstable_by_key(|(index, _)| uid(*index));
        let is_own = |id: &str| number(id).is_some_and(|number| own.contains(&number));
        let mut seen = BTreeSet::new();
        by_uid.retain(|(_, id)| is_own(id) || !seen.insert(*id));
        by_uid.into_iter().map(|(index, _)| index).collect()
    }

    /// The shown messages that have a uid, in the order of POP3: those with an `O` first, by it;
    /// then the others by uid.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let listed = self.shown().filter(|(_, row)| row.uid != 0);
        let mut by_uid: Vec<(u32, usize)> = listed.map(|(index, row)| (row.uid, index)).collect();
        by_uid.sort_unstable();
        let mut all: Vec<usize> = by_uid.into_iter().map(|(_, index)| index).collect();
        if !self.order.is_empty() {
            let order = |index: &usize| self.order.get(index).copied().map_or(u64::MAX, u64::from);
            all.sort_by_key(order);
        }
        all
    }
}

/// The number that an imported id looks like.
fn number(id: &str) -> Option<u32> {
    let number: u32 = id.parse().ok()?;
    (number.to_string() == id).then_some(number)
}

/// An imported id that UIDL can show: 1 to 70 octets in 0x21 to 0x7E (RFC 1939 §7).
fn imported(id: &[u8]) -> Option<&str> {
    let fits = (1..=MAX_IMPORTED).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    fits.then_some(id)
        .and_then(|id| std::str::from_utf8(id).ok())
}
