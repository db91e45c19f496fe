//! The KDCs that DNS names for a realm: `_kerberos._tcp.REALM` (RFC 4120 §7.2.3.2, RFC 2782).
//!
//! The system's resolver gives no such records, so the name servers of resolv.conf are asked here: one
//! question each, and what is not answered is not there. Every length is bounded by the message, and a name
//! is followed through as many pointers as it can have labels.
#![expect(
    clippy::disallowed_methods,
    reason = "name servers stand in resolv.conf"
)]

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::places::Place;

/// How long one name server is waited for.
const WITHIN: Duration = Duration::from_secs(1);
/// The most name servers that are asked.
const MAX_SERVERS: usize = 2;
/// The most octets of an answer (RFC 1035 §2.3.4, and more where a server sends it).
const MAX_ANSWER: usize = 4096;
/// The most KDCs that are taken.
const MAX_KDCS: usize = 16;
/// Longer names are none (RFC 1035 §2.3.4).
const MAX_LABELS: usize = 128;
/// A number to know the answer by. Whoever could send another one could do so anyway: it decides nothing.
const NUMBER: [u8; 2] = [0x50, 0x4f];

const SRV: [u8; 2] = [0, 33];
const INTERNET: [u8; 2] = [0, 1];

/// The KDCs in the order in which they want to be asked.
pub(super) fn kdcs(realm: &str) -> Vec<Place> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let Some(question) = question(realm) else {
        return Vec::new();
    };
    let answers = servers(&text)
        .into_iter()
        .take(MAX_SERVERS)
        .filter_map(|server| ask(server, &question).ok());
    answers
        .filter_map(|answer| read(&answer))
        .find(|kdcs| !kdcs.is_empty())
        .unwrap_or_default()
}

fn servers(text: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok())?
    };
    text.lines().filter_map(server).collect()
}

fn ask(server: IpAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => [0, 0, 0, 0].into(),
        IpAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(SocketAddr::new(server, 53))?;
    socket.set_read_timeout(Some(WITHIN))?;
    socket.send(question)?;
    let mut answer = vec![0; MAX_ANSWER];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// One question, with recursion desired (RFC 1035 §4.1).
fn question(realm: &str) -> Option<Vec<u8>> {
    let mut message = [&NUMBER[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in ["_kerberos", "_tcp"].into_iter().chain(realm.split('.')) {
        let length = u8::try_from(label.len()).ok();
        message.push(length.filter(|length| (1..64).contains(length))?);
        message.extend(label.to_ascii_lowercase().bytes());
    }
    message.push(0);
    message.extend([SRV, INTERNET].concat());
    Some(message)
}

/// The services of an answer, the most preferred first.
fn read(message: &[u8]) -> Option<Vec<Place>> {
    let mut reader = Reader { message, at: 0 };
    let [high, low, ..] = reader.take::<4>()?;
    let [questions, answers] = [reader.number()?, reader.number()?];
    reader.take::<4>()?;
    if [high, low] != NUMBER {
        return None;
    }
    for _ in 0..questions {
        reader.name()?;
        reader.take::<4>()?;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        reader.name()?;
        let kind = reader.take::<4>()?;
        reader.take::<4>()?;
        let end = usize::from(reader.number()?).checked_add(reader.at)?;
        if kind == *[SRV, INTERNET].concat() && found.len() < MAX_KDCS {
            let (priority, _weight) = (reader.number()?, reader.number()?);
            let (port, host) = (reader.number()?, reader.name()?);
            found.push((priority, Place { host, port }));
        }
        reader.at = end;
    }
    found.sort_by_key(|(priority, _)| *priority);
    // The root for a host says that there is no such service.
    found.retain(|(_, place)| !place.host.is_empty());
    Some(found.into_iter().map(|(_, place)| place).collect())
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.message.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    /// A name, with the pointers in it followed (RFC 1035 §4.1.4).
    fn name(&mut self) -> Option<String> {
        let (mut labels, mut after) = (Vec::new(), None);
        for _ in 0..MAX_LABELS {
            let [length] = self.take()?;
            match length {
                0 => {
                    self.at = after.unwrap_or(self.at);
                    return Some(labels.join("."));
                }
                1..64 => {
                    let end = self.at.checked_add(usize::from(length))?;
                    let label = self.message.get(self.at..end)?;
                    labels.push(std::str::from_utf8(label).ok()?.to_owned());
                    self.at = end;
                }
                0xc0.. => {
                    let [low] = self.take()?;
                    after.get_or_insert(self.at);
                    self.at = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                }
                64..0xc0 => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to a question, with records of these priorities, ports and hosts in wire form.
    fn answer(records: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let mut message = question("EXAMPLE.TEST").unwrap();
        message[7] = u8::try_from(records.len()).unwrap();
        for (priority, port, host) in records {
            message.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
            message.extend(u16::try_from(6 + host.len()).unwrap().to_be_bytes());
            message.extend(priority.to_be_bytes());
            message.extend([0, 100]);
            message.extend(port.to_be_bytes());
            message.extend(*host);
        }
        message
    }

    #[test]
    fn services_are_read_in_their_order() {
        // The second ends in a pointer to `example.test` of the question.
        let message = answer(&[
            (20, 88, b"\x02k2\x04test\x00"),
            (10, 750, b"\x02k1\xc0\x1b"),
            (0, 0, b"\x00"),
        ]);
        let places: Vec<_> = read(&message)
            .unwrap()
            .iter()
            .map(Place::to_string)
            .collect();
        assert_eq!(places, ["k1.example.test:750", "k2.test:88"]);
        for cut in 0..message.len() {
            assert_eq!(read(&message[..cut]), None, "{cut} octets");
        }
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let message = answer(&[(1, 88, b"\xc0\x0c")]);
        let itself = u8::try_from(message.len() - 2).unwrap();
        let message = [&message[..message.len() - 1], &[itself]].concat();
        assert_eq!(read(&message), None);
        let mut other = answer(&[]);
        other[0] ^= 1;
        assert_eq!(read(&other), None, "the answer to another question");
        assert_eq!(question("EXAMPLE..TEST"), None);
    }

    #[test]
    fn name_servers_are_those_of_the_file() {
        let text = "# nameserver 192.0.2.9\nnameserver 192.0.2.1\nsearch x\nnameserver 2001:db8::1\n\
                    nameserver fe80::1%eth0\n";
        let servers: Vec<_> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1", "2001:db8::1"]);
    }
}
