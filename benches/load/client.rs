//! One connection: commands, status lines, and multi-line replies read in blocks.
//!
//! It measures nothing. A reply that is not `+OK`, and a connection that ends, are errors.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use memchr::{memchr, memmem};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::Outcome;

/// Anything that octets go through: TCP, or TLS over it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What a new connection can hold; it grows while the server sends more than that.
const FIRST_BUFFER: usize = 1024;
/// What it can hold at most: a status line is shorter, and the rest is taken as it comes.
const LARGEST_BUFFER: usize = 128 * 1024;
/// The end of a multi-line reply, with the end of the line before it.
const END: &[u8] = b"\r\n.\r\n";

/// A connection after its greeting.
pub(crate) struct Client {
    wire: Box<dyn Wire>,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Whether TLS resumed an earlier session.
    pub(crate) resumed: bool,
}

impl Client {
    pub(crate) fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            buffer: vec![0; FIRST_BUFFER],
            from: 0,
            to: 0,
            resumed: false,
        }
    }

    pub(crate) fn into_wire(self) -> Box<dyn Wire> {
        self.wire
    }

    /// Sends a command and reads its status line.
    pub(crate) async fn command(&mut self, command: &str) -> Outcome<String> {
        self.send(&format!("{command}\r\n")).await?;
        self.ok(command).await
    }

    /// A command with a reply of many lines; returns how many octets they had.
    pub(crate) async fn listing(&mut self, command: &str) -> Outcome<u64> {
        self.command(command).await?;
        self.body(None).await
    }

    /// The number of messages, from STAT.
    pub(crate) async fn count(&mut self) -> Outcome<u64> {
        let said = self.command("STAT").await?;
        let count = said.split(' ').nth(1).and_then(|word| word.parse().ok());
        count.ok_or_else(|| format!("STAT: the server said {said:?}").into())
    }

    /// Says goodbye and waits until the server has closed: then it has nothing left to do for us.
    pub(crate) async fn quit(mut self) -> Outcome<()> {
        self.command("QUIT").await?;
        // Under TLS some servers close without saying so, which is no loss after `+OK`.
        while self
            .wire
            .read(&mut [0; 64])
            .await
            .is_ok_and(|count| count > 0)
        {}
        Ok(())
    }

    pub(crate) async fn send(&mut self, text: &str) -> Outcome<()> {
        self.wire.write_all(text.as_bytes()).await?;
        self.wire.flush().await?;
        Ok(())
    }

    /// Reads a status line, which must be `+OK`.
    pub(crate) async fn ok(&mut self, what: &str) -> Outcome<String> {
        let line = self.line(what).await?;
        if line.starts_with("+OK") {
            Ok(line)
        } else {
            Err(format!("{what}: the server said {line:?}").into())
        }
    }

    /// Reads what a server says within AUTH: `+`, a space, and base64 (RFC 5034 §4).
    pub(crate) async fn challenge(&mut self, what: &str) -> Outcome<Vec<u8>> {
        let line = self.line(what).await?;
        let said = line.strip_prefix('+').map(str::trim_start);
        said.and_then(|said| BASE64_STANDARD.decode(said).ok())
            .ok_or_else(|| format!("{what}: the server said {line:?}").into())
    }

    async fn line(&mut self, what: &str) -> Outcome<String> {
        let end = loop {
            match memchr(b'\n', self.pending()) {
                Some(end) => break end,
                None => self.fill(what).await?,
            }
        };
        let line = self.pending().get(..end).unwrap_or_default();
        let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        self.from += end + 1;
        Ok(line)
    }

    /// Reads a multi-line reply after its status line, without its end; dots are still doubled.
    pub(crate) async fn body(&mut self, mut keep: Option<&mut Vec<u8>>) -> Outcome<u64> {
        while self.pending().len() < 3 {
            self.fill("a reply of many lines").await?;
        }
        if self.pending().starts_with(b".\r\n") {
            self.from += 3;
            return Ok(0);
        }
        let mut octets = 0;
        loop {
            let found = memmem::find(self.pending(), END);
            // What may be the beginning of the end stays until more is there.
            let taken = match found {
                Some(at) => at + 2,
                None => self.pending().len().saturating_sub(END.len() - 1),
            };
            if let Some(keep) = &mut keep {
                keep.extend_from_slice(self.pending().get(..taken).unwrap_or_default());
            }
            octets += u64::try_from(taken)?;
            self.from += taken;
            if found.is_some() {
                self.from += 3;
                return Ok(octets);
            }
            self.fill("a reply of many lines").await?;
        }
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    async fn fill(&mut self, what: &str) -> Outcome<()> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        if self.to * 2 > self.buffer.len() && self.buffer.len() < LARGEST_BUFFER {
            self.buffer.resize(self.buffer.len() * 4, 0);
        }
        let room = self.buffer.get_mut(self.to..).unwrap_or_default();
        if room.is_empty() {
            return Err(format!("{what}: a line without an end").into());
        }
        match self.wire.read(room).await? {
            0 => Err(format!("{what}: the server closed the connection").into()),
            count => {
                self.to += count;
                Ok(())
            }
        }
    }
}
