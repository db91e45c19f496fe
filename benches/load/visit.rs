//! Logins and sessions: as fast as they go, at a fixed rate, or opened and left idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::target::Target;
use crate::{Outcome, Report, figure, milliseconds};

/// Logins or sessions, as fast as they go.
#[derive(Args)]
pub(crate) struct Visits {
    #[command(flatten)]
    target: Target,
    /// Clients at the same time.
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// How many in all.
    #[arg(long, default_value_t = 2000)]
    count: u64,
}

/// Logins or sessions at a fixed rate, whether or not the ones before are done.
#[derive(Args)]
pub(crate) struct Paced {
    #[command(flatten)]
    target: Target,
    #[arg(long, value_enum)]
    what: What,
    /// How many a second.
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// How many in all.
    #[arg(long, default_value_t = 1000)]
    count: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Login,
    Session,
}

/// Connections that stay open.
#[derive(Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    target: Target,
    /// How many.
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// How many are opened at the same time.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// Log in as well.
    #[arg(long)]
    log_in: bool,
    /// And ask for STAT, LIST and UIDL.
    #[arg(long, requires = "log_in")]
    list: bool,
}

/// Hands out numbers from 0 to `count - 1`, each one once.
#[derive(Clone)]
pub(crate) struct Turns {
    next: Arc<AtomicU64>,
    count: u64,
}

impl Turns {
    pub(crate) fn new(count: u64) -> Self {
        let next = Arc::default();
        Self { next, count }
    }

    pub(crate) fn take(&self) -> Option<u64> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        (turn < self.count).then_some(turn)
    }
}

/// One login; says whether TLS was resumed.
pub(crate) async fn login(
    target: Arc<Target>,
    connector: Option<TlsConnector>,
    turn: u64,
) -> Outcome<bool> {
    let client = target.log_in(connector.as_ref(), turn).await?;
    let resumed = client.resumed;
    client.quit().await?;
    Ok(resumed)
}

/// One session as mail clients have it, which deletes nothing.
pub(crate) async fn session(
    target: Arc<Target>,
    connector: Option<TlsConnector>,
    turn: u64,
) -> Outcome<bool> {
    let mut client = target.connect(connector.as_ref(), turn).await?;
    if target.is_protected() {
        client.listing("CAPA").await?;
    }
    target.authenticate(&mut client, turn).await?;
    client.command("STAT").await?;
    client.listing("UIDL").await?;
    client.listing("LIST").await?;
    for number in 1..=3 {
        client.listing(&format!("RETR {number}")).await?;
    }
    let resumed = client.resumed;
    client.quit().await?;
    Ok(resumed)
}

impl Visits {
    /// All of them, each client one after the other on connections of its own.
    pub(crate) async fn run<F, V>(self, visit: V) -> Outcome<Report>
    where
        V: Fn(Arc<Target>, Option<TlsConnector>, u64) -> F + Copy + Send + 'static,
        F: Future<Output = Outcome<bool>> + Send + 'static,
    {
        let (target, turns) = (Arc::new(self.target), Turns::new(self.count));
        let mut tasks = JoinSet::new();
        for _ in 0..self.clients {
            let (target, turns, connector) = (target.clone(), turns.clone(), target.connector()?);
            tasks.spawn(async move {
                let (mut resumed, mut times) = (0, Vec::new());
                while let Some(turn) = turns.take() {
                    let begun = Instant::now();
                    resumed += u64::from(visit(target.clone(), connector.clone(), turn).await?);
                    times.push(begun.elapsed());
                }
                Outcome::Ok((resumed, times))
            });
        }
        let (mut resumed, mut times) = (0, Vec::new());
        while let Some(done) = tasks.join_next().await {
            let (more, mut took) = done??;
            resumed += more;
            times.append(&mut took);
        }
        let mut report = Report::default();
        report.put("operations", figure(self.count));
        report.put("resumed", figure(resumed));
        report.put_latency(times);
        Ok(report)
    }
}

impl Paced {
    /// All of them. The clock of each one starts when it should begin, not when it could.
    pub(crate) async fn run(self) -> Outcome<Report> {
        let target = Arc::new(self.target);
        let connector = target.connector()?;
        let mut beats = tokio::time::interval(Duration::from_secs(1) / self.rate.max(1));
        let mut tasks = JoinSet::new();
        for turn in 0..self.count {
            let due = beats.tick().await;
            let (target, connector) = (target.clone(), connector.clone());
            tasks.spawn(async move {
                match self.what {
                    What::Login => login(target, connector, turn).await?,
                    What::Session => session(target, connector, turn).await?,
                };
                Outcome::Ok(due.elapsed())
            });
        }
        let mut times = Vec::new();
        while let Some(done) = tasks.join_next().await {
            times.push(done??);
        }
        let mut report = Report::default();
        report.put("operations", figure(self.count));
        report.put_latency(times);
        Ok(report)
    }
}

impl Idle {
    /// Opens them and puts them into `open`.
    pub(crate) async fn run(self, open: &mut Vec<crate::client::Client>) -> Outcome<Report> {
        let (target, turns) = (Arc::new(self.target), Turns::new(self.count));
        let mut tasks = JoinSet::new();
        for _ in 0..self.clients {
            let (target, turns, connector) = (target.clone(), turns.clone(), target.connector()?);
            tasks.spawn(async move {
                let mut clients = Vec::new();
                while let Some(turn) = turns.take() {
                    let mut client = if self.log_in {
                        target.log_in(connector.as_ref(), turn).await?
                    } else {
                        target.connect(connector.as_ref(), turn).await?
                    };
                    if self.list {
                        client.count().await?;
                        client.listing("LIST").await?;
                        client.listing("UIDL").await?;
                    }
                    clients.push(client);
                }
                Outcome::Ok(clients)
            });
        }
        while let Some(done) = tasks.join_next().await {
            open.append(&mut done??);
        }
        let mut report = Report::default();
        report.put("operations", figure(self.count));
        Ok(report)
    }
}

/// One session in one mailbox, with the time that each listing took.
pub(crate) async fn big(target: &Target) -> Outcome<Report> {
    let mut report = Report::default();
    let begun = Instant::now();
    let mut client = target.log_in(target.connector()?.as_ref(), 0).await?;
    report.put("login_ms", milliseconds(&begun.elapsed()));
    let at = Instant::now();
    report.put("messages", figure(client.count().await?));
    report.put("stat_ms", milliseconds(&at.elapsed()));
    for (command, name) in [("LIST", "list_ms"), ("UIDL", "uidl_ms")] {
        let at = Instant::now();
        client.listing(command).await?;
        report.put(name, milliseconds(&at.elapsed()));
    }
    client.quit().await?;
    report.put("whole_ms", milliseconds(&begun.elapsed()));
    Ok(report)
}
