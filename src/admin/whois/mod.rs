//! `postern whois`: how a typed name is understood, and which account it reaches.
//!
//! Asks the same directory as a login, and shows what a login would meet. It never shows or tests a
//! credential.

mod found;
mod page;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use postern_auth::{Directory, Login, Pool, Unavailable};

use self::found::{Found, Name};
use super::{AdminError, Office, Outcome};
use crate::config::Config;
use crate::serve::{self, ServeError};

/// Why nobody could be asked.
#[derive(Debug, thiserror::Error)]
pub enum WhoisError {
    /// The directory cannot be opened.
    #[error("{0}")]
    Directory(Box<ServeError>),
    /// The directory gave no answer.
    #[error("{0}; the server's log may say more")]
    Unavailable(#[from] Unavailable),
    /// The system gave no thread.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

/// For whom the work is done.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Office<'_> {
    pub(super) fn whois(&mut self, typed: &str, json: bool) -> Result<Outcome, AdminError> {
        let config = self.configuration()?;
        let found = ask(&config, typed)?;
        if json {
            writeln!(self.out, "{}", page::json(&config, &found))?;
        } else {
            page::text(self.out, &config, &found)?;
        }
        Ok(if found.is_reached() {
            Outcome::Fine
        } else {
            Outcome::Found
        })
    }
}

/// Opens the directory, and asks it for each name in what was typed.
fn ask(config: &Config, typed: &str) -> Result<Found, WhoisError> {
    let pool = Arc::new(Pool::new("whois", 1, 8, 8)?);
    let directory = serve::directory(config, &pool);
    let directory = directory.map_err(|error| WhoisError::Directory(Box::new(error)))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let names = match Login::split_delegate(typed) {
            None => vec![name(&*directory, "login", typed).await?],
            Some((delegate, mailbox)) => vec![
                name(&*directory, "delegate", delegate).await?,
                name(&*directory, "mailbox", mailbox).await?,
            ],
        };
        Ok(Found {
            typed: typed.to_owned(),
            names,
        })
    })
}

async fn name(
    directory: &dyn Directory,
    role: &'static str,
    typed: &str,
) -> Result<Name, Unavailable> {
    let login = Login::parse(typed);
    let account = match &login {
        Ok(login) => {
            directory
                .find(postern_auth::Name::Typed(login), CLIENT)
                .await?
        }
        Err(_) => None,
    };
    let description = match &account {
        Some(account) => directory.describe(account, CLIENT).await?,
        None => None,
    };
    Ok(Name {
        role,
        typed: typed.to_owned(),
        login,
        account,
        description,
    })
}
