//! A Redis Cluster of three masters and three replicas.

use std::time::Duration;

use crate::port::Port;
use crate::{Redis, ServerError, wait};

const MASTERS: usize = 3;
/// How many hash slots a cluster has. Source: the Redis Cluster specification.
const SLOTS: usize = 16_384;
/// After this time without an answer a node counts as lost, in milliseconds.
const NODE_TIMEOUT_MS: &str = "1000";
const PATIENCE: Duration = Duration::from_secs(30);

/// Six private Redis servers that form a cluster; a master that is killed is replaced by its replica in about
/// two seconds.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, then their replicas in the same order.
    nodes: Vec<Redis>,
    /// The ports by which the nodes speak to each other.
    buses: Vec<Port>,
}

impl RedisCluster {
    /// Starts the servers, joins them, and waits until every slot is served and every replica follows.
    ///
    /// # Errors
    /// [`ServerError`] when Redis is not installed or the cluster does not form.
    pub fn start() -> Result<Self, ServerError> {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..2 * MASTERS {
            let bus = Port::reserve()?;
            nodes.push(Redis::start_with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus.number().to_string(),
                "--cluster-node-timeout",
                NODE_TIMEOUT_MS,
                "--cluster-replica-validity-factor",
                "0",
                "--repl-diskless-sync-delay",
                "0",
            ])?);
            buses.push(bus);
        }
        let cluster = Self { nodes, buses };
        cluster.join()?;
        Ok(cluster)
    }

    /// The address of all nodes: `redis://host:port,host:port,…?cluster=true`.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis://{}?cluster=true", hosts.join(","))
    }

    /// The nodes: first the masters, by their slots, then their replicas in the same order, as they were when
    /// the cluster was made.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The node that serves a key now.
    ///
    /// # Errors
    /// [`ServerError::Failed`] when no node that lives knows.
    pub fn master_of(&self, key: &str) -> Result<&Redis, ServerError> {
        let slot = self.ask(&["CLUSTER", "KEYSLOT", key])?;
        let slot: usize = slot.trim().parse().map_err(|_| failed(slot.clone()))?;
        let known = self.ask(&["CLUSTER", "NODES"])?;
        let port = known.lines().find_map(|line| {
            let columns: Vec<&str> = line.split(' ').collect();
            let flags = columns.get(2)?;
            let serves = columns.get(8..)?.iter().any(|range| contains(range, slot));
            (serves && flags.contains("master") && !flags.contains("fail")).then(|| {
                columns
                    .get(1)?
                    .split(['@', ':'])
                    .nth(1)?
                    .parse::<u16>()
                    .ok()
            })?
        });
        port.and_then(|port| self.nodes.iter().find(|node| node.port() == port))
            .ok_or_else(|| failed(known))
    }

    /// Waits until every slot is served again.
    ///
    /// # Errors
    /// [`ServerError::Failed`] when that takes longer than half a minute.
    pub fn wait_until_served(&self) -> Result<(), ServerError> {
        let living = || self.nodes.iter().filter(|node| node.pid().is_some());
        wait::until(PATIENCE, || {
            let all = living().all(|node| says(node, &["CLUSTER", "INFO"], "cluster_state:ok"));
            all.then_some(())
        })
        .ok_or_else(|| failed("not every slot is served".to_owned()))
    }

    /// What the first node that lives answers.
    fn ask(&self, command: &[&str]) -> Result<String, ServerError> {
        let living = self.nodes.iter().find(|node| node.pid().is_some());
        let living = living.ok_or_else(|| failed("no node lives".to_owned()))?;
        living.command(command)
    }

    fn join(&self) -> Result<(), ServerError> {
        let (masters, replicas) = self.nodes.split_at(MASTERS);
        for (index, node) in self.nodes.iter().enumerate() {
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
        }
        for (index, master) in masters.iter().enumerate() {
            let first = (SLOTS * index / MASTERS).to_string();
            let last = (SLOTS * (index + 1) / MASTERS - 1).to_string();
            master.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        }
        for node in self.nodes.iter().skip(1) {
            self.ask(&[
                "CLUSTER",
                "MEET",
                "127.0.0.1",
                &node.port().to_string(),
                &self.bus(node),
            ])?;
        }
        for (master, replica) in masters.iter().zip(replicas) {
            let id = master.command(&["CLUSTER", "MYID"])?;
            // A node follows only a master that it has heard of.
            let follows = || replica.command(&["CLUSTER", "REPLICATE", id.trim()]).ok();
            wait::until(PATIENCE, follows)
                .ok_or_else(|| failed("a replica does not hear of its master".to_owned()))?;
        }
        for replica in replicas {
            let follows =
                || says(replica, &["INFO", "replication"], "master_link_status:up").then_some(());
            wait::until(PATIENCE, follows)
                .ok_or_else(|| failed("a replica does not follow".to_owned()))?;
        }
        self.wait_until_served()
    }

    fn bus(&self, node: &Redis) -> String {
        let place = self
            .nodes
            .iter()
            .position(|known| known.port() == node.port());
        let bus = place.and_then(|place| self.buses.get(place));
        bus.map_or_else(String::new, |bus| bus.number().to_string())
    }
}

fn says(node: &Redis, command: &[&str], words: &str) -> bool {
    node.command(command).is_ok_and(|said| said.contains(words))
}

/// Whether a range as `CLUSTER NODES` writes it, `from-to` or one slot, has the slot.
fn contains(range: &str, slot: usize) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&slot),
        _ => false,
    }
}

fn failed(said: String) -> ServerError {
    ServerError::Failed {
        program: "redis-server",
        said,
    }
}
