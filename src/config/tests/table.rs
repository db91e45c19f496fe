//! The table of options, the file as written and the pages agree.

use super::*;
use crate::config::file::File;
use crate::config::option::{self, Kind, Standing};

/// SET-range: both ends of every range are taken, and nothing beyond them.
#[test]
fn ranges_end_where_the_table_says() {
    for section in option::SECTIONS {
        for setting in section.settings {
            let (from, to, unit) = match setting.kind {
                Kind::Number(from, to) | Kind::Octets(from, to) => (from, to, ""),
                Kind::Span(from, to) => (from, to, "ms"),
                Kind::Text
                | Kind::Path
                | Kind::Choice(_)
                | Kind::Switch
                | Kind::List
                | Kind::Command => continue,
                // 0 is below its range, and has its own test.
                Kind::Quota(..) => continue,
            };
            let with = |amount: u64| {
                let value = if unit.is_empty() {
                    amount.to_string()
                } else {
                    format!("\"{amount}{unit}\"")
                };
                format!(
                    "{SMALL}\n[{}]\n{} = {value}\n",
                    section.name,
                    setting.name()
                )
            };
            accepted(&with(from));
            accepted(&with(to));
            assert!(
                refused(&with(to + 1)).contains("out of range"),
                "{}",
                setting.key
            );
            if let Some(below) = from.checked_sub(1) {
                assert!(
                    refused(&with(below)).contains("out of range"),
                    "{}",
                    setting.key
                );
            }
        }
    }
    assert!(refused(&format!("{SMALL}\n[login]\nattempts = -1\n")).contains("out of range"));
}

/// The mirror and the table have the same keys: the mirror takes each example of the table, and
/// what it says it knows is in the table.
#[test]
fn mirror_and_table_agree() {
    for section in option::SECTIONS {
        let wrapped = |body: &str| match section.name {
            "" => body.to_owned(),
            _ => format!("{}\n{body}", inspect::header(section)),
        };
        for setting in section.settings {
            let text = wrapped(&format!("{} = {}\n", setting.name(), setting.example));
            toml::from_str::<File>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", setting.key));
        }
        let error = toml::from_str::<File>(&wrapped("nonsense = 1\n"))
            .unwrap_err()
            .to_string();
        let known = error.split('`').skip(3).step_by(2);
        for name in known {
            let key = match section.name {
                "" => name.to_owned(),
                home => format!("{home}.{name}"),
            };
            let there = option::find(&key).is_some() || option::section(&key).is_some();
            assert!(there, "{key} is in the mirror and not in the table");
        }
    }
}

/// The defaults in the pages are the defaults in force.
#[test]
fn defaults_of_the_table_are_those_in_force() {
    for profile in Profile::ALL {
        let top = format!("profile = \"{}\"\n", profile.name());
        let silent = accepted(&small_with(&top)).config;
        let mut spoken = String::new();
        for section in option::SECTIONS.iter().filter(|section| !section.repeated) {
            if !section.name.is_empty() {
                spoken.push_str(&format!("{}\n", inspect::header(section)));
            }
            for setting in section.settings {
                let value = match setting.default {
                    Standing::Required => required(setting.key).to_owned(),
                    Standing::Absent(_) => continue,
                    Standing::Value(_) if setting.key == "profile" => {
                        format!("\"{}\"", profile.name())
                    }
                    Standing::Value(_) => setting.default_text(profile).unwrap(),
                };
                spoken.push_str(&format!("{} = {value}\n", setting.name()));
            }
        }
        spoken.push_str("[[listener]]\naddress = \"[::]:110\"\ntls = \"starttls\"\n");
        spoken.push_str("[[listener]]\naddress = \"[::]:995\"\ntls = \"implicit\"\n");
        let spoken = accepted(&spoken).config;
        assert_eq!(format!("{silent:#?}"), format!("{spoken:#?}"));
    }
}

fn required(key: &str) -> &'static str {
    match key {
        "tls.certificate" => "\"chain.pem\"",
        "tls.private_key" => "\"/keys/key.pem\"",
        "users.file" => "\"users.toml\"",
        "maildrop.path" => "\"/var/mail/{domain}/{user}/Maildir\"",
        _ => panic!("a new required key: {key}"),
    }
}

#[test]
fn the_example_resolves_as_it_is_and_with_everything_in_it() {
    let example = render::example();
    assert_eq!(accepted(&example).warnings, [], "{example}");
    let all: String = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    accepted(&all);
    for setting in option::all() {
        assert!(
            all.contains(&format!("\n{} = ", setting.name())),
            "{}",
            setting.key
        );
    }
}
