//! The options of the commands about stores on servers.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The database; its password may be in `DOUBLE11_STORE_PASSWORD`.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// Create the database too; it must not exist yet.
    #[arg(long)]
    pub(crate) create_database: bool,
}

/// Hidden: what a rehearsal has on servers for one run.
#[derive(Debug, Args)]
pub(crate) struct Scratch {
    /// Whether it is made or dropped.
    pub(crate) action: ScratchAction,
    /// The database of the run.
    #[arg(
        long,
        env = "DOUBLE11_STORE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) store: String,
    /// The cache with the prefix of the run.
    #[arg(
        long,
        env = "DOUBLE11_CACHE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) cache: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScratchAction {
    /// Creates the database and its tables.
    Make,
    /// Drops the database and removes the keys of the cache.
    Drop,
}
