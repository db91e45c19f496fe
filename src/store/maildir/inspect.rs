//! What an administrator wants to know of a Maildir. Changes nothing: moves no mail, gives no uid,
//! takes no lock, repairs nothing.

use std::fmt;
use std::path::PathBuf;

use rustix::io::Errno;

use super::files::{self, Files, Places};
use super::folder::{Folder, Place};
use super::index::{self, INDEX, State};
use super::table::{Source, Table};
use super::{lock, measure, name};
use crate::store::StoreError;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Names and the index alone; no message is opened.
    Show,
    /// Every message is read, to compare its size with what is said of it.
    Verify,
}

/// A Maildir as it stands.
#[derive(Debug)]
pub struct Inspection {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether it exists; if not, no mail was ever delivered.
    pub exists: bool,
    /// The index of unique ids.
    pub index: IndexHealth,
    /// The messages in POP3's order; those that no session has seen yet come last.
    pub messages: Vec<MessageReport>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// The state of `dovecot-uidlist`.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum IndexHealth {
    /// There is none yet. It is made when a session first finds mail.
    #[default]
    Missing,
    /// It cannot be used. The next session puts it aside and gives every message a new id.
    Damaged {
        /// What is wrong with it.
        problem: String,
    },
    /// It is in order.
    Sound {
        /// The format: 1 (Courier's) or 3. A version 1 is written as 3 at the next change.
        version: u8,
        /// UIDVALIDITY.
        validity: u32,
        /// The uid that the next message gets.
        next: u32,
        /// How many entries there are.
        entries: u64,
        /// How many of them have no file any more; tidied up when they are a quarter.
        dead: u64,
        /// Whether the last line was cut off. It is dropped at the next change.
        torn: bool,
    },
}

/// One message.
#[derive(Debug)]
pub struct MessageReport {
    /// The uid; none if no session has seen the message yet.
    pub uid: Option<u32>,
    /// The unique id that it brought from another server and that UIDL shows.
    pub imported: Option<String>,
    /// The file, from the Maildir on, such as `cur/123.host:2,S`. Octets that are not UTF-8 are
    /// replaced.
    pub file: String,
    /// The flags in the name, such as `RS`.
    pub flags: String,
    /// Octets on disk: told by the name or the index, or found ([`Depth::Verify`]).
    pub disk: Option<u64>,
    /// Octets on the wire, from the same places.
    pub wire: Option<u64>,
}

/// Something that is not as it should be, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or folder, from the Maildir on.
    pub file: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither a regular file nor a hidden one, or a name that cannot stand in the index.
    #[error("it is not mail (a folder, a link, a pipe or an impossible name) and is never shown")]
    NotMail,
    /// A size in the name or the index is not the real one.
    #[error("{place} says {key}={told}, but it is {real}: clients may see a wrong size")]
    Lie {
        /// `the name` or `the index`.
        place: &'static str,
        /// `S` on disk, `W` on the wire.
        key: char,
        /// What is said.
        told: u64,
        /// What is so.
        real: u64,
    },
    /// It cannot be read.
    #[error("it cannot be read ({0}): clients see it, but cannot fetch it")]
    Unreadable(String),
    /// Two files share a base name. The next session renames one of them.
    #[error("another file has the same base name")]
    Twin,
    /// It belongs to somebody else than the user who is asking.
    #[error("it belongs to uid {owner} with mode {mode:04o}, and this is uid {me}")]
    Owner {
        /// Its owner.
        owner: u32,
        /// Its permissions.
        mode: u32,
        /// Who asks.
        me: u32,
    },
    /// A lock that nobody has touched for two minutes or more, or one from the future.
    #[error("a dead process left this lock (its age is {0} seconds); the next change removes it")]
    StaleLock(i64),
    /// Imported ids that UIDL cannot show.
    #[error("{0} imported ids cannot be shown (not 1 to 70 printable octets, or not unique)")]
    Imported(usize),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

impl Inspection {
    /// A Maildir that does not exist.
    pub(crate) fn absent(path: PathBuf) -> Self {
        let (index, messages, findings) = (IndexHealth::Missing, Vec::new(), Vec::new());
        Self {
            path,
            exists: false,
            index,
            messages,
            findings,
        }
    }

    /// Looks at a Maildir.
    pub(crate) fn of(folder: &Folder, depth: Depth) -> Result<Self, StoreError> {
        let places = Places::open(folder)?;
        let files = Files::list(folder, &places)?;
        let mut disk = Table::new(&files, false);
        let mut wire = Table::new(&files, true);
        let state = index::read(folder, &mut |entry| {
            disk.absorb(entry);
            wire.absorb(entry);
        })?;
        if matches!(state, State::Damaged { .. }) {
            disk.forget_uids();
            wire.forget_uids();
        }
        wire.part_twins();
        let mut this = Self::absent(folder.path().to_owned());
        this.exists = true;
        this.index = health(&state, &wire);
        this.look_around(folder, &places, &wire)?;
        for index in wire.in_order().into_iter().chain(wire.unlisted()) {
            this.message(&places, (&disk, &wire), index, depth);
        }
        Ok(this)
    }

