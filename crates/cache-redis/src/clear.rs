//! Removes what a rehearsal left.

use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, Value};

use crate::address::CacheAddress;
use crate::error::{Lost, OpenError};
use crate::keys::KINDS;
use crate::link::{self, Connection};

/// Keys looked at in one step; Redis serves others between two of them.
const STEP: usize = 1_000;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Removes the keys of a cache below its prefix, on every master of a cluster, and gives how many there were. Only
/// keys of the kinds that this crate writes are touched, and never those of a longer prefix.
///
/// # Errors
/// [`OpenError`] when the cache cannot be used or stops answering; some keys may have been removed then.
pub async fn clear_prefix(address: &CacheAddress) -> Result<u64, OpenError> {
    clear(address).await.map_err(|lost| match lost {
        Lost::Refused(refusal) => OpenError::Refused {
            address: address.to_string(),
            refusal,
        },
        source => OpenError::Unreachable {
            address: address.to_string(),
            source,
        },
    })
}

async fn clear(address: &CacheAddress) -> Result<u64, Lost> {
    let mut removed = 0;
    for master in masters(address).await? {
        let mut connection = link::single(&[master]).await?;
        for kind in KINDS {
            removed += clear_kind(&mut connection, address.prefix(), kind).await?;
        }
    }
    Ok(removed)
}

async fn clear_kind(connection: &mut Connection, prefix: &str, kind: &str) -> Result<u64, Lost> {
    let mut cursor = "0".to_owned();
    let mut removed = 0;
    loop {
        let mut scan = redis::cmd("SCAN");
        // Neither a prefix nor a kind has a character that a pattern knows.
        scan.arg(&cursor)
            .arg("MATCH")
            .arg(format!("{prefix}{kind}*"));
        scan.arg("COUNT").arg(STEP);
        let (next, keys): (String, Vec<String>) = connection.ask(&scan, TIMEOUT).await?;
        for key in keys.iter().filter(|key| is_ours(key, prefix, kind)) {
            // One by one, since the keys of a master lie in many slots.
            let mut unlink = redis::cmd("UNLINK");
            unlink.arg(key);
            let gone: u64 = connection.ask(&unlink, TIMEOUT).await?;
            removed += gone;
        }
        if next == "0" {
            return Ok(removed);
        }
        cursor = next;
    }
}

/// Whether a key is one of this prefix, and not of a longer one that begins with prefix and kind.
fn is_ours(key: &str, prefix: &str, kind: &str) -> bool {
    let rest = key
        .strip_prefix(prefix)
        .and_then(|key| key.strip_prefix(kind));
    rest.is_some_and(|rest| {
        rest.is_empty() != kind.ends_with(':') && rest.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The servers that hold keys.
async fn masters(address: &CacheAddress) -> Result<Vec<ConnectionInfo>, Lost> {
    if !address.is_cluster() {
        return Ok(address.nodes().to_vec());
    }
    let mut last = Lost::NoConnection;
    for node in address.nodes() {
        match masters_by(node).await {
            Ok(masters) => return Ok(masters),
            Err(lost) => last = lost,
        }
    }
    Err(last)
}

/// The masters that a node knows, each once.
async fn masters_by(node: &ConnectionInfo) -> Result<Vec<ConnectionInfo>, Lost> {
    let mut connection = link::single(std::slice::from_ref(node)).await?;
    let mut slots = redis::cmd("CLUSTER");
    slots.arg("SLOTS");
    // Each range of slots: first, last, its master, its replicas.
    let ranges: Vec<Vec<Value>> = connection.ask(&slots, TIMEOUT).await?;
    let mut masters: Vec<(String, u16)> = ranges
        .into_iter()
        .filter_map(|range| match range.into_iter().nth(2)? {
            Value::Array(parts) => {
                let mut parts = parts.into_iter();
                let host = redis::from_redis_value(parts.next()?).ok()?;
                Some((host, redis::from_redis_value(parts.next()?).ok()?))
            }
            _ => None,
        })
        .collect();
    masters.sort();
    masters.dedup();
    let at = |(host, port): (String, u16)| node.clone().set_addr(moved(node.addr(), host, port));
    Ok(masters.into_iter().map(at).collect())
}

/// An address of the same kind somewhere else.
fn moved(addr: &ConnectionAddr, host: String, port: u16) -> ConnectionAddr {
    match addr {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    }
}
