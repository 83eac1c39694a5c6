//! The store on MySQL 8, MariaDB 10.6 and later, and databases that speak their protocol.
//!
//! Several shops use one database at the same time. Every write is a transaction of three steps:
//! *load* locks and reads what a group of commands may touch, in one order that all shops share;
//! *decide* answers every command in the order of arrival, without the database; *write* stores what
//! changed in few statements. Then it is committed, and only then answered.
//!
//! This crate must not know HTTP. Its tables are `docs/SCHEMA.md`.

mod connect;
mod connections;
mod data_life;
mod engine;
mod failure;
mod health;
mod ids;
mod memory;
mod open;
mod options;
mod read;
mod schema;
mod seed;
mod session;
mod store;
mod work;
mod writer;

pub use open::OpenError;
pub use options::MysqlOptions;
pub use schema::{Migrated, create_database, drop_database, migrate};
pub use store::MysqlStore;
