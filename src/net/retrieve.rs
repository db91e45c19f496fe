//! RETR and TOP: a message from the store to the wire in constant memory.

use std::io;

use super::connection::Connection;
use crate::event::Event;
use crate::pop3::reply::OK;
use crate::pop3::stuffing::{Stuffer, has_ascii_header};
use crate::pop3::{Extent, NotRetrieved};
use crate::store::{Message, StoreError};

/// How much of a message is read at once, in octets.
const BLOCK: usize = 32 * 1024;

/// What is gathered before it is written, in octets: a small message leaves in one write together
/// with its status line and its end.
const PORTION: usize = 48 * 1024;

/// A message, the block that was read, and how much of it is filled.
type Read = (Box<dyn Message>, Vec<u8>, Result<usize, StoreError>);

impl Connection {
    /// Sends a message, or says why not. An error after the first octet ends the connection without
    /// the final dot, so that nobody takes half a message for a whole one.
    pub(super) async fn retrieve(
        &mut self,
        index: usize,
        extent: Extent,
        ascii_header: bool,
    ) -> io::Result<Result<(), NotRetrieved>> {
        let Some(maildrop) = self.maildrop.clone() else {
            return Ok(Err(NotRetrieved::Unavailable));
        };
        let message = match maildrop.message(index) {
            Ok(message) => message,
            Err(error) => return Ok(Err(self.not_retrieved(&error))),
        };
        let (mut message, mut block, mut read) = self.read(message, vec![0; BLOCK]).await?;
        match &read {
            Ok(octets) if ascii_header && !has_ascii_header(filled(&block, *octets)) => {
                return Ok(Err(NotRetrieved::Utf8));
            }
            Ok(_) => {}
            Err(error) => return Ok(Err(self.not_retrieved(error))),
        }
        self.out.extend_from_slice(OK);
        let mut stuffer = Stuffer::new(extent);
        loop {
            let octets = read.map_err(|error| {
                self.not_retrieved(&error);
                io::Error::other("the message could not be read to its end")
            })?;
            stuffer.push(filled(&block, octets), &mut self.out);
            if octets == 0 || stuffer.is_complete() {
                break;
            }
            if self.out.len() >= PORTION {
                self.flush().await?;
            }
            (message, block, read) = self.read(message, block).await?;
        }
        stuffer.finish(&mut self.out);
        self.tally.retrieved += 1;
        Ok(Ok(()))
    }

    /// The next block: on the spot when the octets are in memory, else where waiting for a disk
    /// stalls nobody.
    async fn read(
        &mut self,
        mut message: Box<dyn Message>,
        mut block: Vec<u8>,
    ) -> io::Result<Read> {
        match message.read_now(&mut block) {
            Ok(Some(octets)) => return Ok((message, block, Ok(octets))),
            Ok(None) => {}
            Err(error) => return Ok((message, block, Err(error))),
        }
        let reading = move || {
            let read = message.read(&mut block);
            (message, block, read)
        };
        let overloaded = |_| io::Error::other("the disk workers are overloaded");
        self.house
            .disk
            .run(self.tally.address, reading)
            .await
            .map_err(overloaded)
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

fn filled(block: &[u8], octets: usize) -> &[u8] {
    block.get(..octets).unwrap_or_default()
}
