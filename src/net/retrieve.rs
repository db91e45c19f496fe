//! RETR and TOP: a message from the store to the wire in constant memory.

use std::io;

use super::connection::Connection;
use crate::event::Event;
use crate::pop3::reply::OK;
use crate::pop3::stuffing::{Stuffer, has_ascii_header};
use crate::pop3::{Ending, Extent, NotRetrieved};
use crate::store::{Message, StoreError};

/// How much of a message is read at once, in octets: little enough for a core's first cache, where it
/// is gone through next. See docs/performance.md.
const BLOCK: usize = 16 * 1024;

/// How much of a message is read first, in octets, when its header must be looked at (RFC 6856).
const HEADER: usize = 32 * 1024;

/// What is gathered before it is written, in octets: a small message leaves in one write together
/// with its status line and its end, and a large one in few.
const PORTION: usize = 64 * 1024;

/// A message and the block of it that was read last; an empty one is the end.
struct Reading {
    message: Box<dyn Message>,
    block: Vec<u8>,
    filled: usize,
}

impl Reading {
    fn octets(&self) -> &[u8] {
        self.block.get(..self.filled).unwrap_or_default()
    }
}

impl Connection {
    /// Sends a message, or says why not. An error after the first octet ends the connection without
    /// the final dot, so that nobody takes half a message for a whole one.
    pub(super) async fn retrieve(
        &mut self,
        index: usize,
        extent: Extent,
        ascii_header: bool,
    ) -> io::Result<Result<(), NotRetrieved>> {
        let first = if ascii_header { HEADER } else { BLOCK };
        let mut reading = match self.first_block(index, first).await {
            Ok(reading) => reading,
            Err(why) => return Ok(Err(why)),
        };
        if ascii_header && !has_ascii_header(reading.octets()) {
            return Ok(Err(NotRetrieved::Utf8));
        }
        self.out.reserve(room(reading.message.length()));
        self.out.extend_from_slice(OK);
        let mut stuffer = Stuffer::new(extent);
        while !reading.octets().is_empty() && !stuffer.is_complete() {
            stuffer.push(reading.octets(), &mut self.out);
            if self.out.len() >= PORTION {
                self.flush().await?;
                self.go_on()?;
            }
            let cut = |_| io::Error::other("the message could not be read to its end");
            reading = self.next_block(reading).await.map_err(cut)?;
        }
        stuffer.finish(&mut self.out);
        self.tally.retrieved += 1;
        Ok(Ok(()))
    }

    /// Whoever may not go on gets no more of a message, however long it is.
    fn go_on(&mut self) -> io::Result<()> {
        match self.barred() {
            None => Ok(()),
            Some(reason) => {
                self.tally.barred = Some(reason);
                self.tally.ending = Some(Ending::Barred);
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    async fn first_block(&self, index: usize, most: usize) -> Result<Reading, NotRetrieved> {
        let maildrop = self.maildrop.as_ref().ok_or(NotRetrieved::Unavailable)?;
        let message = maildrop
            .message(index)
            .map_err(|error| self.not_retrieved(&error))?;
        let reading = Reading {
            block: vec![0; at_most(message.length(), most)],
            message,
            filled: 0,
        };
        self.next_block(reading).await
    }

    /// The next block: on the spot when the octets are in memory, else where waiting for a disk
    /// stalls nobody.
    async fn next_block(&self, mut reading: Reading) -> Result<Reading, NotRetrieved> {
        let at_once = reading.message.read_now(&mut reading.block);
        if let Some(filled) = at_once.map_err(|error| self.not_retrieved(&error))? {
            return Ok(Reading { filled, ..reading });
        }
        let waiting = move || {
            let filled = reading.message.read(&mut reading.block)?;
            Ok(Reading { filled, ..reading })
        };
        let session = self.tally.session;
        match self.house.disk.run(self.tally.address, waiting).await {
            Ok(read) => read.map_err(|error| self.not_retrieved(&error)),
            Err(_) => {
                Event::DiskOverloaded { session }.emit();
                Err(NotRetrieved::Unavailable)
            }
        }
    }

    fn not_retrieved(&self, error: &StoreError) -> NotRetrieved {
        if let StoreError::Vanished = error {
            return NotRetrieved::Vanished;
        }
        let account = self.tally.account.as_deref().unwrap_or_default();
        let session = self.tally.session;
        Event::StoreFailed {
            session,
            account,
            error,
        }
        .emit();
        NotRetrieved::Unavailable
    }
}

/// Room for what is gathered before it is written. LF becomes CRLF, and the end is added: lines
/// are rarely so short that this is not enough, and then it grows.
fn room(length: u64) -> usize {
    let gathered = at_most(length, PORTION + BLOCK);
    OK.len() + gathered + gathered / 16 + 16
}

fn at_most(length: u64, most: usize) -> usize {
    usize::try_from(length).map_or(most, |length| length.min(most))
}
