//! A connection to one server or to a cluster, with a limit on every wait.

use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, Pipeline,
    RedisError, Script, ServerErrorKind, Value,
};
use tokio::time::timeout;

use crate::address::CacheAddress;
use crate::error::{Lost, Refusal};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(200);
/// How long it may take until a connection can be used: all nodes of a cluster, TLS, user and password.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a cluster's client follows a redirection, within the time-out of the whole.
const REDIRECTIONS_MAX: u32 = 3;
/// The longest wait between two of them, in milliseconds.
const REDIRECTION_WAIT_MS: u64 = 10;

/// A connection; clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(crate) async fn open(address: &CacheAddress) -> Result<Self, Lost> {
        if address.is_encrypted() {
            // Whoever was first has chosen, which is as good.
            rustls::crypto::ring::default_provider()
                .install_default()
                .ok();
        }
        let opened = timeout(OPEN_TIMEOUT, async {
            if address.is_cluster() {
                cluster(address.nodes()).await
            } else {
                single(address.nodes()).await
            }
        });
        opened.await.map_err(|_| Lost::TooLate)?
    }

    /// Asks one command.
    pub(crate) async fn ask<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
        limit: Duration,
    ) -> Result<T, Lost> {
        let value = timeout(limit, self.send(command)).await;
        read(value.map_err(|_| Lost::TooLate)??)
    }

    /// Asks several commands at once, whose keys lie in one slot.
    pub(crate) async fn ask_all<T: FromRedisValue>(
        &mut self,
        pipeline: &Pipeline,
        limit: Duration,
    ) -> Result<T, Lost> {
        let answered = match self {
            Self::Single(connection) => timeout(limit, pipeline.query_async(connection)).await,
            Self::Cluster(connection) => timeout(limit, pipeline.query_async(connection)).await,
        };
        Ok(answered.map_err(|_| Lost::TooLate)??)
    }

    /// Runs a script on one key. Only a server that does not know it yet gets its text.
    pub(crate) async fn run<T: FromRedisValue>(
        &mut self,
        procedure: &Procedure,
        call: &Call,
        limit: Duration,
    ) -> Result<T, Lost> {
        let both = async {
            let by_hash = call.command("EVALSHA", procedure.script.get_hash());
            match self.send(&by_hash).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.send(&call.command("EVAL", procedure.text)).await
                }
                other => other,
            }
        };
        read(timeout(limit, both).await.map_err(|_| Lost::TooLate)??)
    }

    async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        let value = match self {
            Self::Single(connection) => connection.req_packed_command(command).await?,
            Self::Cluster(connection) => connection.req_packed_command(command).await?,
        };
        value.extract_error()
    }
}

/// A script of the server.
pub(crate) struct Procedure {
    text: &'static str,
    script: Script,
}

impl Procedure {
    pub(crate) fn new(text: &'static str) -> Self {
        Self {
            text,
            script: Script::new(text),
        }
    }
}

/// A call of a script: its one key and its arguments.
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) arguments: Vec<Vec<u8>>,
}

impl Call {
    fn command(&self, verb: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(1).arg(&self.key);
        for argument in &self.arguments {
            command.arg(argument.as_slice());
        }
        command
    }
}

/// Connections to single servers for what a cluster's client cannot route.
pub(crate) async fn single(nodes: &[ConnectionInfo]) -> Result<Connection, Lost> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(None);
    let node = nodes.first().cloned().ok_or(Lost::NoConnection)?;
    let client = Client::open(node)?;
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    Ok(Connection::Single(connection.await?))
}

async fn cluster(nodes: &[ConnectionInfo]) -> Result<Connection, Lost> {
    let client = ClusterClient::builder(nodes.to_vec())
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(OPEN_TIMEOUT)
        .retries(REDIRECTIONS_MAX)
        .min_retry_wait(1)
        .max_retry_wait(REDIRECTION_WAIT_MS)
        .build()?;
    let connected = client.get_async_connection().await;
    match connected {
        Ok(connection) => Ok(Connection::Cluster(connection)),
        // What went wrong with each node is not told; one of them is asked again.
        Err(error) => Err(reason_of(nodes).await.unwrap_or_else(|| error.into())),
    }
}

/// Why a node that answers does not do as part of a cluster.
async fn reason_of(nodes: &[ConnectionInfo]) -> Option<Lost> {
    for node in nodes {
        let mut connection = match single(std::slice::from_ref(node)).await {
            Ok(connection) => connection,
            Err(refused @ Lost::Refused(_)) => return Some(refused),
            Err(_) => continue,
        };
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let asked: Result<Value, Lost> = connection.ask(&slots, CONNECT_TIMEOUT).await;
        if let Err(refused @ Lost::Refused(_)) = asked {
            return Some(refused);
        }
    }
    None
}

fn read<T: FromRedisValue>(value: Value) -> Result<T, Lost> {
    T::from_redis_value(value).map_err(|error| {
        Lost::Refused(Refusal::Other {
            said: error.to_string(),
        })
    })
}
