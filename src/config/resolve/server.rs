//! The server as a whole: names, limits, timeouts, extensions, log.

use super::{Resolver, or, word, words};
use crate::config::quantity::{Octets, Span};
use crate::config::{Limits, Log, Protocol, RunAs, Timeouts, file};

/// A reply line is 512 octets with its CRLF (RFC 2449 §4), and `+OK ` stands before the banner.
const MAX_BANNER: usize = 512 - "+OK ".len() - "\r\n".len();

impl Resolver<'_> {
    pub(super) fn hostname(&mut self, written: &file::File) -> String {
        let Some(name) = &written.hostname else {
            let name = self.source.hostname;
            return if is_hostname(name) {
                name.to_owned()
            } else {
                "localhost".to_owned()
            };
        };
        if !is_hostname(name.get_ref()) {
            self.error(
                "hostname",
                name.span(),
                &format!("{:?} is not the name of a host", name.get_ref()),
                "write a full name of ASCII letters, digits, hyphens and dots, such as \"pop.example.test\"",
            );
        }
        name.get_ref().to_ascii_lowercase()
    }

    pub(super) fn banner(&mut self, written: &file::File) -> String {
        let Some(banner) = &written.banner else {
            return self.defaults.banner.to_owned();
        };
        if let Some(problem) = banner_problem(banner.get_ref()) {
            let remedy =
                "write one short line of printable ASCII without < and >, not beginning with [";
            self.error("banner", banner.span(), problem, remedy);
        }
        banner.get_ref().clone()
    }

    pub(super) fn run_as(&mut self, written: &file::File) -> Option<RunAs> {
        for (key, value) in [("user", &written.user), ("group", &written.group)] {
            if let Some(value) = value
                && value.get_ref().is_empty()
            {
                let remedy = "write its name, or leave the key out";
                self.error(key, value.span(), "the name is empty", remedy);
            }
        }
        let Some(user) = &written.user else {
            if let Some(group) = &written.group {
                let remedy = "set `user` as well, or remove `group`";
                self.error("group", group.span(), "a group without a user", remedy);
            }
            return None;
        };
        if user.get_ref() == "root" {
            let problem = "the server never runs as root";
            let remedy = "name an unprivileged user who owns the Maildirs, such as \"postern\"";
            self.error("user", user.span(), problem, remedy);
        }
        Some(RunAs {
            user: user.get_ref().clone(),
            group: written.group.as_ref().map(|group| group.get_ref().clone()),
        })
    }

    pub(super) fn limits(&mut self, written: &file::Limits) -> Limits {
        let defaults = self.defaults.clone();
        let command = or(&written.max_command, Octets(defaults.max_command)).0;
        if command < 255 {
            let span = written
                .max_command
                .as_ref()
                .map_or(0..0, toml::Spanned::span);
            self.warning(
                "limits.max_command",
                span,
                &format!("{command} octets is less than the 255 that RFC 2449 §4 wants"),
                "set limits.max_command = 512 unless clients must see the limit of Exchange 2007",
            );
        }
        Limits {
            max_command: size(command),
            max_sasl_line: size(or(&written.max_sasl_line, Octets(defaults.max_sasl_line)).0),
            max_connections: size(or(&written.max_connections, defaults.max_connections)),
            max_connections_per_source: size(or(
                &written.max_connections_per_source,
                defaults.max_connections_per_source,
            )),
            max_connections_per_user: size(or(
                &written.max_connections_per_user,
                defaults.max_connections_per_user,
            )),
        }
    }

    pub(super) fn timeouts(&mut self, written: &file::File) -> Timeouts {
        let defaults = &self.defaults;
        let timeouts = Timeouts {
            authenticated: or(
                &written.timeouts.authenticated,
                Span(defaults.authenticated),
            )
            .0,
            pre_authenticated: or(
                &written.timeouts.pre_authenticated,
                Span(defaults.pre_authenticated),
            )
            .0,
            drain: or(&written.timeouts.drain, Span(defaults.drain)).0,
        };
        if let Some(delay) = &written.login.refusal_delay
            && delay.get_ref().0 >= timeouts.pre_authenticated
        {
            self.error(
                "login.refusal_delay",
                delay.span(),
                "it is not shorter than timeouts.pre_authenticated, so clients would never hear a refusal",
                "make the delay shorter; \"1s\" is the default",
            );
        }
        timeouts
    }

    pub(super) fn protocol(&self, written: &file::Protocol) -> Protocol {
        Protocol {
            pipelining: or(&written.pipelining, self.defaults.pipelining),
            response_codes: or(&written.response_codes, self.defaults.response_codes),
            utf8: word(&written.utf8, words::utf8, self.defaults.utf8),
            lang: or(&written.lang, self.defaults.lang),
        }
    }

    pub(super) fn log(&self, written: &file::Log) -> Log {
        Log {
            format: word(&written.format, words::log_format, self.defaults.log_format),
            level: word(&written.level, words::log_level, self.defaults.log_level),
        }
    }
}

/// All sizes and counts are far below 2^32: the option table says so.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn banner_problem(banner: &str) -> Option<&'static str> {
    if !banner.is_ascii() {
        Some("it is not ASCII, and clients know no other characters here (RFC 1939 §3)")
    } else if banner.bytes().any(|octet| octet.is_ascii_control()) {
        Some("it contains a control character")
    } else if banner.contains(['<', '>']) {
        Some("clients would take < and > for the timestamp of APOP (RFC 1939 §7)")
    } else if banner.starts_with('[') {
        Some("clients would take the [ at its beginning for a response code (RFC 2449 §8)")
    } else if banner.len() > MAX_BANNER {
        Some("it is longer than 506 octets, which is what a reply line can hold")
    } else {
        None
    }
}

/// Letters, digits and hyphens between dots (RFC 1123 §2.1).
pub(super) fn is_hostname(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        })
}
