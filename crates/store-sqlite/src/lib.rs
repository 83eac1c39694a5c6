//! The shop's store in one SQLite file.
//!
//! Without the lever `group-commit` every write is a transaction of its own, as a straightforward
//! shop does it; with it every write is a command to the one writer thread, which commits many
//! at once. Both run the same statements and make the same promises: nothing is answered
//! before it is durable: `WAL`, with `synchronous=FULL` (checked at start) or synced by the writer.
//!
//! This crate must not know HTTP. Its tables are `docs/SCHEMA.md`.

mod checkpoint;
mod connections;
mod failure;
mod file;
#[cfg(test)]
mod gate;
mod ids;
mod options;
#[cfg(test)]
mod power_loss;
mod store;
mod work;
mod writer;

pub use file::OpenError;
pub use options::SqliteOptions;
pub use store::SqliteStore;
