//! What a directory can do by itself: for each login one search and one bind, as a mail server asks
//! for them, and nothing of a mail server. No server's speed can be above that.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, StdStream};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::target::{Users, trusting};
use crate::visit::Turns;
use crate::{Outcome, Report, figure};

/// Searches and binds of a directory, as fast as they go.
#[derive(Args)]
pub(crate) struct Directory {
    /// Address and port of the directory; it must know StartTLS.
    #[arg(long)]
    address: SocketAddr,
    /// The authority to trust, in PEM.
    #[arg(long)]
    certificate: PathBuf,
    /// The entry that searches.
    #[arg(long)]
    service: String,
    /// Below which entry the users are.
    #[arg(long)]
    base: String,
    /// Who: `PREFIX:COUNT`.
    #[arg(long)]
    users: Users,
    /// The password of all of them.
    #[arg(long)]
    password: String,
    /// How many logins in all.
    #[arg(long, default_value_t = 2000)]
    count: u64,
    /// Connections for searches.
    #[arg(long, default_value_t = 8)]
    searches: u64,
    /// Connections for binds.
    #[arg(long, default_value_t = 4)]
    binds: u64,
}

/// The open connections.
pub(crate) struct Open {
    searches: Vec<Ldap>,
    binds: Vec<Ldap>,
}

impl Directory {
    /// Opens all connections, and binds those that search.
    pub(crate) async fn open(&self) -> Outcome<Open> {
        let (mut searches, mut binds) = (Vec::new(), Vec::new());
        for _ in 0..self.searches {
            let mut ldap = self.connect().await?;
            ldap.simple_bind(&self.service, &self.password)
                .await?
                .success()?;
            searches.push(ldap);
        }
        for _ in 0..self.binds {
            binds.push(self.connect().await?);
        }
        Ok(Open { searches, binds })
    }

    async fn connect(&self) -> Outcome<Ldap> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let settings = LdapConnSettings::new()
            .set_std_stream(StdStream::Tcp(stream.into_std()?))
            .set_config(Arc::new(trusting(&self.certificate)?))
            .set_starttls(true);
        let url = format!("ldap://{}", self.address);
        let (connection, ldap) = LdapConnAsync::with_settings(settings, &url).await?;
        tokio::spawn(connection.drive());
        Ok(ldap)
    }

    /// Finds each user, and binds as it: whatever was found waits for a connection that binds.
    pub(crate) async fn run(self, open: Open) -> Outcome<Report> {
        let (found, waiting) = mpsc::channel::<String>(500);
        let (this, waiting) = (Arc::new(self), Arc::new(Mutex::new(waiting)));
        let turns = Turns::new(this.count);
        let mut tasks = JoinSet::new();
        for ldap in open.searches {
            let (this, turns, found) = (this.clone(), turns.clone(), found.clone());
            tasks.spawn(async move {
                while let Some(turn) = turns.take() {
                    found.send(this.find(ldap.clone(), turn).await?).await?;
                }
                Outcome::Ok(())
            });
        }
        // It ends with the last one that searches.
        drop(found);
        for mut ldap in open.binds {
            let (this, waiting) = (this.clone(), waiting.clone());
            tasks.spawn(async move {
                loop {
                    let next = waiting.lock().await.recv().await;
                    let Some(entry) = next else {
                        return Ok(());
                    };
                    ldap.simple_bind(&entry, &this.password).await?.success()?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let mut report = Report::default();
        report.put("operations", figure(this.count));
        Ok(report)
    }

    /// The name of a user's entry.
    async fn find(&self, mut ldap: Ldap, turn: u64) -> Outcome<String> {
        let name = self.users.name(turn);
        let filter = format!("(&(objectClass=inetOrgPerson)(uid={name}))");
        let (found, _) = ldap
            .search(&self.base, Scope::Subtree, &filter, vec!["uid"])
            .await?
            .success()?;
        let entry = found.into_iter().next();
        let entry = entry.ok_or_else(|| format!("the directory does not know {name}"))?;
        Ok(SearchEntry::construct(entry).dn)
    }
}
