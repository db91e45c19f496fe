//! What a maildrop must answer, by another way than the engine's: a list, a set of marks, and sums.

use std::collections::BTreeSet;
use std::sync::Arc;

use postern::pop3::command::{Command, parse, verb};
use postern::pop3::{Extent, Order, Settings};
use postern::store::{Listing, MemoryStore};

use super::stuffing;

/// Alice's maildrop as it should be, and the snapshot of the one that is open.
pub(crate) struct Model {
    present: BTreeSet<u32>,
    jammed: BTreeSet<u32>,
    store: MemoryStore,
    open: Option<Open>,
}

struct Open {
    name: String,
    listing: Arc<Listing>,
    uids: Vec<u32>,
    marked: BTreeSet<usize>,
}

/// What a line must be answered with.
#[derive(Debug)]
pub(crate) enum Foretold {
    Exactly(Vec<u8>),
    Refusal,
    /// A message: these octets behind the status line, or a refusal for the header.
    Message(Vec<u8>, bool),
}

impl Model {
    pub(crate) fn new(store: &MemoryStore) -> Self {
        Self {
            present: store.uids("alice").into_iter().collect(),
            jammed: BTreeSet::new(),
            store: store.clone(),
            open: None,
        }
    }

    pub(crate) fn vanish(&mut self, uid: u32) {
        self.present.remove(&uid);
    }

    pub(crate) fn jam(&mut self, uid: u32) {
        self.jammed.insert(uid);
    }

    pub(crate) fn deliver(&mut self, uid: u32) {
        assert!(
            self.present.last().is_none_or(|last| *last < uid),
            "uids rise"
        );
        self.present.insert(uid);
    }

    pub(crate) fn open(&mut self, name: &str, listing: &Arc<Listing>) {
        assert!(self.open.is_none(), "one login a session");
        let uids = self.store.uids(name);
        assert_eq!(uids.len(), listing.len());
        let (name, listing) = (name.to_owned(), listing.clone());
        self.open = Some(Open {
            name,
            listing,
            uids,
            marked: BTreeSet::new(),
        });
    }

    /// UPDATE: exactly what is marked, and whether all of it can be deleted.
    pub(crate) fn update(&mut self, marked: &[usize]) -> bool {
        let open = self.open.as_ref().expect("the login is done");
        let wanted: Vec<usize> = open.marked.iter().copied().collect();
        assert_eq!(marked, wanted, "exactly what is marked is deleted");
        let mut complete = true;
        for uid in wanted.iter().map(|index| open.uids[*index]) {
            if self.jammed.contains(&uid) && self.present.contains(&uid) {
                complete = false;
            } else {
                self.present.remove(&uid);
            }
        }
        complete
    }

    /// Nothing is gone but what was deleted.
    pub(crate) fn agrees_with(&self, store: &MemoryStore) {
        let present: Vec<u32> = self.present.iter().copied().collect();
        assert_eq!(store.uids("alice"), present);
    }

    /// The answer to a line in TRANSACTION, as far as the maildrop decides it.
    pub(crate) fn foretell(&mut self, line: &[u8], settings: &Settings) -> Option<Foretold> {
        let store = self.store.clone();
        let open = self.open.as_mut().expect("the login is done");
        let (row, rest) = verb(line)?;
        let ok = || Foretold::Exactly(b"+OK\r\n".to_vec());
        let one = |row: Option<String>| match row {
            Some(row) => Foretold::Exactly(format!("+OK {row}\r\n").into_bytes()),
            None => Foretold::Refusal,
        };
        let order = settings.order;
        Some(match parse(row.verb, rest).ok()? {
            Command::Dele(number) => match open.index(number, order) {
                Some(index) => {
                    open.marked.insert(index);
                    ok()
                }
                None => Foretold::Refusal,
            },
            Command::List(Some(number)) => one(open.size(number, order)),
            Command::Uidl(Some(number)) => one(open.uid(number, order)),
            Command::List(None) => open.table(|number| open.size(number, order)),
            Command::Uidl(None) => open.table(|number| open.uid(number, order)),
            Command::Noop => ok(),
            Command::Rset => {
                open.marked.clear();
                ok()
            }
            Command::Retr(number) => open.message(&store, number, order, Extent::Whole),
            Command::Top(number, lines) => open.message(&store, number, order, Extent::Top(lines)),
            Command::Stat => {
                let left = (0..open.listing.len()).filter(|index| !open.marked.contains(index));
                let sizes: Vec<u64> = left.filter_map(|index| open.listing.size(index)).collect();
                let sum: u64 = sizes.iter().sum();
                Foretold::Exactly(format!("+OK {} {sum}\r\n", sizes.len()).into_bytes())
            }
            Command::Auth(..)
            | Command::AuthList
            | Command::Pass(_)
            | Command::Stls
            | Command::User(_)
            | Command::Utf8 => Foretold::Refusal,
            Command::Capa | Command::Lang(_) | Command::Quit => return None,
        })
    }
}

