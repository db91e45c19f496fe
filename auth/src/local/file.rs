//! The users file under somebody's hands: read, changed, written whole.
//!
//! It is never written in place: a reader sees the old file or the new one, and a full disk or a
//! power cut leaves the old one. Two who change it at the same time do so one after the other.
#![expect(clippy::disallowed_types, reason = "this file is the users file's")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;

use super::entry::User;
use super::error::UsersError;
use super::unsealing::{SealTrouble, key_for};
use super::{edit, parse};
use crate::scram;

/// The largest file that is read, in octets.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What stands at the head of a new file.
const HEAD: &str = "\
# Users of Postern. Change this file with `postern user`, or by hand: a running server loads it
# within a second, and keeps the last good version when there is a mistake in it.
";

/// A users file, loaded, with the changes that were made to it since.
///
/// Comments and the order of users survive a change. A removed user takes the comments inside and
/// right above along.
#[derive(Debug)]
pub struct UsersFile {
    path: PathBuf,
    text: String,
    users: Vec<User>,
    stamp: Stamp,
    lock: Option<Lock>,
}

/// Who is to own a new file: the user under whom the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The numeric user id.
    pub uid: u32,
    /// The numeric group id.
    pub gid: u32,
}

impl UsersFile {
    /// Reads a file to look at it. It can be changed and saved too, unless somebody else was
    /// faster: then saving is an error. See [`Self::edit`].
    ///
    /// # Errors
    /// When it is not a regular file, others may read it, or there is a mistake in it.
    pub fn load(path: &Path) -> Result<Self, UsersError> {
        let (text, stamp) = read(path)?;
        let parsed = parse::parse(path, &text)?;
        Ok(Self {
            path: path.into(),
            text,
            users: parsed.users,
            stamp,
            lock: None,
        })
    }

    /// Reads a file to change it. Until the value is dropped, whoever else wants to change it
    /// waits.
    ///
    /// # Errors
    /// As for [`Self::load`], and when the lock file beside it cannot be made.
    pub fn edit(path: &Path) -> Result<Self, UsersError> {
        let path = real(path)?;
        let lock = Lock::take(&path, None)?;
        Ok(Self {
            lock: Some(lock),
            ..Self::load(&path)?
        })
    }

    /// Makes a new file without users, and keeps it locked as [`Self::edit`] does. It belongs to
    /// `owner`, or to whoever makes it; only its owner can read it.
    ///
    /// # Errors
    /// When there is a file of this name already, or it cannot be made or given to `owner`.
    pub fn create(path: &Path, owner: Option<Owner>) -> Result<Self, UsersError> {
        let lock = Lock::take(path, owner)?;
        let file = Draft::write(path, HEAD, owner, true)?;
        // Unlike a rename, a link never replaces a file that is there already.
        let linked = rustix::fs::linkat(
            rustix::fs::CWD,
            &file.path,
            rustix::fs::CWD,
            path,
            AtFlags::empty(),
        );
        linked.map_err(|fault| io_error(path, "create", fault.into()))?;
        drop(file);
        sync_folder(path)?;
        Ok(Self {
            lock: Some(lock),
            ..Self::load(path)?
        })
    }

    /// The users, in the order of the file.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// What is wrong with the key of the sealed NT hashes; nothing when none is sealed.
    pub fn seal_trouble(&self, key_file: Option<&Path>) -> Option<SealTrouble> {
        key_for(&self.users, key_file).1
    }

    /// The user who answers to a name: their own or an alias, in any case.
    pub fn find(&self, name: &str) -> Option<&User> {
        let key = parse::canonical(name);
        let answers = |user: &&User| {
            std::iter::once(&user.name)
                .chain(&user.aliases)
                .any(|own| parse::canonical(own) == key)
        };
        self.users.iter().find(answers)
    }

    /// Adds a user at the end.
    ///
    /// # Errors
    /// When the name is taken, or anything about the user is wrong; the file is as before.
    pub fn add(&mut self, user: &User) -> Result<(), UsersError> {
        if self.find(&user.name).is_some() {
            return Err(UsersError::Exists {
                path: self.path.clone(),
                name: user.name.clone(),
            });
        }
        let text = edit::add(&self.path, &self.text, user)?;
        self.take(text)
    }

