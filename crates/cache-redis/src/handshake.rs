//! Whether a server that answers can be used.

use std::collections::HashMap;
use std::time::Duration;

use crate::error::{Lost, Refusal};
use crate::keys::Keys;
use crate::link::Connection;

/// How long a server may take for each question.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The oldest version: `ZADD … GT` and `ZRANGE … REV`. Source: the pages of both commands on redis.io.
const VERSION_MIN: (u32, u32) = (6, 2);

/// Checks a fresh connection: version, role, eviction, the right to ask for the time, which scripts need, and whose
/// keys lie under the prefix. The last is a write, so that a server without memory for one does not pass.
pub(crate) async fn check(
    connection: &mut Connection,
    keys: &Keys,
    store_identity: &str,
) -> Result<(), Lost> {
    for facts in facts(connection).await? {
        facts.judge(matches!(connection, Connection::Cluster(_)))?;
    }
    let _time: redis::Value = connection.ask(&redis::cmd("TIME"), TIMEOUT).await?;
    let key = keys.store();
    let mut claim = redis::cmd("SET");
    claim.arg(&key).arg(store_identity).arg("NX");
    let _claimed: Option<String> = connection.ask(&claim, TIMEOUT).await?;
    let mut read = redis::cmd("GET");
    read.arg(&key);
    let owner: Option<String> = connection.ask(&read, TIMEOUT).await?;
    if owner.is_none_or(|owner| owner == store_identity) {
        return Ok(());
    }
    Err(Lost::Refused(Refusal::OtherStore {
        prefix: keys.prefix().to_owned(),
    }))
}

/// What each server says of itself.
async fn facts(connection: &mut Connection) -> Result<Vec<Facts>, Lost> {
    let info = redis::cmd("INFO");
    if matches!(connection, Connection::Single(_)) {
        let text: String = connection.ask(&info, TIMEOUT).await?;
        return Ok(vec![Facts::parse(&text)]);
    }
    // A cluster's client asks all masters.
    let texts: HashMap<String, String> = connection.ask(&info, TIMEOUT).await?;
    Ok(texts.values().map(|text| Facts::parse(text)).collect())
}

/// What a server says of itself, as far as it matters.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    version: String,
    policy: Option<String>,
    is_replica: bool,
    is_cluster: bool,
}

impl Facts {
    fn parse(info: &str) -> Self {
        let mut facts = Self::default();
        for (name, value) in info.lines().filter_map(|line| line.split_once(':')) {
            match (name, value.trim()) {
                ("redis_version", version) => version.clone_into(&mut facts.version),
                ("maxmemory_policy", policy) => facts.policy = Some(policy.to_owned()),
                ("role", role) => facts.is_replica = role == "slave",
                ("cluster_enabled", enabled) => facts.is_cluster = enabled == "1",
                _ => {}
            }
        }
        facts
    }

    fn judge(self, as_cluster: bool) -> Result<(), Lost> {
        let refusal = if !self.is_new_enough() {
            Refusal::TooOld {
                version: self.version,
            }
        } else if self.is_cluster && !as_cluster {
            Refusal::IsCluster
        } else if self.is_replica {
            Refusal::Replica
        } else {
            match self.policy {
                Some(policy) if policy != "noeviction" => Refusal::Evicts { policy },
                _ => return Ok(()),
            }
        };
        Err(Lost::Refused(refusal))
    }

    /// A version that cannot be read is not held against a server.
    fn is_new_enough(&self) -> bool {
        let mut parts = self.version.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= VERSION_MIN,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Lost, Refusal};

    fn judged(info: &str, as_cluster: bool) -> Option<Refusal> {
        match Facts::parse(info).judge(as_cluster) {
            Ok(()) => None,
            Err(Lost::Refused(refusal)) => Some(refusal),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn servers_that_do_not_do_are_named() {
        let good = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:0\r\n";
        assert_eq!(judged(good, false), None);
        assert_eq!(judged(&good.replace("7.0.15", "6.2.0"), false), None);
        assert_eq!(judged(&good.replace("7.0.15", "unstable"), false), None);
        assert_eq!(judged(&good.replace("enabled:0", "enabled:1"), true), None);
        let cases = [
            (
                ("7.0.15", "6.0.16"),
                Refusal::TooOld {
                    version: "6.0.16".to_owned(),
                },
            ),
            (
                ("noeviction", "volatile-ttl"),
                Refusal::Evicts {
                    policy: "volatile-ttl".to_owned(),
                },
            ),
            (("role:master", "role:slave"), Refusal::Replica),
            (("enabled:0", "enabled:1"), Refusal::IsCluster),
        ];
        for ((from, to), refusal) in cases {
            assert_eq!(
                judged(&good.replace(from, to), false),
                Some(refusal),
                "{to}"
            );
        }
    }
}
