//! The files of the protocol log: one after the other, each with its header.
//!
//! A file that is there is gone on with. Trouble is told once and costs records; the next record
//! tries again. Nothing is ever deleted.
#![expect(
    clippy::disallowed_types,
    reason = "this room writes the files of the protocol log"
)]

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::time::SystemTime;

use super::Unwritable;
use super::record::FIELDS;
use crate::calendar::Moment;
use crate::config::{self, Rolling};
use crate::event::Event;

/// Owner and group may read; nobody else, since users' names are inside.
const MODE: u32 = 0o640;

/// Writes each record, which is one call of `write`, to the file of its time.
pub(super) struct Files<C> {
    settings: config::ProtocolLog,
    clock: C,
    current: Option<Current>,
    /// Whether the last record was lost, so that trouble is told once.
    in_trouble: bool,
}

struct Current {
    file: File,
    path: PathBuf,
    /// The part of the name before the number.
    stem: String,
    number: u64,
    /// Octets of the header and of complete records.
    size: u64,
    /// Whether there is no record yet.
    is_empty: bool,
}

impl<C: Fn() -> SystemTime> Files<C> {
    /// Opens the first file at once, so that a wrong folder is found at the start.
    pub(super) fn open(settings: &config::ProtocolLog, clock: C) -> Result<Self, Unwritable> {
        let mut files = Self {
            settings: settings.clone(),
            clock,
            current: None,
            in_trouble: false,
        };
        files.current = Some(files.next(0)?);
        Ok(files)
    }

    /// The file in which there is room for a record of so many octets.
    fn next(&self, octets: u64) -> Result<Current, Unwritable> {
        let moment = Moment::of((self.clock)());
        let stem = self.stem(moment);
        let before = self.current.as_ref().filter(|file| file.stem == stem);
        let mut number = before.map_or(1, |file| file.number);
        loop {
            let file = self.enter(&stem, number, moment)?;
            if self.has_room(&file, octets) {
                return Ok(file);
            }
            number += 1;
        }
    }

    fn stem(&self, moment: Moment) -> String {
        match self.settings.rolling {
            Rolling::Every(period) => format!("POP3{}", moment.period(period)),
            Rolling::AtSize(_) => format!("POP3{}", moment.date()),
            Rolling::Never => "POP3".to_owned(),
        }
    }

    /// Opens a file, with its header if it is new.
    fn enter(&self, stem: &str, number: u64, moment: Moment) -> Result<Current, Unwritable> {
        let path = self.settings.folder.join(format!("{stem}-{number}.LOG"));
        let header = header(moment);
        // The same for every header: dates are of one length.
        let length = header.len() as u64;
        let opened = || -> io::Result<Current> {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).mode(MODE).open(&path)?;
            let size = file.metadata()?.len();
            let mut current = Current {
                file,
                path: path.clone(),
                stem: stem.to_owned(),
                number,
                size,
                is_empty: size <= length,
            };
            if size == 0 {
                // The unit's umask is for mail; these files are also for the group.
                current.file.set_permissions(Permissions::from_mode(MODE))?;
                current.append(header.as_bytes())?;
            }
            Ok(current)
        };
        opened().map_err(|source| Unwritable {
            path: path.clone(),
            source,
        })
    }

    /// A file with nothing but its header takes any record, else none would ever be written.
    fn has_room(&self, file: &Current, octets: u64) -> bool {
        match self.settings.rolling {
            Rolling::AtSize(limit) => file.size + octets <= limit || file.is_empty,
            Rolling::Every(_) | Rolling::Never => true,
        }
    }

    fn belongs(&self, file: &Current, octets: u64) -> bool {
        match self.settings.rolling {
            // A file is filled before the next, whatever the day.
            Rolling::AtSize(_) => self.has_room(file, octets),
            Rolling::Every(_) => file.stem == self.stem(Moment::of((self.clock)())),
            Rolling::Never => true,
        }
    }

    fn record(&mut self, record: &[u8]) -> Result<(), Unwritable> {
        let octets = record.len() as u64;
        let fits = |file: &Current| self.belongs(file, octets);
        if !self.current.as_ref().is_some_and(fits) {
            self.current = Some(self.next(octets)?);
        }
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        current.append(record).map_err(|source| Unwritable {
            path: current.path.clone(),
            source,
        })?;
        current.is_empty = false;
        Ok(())
    }
}

impl Current {
    /// All of it, or nothing: half a record would spoil the next.
    fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(octets) {
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += octets.len() as u64;
        Ok(())
    }
}

impl<C: Fn() -> SystemTime> Write for Files<C> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        match self.record(record) {
            Ok(()) => self.in_trouble = false,
            Err(Unwritable { path, source }) => {
                self.current = None;
                if !std::mem::replace(&mut self.in_trouble, true) {
                    let (path, error) = (&path, &source);
                    Event::ProtocolLogFailed { path, error }.emit();
                }
            }
        }
        // The record is lost or written; either way it is done with.
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn header(moment: Moment) -> String {
    let (version, date) = (env!("CARGO_PKG_VERSION"), moment.text());
    format!(
        "#Software: Postern\r\n#Version: {version}\r\n#Log-type: POP3 Log\r\n#Date: {date}\r\n#Fields: {FIELDS}\r\n"
    )
}
