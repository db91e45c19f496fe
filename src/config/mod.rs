//! The configuration: as written (the TOML file), then as meant ([`Config`], which cannot be wrong).
//!
//! The way of a file: `inspect` checks every key and value against the one option table
//! (`option::SECTIONS`), `file` takes the rest into its serde mirror, `resolve` checks what
//! depends on several keys and makes the [`Config`]. Everything found is reported at once, each
//! with file, line and column, the key's path and a remedy. The same table renders the reference,
//! the man page and the example (`render`).
//!
//! Nothing outside this room sees the raw form. This room reads one file and the name of the
//! host; it never opens the files that the configuration names, and never asks DNS.

mod command;
mod file;
mod finding;
mod inspect;
mod meant;
mod option;
mod profile;
mod quantity;
pub mod render;
mod resolve;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

pub use crate::pop3::Order;
pub use finding::{Finding, Place, Rejected, Severity};
pub use meant::{
    CertificateFiles, ClientCertificates, Config, Ldap, Limits, Listener, ListenerTls, Log,
    LogFormat, LogLevel, Messages, Period, Protocol, ProtocolLog, Rolling, RunAs, Timeouts, Tls,
    TlsVersion,
};
pub use profile::Profile;

/// Where the file is when the command line does not say.
pub const DEFAULT_PATH: &str = "/etc/postern/postern.toml";

/// The longest configuration file that is read, in octets.
const MAX_FILE: u64 = 1 << 20;

/// A configuration that can be used, and what is still worth saying about it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The configuration.
    pub config: Config,
    /// Warnings only.
    pub warnings: Vec<Finding>,
}

/// Reads and checks a configuration file.
///
/// # Errors
/// [`Rejected`] with everything that was found.
pub fn load(path: &Path) -> Result<Accepted, Rejected> {
    let text = read(path).map_err(|problem| {
        let remedy = "name a readable file with --config FILE; \
                      `postern config example` prints one to begin with";
        let finding = Finding::error(format!("cannot be read: {problem}"), remedy);
        Rejected(vec![finding.place(Place::file(path))])
    })?;
    check(&text, path, &system_hostname())
}

/// Checks the text of a configuration file. `file` is its name in findings and the root of
/// relative paths; `hostname` stands where the file names none.
///
/// # Errors
/// [`Rejected`] with everything that was found.
pub fn check(text: &str, file: &Path, hostname: &str) -> Result<Accepted, Rejected> {
    let (written, findings) = inspect::inspect(text, file);
    let source = resolve::Source {
        text,
        file,
        hostname,
    };
    resolve::resolve(&source, &written, findings)
}

/// Reads a length of time on the command line, in the form of the configuration file: `12h`.
///
/// # Errors
/// In words, when it is none.
pub fn age(text: &str) -> Result<Duration, String> {
    let milliseconds = quantity::span_from_text(text);
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| "write a number with s, m, h or d, such as 12h".to_owned())
}

#[expect(
    clippy::disallowed_types,
    reason = "this room reads the configuration file"
)]
fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other("longer than 1 MiB"));
    }
    Ok(text)
}

/// The name that the kernel knows; DNS is never asked.
#[expect(
    clippy::disallowed_methods,
    reason = "the host's name stands in a file"
)]
fn system_hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}
