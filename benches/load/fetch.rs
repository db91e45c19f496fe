//! Fetching mail: as fast as it goes, and once more with every octet compared with the files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::target::Target;
use crate::{Outcome, Report, figure};

/// RETR of whole mailboxes, as fast as it goes.
#[derive(Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    target: Target,
    /// Clients at the same time, each in the mailbox of another user.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// How often each one fetches its mailbox.
    #[arg(long, default_value_t = 1)]
    passes: u64,
    /// How many RETR are sent together.
    #[arg(long, default_value_t = 1)]
    depth: u64,
}

/// RETR of whole mailboxes, compared with the files.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    target: Target,
    /// Clients at the same time, each in the mailbox of another user.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// The folder with the users' Maildirs: `FOLDER/USER/Maildir`.
    #[arg(long)]
    mail: PathBuf,
    /// Expect one octet to be another than it is, to see that this is found out.
    #[arg(long)]
    flip: bool,
}

impl Fetch {
    /// Logs all clients in, so that logins are not measured.
    pub(crate) async fn open(&self) -> Outcome<Vec<Client>> {
        let connector = self.target.connector()?;
        let mut open = Vec::new();
        for turn in 0..self.clients {
            open.push(self.target.log_in(connector.as_ref(), turn).await?);
        }
        Ok(open)
    }

    /// Fetches. Octets are those of the wire between the status line and the end.
    pub(crate) async fn run(self, open: Vec<Client>) -> Outcome<Report> {
        let mut tasks = JoinSet::new();
        for mut client in open {
            let (passes, depth) = (self.passes, self.depth);
            tasks.spawn(async move {
                let count = client.count().await?;
                let mut octets = 0;
                for _ in 0..passes {
                    octets += fetch_all(&mut client, count, depth).await?;
                }
                client.quit().await?;
                Outcome::Ok((count * passes, octets))
            });
        }
        let (mut messages, mut octets) = (0, 0);
        while let Some(done) = tasks.join_next().await {
            let (count, more) = done??;
            messages += count;
            octets += more;
        }
        let mut report = Report::default();
        report.put("operations", figure(messages));
        report.put("octets", figure(octets));
        Ok(report)
    }
}

/// Fetches messages 1 to `count`, `depth` at a time.
async fn fetch_all(client: &mut Client, count: u64, depth: u64) -> Outcome<u64> {
    let (mut octets, mut first) = (0, 1);
    while first <= count {
        let last = count.min(first + depth.max(1) - 1);
        let commands: String = (first..=last).map(|n| format!("RETR {n}\r\n")).collect();
        client.send(&commands).await?;
        for number in first..=last {
            client.ok(&format!("RETR {number}")).await?;
            octets += client.body(None).await?;
        }
        first = last + 1;
    }
    Ok(octets)
}

impl Verify {
    /// Fetches every mailbox once. Every message must be one of the files, and every file one
    /// message.
    pub(crate) async fn run(self) -> Outcome<Report> {
        let connector = self.target.connector()?;
        let target = Arc::new(self.target);
        let mut tasks = JoinSet::new();
        for turn in 0..self.clients {
            let user = target.users.name(turn);
            let mut expected = expected(&self.mail.join(&user).join("Maildir"), self.flip)?;
            let (target, connector) = (target.clone(), connector.clone());
            tasks.spawn(async move {
                let mut client = target.log_in(connector.as_ref(), turn).await?;
                let count = client.count().await?;
                for number in 1..=count {
                    let mut message = Vec::new();
                    client.command(&format!("RETR {number}")).await?;
                    client.body(Some(&mut message)).await?;
                    let digest = Digest::of(&unstuffed(&message));
                    match expected.get_mut(&digest) {
                        Some(left) if *left > 0 => *left -= 1,
                        _ => return Err(wrong(&user, number)),
                    }
                }
                client.quit().await?;
                if expected.values().any(|left| *left > 0) {
                    return Err(format!("{user}: a message on disk was not served").into());
                }
                Outcome::Ok(count)
            });
        }
        let mut messages = 0;
        while let Some(done) = tasks.join_next().await {
            messages += done??;
        }
        let mut report = Report::default();
        report.put("operations", figure(messages));
        Ok(report)
    }
}

fn wrong(user: &str, number: u64) -> Box<dyn std::error::Error + Send + Sync> {
    format!("wrong byte: message {number} of {user} is none of the files (sha256 differs)").into()
}

/// The sha256 of a message.
#[derive(PartialEq, Eq, Hash)]
struct Digest(Vec<u8>);

impl Digest {
    fn of(message: &[u8]) -> Self {
        Self(Sha256::digest(message).to_vec())
    }
}

/// The digests of all messages of a Maildir in the form of the wire, and how often each is there.
fn expected(maildir: &Path, flip: bool) -> Outcome<HashMap<Digest, u64>> {
    let mut found = HashMap::new();
    for folder in ["cur", "new"] {
        let folder = maildir.join(folder);
        let entries = fs::read_dir(&folder);
        for entry in entries.map_err(|error| format!("{}: {error}", folder.display()))? {
            let mut message = with_crlf(&fs::read(entry?.path())?);
            if let Some(octet) = message.last_mut().filter(|_| flip && found.is_empty()) {
                *octet ^= 1;
            }
            *found.entry(Digest::of(&message)).or_default() += 1;
        }
    }
    Ok(found)
}

/// Every line ends with CRLF, the last one too.
fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + message.len() / 32);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        wire.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        wire.extend_from_slice(b"\r\n");
    }
    wire
}

/// Takes away the first dot of every line that begins with one (RFC 1939 section 3).
fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(wire.len());
    for line in wire.split_inclusive(|octet| *octet == b'\n') {
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    message
}
