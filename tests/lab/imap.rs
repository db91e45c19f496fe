//! As much of an IMAP client as it takes to look at a mailbox from the other side.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::daemon::DEADLINE;
use super::mail::Mail;
use super::world::User;

/// A session with INBOX selected.
pub(crate) struct Imap {
    wire: BufReader<TcpStream>,
    tag: u32,
    /// UIDVALIDITY of INBOX.
    pub(crate) validity: u32,
}

impl Imap {
    /// Logs in and selects INBOX.
    pub(crate) fn open(address: SocketAddr, user: User) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("the IMAP server");
        stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a time limit");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let mut imap = Self {
            wire: BufReader::new(stream),
            tag: 0,
            validity: 0,
        };
        imap.line();
        imap.ok(&format!("LOGIN {} \"{}\"", user.name, user.password));
        let answers = imap.ok("SELECT INBOX");
        let validity = answers
            .iter()
            .find_map(|line| between(line, "[UIDVALIDITY ", "]"));
        imap.validity = validity.expect("UIDVALIDITY").parse().expect("a number");
        imap
    }

    /// The UIDs of all messages, in order.
    pub(crate) fn uids(&mut self) -> Vec<String> {
        let answers = self.ok("UID FETCH 1:* (UID)");
        answers
            .iter()
            .filter_map(|line| between(line, "UID ", ")").map(str::to_owned))
            .collect()
    }

    /// The octets of a message, without setting its flag `\Seen`.
    pub(crate) fn fetch(&mut self, uid: &str) -> Vec<u8> {
        self.send(&format!("UID FETCH {uid} (BODY.PEEK[])"));
        let line = self.line();
        let length = between(&line, "{", "}").unwrap_or_else(|| panic!("no literal: {line}"));
        let mut octets = vec![0; length.parse().expect("a length")];
        self.wire.read_exact(&mut octets).expect("the literal");
        self.finish();
        octets
    }

    /// Adds flags to, or with a minus takes them from, these messages: `store("1:*", "+", "\\Seen")`.
    pub(crate) fn store(&mut self, uids: &str, sign: &str, flags: &str) {
        self.ok(&format!("UID STORE {uids} {sign}FLAGS.SILENT ({flags})"));
    }

    /// Deletes a message for good.
    pub(crate) fn expunge(&mut self, uid: &str) {
        self.store(uid, "+", "\\Deleted");
        self.ok(&format!("UID EXPUNGE {uid}"));
    }

    /// Adds a message to INBOX.
    pub(crate) fn append(&mut self, mail: &Mail) {
        let octets = mail.wire();
        self.send(&format!("APPEND INBOX {{{}}}", octets.len()));
        let answer = self.line();
        assert!(answer.starts_with('+'), "APPEND: {answer}");
        self.wire.get_mut().write_all(&octets).expect("to send");
        self.wire.get_mut().write_all(b"\r\n").expect("to send");
        self.finish();
    }

    /// Sends a command that must succeed and gives the lines before its end.
    pub(crate) fn ok(&mut self, command: &str) -> Vec<String> {
        self.send(command);
        self.finish()
    }

    /// Sends a command that may fail because another session was faster: its lines, or none.
    pub(crate) fn attempt(&mut self, command: &str) -> Option<Vec<String>> {
        self.send(command);
        let (lines, status) = self.answer();
        status.starts_with("OK").then_some(lines)
    }

    fn send(&mut self, command: &str) {
        self.tag += 1;
        let line = format!("a{} {command}\r\n", self.tag);
        self.wire
            .get_mut()
            .write_all(line.as_bytes())
            .expect("to send");
    }

    fn finish(&mut self) -> Vec<String> {
        let (lines, status) = self.answer();
        assert!(status.starts_with("OK"), "IMAP: {status}");
        lines
    }

    fn answer(&mut self) -> (Vec<String>, String) {
        let end = format!("a{} ", self.tag);
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if let Some(status) = line.strip_prefix(&end) {
                return (lines, status.to_owned());
            }
            lines.push(line);
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.wire
            .read_line(&mut line)
            .expect("a line from the IMAP server");
        assert!(
            line.ends_with("\r\n"),
            "the IMAP server ends in the middle: {line}"
        );
        line.truncate(line.len() - 2);
        line
    }
}

fn between<'line>(line: &'line str, before: &str, after: &str) -> Option<&'line str> {
    let (_, rest) = line.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
