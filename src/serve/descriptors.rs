//! Connections and file descriptors: no more connections are let in than there are descriptors
//! for. Otherwise the users who are logged in already would be the first to feel the want: the
//! connection of a stranger takes one, and then their mail cannot be opened.

use std::thread;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::config::{Finding, Ldap, Limits};

/// What a session may hold at the same time: its socket, its Maildir, and the message that is
/// being sent.
const PER_SESSION: u64 = 3;

/// What the process needs for itself: standard streams, signals, certificates and users files
/// while they are read.
const SPARE: u64 = 64;

/// What each core needs besides: its listening sockets and runtime, and the files that its disk
/// workers have open while they look through Maildirs.
const SPARE_PER_CORE: u64 = 32;

/// What a connection to the directory takes: its socket, and two between it and the LDAP library.
const PER_LDAP_CONNECTION: u64 = 3;

/// What the process needs for everything but its sessions, on this many cores.
fn spare(cores: usize, ldap: Option<&Ldap>) -> u64 {
    let kept = ldap.map_or(0, |Ldap { settings, .. }| {
        let each = settings.search_connections + settings.bind_connections;
        count(each.saturating_mul(settings.servers.len()))
    });
    SPARE
        .saturating_add(count(cores).saturating_mul(SPARE_PER_CORE))
        .saturating_add(kept.saturating_mul(PER_LDAP_CONNECTION))
}

/// So many connections can be served with this many descriptors beside the spare ones; at least one.
fn room(descriptors: u64, spare: u64) -> usize {
    let room = descriptors.saturating_sub(spare) / PER_SESSION;
    usize::try_from(room).unwrap_or(usize::MAX).max(1)
}

/// The descriptors that so many connections need, with the spare ones.
fn needed(connections: usize, spare: u64) -> u64 {
    count(connections)
        .saturating_mul(PER_SESSION)
        .saturating_add(spare)
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

/// Raises this process's limit of descriptors as far as it may, and lowers
/// `limits.max_connections` to what there is room for. Says so if the configuration names a
/// higher number; "no limit" means as many as there is room for.
pub fn fit(limits: &mut Limits, ldap: Option<&Ldap>) -> Option<Finding> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    fit_to(limits, raised(), spare(cores, ldap))
}

fn fit_to(limits: &mut Limits, descriptors: u64, spare: u64) -> Option<Finding> {
    let asked = limits.max_connections;
    let room = room(descriptors, spare);
    limits.max_connections = asked.min(room);
    let named = u64::try_from(asked).is_ok_and(|asked| asked < Limits::UNLIMITED);
    (named && asked > room).then(|| {
        let needed = needed(asked, spare);
        Finding::warning(
            format!(
                "{asked} connections take {needed} file descriptors, and a process started from \
                 here gets {descriptors}: there is room for {room}"
            ),
            format!(
                "set LimitNOFILE={needed} or more in the unit, whose limit is the one that counts \
                 for a server started by systemd, or lower limits.max_connections"
            ),
        )
        .key("limits.max_connections")
    })
}

/// The limit of descriptors, after the soft one was raised to the hard one.
fn raised() -> u64 {
    // A system that does not tell its limit will say when it is met.
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return u64::MAX;
    };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_connections: usize) -> Limits {
        Limits {
            max_command: 512,
            max_sasl_line: 12 << 10,
            max_connections,
            max_connections_per_source: 1,
            max_connections_per_user: 1,
        }
    }

    #[test]
    fn every_connection_that_is_let_in_can_open_its_mail() {
        for (descriptors, cores, wanted) in [
            (0, 1, 1),
            (96, 1, 1),
            (126, 1, 10),
            (1024, 2, 298),
            (65_536, 8, 21_738),
        ] {
            let room = room(descriptors, spare(cores, None));
            assert_eq!(room, wanted, "{descriptors} on {cores}");
        }
        let spare = spare(4, None);
        for connections in [1, 500, 10_000] {
            assert_eq!(room(needed(connections, spare), spare), connections);
            assert!(room(needed(connections, spare) - 1, spare) < connections.max(2));
        }
        assert_eq!(room(u64::MAX, 96), usize::MAX / 3 - 32);
    }

    #[test]
    fn a_number_that_does_not_fit_is_lowered_and_said() {
        let mut asked = limits(10_000);
        let said = fit_to(&mut asked, 1024, spare(2, None)).expect("a finding");
        assert_eq!(asked.max_connections, 298);
        assert_eq!(said.key, "limits.max_connections");
        assert!(said.remedy.contains("LimitNOFILE=30128"), "{said}");
    }

    #[test]
    fn no_limit_means_what_there_is_room_for() {
        let mut asked = limits(usize::try_from(Limits::UNLIMITED).expect("64 bits"));
        assert_eq!(fit_to(&mut asked, 1024, spare(2, None)), None);
        assert_eq!(asked.max_connections, 298);
    }

    #[test]
    fn a_number_that_fits_stays() {
        let mut asked = limits(298);
        assert_eq!(fit_to(&mut asked, 1024, spare(2, None)), None);
        assert_eq!(asked.max_connections, 298);
    }

    #[test]
    fn the_soft_limit_is_raised() {
        let hard = raised();
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        assert_eq!(soft, hard);
    }
}
