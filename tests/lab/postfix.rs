//! Debian's Postfix with a queue and a configuration of its own.
