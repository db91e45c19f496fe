//! Whether the server gets its ports, and who has them if it does not.

use std::fs;
use std::path::Path;

use super::Patient;
use super::seen::Seen;
use crate::admin::check::ports;
use crate::config::{Finding, Severity};

/// The state of a socket that listens, in the kernel's tables.
const LISTEN: &str = "0A";

/// A process that listens on a port.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    process: u32,
    name: String,
}

/// Tries each listener alone, as all of them together would say no more of one that is taken.
pub(super) fn look(patient: &Patient) -> Seen {
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for (number, listener) in patient.config.listeners.iter().enumerate() {
        let address = listener.address;
        let found = ports::try_one(number, listener);
        let holder = found.as_ref().and_then(|_| holder(address.port()));
        match (found, holder) {
            (None, _) => well.push(format!("{address} is free, so no server listens there now")),
            (Some(_), Some(holder)) if holder.name == "postern" => well.push(format!(
                "{address} is held by the running server, process {}",
                holder.process
            )),
            (Some(found), Some(holder)) => {
                findings.push(taken(found, &address.to_string(), &holder))
            }
            (Some(found), None) => findings.push(found),
        }
    }
    Seen::looked(well, findings)
}

fn taken(found: Finding, address: &str, holder: &Holder) -> Finding {
    Finding {
        severity: Severity::Error,
        problem: format!(
            "{address} is taken by {}, process {}",
            holder.name, holder.process
        ),
        remedy: "stop it, or switch off its POP3 (Dovecot: protocols = imap lmtp; systemd: \
                 `systemctl list-sockets` shows the unit)"
            .to_owned(),
        ..found
    }
}

/// The process that listens on a TCP port, as far as may be seen.
fn holder(port: u16) -> Option<Holder> {
    let sockets: Vec<_> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(read)
        .flat_map(|table| listening(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|process| holds(*process, &sockets))
        .map(|process| Holder {
            process,
            name: read(&format!("/proc/{process}/comm"))
                .map_or_else(|| "somebody".to_owned(), |name| name.trim().to_owned()),
        })
}

/// The sockets of a table of the kernel that listen on the port, as processes name them.
fn listening(table: &str, port: u16) -> Vec<String> {
    let socket = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (_, at) = fields.nth(1)?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let same = u16::from_str_radix(at, 16) == Ok(port) && state == LISTEN;
        same.then(|| format!("socket:[{inode}]"))
    };
    table.lines().filter_map(socket).collect()
}

fn holds(process: u32, sockets: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path());
        target.is_ok_and(|target| sockets.iter().any(|socket| target == Path::new(socket)))
    })
}

#[expect(clippy::disallowed_methods, reason = "the kernel's tables are files")]
fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_names_the_socket() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:006E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n   \
             1: 0100007F:006E 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n   \
             2: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0\n";
        assert_eq!(listening(table, 110), ["socket:[4711]"]);
        assert_eq!(listening(table, 995), [""; 0]);
        assert_eq!(listening("nonsense\n", 110), [""; 0]);
    }
}
