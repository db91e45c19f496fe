//! The commented example: `postern config example`, which is `packaging/postern.toml`.

use std::fmt::Write;

use super::default_words;
use crate::config::inspect::header;
use crate::config::option::{SECTIONS, Section, Setting, Standing};

const HEAD: &str = "\
# Postern: the configuration, with every setting.
#
# Lines that begin with `#` and a key show that setting; take the `#` away to use it.
# `postern check` tests this file; SIGHUP takes it into use. postern.toml(5) has the same text.
";

const WIDTH: usize = 98;

/// A file that resolves as it is and names every setting.
pub fn example() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        if section.name.is_empty() {
            entries(&mut page, section, used);
        } else if section.name == "listener" {
            listeners(&mut page, section);
        } else {
            heading(&mut page, section, section.repeated);
            entries(&mut page, section, used);
        }
    }
    page
}

/// Whether a setting is in use in the example.
fn used(setting: &Setting) -> bool {
    let sections = ["tls.sni.", "gssapi."];
    let optional = sections
        .iter()
        .any(|section| setting.key.starts_with(section));
    let named = ["hostname", "user", "listener.tls"].contains(&setting.key);
    named || !optional && matches!(setting.default, Standing::Required)
}

fn heading(page: &mut String, section: &Section, commented: bool) {
    page.push('\n');
    comment(page, section.doc);
    let mark = if commented { "#" } else { "" };
    let _ = writeln!(page, "{mark}{}", header(section));
}

/// Two listeners: all keys are explained in the first.
fn listeners(page: &mut String, section: &Section) {
    heading(page, section, false);
    entries(page, section, used);
    page.push_str("\n[[listener]]\naddress = \"[::]:995\"\ntls = \"implicit\"\n");
}

fn entries(page: &mut String, section: &Section, used: fn(&Setting) -> bool) {
    for setting in section.settings {
        page.push('\n');
        comment(page, setting.doc);
        comment(page, &format!("Value: {}.", setting.kind.words()));
        let default = default_words(setting, str::to_owned);
        comment(page, &format!("Default: {default}."));
        let mark = if used(setting) { "" } else { "#" };
        let _ = writeln!(page, "{mark}{} = {}", setting.name(), setting.example);
    }
}

/// Wraps a text into comment lines.
fn comment(page: &mut String, text: &str) {
    let mut line = "#".to_owned();
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(page, "{line}");
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(page, "{line}");
}
