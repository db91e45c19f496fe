//! A program as an administrator writes it: a path, or a list of a path and arguments.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// A program, with the arguments that it needs.
    Program(String),
    /// A program and its arguments, as they are.
    Whole(Vec<String>),
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or a list of a path and arguments")
    }

    fn visit_str<E>(self, text: &str) -> Result<Command, E> {
        Ok(Command::Program(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Command, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Command::Whole(words))
    }
}
