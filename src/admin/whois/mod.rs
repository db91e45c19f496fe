//! `postern whois`: how a typed name is understood, and which account it reaches.
//!
//! Asks the same keepers of accounts as a login, and shows what a login would meet. It never shows or
//! tests a credential.

mod found;
mod lines;
mod object;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use postern_auth::{Login, Pool, Unavailable};

pub(in crate::admin) use self::found::Found;
use self::found::Name;
pub(in crate::admin) use self::lines::{maildrop, text};
pub(in crate::admin) use self::object::json;
use super::{AdminError, Office, Outcome};
use crate::config::Config;
use crate::serve::{Keepers, ServeError};

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
    pub(super) fn whois(&mut self, typed: &str, as_json: bool) -> Result<Outcome, AdminError> {
        let config = self.configuration()?;
        let found = ask(&config, typed)?;
        if as_json {
            writeln!(self.out, "{}", json(&config, &found))?;
        } else {
            text(self.out, &config, &found)?;
        }
        Ok(if found.is_unknown() {
            Outcome::Trouble
        } else if found.is_reached() {
            Outcome::Fine
        } else {
            Outcome::Found
        })
    }
}

/// Opens the keepers, and asks them.
fn ask(config: &Config, typed: &str) -> Result<Found, WhoisError> {
    let pool = Arc::new(Pool::new("whois", 1, 8, 8)?);
    let keepers = Keepers::open(config, &pool);
    let keepers = keepers.map_err(|error| WhoisError::Directory(Box::new(error)))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(look(&keepers, typed))?)
}

/// Asks for each name in what was typed.
pub(super) async fn look(keepers: &Keepers, typed: &str) -> Result<Found, Unavailable> {
    let names = match Login::split_delegate(typed) {
        None => vec![name(keepers, "login", typed).await?],
        Some((delegate, mailbox)) => vec![
            name(keepers, "delegate", delegate).await?,
            name(keepers, "mailbox", mailbox).await?,
        ],
    };
    Ok(Found {
        typed: typed.to_owned(),
        names,
    })
}

async fn name(keepers: &Keepers, role: &'static str, typed: &str) -> Result<Name, Unavailable> {
    let mut name = Name {
        role,
        typed: typed.to_owned(),
        login: Login::parse(typed),
        account: None,
        description: None,
        ldap: None,
    };
    let Ok(login) = &name.login else {
        return Ok(name);
    };
    // A local account needs no directory; the directory is asked for what it would have said.
    name.account = keepers
        .local
        .find(postern_auth::Name::Typed(login), CLIENT)
        .await?;
    if let Some(ldap) = &keepers.ldap {
        name.ldap = Some(ldap.inquire(login).await);
    }
    if name.account.is_none() && !matches!(name.ldap, Some(Err(_))) {
        name.account = keepers
            .directory()
            .find(postern_auth::Name::Typed(login), CLIENT)
            .await?;
    }
    if let Some(account) = &name.account {
        let directory = keepers.directory();
        name.description = directory.describe(account, CLIENT).await?;
    }
    Ok(name)
}
