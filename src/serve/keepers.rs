//! Who keeps the accounts: the users file, and the LDAP directory beside it.

use std::sync::Arc;

use postern_auth::{
    Directories, Directory, LdapDirectory, LdapSettings, LocalDirectory, LocalUsers, Pool,
    read_secret,
};

use super::ServeError;
use crate::config::Config;

/// Whoever keeps accounts, each by itself.
pub(crate) struct Keepers {
    pub(crate) local: Arc<dyn Directory>,
    pub(crate) ldap: Option<Arc<LdapDirectory>>,
}

impl Keepers {
    /// Opens the users file, and no connection; passwords are checked in `hashing`.
    ///
    /// # Errors
    /// [`ServeError`] names the file that cannot be used.
    pub(crate) fn open(config: &Config, hashing: &Arc<Pool>) -> Result<Self, ServeError> {
        let key = config.users_key.as_deref();
        let users = Arc::new(LocalUsers::open(&config.users_file, key)?);
        let ldap = match ldap_settings(config)? {
            Some(settings) => Some(Arc::new(LdapDirectory::new(settings, hashing.clone())?)),
            None => None,
        };
        Ok(Self {
            local: Arc::new(LocalDirectory::new(users, hashing.clone())),
            ldap,
        })
    }

    /// All of them as a login asks them.
    pub(crate) fn directory(&self) -> Arc<dyn Directory> {
        let local = Arc::clone(&self.local);
        match &self.ldap {
            Some(ldap) => {
                let ldap: Arc<dyn Directory> = Arc::<LdapDirectory>::clone(ldap);
                Arc::new(Directories::new(local, ldap))
            }
            None => local,
        }
    }
}

/// What is to be known of the LDAP directory, with the password of the service account.
///
/// # Errors
/// [`ServeError::PasswordFile`] when that cannot be read.
pub(crate) fn ldap_settings(config: &Config) -> Result<Option<LdapSettings>, ServeError> {
    let Some(ldap) = &config.ldap else {
        return Ok(None);
    };
    let settings = ldap.settings.clone();
    let Some(path) = &ldap.password_file else {
        return Ok(Some(settings));
    };
    let password = read_secret(path).map_err(|problem| ServeError::PasswordFile {
        path: path.clone(),
        problem,
    })?;
    Ok(Some(settings.with_password(password)))
}
