//! Private servers for tests: `MariaDB`, Redis, a Redis Cluster and `OceanBase`'s single-node engine, each on
//! free loopback ports with its data in a temporary folder, and a TCP proxy that breaks what goes through
//! it.
//!
//! A server lives as long as its handle: it is killed and its data removed when the handle is dropped, by a
//! panic too, and when this process dies in whatever way. Servers are set up as in production: every commit
//! durable, nothing tuned for tests.
//!
//! For tests and `make rehearse-mysql` only; no part of the program. It knows no crate of the workspace and
//! speaks to the servers by their own command-line clients.

mod error;
mod mariadb;
mod port;
mod process;
mod proxy;
mod redis;
mod redis_cluster;
mod seekdb;
mod sql;
mod tools;
mod wait;

pub use error::ServerError;
pub use mariadb::MariaDb;
pub use port::free_port;
pub use process::ServerProcess;
pub use proxy::{CutPoint, Proxy};
pub use redis::Redis;
pub use redis_cluster::RedisCluster;
pub use seekdb::SeekDb;
pub use tools::{Tool, present};
