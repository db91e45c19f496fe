//! Where the KDCs of a realm are: what krb5.conf says, else DNS.
#![expect(clippy::disallowed_types, reason = "krb5.conf is read here")]

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::srv;

/// The port of Kerberos (RFC 4120 §7.2.1).
const PORT: u16 = 88;
/// The largest configuration that is read, in octets.
const MAX_FILE: u64 = 1024 * 1024;
/// The most files that are read, for one may include others and itself.
const MAX_FILES: usize = 64;

/// Where a KDC is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The KDCs of a realm. Without a word of DNS a domain of Active Directory still has its controllers under its own
/// name.
pub(super) fn kdcs(realm: &str) -> Vec<Place> {
    let written = named(&configuration(), realm);
    if !written.is_empty() {
        return written;
    }
    let mut known = srv::kdcs(realm);
    if known.is_empty() {
        known.push(Place {
            host: realm.to_ascii_lowercase(),
            port: PORT,
        });
    }
    known
}

/// The realm of names that say none.
pub(super) fn default_realm() -> Option<String> {
    let text = configuration();
    let realm = values(&text, "libdefaults", None, "default_realm");
    realm.first().map(|&realm| realm.to_owned())
}

fn named(text: &str, realm: &str) -> Vec<Place> {
    let kdcs = values(text, "realms", Some(realm), "kdc");
    kdcs.into_iter().filter_map(place).collect()
}

/// The text of krb5.conf, which may be several files.
fn configuration() -> String {
    let named = env::var_os("KRB5_CONFIG");
    let files = named.unwrap_or_else(|| OsString::from("/etc/krb5.conf"));
    let mut waiting: Vec<PathBuf> = env::split_paths(&files).collect();
    waiting.reverse();
    let mut text = String::new();
    for _ in 0..MAX_FILES {
        let Some(path) = waiting.pop() else { break };
        let one = read(&path);
        waiting.extend(one.lines().flat_map(included));
        text.push_str(&one);
        text.push('\n');
    }
    text
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    // What cannot be read says nothing, to MIT's library too.
    let _ = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
    text
}

/// The files that a line brings in.
fn included(line: &str) -> Vec<PathBuf> {
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next()) {
        (Some("include"), Some(file)) => vec![file.into()],
        (Some("includedir"), Some(folder)) => {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| entry.path())
                .filter(|path| is_configuration(path))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Letters, digits, dashes and underscores, or anything that ends in `.conf` (krb5.conf(5)).
fn is_configuration(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    name.bytes().all(plain) || (name.ends_with(".conf") && !name.starts_with('.'))
}

/// The values of a key of a section, or of a group in it such as a realm.
fn values<'a>(text: &'a str, section: &str, group: Option<&str>, key: &str) -> Vec<&'a str> {
    let (mut inside, mut within) = (None, None);
    let mut values = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            (inside, within) = (Some(name), None);
        } else if line.starts_with('}') {
            within = None;
        } else if let Some((name, value)) = line.split_once('=') {
            let (name, value) = (name.trim(), value.trim());
            if value.starts_with('{') {
                within = Some(name);
            } else if inside == Some(section) && within == group && name == key {
                values.push(value);
            }
        }
    }
    values
}

/// `host`, `host:port`, `[address]:port`, with `tcp/` or `udp/` before it. A proxy (`https://`) is none.
fn place(value: &str) -> Option<Place> {
    let value = value.split_ascii_whitespace().next()?;
    let value = value
        .strip_prefix("tcp/")
        .or_else(|| value.strip_prefix("udp/"))
        .unwrap_or(value);
    if value.contains('/') {
        return None;
    }
    let (host, port) = match value
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => value
            .split_once(':')
            .map_or((value, None), |(host, port)| (host, Some(port))),
    };
    Some(Place {
        host: host.to_owned(),
        port: port.map_or(Some(PORT), |port| port.parse().ok())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kdcs_of_one_realm_are_read() {
        let text = "[libdefaults]\n kdc = not.this\n default_realm = X.TEST\n[realms]\n OTHER.TEST = {\n kdc = no\n }\n\
                    EXAMPLE.TEST = {\n  kdc = kdc1.example.test\n  kdc=tcp/kdc2:750\n kdc = [2001:db8::1]:89\n\
                    admin_server = no\n kdc = https://proxy/KdcProxy\n kdc = bad:port\n }\n[domain_realm]\n kdc = no\n";
        let places: Vec<_> = named(text, "EXAMPLE.TEST")
            .iter()
            .map(Place::to_string)
            .collect();
        assert_eq!(
            places,
            ["kdc1.example.test:88", "kdc2:750", "2001:db8::1:89"]
        );
        assert_eq!(named(text, "example.test"), []);
        let realm = values(text, "libdefaults", None, "default_realm");
        assert_eq!(realm, ["X.TEST"]);
    }

    #[test]
    fn other_files_are_brought_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("krb5.conf");
        let line = format!(" include {}", path.display());
        assert_eq!(included(&line), [path]);
        assert!(included("# include x").is_empty());
        for name in ["realm-1", "a.conf", "b.rpmsave", ".hidden.conf"] {
            File::create(folder.path().join(name)).unwrap();
        }
        let mut found = included(&format!("includedir {}", folder.path().display()));
        found.sort();
        assert_eq!(
            found,
            [folder.path().join("a.conf"), folder.path().join("realm-1")]
        );
    }
}
