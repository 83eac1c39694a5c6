//! `double11 migrate`: makes or upgrades the tables of a MySQL store; and, for rehearsals, whole databases.

use double11_store_mysql as mysql;

use crate::arguments::{Migrate, Scratch, ScratchAction};
use crate::commands::any_store::server_failure;
use crate::commands::cache_url;
use crate::commands::store_url::StoreUrl;
use crate::console;
use crate::exit::{CommandResult, Exit, Failure};

pub(crate) fn run(arguments: &Migrate) -> CommandResult {
    let (url, password) = server(&arguments.store)?;
    let password = password.as_deref();
    if arguments.create_database {
        mysql::create_database(&url, password).map_err(server_failure)?;
    }
    let migrated = mysql::migrate(&url, password).map_err(server_failure)?;
    let said = match migrated.from {
        None => format!("tables made, version {}", migrated.to),
        Some(from) if from == migrated.to => format!("nothing to do: version {from} already"),
        Some(from) => format!("upgraded from version {from} to {}", migrated.to),
    };
    console::data(&format!("{said}\n"));
    Ok(Exit::Done)
}

/// Makes or drops what one run of a rehearsal has on servers.
pub(crate) fn scratch(arguments: &Scratch) -> CommandResult {
    let (url, password) = server(&arguments.store)?;
    let password = password.as_deref();
    match arguments.action {
        ScratchAction::Make => {
            mysql::create_database(&url, password).map_err(server_failure)?;
            if let Err(error) = mysql::migrate(&url, password) {
                // Whoever asked has no database now, and will not ask for its end.
                mysql::drop_database(&url, password).map_err(server_failure)?;
                return Err(server_failure(error));
            }
        }
        ScratchAction::Drop => {
            if let Some(cache) = &arguments.cache {
                let address = cache_url::parse(cache)?;
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(Failure::environment)?;
                runtime
                    .block_on(double11_cache_redis::clear_prefix(&address))
                    .map_err(|error| cache_url::failure(&error))?;
            }
            mysql::drop_database(&url, password).map_err(server_failure)?;
        }
    }
    Ok(Exit::Done)
}

fn server(url: &str) -> Result<(String, Option<String>), Failure> {
    match StoreUrl::parse(url)? {
        StoreUrl::Mysql { url, password } => Ok((url, password)),
        StoreUrl::Sqlite(_) => Err(Failure::usage(anyhow::anyhow!(
            "a SQLite store needs no migration by hand"
        ))
        .hint("`double11 serve` makes and upgrades it; name a server with `--store mysql://…`")),
    }
}
