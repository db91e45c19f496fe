//! `postern maildrop`: a mailbox as a session would see it, and whether all is well with it.
//!
//! Started as root it becomes the service user first: what root can read proves nothing.

use std::path::PathBuf;
use std::sync::Arc;

use postern_auth::{Account, LocalUsers, UsersError};

use super::json::Json;
use super::table::{self, shown};
use super::{AdminError, Office, Outcome, service, user};
use crate::cli::MaildropCommand;
use crate::config::Config;
use crate::store::StoreError;
use crate::store::maildir::{Depth, IndexHealth, Inspection, MaildirStore, MessageReport};

/// Why a maildrop could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum MaildropError {
    /// The store says no.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// No such account.
    #[error("{path}: there is no user {name:?}; `postern user list` shows all")]
    Unknown {
        /// The users file.
        path: PathBuf,
        /// The name as given.
        name: String,
    },
    /// The service user could not be become.
    #[error("{0}; the maildrop is looked at with the rights of the server")]
    Service(String),
}

impl Office<'_> {
    pub(super) fn maildrop(&mut self, command: &MaildropCommand) -> Result<Outcome, AdminError> {
        let (name, depth, json) = match command {
            MaildropCommand::Show { name, json } => (name, Depth::Show, *json),
            MaildropCommand::Verify { name, json } => (name, Depth::Verify, *json),
        };
        let config = self.configuration()?;
        service::assume(&config).map_err(MaildropError::Service)?;
        let account = account(&config, &name.name)?;
        let store = MaildirStore::new(config.maildrop.clone(), config.messages.exact_size);
        let inspection = store
            .inspect(&account, depth)
            .map_err(MaildropError::from)?;
        if json {
            writeln!(self.out, "{}", report(&account, &inspection))?;
        } else {
            self.print(&inspection, depth)?;
        }
        let sound = inspection.findings.is_empty() && healthy(&inspection.index);
        let found = depth == Depth::Verify && !sound;
        Ok(if found { Outcome::Found } else { Outcome::Fine })
    }

    fn print(&mut self, inspection: &Inspection, depth: Depth) -> Result<(), AdminError> {
        writeln!(self.out, "maildrop: {}", inspection.path.display())?;
        if !inspection.exists {
            writeln!(self.out, "it does not exist: no mail was ever delivered")?;
            return Ok(());
        }
        writeln!(self.out, "index: {}", index_words(&inspection.index))?;
        if depth == Depth::Show {
            self.messages(&inspection.messages)?;
        } else {
            writeln!(self.out, "messages: {}", inspection.messages.len())?;
        }
        for finding in &inspection.findings {
            writeln!(self.out, "found: {}", shown(&finding.to_string()))?;
        }
        if depth == Depth::Verify && inspection.findings.is_empty() && healthy(&inspection.index) {
            writeln!(self.out, "nothing wrong was found")?;
        }
        Ok(())
    }

    fn messages(&mut self, messages: &[MessageReport]) -> std::io::Result<()> {
        let rows: Vec<_> = messages
            .iter()
            .enumerate()
            .map(|(number, message)| {
                [
                    (number + 1).to_string(),
                    uid(message).unwrap_or_else(|| "-".to_owned()),
                    size(message).map_or_else(|| "?".to_owned(), |size| size.to_string()),
                    message.flags.clone(),
                    message.file.clone(),
                ]
            })
            .collect();
        table::write(self.out, ["NUMBER", "UID", "SIZE", "FLAGS", "FILE"], &rows)
    }
}

/// The account that a session would get for this name.
fn account(config: &Config, name: &str) -> Result<Arc<Account>, AdminError> {
    let open = |path: &_| -> Result<LocalUsers, UsersError> { LocalUsers::open(path, None) };
    let users = open(&config.users_file).map_err(user::UserError::from)?;
    let unknown = || MaildropError::Unknown {
        path: config.users_file.clone(),
        name: name.to_owned(),
    };
    Ok(users.account(name).ok_or_else(unknown)?)
}

/// What UIDL shows.
fn uid(message: &MessageReport) -> Option<String> {
    let number = message.uid.map(|uid| uid.to_string());
    message.imported.clone().or(number)
}

/// The best known size: what goes over the wire.
fn size(message: &MessageReport) -> Option<u64> {
    message.wire.or(message.disk)
}

fn healthy(index: &IndexHealth) -> bool {
    match index {
        IndexHealth::Missing => true,
        IndexHealth::Damaged { .. } => false,
        IndexHealth::Sound { torn, .. } => !torn,
    }
}

fn index_words(index: &IndexHealth) -> String {
    match index {
        IndexHealth::Missing => "none yet; it is made when a session first finds mail".to_owned(),
        IndexHealth::Damaged { problem } => {
            format!(
                "damaged ({problem}); the next session puts it aside and gives every message a new id"
            )
        }
        IndexHealth::Sound {
            version,
            validity,
            next,
            entries,
            dead,
            torn,
        } => {
            let torn = if *torn {
                "; its last line is cut off and will be dropped"
            } else {
                ""
            };
            format!(
                "dovecot-uidlist version {version}, UIDVALIDITY {validity}, next uid {next}, \
                 {entries} entries, {dead} of them without a file{torn}"
            )
        }
    }
}

fn report(account: &Account, inspection: &Inspection) -> Json {
    let message = |(number, message): (usize, &MessageReport)| {
        Json::Object(vec![
            ("number", Json::count(number + 1)),
            ("uid", Json::maybe(uid(message), Json::Text)),
            ("size", Json::maybe(message.wire, Json::Number)),
            ("disk", Json::maybe(message.disk, Json::Number)),
            ("flags", Json::text(&message.flags)),
            ("file", Json::text(&message.file)),
        ])
    };
    let finding = |finding: &crate::store::maildir::Finding| {
        Json::Object(vec![
            ("file", Json::text(&finding.file)),
            ("problem", Json::text(&finding.problem)),
        ])
    };
    Json::Object(vec![
        ("account", Json::text(&account.name)),
        ("path", Json::text(inspection.path.display())),
        ("exists", Json::Bool(inspection.exists)),
        ("index", Json::text(index_words(&inspection.index))),
        ("healthy", Json::Bool(healthy(&inspection.index))),
        (
            "messages",
            Json::List(
                inspection
                    .messages
                    .iter()
                    .enumerate()
                    .map(message)
                    .collect(),
            ),
        ),
        (
            "findings",
            Json::List(inspection.findings.iter().map(finding).collect()),
        ),
    ])
}