    /// Puts a changed user in the place of the one with the same name (not an alias).
    ///
    /// # Errors
    /// When there is none of this name, or anything about the user is wrong; the file is as
    /// before.
    pub fn update(&mut self, user: &User) -> Result<(), UsersError> {
        let at = self.position(&user.name)?;
        let text = edit::update(&self.path, &self.text, at, user)?;
        self.take(text)
    }

    /// Takes a user out, by name (not an alias), and hands it over. Mail is not touched, and other
    /// users' `delegates` are not either.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn remove(&mut self, name: &str) -> Result<User, UsersError> {
        let at = self.position(name)?;
        let text = edit::remove(&self.path, &self.text, at)?;
        let user = self.users.get(at).cloned();
        self.take(text)?;
        user.ok_or_else(|| self.no_such_user(name))
    }

    /// Writes the file: a new one beside it, made durable, then put in its place with the same
    /// owner and group where permitted.
    ///
    /// # Errors
    /// When the file was changed since it was loaded (only without [`Self::edit`]), or cannot be
    /// written; then it is as before.
    pub fn save(&mut self) -> Result<(), UsersError> {
        let path = real(&self.path)?;
        if self.lock.is_none() {
            self.lock = Some(Lock::take(&path, None)?);
        }
        // Somebody may have used an editor, which takes no lock.
        if Stamp::of_path(&path) != Some(self.stamp) {
            return Err(UsersError::Changed { path });
        }
        let draft = Draft::write(&path, &self.text, Some(self.stamp.owner()), false)?;
        let renamed = std::fs::rename(&draft.path, &path);
        renamed.map_err(|source| io_error(&path, "replace", source))?;
        sync_folder(&path)?;
        self.stamp = Stamp::of_path(&path).unwrap_or(self.stamp);
        Ok(())
    }

    /// With the first SCRAM keys comes the secret that makes others up.
    fn take(&mut self, text: String) -> Result<(), UsersError> {
        let parsed = parse::parse(&self.path, &text)?;
        let wanted =
            parsed.secret.is_none() && parsed.users.iter().any(|user| user.scram.is_some());
        self.users = parsed.users;
        self.text = if wanted {
            let secret = scram::new_secret().ok_or(UsersError::NoRandom)?;
            edit::with_secret(&text, &secret)
        } else {
            text
        };
        Ok(())
    }

    fn position(&self, name: &str) -> Result<usize, UsersError> {
        let key = parse::canonical(name);
        let at = self
            .users
            .iter()
            .position(|user| parse::canonical(&user.name) == key);
        at.ok_or_else(|| self.no_such_user(name))
    }

    fn no_such_user(&self, name: &str) -> UsersError {
        UsersError::NoSuchUser {
            path: self.path.clone(),
            name: name.to_owned(),
        }
    }
}

/// Which version of a file this is, as far as it can be told without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    owner: (u32, u32),
}

impl Stamp {
    /// The version that stands at the path; none when there is nothing.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        rustix::fs::stat(path).ok().map(|stat| Self::of(&stat))
    }

    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (
                stat.st_mtime,
                i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
            ),
            changed: (
                stat.st_ctime,
                i64::try_from(stat.st_ctime_nsec).unwrap_or(0),
            ),
            owner: (stat.st_uid, stat.st_gid),
        }
    }

    fn owner(&self) -> Owner {
        Owner {
            uid: self.owner.0,
            gid: self.owner.1,
        }
    }
}

