//! `postern auth test`: one real attempt to log in, by the code and the configuration of the server, and
//! what became of it at every step.
//!
//! It runs in this process: the throttle of a running server counts nothing, the log of the server has no
//! record, and the maildrop is neither opened nor made. What is outside is asked in earnest: a wrong
//! password counts in a directory or at a domain controller as any other.

mod dialogue;
mod page;
mod tried;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_auth::{
    Audit, Channel, Client, LoginRecord, Policy, Pool, RefusalKind, Secret, TlsFacts, Unavailable,
};

use self::dialogue::{Dialogue, Outcome as Came};
use self::tried::Tried;
use self::watch::Watched;
use super::{AdminError, Office, Outcome, password, whois};
use crate::cli::{AuthTest, MechanismChoice};
use crate::config::{Config, Listener, ListenerTls};
use crate::serve::{self, Keepers, ServeError};

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum AuthTestError {
    /// The keepers of accounts cannot be opened.
    #[error("{0}")]
    Serve(Box<ServeError>),
    /// The accounts could not be asked.
    #[error("{0}; the server's log may say more")]
    Unavailable(#[from] Unavailable),
    /// The system gave no thread.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    /// There is no such listener.
    #[error(
        "no [[listener]] has the address {0}; write it as in the configuration, or leave --listener out"
    )]
    Listener(String),
    /// It always has.
    #[error("the listener {0} begins with TLS at once; leave --no-tls out")]
    Implicit(String),
    /// A mechanism that needs no password.
    #[error("{0}")]
    Elsewhere(&'static str),
    /// The mechanism cannot carry what was typed.
    #[error("the mechanism takes a password of text (UTF-8) alone, and under TLS; see --mechanism")]
    Unfit,
}

impl From<ServeError> for AuthTestError {
    fn from(error: ServeError) -> Self {
        Self::Serve(Box::new(error))
    }
}

/// Keeps the one record of the attempt.
#[derive(Default)]
struct Recorder(Mutex<Option<LoginRecord>>);

impl Audit for Recorder {
    fn login(&self, record: &LoginRecord) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(record.clone());
    }
}

/// Where the client comes in.
struct Door {
    /// The listener's address.
    at: String,
    tls: bool,
    channel: Channel,
}

impl Office<'_> {
    pub(super) fn auth_test(&mut self, asked: &AuthTest) -> Result<Outcome, AdminError> {
        let config = self.configuration()?;
        if let Some(why) = elsewhere(asked.mechanism) {
            return Err(AuthTestError::Elsewhere(why).into());
        }
        let door = door(&config, asked)?;
        let password = password::known(&asked.name, asked.password.password_stdin)?;
        let tried = attempt(&config, asked, door, &password)?;
        if asked.json {
            writeln!(self.out, "{}", page::json(&config, &tried))?;
        } else {
            page::text(self.out, &config, &tried)?;
        }
        Ok(match (&tried.came.identity, tried.came.refused) {
            (Some(_), _) => Outcome::Fine,
            (None, Some(RefusalKind::Unavailable)) => Outcome::Trouble,
            (None, _) => Outcome::Found,
        })
    }
}

/// Why a mechanism is not tried here, and what does.
fn elsewhere(mechanism: MechanismChoice) -> Option<&'static str> {
    match mechanism {
        MechanismChoice::Gssapi => Some(
            "GSSAPI needs a ticket and no password, and is tried by `postern doctor`; or with a ticket: \
             curl --negotiate --user : pop3s://HOST/",
        ),
        MechanismChoice::External => Some(
            "EXTERNAL needs a client certificate and no password; try it with: \
             curl --cert FILE --key FILE --login-options AUTH=EXTERNAL pop3s://HOST/",
        ),
        MechanismChoice::UserPass
        | MechanismChoice::Plain
        | MechanismChoice::Login
        | MechanismChoice::Scram
        | MechanismChoice::ScramPlus
        | MechanismChoice::Ntlm => None,
    }
}

/// The listener that was asked for, or the first with TLS, or the first.
fn door(config: &Config, asked: &AuthTest) -> Result<Door, AuthTestError> {
    let has_tls = |listener: &&Listener| listener.tls != ListenerTls::None;
    let mut listeners = config.listeners.iter();
    let listener = match &asked.listener {
        Some(wanted) => listeners
            .find(|listener| listener.address.to_string() == *wanted)
            .ok_or_else(|| AuthTestError::Listener(wanted.clone()))?,
        None => config
            .listeners
            .iter()
            .find(has_tls)
            .or(config.listeners.first())
            .ok_or_else(|| AuthTestError::Listener("any".to_owned()))?,
    };
    let at = listener.address.to_string();
    let tls = match (listener.tls, asked.no_tls) {
        (ListenerTls::Implicit, true) => return Err(AuthTestError::Implicit(at)),
        (ListenerTls::None, _) | (ListenerTls::StartTls, true) => false,
        (ListenerTls::StartTls | ListenerTls::Implicit, false) => true,
    };
    Ok(Door {
        at,
        tls,
        channel: Channel {
            tls: tls.then(|| Arc::new(facts())),
            rule: listener.rule.clone(),
            extra_end_points: Arc::default(),
        },
    })
}

/// What a connection under TLS would prove. There is none: both ends are here, and take these for it.
fn facts() -> TlsFacts {
    TlsFacts {
        exporter: Some([1; 32]),
        server_end_point: Some([2; 32].as_slice().into()),
        previous_end_point: None,
        client_certificate: None,
    }
}

/// Makes the attempt.
fn attempt(
    config: &Config,
    asked: &AuthTest,
    door: Door,
    password: &Secret,
) -> Result<Tried, AuthTestError> {
    let pool = Arc::new(Pool::new("auth-test", 1, 8, 8)?);
    let keepers = Keepers::open(config, &pool)?;
    let watched = Arc::new(Watched::new(keepers.directory()));
    let recorder = Arc::new(Recorder::default());
    // Nobody measures how long a refusal takes here.
    let policy = Policy {
        refusal_delay: Duration::ZERO,
        ..config.policy.clone()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (found, came) = runtime.block_on(async {
        // First, as it says in full why a directory cannot be asked.
        let found = whois::look(&keepers, &asked.name).await?;
        let config = Config {
            policy,
            ..config.clone()
        };
        let directory = Arc::<Watched>::clone(&watched);
        let audit = Arc::<Recorder>::clone(&recorder);
        let authenticator = serve::authenticator(&config, &pool, directory, audit)?;
        let settings = Arc::new(serve::settings(&config));
        let dialogue = Dialogue::new(&authenticator, settings, &door.channel, asked.address);
        let came = speak(dialogue, asked, &door.channel, password).await?;
        Ok::<_, AuthTestError>((found, came))
    })?;
    let record = recorder.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Tried {
        found,
        mechanism: asked.mechanism,
        listener: door.at,
        tls: door.tls,
        address: asked.address,
        steps: watched.steps(),
        came,
        record: record.clone(),
    })
}

async fn speak(
    dialogue: Dialogue<'_>,
    asked: &AuthTest,
    channel: &Channel,
    password: &Secret,
) -> Result<Came, AuthTestError> {
    let mechanism = match asked.mechanism.sasl() {
        None => return Ok(dialogue.user_pass(&asked.name, password).await),
        Some(mechanism) => mechanism,
    };
    let client = Client::new(mechanism, &asked.name, password, channel);
    let mut client = client.ok_or(AuthTestError::Unfit)?;
    Ok(dialogue.sasl(mechanism, &mut client).await)
}
