//! The man page postern.toml(5), in the man macros of roff.

use std::fmt::Write;

use super::default_words;
use crate::config::inspect::header;
use crate::config::option::{SECTIONS, Setting};

const HEAD: &str = r#".TH postern.toml 5 "" "Postern" "File formats"
.SH NAME
postern.toml \- configuration of the Postern POP3 server
.SH SYNOPSIS
/etc/postern/postern.toml
.SH DESCRIPTION
One TOML file. Keys that are not described here are refused.
.B postern check
says everything that is wrong with a file, each with its line and a remedy.
.PP
Durations are written "30s", "10m", "1h", "500ms", or as a number of seconds; sizes "96KiB", "1MiB",
or as a number of octets. Relative paths are taken from the folder of the file.
"#;

const FOOT: &str = ".SH SEE ALSO\n.BR postern (1)\n";

/// The man page of the configuration file.
pub fn man() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let title = match section.name {
            "" => "AT THE TOP".to_owned(),
            _ => header(section),
        };
        let _ = write!(page, ".SH \"{}\"\n{}\n", roff(&title), roff(section.doc));
        for setting in section.settings {
            entry(&mut page, setting);
        }
    }
    page.push_str(FOOT);
    page
}

fn entry(page: &mut String, setting: &Setting) {
    let _ = write!(
        page,
        ".TP\n.B {}\n{}\n",
        roff(setting.key),
        roff(setting.doc)
    );
    line(page, "Value", &setting.kind.words());
    line(page, "Default", &default_words(setting, str::to_owned));
    if let Some(exchange) = setting.exchange {
        line(page, "In Exchange", exchange);
    }
    if let Some(dovecot) = setting.dovecot {
        line(page, "In Dovecot", dovecot);
    }
}

fn line(page: &mut String, name: &str, text: &str) {
    let _ = write!(page, ".br\n{name}: {}.\n", roff(text));
}

/// Escapes what roff would read as a command.
fn roff(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('`', "");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
