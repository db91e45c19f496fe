//! The reference in Markdown: `postern config reference`, which is `docs/configuration.md`.

use std::fmt::Write;

use super::default_words;
use crate::config::inspect::header;
use crate::config::option::{SECTIONS, Section, Setting};

const HEAD: &str = "# Configuration

One TOML file, `/etc/postern/postern.toml` unless `--config` names another. Keys that are not described here
are refused. `postern check` says everything that is wrong with a file, each with its line and a remedy, and
changes nothing; `systemctl reload postern` (SIGHUP) takes a checked file into use. A file with an error is
not taken: the server goes on with the old one and logs why.

Durations are written `\"30s\"`, `\"10m\"`, `\"1h\"`, `\"500ms\"`, or as a number of seconds; sizes `\"96KiB\"`,
`\"1MiB\"`, or as a number of octets. Relative paths are taken from the folder of the file.

The smallest file that serves mail:

```toml
[[listener]]
address = \"[::]:110\"
tls = \"starttls\"

[[listener]]
address = \"[::]:995\"
tls = \"implicit\"

[tls]
certificate = \"/etc/postern/tls/chain.pem\"
private_key = \"/etc/postern/tls/key.pem\"

[users]
file = \"/etc/postern/users.toml\"

[maildrop]
path = \"/var/mail/{domain}/{user}/Maildir\"
```

This page is printed by `postern config reference`, and `postern config example` prints the same as a
commented file.
";

/// The reference of every setting, in Markdown.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        heading(&mut page, section);
        for setting in section.settings {
            entry(&mut page, setting);
        }
    }
    page.push_str(&names());
    page
}

fn heading(page: &mut String, section: &Section) {
    let title = match section.name {
        "" => "At the top".to_owned(),
        _ => format!("`{}`", header(section)),
    };
    let _ = write!(page, "\n## {title}\n\n{}\n", section.doc);
}

fn entry(page: &mut String, setting: &Setting) {
    let _ = write!(page, "\n### `{}`\n\n{}\n\n", setting.key, setting.doc);
    let _ = writeln!(page, "- value: {}", setting.kind.words());
    let _ = writeln!(
        page,
        "- default: {}",
        default_words(setting, |value| format!("`{value}`"))
    );
    let _ = writeln!(
        page,
        "- example: `{} = {}`",
        setting.name(),
        setting.example
    );
    if let Some(exchange) = setting.exchange {
        let _ = writeln!(page, "- in Exchange: {exchange}");
    }
    if let Some(dovecot) = setting.dovecot {
        let _ = writeln!(page, "- in Dovecot: {dovecot}");
    }
}

/// Where administrators of Exchange and Dovecot find their settings.
fn names() -> String {
    let mut page = "\n## Where is my setting?\n\n| Exchange | here |\n|---|---|\n".to_owned();
    let mut rows: Vec<(&str, &str)> = SECTIONS
        .iter()
        .flat_map(|section| section.settings)
        .filter_map(|setting| Some((setting.exchange?, setting.key)))
        .collect();
    rows.sort_unstable();
    for (exchange, key) in rows {
        let _ = writeln!(page, "| {exchange} | `{key}` |");
    }
    page.push_str("| Set-CASMailbox -PopEnabled | `pop3` in the users file; `postern user` |\n");
    page
}
