//! How long a server lets those wait who want nothing of it: NOOP beside another load.

use std::io::stdin;
use std::time::Duration;

use clap::Args;

use crate::client::Client;
use crate::target::Target;
use crate::{Outcome, Report, figure};

/// NOOP at a fixed rate in sessions that are open already, in turn, until told to end.
#[derive(Args)]
pub(crate) struct Noop {
    #[command(flatten)]
    target: Target,
    /// Sessions, so that every thread of the server has some.
    #[arg(long, default_value_t = 16)]
    clients: u64,
    /// How many NOOP a second, all sessions together.
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

impl Noop {
    /// Logs all clients in.
    pub(crate) async fn open(&self) -> Outcome<Vec<Client>> {
        let connector = self.target.connector()?;
        let mut open = Vec::new();
        for turn in 0..self.clients {
            open.push(self.target.log_in(connector.as_ref(), turn).await?);
        }
        Ok(open)
    }

    /// Asks. The clock of each NOOP starts when it should begin, not when the one before was done.
    pub(crate) async fn run(self, mut open: Vec<Client>) -> Outcome<Report> {
        let mut told =
            tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new()).map(|_| ()));
        let mut beats = tokio::time::interval(Duration::from_secs(1) / self.rate.max(1));
        let mut times = Vec::new();
        while !told.is_finished() {
            for client in &mut open {
                let due = tokio::select! {
                    due = beats.tick() => due,
                    _ = &mut told => break,
                };
                client.command("NOOP").await?;
                times.push(due.elapsed());
            }
        }
        let mut report = Report::default();
        report.put("operations", figure(u64::try_from(times.len())?));
        report.put_latency(times);
        Ok(report)
    }
}
