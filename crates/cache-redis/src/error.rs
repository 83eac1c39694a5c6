//! Why a cache cannot be used.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a cache was not opened. A cache that only does not answer is opened all the same and used as soon as it
/// answers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// It answered, and cannot be used as it is.
    #[error("the cache at {address} cannot be used")]
    Refused {
        /// Where it is, without its password.
        address: String,
        /// Why not.
        #[source]
        refusal: Refusal,
    },
    /// It does not answer, and whoever asked has to have an answer.
    #[error("the cache at {address} does not answer")]
    Unreachable {
        /// Where it is, without its password.
        address: String,
        /// What was seen.
        #[source]
        source: Lost,
    },
}

/// What is wrong with a cache that answers. Only somebody can mend it, in its settings or in ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// User or password are wrong, or missing.
    #[error("it does not accept user and password")]
    Credentials,
    /// The user may not do what is needed.
    #[error("its user has too few rights: {said}")]
    Rights {
        /// What the server said.
        said: String,
    },
    /// The server may drop keys that have not expired.
    #[error("it evicts keys (`maxmemory-policy {policy}`)")]
    Evicts {
        /// Its policy.
        policy: String,
    },
    /// The server is too old.
    #[error("its version {version} is older than 6.2")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// The server is a replica, which cannot be written to.
    #[error("it is a replica")]
    Replica,
    /// The server belongs to a cluster and the address does not say so.
    #[error("it is a Redis Cluster")]
    IsCluster,
    /// The address says cluster and the server is none.
    #[error("it is not a Redis Cluster")]
    IsNoCluster,
    /// Another store's keys lie under the prefix.
    #[error("the keys below `{prefix}` belong to another store")]
    OtherStore {
        /// The prefix.
        prefix: String,
    },
    /// It refused for a reason of its own.
    #[error("it says: {said}")]
    Other {
        /// What the server said.
        said: String,
    },
}

impl Refusal {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Credentials => "write them percent-encoded: `redis://user:password@host`",
            Self::Rights { .. } => {
                "the user needs `+@read +@write +@scripting +info +time`, and `+select` where a database is named, on the keys \
                 of its prefix"
            }
            Self::Evicts { .. } => {
                "set `maxmemory-policy noeviction`: an evicted mark would let a cart of the past come back"
            }
            Self::TooOld { .. } => "use Redis 7",
            Self::Replica => "name its master, or all nodes of the cluster",
            Self::IsCluster => "append `?cluster=true` to the address",
            Self::IsNoCluster => "name one host and leave out `cluster=true`",
            Self::OtherStore { .. } => {
                "choose a prefix for each store, `?prefix=shop2:`; if the other store is gone, delete the key `store` \
                 below the prefix a few minutes after its last shop ended"
            }
            Self::Other { .. } => "see the server's log",
        }
    }
}

/// Why the cache gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Lost {
    /// Not within the time-out.
    #[error("no answer in time")]
    TooLate,
    /// There is no connection at present.
    #[error("no connection")]
    NoConnection,
    /// The connection or the server failed.
    #[error("{said}")]
    Failed {
        /// What was said.
        said: String,
    },
    /// The server answers and cannot be used.
    #[error(transparent)]
    Refused(Refusal),
}

impl From<RedisError> for Lost {
    fn from(error: RedisError) -> Self {
        let said = error.to_string();
        match error.kind() {
            _ if is_about_credentials(&error) => Self::Refused(Refusal::Credentials),
            ErrorKind::Server(ServerErrorKind::NoPerm) => Self::Refused(Refusal::Rights { said }),
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::Refused(Refusal::Replica),
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => {
                Self::Refused(Refusal::IsCluster)
            }
            ErrorKind::Server(ServerErrorKind::ResponseError) => {
                if said.contains("cluster support disabled") {
                    Self::Refused(Refusal::IsNoCluster)
                } else {
                    Self::Refused(Refusal::Other { said })
                }
            }
            _ if error.code() == Some("WRONGTYPE") => Self::Refused(Refusal::Other { said }),
            // Loading, a master that is being replaced, out of memory: it may pass.
            _ => Self::Failed { said },
        }
    }
}

fn is_about_credentials(error: &RedisError) -> bool {
    let code = error.code();
    error.kind() == ErrorKind::AuthenticationFailed
        || code.is_some_and(|code| code == "WRONGPASS" || code == "NOAUTH")
}
