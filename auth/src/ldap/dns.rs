//! The one question that we have for DNS: the SRV records of a name.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};

use super::discovery::Targets;
use super::srv::Target;

/// How long one name server is waited for. Most machines have two, and one of them may be gone.
const EACH: Duration = Duration::from_millis(800);

/// The records of a name, which ends in a dot: no search list is tried. No records are no error. The
/// resolver is the one in /etc/resolv.conf, which is read anew each time, or the one that is named.
pub(super) async fn srv(name: &str, resolver: Option<SocketAddr>) -> Result<Targets, String> {
    let answer = match ask(name, resolver).await {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() => Vec::new(),
        Err(error) => return Err(error.to_string()),
    };
    let life = answer.iter().map(|record| record.ttl).min();
    Ok(Targets {
        life: Duration::from_secs(life.unwrap_or_default().into()),
        targets: answer.into_iter().filter_map(target).collect(),
    })
}

async fn ask(name: &str, resolver: Option<SocketAddr>) -> Result<Vec<Record>, NetError> {
    let mut builder = match resolver {
        None => TokioResolver::builder_tokio()?,
        Some(address) => {
            let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for way in &mut ways {
                way.port = address.port();
            }
            let server = NameServerConfig::new(address.ip(), true, ways);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = EACH;
    options.cache_size = 0;
    let found = builder.build()?.srv_lookup(name).await?;
    Ok(found.answers().to_vec())
}

fn target(record: Record) -> Option<Target> {
    // Beside them there may be an alias on the way.
    let RData::SRV(srv) = record.data else {
        return None;
    };
    Some(Target {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        host: srv.target.to_ascii(),
    })
}
