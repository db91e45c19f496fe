//! TRANSACTION: what is in the maildrop, as the snapshot of the login shows it (RFC 1939 §5, §7).

use std::sync::Arc;

use super::capability;
use super::command::Command;
use super::listing::{Column, Rows};
use super::marks::Marks;
use super::reply::{self, Say};
use super::session::{Context, State, Step};
use super::settings::{Order, Utf8};
use super::turn::{Ending, Extent, Next, Turn};
use super::updating::Updating;
use crate::store::Listing;

/// After login. Numbers are fixed: a deleted message keeps its number, and so does one that
/// somebody else deleted meanwhile (C0004).
pub(super) struct Transaction {
    listing: Arc<Listing>,
    marks: Marks,
    marked_octets: u64,
    rows: Option<Rows>,
}

impl Transaction {
    pub(super) fn new(listing: Arc<Listing>) -> Self {
        Self {
            listing,
            marks: Marks::default(),
            marked_octets: 0,
            rows: None,
        }
    }

    /// A command that is legal here.
    pub(super) fn command(mut self, command: Command<'_>, context: &mut Context) -> Step {
        let turn = match command {
            Command::Capa => capability::capa(context, true),
            Command::Dele(number) => self.dele(number, context),
            Command::Lang(tag) => capability::lang(tag, context),
            Command::List(number) => self.list(Column::Size, number, context),
            Command::Noop => done(),
            Command::Quit => return self.quit(context),
            Command::Retr(number) => self.retrieve(number, Extent::Whole, context),
            Command::Rset => {
                self.marks = Marks::default();
                self.marked_octets = 0;
                done()
            }
            Command::Stat => self.stat(),
            Command::Top(number, lines) => self.retrieve(number, Extent::Top(lines), context),
            Command::Uidl(number) => self.list(Column::UniqueId, number, context),
            Command::Auth(..)
            | Command::AuthList
            | Command::Pass(_)
            | Command::Stls
            | Command::User(_)
            | Command::Utf8 => context.answer(Say::WrongState),
        };
        (State::Transaction(self), turn)
    }

    /// Nothing follows the size (V0004).
    fn stat(&self) -> Turn {
        let count = self.listing.len() - self.marks.count();
        let octets = self.listing.total() - self.marked_octets;
        Turn::new(
            reply::status_line(format_args!("+OK {count} {octets}")),
            Next::Read,
        )
    }

    fn list(&mut self, column: Column, number: Option<u64>, context: &Context) -> Turn {
        match number {
            Some(number) => match self.index(number, context) {
                Some(index) => Turn::new(column.line(&self.listing, index, number), Next::Read),
                None => context.answer(Say::NoSuchMessage),
            },
            None => {
                self.rows = Some(Rows::new(column));
                let mut turn = self.more(context);
                turn.reply.splice(..0, reply::ok());
                turn
            }
        }
    }

    /// More rows of the listing that [`Next::Resume`] left unfinished.
    pub(super) fn resume(mut self, context: &Context) -> Step {
        let turn = self.more(context);
        (State::Transaction(self), turn)
    }

    fn more(&mut self, context: &Context) -> Turn {
        let Some(mut rows) = self.rows.take() else {
            return Turn::silent(Next::Read);
        };
        let order = context.settings.order;
        let (text, complete) = rows.some(&self.listing, &self.marks, order);
        if complete {
            return Turn::new(text, Next::Read);
        }
        self.rows = Some(rows);
        Turn::new(text, Next::Resume)
    }

    fn retrieve(&self, number: u64, extent: Extent, context: &Context) -> Turn {
        match self.index(number, context) {
            Some(index) => Turn::silent(Next::Retrieve {
                index,
                extent,
                ascii_header: context.settings.utf8 == Utf8::Strict && !context.utf8,
            }),
            None => context.answer(Say::NoSuchMessage),
        }
    }

    fn dele(&mut self, number: u64, context: &Context) -> Turn {
        let Some(index) = self.index(number, context) else {
            return context.answer(Say::NoSuchMessage);
        };
        self.marks.insert(index);
        self.marked_octets += self.listing.size(index).unwrap_or(0);
        done()
    }

    /// UPDATE deletes exactly the marked messages (V0006); without any there is nothing to do.
    fn quit(self, context: &Context) -> Step {
        if self.marks.count() == 0 {
            return (
                State::Closed,
                context.farewell(Say::SigningOff, Ending::Quit),
            );
        }
        let marked = self.marks.iter().collect();
        (
            State::Updating(Updating),
            Turn::silent(Next::Update(marked)),
        )
    }

    /// The index of a message by its number, unless it is marked as deleted.
    fn index(&self, number: u64, context: &Context) -> Option<usize> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let index = in_order(place, self.listing.len(), context.settings.order)?;
        (!self.marks.contains(index)).then_some(index)
    }
}

/// The index of the message at a place, counted from 0 in the order of the numbers.
pub(super) fn in_order(place: usize, count: usize, order: Order) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match order {
        _ if place > last => None,
        Order::Ascending => Some(place),
        Order::Descending => Some(last - place),
    }
}

fn done() -> Turn {
    Turn::new(reply::ok(), Next::Read)
}
