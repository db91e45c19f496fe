//! What a server may send for one question: so many octets, so many elements, and no deep nesting.
//!
//! The LDAP library collects a message of whatever length its first octets say, and reads elements in
//! elements by recursion: a server that is broken, or in the wrong hands, could fill the memory or
//! the stack of this process. So all that comes is looked at before the library has it, TLS taken
//! off. Only the outline is read: tags and lengths, by the rules of RFC 4511 §5.1 (lengths are
//! definite). Every element has to fit into the one around it, or the library would wait for the
//! rest of it for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most octets that answer one question. What is asked for are a few attributes of one entry, or
/// the names of a few hundred.
pub(super) const MOST_OCTETS: usize = 1 << 20;
/// The most elements in them: the library takes about 100 octets of memory for each.
pub(super) const MOST_ELEMENTS: usize = 1 << 16;
/// The deepest element. A value of an entry's attribute is at the sixth level (RFC 4511 §4.5.2).
pub(super) const DEEPEST: usize = 16;

/// What is wrong with what a server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Excess {
    /// Too long.
    #[error("it answers with more than {MOST_OCTETS} octets")]
    Octets,
    /// In too many parts.
    #[error("it answers with more than {MOST_ELEMENTS} elements")]
    Elements,
    /// Too deep.
    #[error("it nests elements more than {DEEPEST} deep")]
    Depth,
    /// Not what a message of LDAP looks like.
    #[error("what came is not LDAP")]
    Form,
}

/// The tag of an LDAPMessage, which is a SEQUENCE.
const MESSAGE: u8 = 0x30;
/// The bit of a tag that says that there are elements inside.
const CONSTRUCTED: u8 = 0x20;
/// The bits of a tag that are a number; all of them together say that it is longer, which it never
/// is in LDAP.
const NUMBER: u8 = 0x1f;

/// What the next octet is.
#[derive(Clone, Copy, Debug, Default)]
enum Next {
    /// The beginning of an element.
    #[default]
    Tag,
    /// Its length, or how many octets say it.
    Length { constructed: bool },
    /// One of these.
    LengthOctet {
        constructed: bool,
        left: u8,
        length: usize,
    },
    /// A value; so much of it is left.
    Value(usize),
}

/// How far the messages of one server have been read.
#[derive(Debug, Default)]
pub(super) struct Outline {
    octets: usize,
    elements: usize,
    /// What is left of each element that the next one is in, the outermost first.
    around: Vec<usize>,
    next: Next,
}

impl Outline {
    /// A question was asked: from now on its answer is counted.
    fn asked(&mut self) {
        (self.octets, self.elements) = (0, 0);
    }

    /// Reads what came. After an error nothing more may be passed on.
    pub(super) fn read(&mut self, mut came: &[u8]) -> Result<(), Excess> {
        self.octets = self.octets.saturating_add(came.len());
        if self.octets > MOST_OCTETS {
            return Err(Excess::Octets);
        }
        while let Some((&octet, rest)) = came.split_first() {
            came = rest;
            match self.next {
                Next::Tag => self.tag(octet)?,
                Next::Length { constructed } => self.length(octet, constructed)?,
                Next::LengthOctet {
                    constructed,
                    left,
                    length,
                } => {
                    self.take(1)?;
                    let length = length << 8 | usize::from(octet);
                    if left > 1 {
                        self.next = Next::LengthOctet {
                            constructed,
                            left: left - 1,
                            length,
                        };
                    } else {
                        self.open(length, constructed)?;
                    }
                }
                Next::Value(left) => {
                    let more = (left - 1).min(came.len());
                    came = came.get(more..).unwrap_or_default();
                    self.value(left - 1 - more);
                }
            }
        }
        Ok(())
    }

    fn tag(&mut self, octet: u8) -> Result<(), Excess> {
        let outermost = self.around.is_empty();
        if octet & NUMBER == NUMBER || outermost && octet != MESSAGE {
            return Err(Excess::Form);
        }
        self.take(1)?;
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return Err(Excess::Elements);
        }
        let constructed = octet & CONSTRUCTED != 0;
        self.next = Next::Length { constructed };
        Ok(())
    }

    fn length(&mut self, octet: u8, constructed: bool) -> Result<(), Excess> {
        self.take(1)?;
        match octet {
            short @ 0..=0x7f => self.open(usize::from(short), constructed),
            // More than four octets say more than there may be, or begin with zeros that nobody
            // writes. None at all is a length that only the end tells.
            0x81..=0x84 => {
                self.next = Next::LengthOctet {
                    constructed,
                    left: octet & 0x7f,
                    length: 0,
                };
                Ok(())
            }
            _ => Err(Excess::Form),
        }
    }

    /// An element begins whose length is known.
    fn open(&mut self, length: usize, constructed: bool) -> Result<(), Excess> {
        if self.around.is_empty() && length > MOST_OCTETS {
            return Err(Excess::Octets);
        }
        self.take(length)?;
        if constructed && length > 0 {
            if self.around.len() == DEEPEST {
                return Err(Excess::Depth);
            }
            self.around.push(length);
            self.next = Next::Tag;
        } else {
            self.value(length);
        }
        Ok(())
    }

    /// So much of a value is left; after it come the elements around it.
    fn value(&mut self, left: usize) {
        if left > 0 {
            self.next = Next::Value(left);
            return;
        }
        while self.around.last() == Some(&0) {
            self.around.pop();
        }
        self.next = Next::Tag;
    }

    /// Takes octets of the element around.
    fn take(&mut self, octets: usize) -> Result<(), Excess> {
        if let Some(left) = self.around.last_mut() {
            *left = left.checked_sub(octets).ok_or(Excess::Form)?;
        }
        Ok(())
    }
}