impl Open {
    fn index(&self, number: u64, order: Order) -> Option<usize> {
        let count = self.listing.len();
        let mut numbered: Vec<usize> = (0..count).collect();
        if order == Order::Descending {
            numbered.reverse();
        }
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let index = *numbered.get(place)?;
        (!self.marked.contains(&index)).then_some(index)
    }

    fn size(&self, number: u64, order: Order) -> Option<String> {
        let size = self.listing.size(self.index(number, order)?)?;
        Some(format!("{number} {size}"))
    }

    fn uid(&self, number: u64, order: Order) -> Option<String> {
        let uid = self.listing.uid(self.index(number, order)?)?;
        Some(format!("{number} {uid}"))
    }

    fn table(&self, row: impl Fn(u64) -> Option<String>) -> Foretold {
        let mut text = "+OK\r\n".to_owned();
        for number in 1..=self.listing.len() as u64 {
            if let Some(row) = row(number) {
                text.push_str(&row);
                text.push_str("\r\n");
            }
        }
        text.push_str(".\r\n");
        Foretold::Exactly(text.into_bytes())
    }

    fn message(&self, store: &MemoryStore, number: u64, order: Order, extent: Extent) -> Foretold {
        let Some(index) = self.index(number, order) else {
            return Foretold::Refusal;
        };
        let uid = self.uids[index];
        // Opened anew: what is there now, at whatever index it has by now.
        let now = store.uids(&self.name).iter().position(|now| *now == uid);
        let Some(now) = now else {
            return Foretold::Refusal;
        };
        let maildrop = store.open_name(&self.name);
        let mut octets = vec![0; 4096];
        let read = maildrop
            .message(now)
            .and_then(|mut message| message.read(&mut octets));
        octets.truncate(read.expect("it is there"));
        let wire = [b"+OK\r\n", stuffing::wire(&octets, extent).as_slice()].concat();
        Foretold::Message(wire, stuffing::is_ascii(&octets))
    }
}

impl Foretold {
    pub(crate) fn check(&self, line: &[u8], reply: &[u8]) {
        let refused = reply.starts_with(b"-ERR ");
        let fits = match self {
            Self::Exactly(wanted) => reply == wanted,
            Self::Refusal => refused,
            Self::Message(wanted, ascii) => reply == wanted || (refused && !ascii),
        };
        assert!(fits, "{line:?} was answered {reply:?}, not {self:?}");
    }
}

/// One reply: a status line of at most 512 octets, and behind `+OK` perhaps more lines up to the
/// dot (RFC 1939 §3).
pub(crate) fn well_formed(reply: &[u8], long: bool) {
    let mut lines = reply.split_inclusive(|octet| *octet == b'\n');
    let first = lines.next().expect("every line has a reply");
    assert!(first.len() <= 512 && first.ends_with(b"\r\n"), "{first:?}");
    let text = &first[..first.len() - 2];
    assert!(
        text.iter().all(|octet| matches!(octet, b' '..=b'~')),
        "{first:?}"
    );
    let positive = text == b"+OK" || text.starts_with(b"+OK ");
    assert!(positive || text.starts_with(b"-ERR ") || text.starts_with(b"+ "));
    let rest: Vec<&[u8]> = lines.collect();
    if let Some((last, rest)) = rest.split_last() {
        assert!(positive && long, "{reply:?}");
        assert_eq!(*last, b".\r\n");
        for line in rest {
            assert!(line.ends_with(b"\r\n") && *line != b".\r\n", "{line:?}");
        }
    }
}