/// The text of a users file and its version. A file that changed while it was read is an error.
pub(super) fn read(path: &Path) -> Result<(String, Stamp), UsersError> {
    let fault = |what: &'static str| move |source: io::Error| io_error(path, what, source);
    // Without waiting for the other end, should it be a pipe.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = opened.map_err(|errno| fault("open")(errno.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| fault("look at")(errno.into()))?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(UsersError::NotRegular { path: path.into() });
    }
    if stat.st_mode & 0o077 != 0 {
        return Err(UsersError::Mode {
            path: path.into(),
            mode: stat.st_mode & 0o777,
        });
    }
    let stamp = Stamp::of(&stat);
    if stamp.size > MAX_FILE {
        return Err(UsersError::TooLarge { path: path.into() });
    }
    let mut text = String::new();
    let mut file = File::from(file);
    (&mut file)
        .take(MAX_FILE)
        .read_to_string(&mut text)
        .map_err(fault("read"))?;
    let after = rustix::fs::fstat(&file).map_err(|errno| fault("look at")(errno.into()))?;
    if Stamp::of(&after) != stamp {
        return Err(UsersError::Changed { path: path.into() });
    }
    Ok((text, stamp))
}

/// The lock of everybody who changes the file: `users.toml.lock`, which stays behind. The system
/// lets it go when its holder ends, however it ends.
#[derive(Debug)]
struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// A new lock file is given, where permitted, to `owner`, else to the owner of the users file,
    /// else of the folder: the server's user can then change a file that root once changed.
    fn take(users: &Path, owner: Option<Owner>) -> Result<Self, UsersError> {
        let path = beside(users, ".lock");
        let open = |flags: OFlags| {
            let flags = flags | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR)
        };
        let file = match open(OFlags::CREATE | OFlags::EXCL) {
            Ok(file) => {
                let owner = owner.or_else(|| Stamp::of_path(users).map(|file| file.owner()));
                let owner =
                    owner.or_else(|| Stamp::of_path(folder(users)).map(|folder| folder.owner()));
                let _ = give(&file, owner);
                Ok(file)
            }
            // One that is there already is never given away: it may be a hard link to something
            // else, laid by whoever owns the folder.
            Err(Errno::EXIST) => open(OFlags::empty()),
            Err(fault) => Err(fault),
        };
        let file = file.map_err(|fault| io_error(&path, "open", fault.into()))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|fault| io_error(&path, "lock", fault.into()))?;
        Ok(Self(File::from(file)))
    }
}

/// A new version beside the file, removed again unless it was put in its place.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Under the lock there is only one, so its name is fixed, and one that a power cut left
    /// behind is written over.
    fn write(
        path: &Path,
        text: &str,
        owner: Option<Owner>,
        must: bool,
    ) -> Result<Self, UsersError> {
        let path = beside(path, ".new");
        let fault = |what: &'static str| {
            let path = path.clone();
            move |source: io::Error| io_error(&path, what, source)
        };
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(fault("remove")(source));
            }
            Ok(()) | Err(_) => {}
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
        let file = opened.map_err(|errno| fault("create")(errno.into()))?;
        let draft = Self { path: path.clone() };
        let given = give(&file, owner);
        if must {
            given.map_err(|errno| fault("give away")(errno.into()))?;
        }
        let mut file = File::from(file);
        file.write_all(text.as_bytes()).map_err(fault("write"))?;
        file.sync_all().map_err(fault("write"))?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing left of it, which is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The path with something at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The file behind symbolic links: it is to be replaced, not the link.
fn real(path: &Path) -> Result<PathBuf, UsersError> {
    std::fs::canonicalize(path).map_err(|source| io_error(path, "open", source))
}

/// The folder in which a file stands.
fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// Gives an open file to its owner to be, if one was named.
pub(super) fn give(file: &OwnedFd, owner: Option<Owner>) -> Result<(), Errno> {
    owner.map_or(Ok(()), |Owner { uid, gid }| {
        rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
    })
}

/// Makes a rename or a new name durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), UsersError> {
    let folder = folder(path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::empty())
        .and_then(|folder| rustix::fs::fsync(&folder))
        .map_err(|fault| io_error(folder, "make durable", fault.into()))
}

fn io_error(path: &Path, what: &'static str, source: io::Error) -> UsersError {
    UsersError::Io {
        path: path.into(),
        what,
        source,
    }
}
