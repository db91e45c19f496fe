//! Awkward messages, and the Maildirs that they lie in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A message as it lies on disk.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// What is awkward about it; also its Message-ID's local part.
    pub(crate) name: String,
    /// The octets.
    pub(crate) octets: Vec<u8>,
}

impl Mail {
    /// A message with a header, an empty line and this body; line ends as given.
    pub(crate) fn new(name: &str, body: &[u8], line_end: &str) -> Self {
        let mut octets = Vec::with_capacity(body.len() + 300);
        for line in [
            "From: Lab <lab@example.test>",
            "To: Alice <alice@example.test>",
            &format!("Subject: {name}"),
            "Date: Mon, 23 Nov 2026 09:00:00 +0000",
            &format!("Message-ID: <{name}@example.test>"),
            "",
        ] {
            octets.extend_from_slice(line.as_bytes());
            octets.extend_from_slice(line_end.as_bytes());
        }
        octets.extend_from_slice(body);
        Self {
            name: name.to_owned(),
            octets,
        }
    }

    /// As it must arrive: every line ends in CRLF, the last one too.
    pub(crate) fn wire(&self) -> Vec<u8> {
        wire_form(&self.octets)
    }

    /// As a client on this system keeps it: every line ends in LF.
    pub(crate) fn unix(&self) -> Vec<u8> {
        unix_form(&self.octets)
    }
}

/// Every LF that has no CR before it gets one; a last line without an end gets one too.
pub(crate) fn wire_form(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    let mut last = 0;
    for &octet in octets {
        if octet == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        last = octet;
    }
    if !out.is_empty() && last != b'\n' {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Every line ends in LF alone.
pub(crate) fn unix_form(octets: &[u8]) -> Vec<u8> {
    let wire = wire_form(octets);
    let mut out = Vec::with_capacity(wire.len());
    for (index, &octet) in wire.iter().enumerate() {
        if octet != b'\r' || wire.get(index + 1) != Some(&b'\n') {
            out.push(octet);
        }
    }
    out
}

/// What every client must bring home unharmed.
pub(crate) fn awkward() -> Vec<Mail> {
    vec![
        Mail::new("lf", b"one\ntwo\n\nthree\n", "\n"),
        Mail::new("crlf", b"one\r\ntwo\r\n\r\nthree\r\n", "\r\n"),
        Mail::new("mixed", b"lf\ncrlf\r\nlf\n\r\n\ncrlf\r\n", "\r\n"),
        Mail::new(
            "dots",
            b".\n..\n...\n.leading\n. blank\n\n.\n\nend\n.\n",
            "\n",
        ),
        Mail::new(
            "dots-crlf",
            b".\r\n..\r\n...\r\n.leading\r\n\r\n.\r\nend\r\n.\r\n",
            "\r\n",
        ),
        Mail::new("eight-bit", "gr\u{fc}\u{df}e \u{1f431}\n".as_bytes(), "\n"),
        Mail::new("latin-1", b"gr\xfc\xdfe \xa0\xff\xfe\x80\n", "\n"),
        Mail::new("no-final-newline", b"the last line\nhas no end", "\n"),
        Mail::new("dot-at-the-end", b"the last line is a dot\n.", "\n"),
        Mail::new("empty-body", b"", "\n"),
        Mail::new("large", &large(300 * 1024), "\n"),
    ]
}

/// A line longer than any buffer; some clients refuse it by design.
pub(crate) fn long_line() -> Mail {
    let mut body = vec![b'x'; 70_000];
    body.extend_from_slice(b"\n.y\n");
    Mail::new("long-line", &body, "\n")
}

/// Octets that RFC 5322 forbids and disks hold: NUL, and CR without LF.
pub(crate) fn hostile() -> Vec<Mail> {
    vec![
        Mail::new("nul", b"a\0b\n\0\n", "\n"),
        Mail::new("bare-cr", b"a\rb\r\r\n\r.\rc\r", "\r\n"),
    ]
}

/// Lines of all lengths up to 97, every seventh with a leading dot.
fn large(size: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(size + 100);
    let mut line = 0_usize;
    while body.len() < size {
        if line.is_multiple_of(7) {
            body.push(b'.');
        }
        let text = format!("{line:>width$}", width = line % 97);
        body.extend_from_slice(text.as_bytes());
        body.push(b'\n');
        line += 1;
    }
    body
}

/// A Maildir.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    uid: u32,
    gid: u32,
}

impl Folder {
    /// The Maildir at this path, made when it is not there.
    pub(crate) fn new(path: PathBuf, uid: u32, gid: u32) -> Self {
        for name in ["", "tmp", "new", "cur"] {
            let folder = path.join(name);
            fs::create_dir_all(&folder).expect("a Maildir");
            chown(&folder, Some(uid), Some(gid)).expect("chown");
        }
        Self { path, uid, gid }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Delivers a message as the Maildir rules say, into `new`, and gives the file's name. Names
    /// rise, so that the order of delivery is known.
    pub(crate) fn deliver(&self, mail: &Mail) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!(
            "{}.M{count}P{}.lab",
            1_700_000_000 + count,
            std::process::id()
        );
        let place = self.path.join("tmp").join(&name);
        fs::write(&place, &mail.octets).expect("a message file");
        chown(&place, Some(self.uid), Some(self.gid)).expect("chown");
        fs::rename(&place, self.path.join("new").join(&name)).expect("the delivery");
        name
    }

    /// Delivers all of them in this order.
    pub(crate) fn deliver_all(&self, mails: &[Mail]) {
        for mail in mails {
            self.deliver(mail);
        }
    }

    /// The message files in `new` and `cur`: base name (without flags) and path.
    pub(crate) fn files(&self) -> BTreeMap<String, PathBuf> {
        ["new", "cur"]
            .iter()
            .flat_map(|folder| fs::read_dir(self.path.join(folder)).expect("a Maildir"))
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (base_name(&path), path))
            .collect()
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.files().len()
    }
}

fn base_name(path: &Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy();
    name.split(':').next().unwrap_or_default().to_owned()
}