    fn find(&mut self, file: impl Into<String>, problem: Problem) {
        self.findings.push(Finding {
            file: file.into(),
            problem,
        });
    }

    /// The folders, the lock, and what is not mail.
    fn look_around(
        &mut self,
        folder: &Folder,
        places: &Places,
        table: &Table<'_>,
    ) -> Result<(), StoreError> {
        for name in [".", "cur", "new", INDEX] {
            let me = rustix::process::geteuid().as_raw();
            if let Ok(stat) = folder.stat(name)
                && stat.st_uid != me
            {
                let (owner, mode) = (stat.st_uid, stat.st_mode & 0o7777);
                self.find(name, Problem::Owner { owner, mode, me });
            }
        }
        if let Some((age, true)) = lock::age(folder) {
            self.find(lock::LOCK, Problem::StaleLock(age));
        }
        if table.rejected() > 0 {
            self.find(INDEX, Problem::Imported(table.rejected()));
        }
        places
            .rewind()
            .map_err(|errno| folder.failed("cur", errno))?;
        for place in [Place::New, Place::Cur] {
            files::each(places.get(place), |name, mail| {
                if !mail && !name.starts_with(b".") {
                    self.find(shown(place, name), Problem::NotMail);
                }
                Ok(())
            })
            .map_err(|errno| folder.failed(place.name(), errno))?;
        }
        for (place, name) in table.twins() {
            self.find(shown(place, name), Problem::Twin);
        }
        Ok(())
    }

    fn message(
        &mut self,
        places: &Places,
        (disk, wire): (&Table<'_>, &Table<'_>),
        index: usize,
        depth: Depth,
    ) {
        let Some((place, name)) = wire.files().get(index) else {
            return;
        };
        let told = [said(disk, index), said(wire, index)];
        let real = match depth {
            Depth::Show => [None, None],
            Depth::Verify => match measured(places, place, name) {
                Ok(real) => real.map(Some),
                Err(Errno::NOENT) => return,
                Err(errno) => {
                    let problem = Problem::Unreadable(std::io::Error::from(errno).to_string());
                    self.find(shown(place, name), problem);
                    [None, None]
                }
            },
        };
        for ((key, told), real) in ['S', 'W'].into_iter().zip(told).zip(real) {
            if let (Some((place_of, told)), Some(real)) = (told, real)
                && told != real
            {
                let problem = Problem::Lie {
                    place: place_of,
                    key,
                    told,
                    real,
                };
                self.find(shown(place, name), problem);
            }
        }
        let [disk, on_wire] = [0, 1].map(|at| {
            let found = real.get(at).copied().flatten();
            found.or_else(|| told.get(at).copied().flatten().map(|(_, size)| size))
        });
        self.messages.push(MessageReport {
            uid: wire.at(index).map(|row| row.uid).filter(|uid| *uid != 0),
            imported: wire.imported(index).map(str::to_owned),
            file: shown(place, name),
            flags: String::from_utf8_lossy(name::flags(name)).into_owned(),
            disk,
            wire: on_wire,
        });
    }
}

/// A size that the name or the index tells.
fn said(table: &Table<'_>, index: usize) -> Option<(&'static str, u64)> {
    let row = table.at(index)?;
    match row.source {
        Source::Name => Some(("the name", row.size)),
        Source::Index => Some(("the index", row.size)),
        Source::Nowhere | Source::Measured | Source::Guess => None,
    }
}

fn measured(places: &Places, place: Place, name: &[u8]) -> Result<[u64; 2], Errno> {
    Ok([
        measure::disk(places, place, name)?,
        measure::wire(places, place, name, &mut vec![0; measure::BLOCK])?,
    ])
}

fn health(state: &State, table: &Table<'_>) -> IndexHealth {
    match state {
        State::Missing => IndexHealth::Missing,
        State::Damaged { damage, .. } => IndexHealth::Damaged {
            problem: damage.to_string(),
        },
        State::Sound(summary) => IndexHealth::Sound {
            version: summary.header.version,
            validity: summary.header.validity,
            next: summary.next,
            entries: summary.lines,
            dead: summary.lines.saturating_sub(table.listed()),
            torn: !summary.whole,
        },
    }
}

fn shown(place: Place, name: &[u8]) -> String {
    format!(
        "{}/{}",
        place.name(),
        String::from_utf8_lossy(name).escape_debug()
    )
}