/// A stream to a server, whose side of it is held to the bounds. Whatever is written is a question.
pub(super) struct Bounded<S> {
    stream: S,
    outline: Outline,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            outline: Outline::default(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        block: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = block.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, block))?;
        let came = block.filled().get(before..).unwrap_or_default();
        let sound = this.outline.read(came);
        Poll::Ready(sound.map_err(|excess| io::Error::new(io::ErrorKind::InvalidData, excess)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.outline.asked();
        Pin::new(&mut this.stream).poll_write(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An element with a length in the fewest octets, or in four as Active Directory writes it.
    fn element(tag: u8, value: &[u8], wide: bool) -> Vec<u8> {
        let mut all = vec![tag];
        match value.len() {
            short @ 0..0x80 if !wide => all.push(u8::try_from(short).unwrap()),
            length => {
                all.push(0x84);
                all.extend(u32::try_from(length).unwrap().to_be_bytes());
            }
        }
        all.extend(value);
        all
    }

    fn nested(levels: usize) -> Vec<u8> {
        (1..levels).fold(element(0x30, &[], false), |inner, _| {
            element(0x30, &inner, false)
        })
    }

    fn read(octets: &[u8]) -> Result<(), Excess> {
        Outline::default().read(octets)
    }

    #[test]
    fn a_length_is_refused_before_its_octets_come() {
        for (head, excess) in [
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], Excess::Octets),
            (&[0x30, 0x84, 0x00, 0x10, 0x00, 0x01], Excess::Octets),
            (&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1], Excess::Form),
            (&[0x30, 0x80, 0x02, 1, 1, 0, 0], Excess::Form),
            (&[0x30, 0xff], Excess::Form),
            // An element that is longer than the one around it, or begins where that ends.
            (&[0x30, 5, 0x04, 0x84, 0, 0, 0, 9], Excess::Form),
            (&[0x30, 3, 0x04, 2], Excess::Form),
            (&[0x30, 1, 0x04, 0], Excess::Form),
            (&[0x30, 2, 0x1f, 0], Excess::Form),
            (b"HTTP/1.1 400", Excess::Form),
        ] {
            assert_eq!(read(head), Err(excess), "{head:x?}");
        }
        assert_eq!(read(&[0x30, 0x84, 0x00, 0x10, 0x00, 0x00]), Ok(()));
    }

    #[test]
    fn nesting_parts_and_octets_have_an_end() {
        assert_eq!(read(&nested(DEEPEST + 1)), Ok(()), "the last one is empty");
        assert_eq!(read(&nested(DEEPEST + 2)), Err(Excess::Depth));
        let parts = |count: usize| element(0x30, &[0x05, 0].repeat(count), true);
        assert_eq!(read(&parts(MOST_ELEMENTS - 1)), Ok(()));
        assert_eq!(read(&parts(MOST_ELEMENTS)), Err(Excess::Elements));
        // In many messages just as well, until the next question.
        let message = element(0x30, &element(0x04, &[0; 1000], false), false);
        let mut outline = Outline::default();
        let fit = MOST_OCTETS / message.len();
        for _ in 0..2 {
            for _ in 0..fit {
                assert_eq!(outline.read(&message), Ok(()));
            }
            outline.asked();
        }
        for _ in 0..fit {
            assert_eq!(outline.read(&message), Ok(()));
        }
        assert_eq!(outline.read(&message), Err(Excess::Octets));
    }

    /// Elements in elements, of a few levels.
    fn messages() -> impl Strategy<Value = Vec<u8>> {
        let leaf = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(wide, value)| element(0x04, &value, wide));
        let tree = leaf.prop_recursive(6, 40, 5, |inner| {
            (any::<bool>(), prop::collection::vec(inner, 0..5))
                .prop_map(|(wide, parts)| element(0x31, &parts.concat(), wide))
        });
        prop::collection::vec(tree, 1..4).prop_map(|parts| {
            let messages = parts.iter().map(|part| element(0x30, part, false));
            messages.collect::<Vec<_>>().concat()
        })
    }

    proptest! {
        #[test]
        fn every_message_passes_in_any_pieces(messages in messages(), size in 1usize..50) {
            let mut outline = Outline::default();
            for piece in messages.chunks(size) {
                prop_assert_eq!(outline.read(piece), Ok(()));
            }
            prop_assert!(outline.around.is_empty() && matches!(outline.next, Next::Tag));
        }

        /// What passes is read by the library to its end, and never by a deeper recursion.
        #[test]
        fn what_passes_is_whole_for_the_library(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut octets = octets;
            octets.insert(0, 0x30);
            let mut outline = Outline::default();
            if outline.read(&octets).is_ok() && outline.around.is_empty() && matches!(outline.next, Next::Tag) {
                let mut rest = octets.as_slice();
                while !rest.is_empty() {
                    rest = ldap3::asn1::parse_tag(rest).unwrap().0;
                }
            }
        }
    }
}
