//! The fresh store of one run: a file of its own, or on a server a database of its own and keys of its
//! own in the cache.
//!
//! On a server the program itself makes and drops them (`double11 scratch`), since this crate knows no
//! store. It names only what it has just made, and drops nothing else. URLs are handed on in the
//! environment, so that no list of processes shows a password.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use double11_audit::StoreLocation;

/// Where the shops of a rehearsal keep their data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stores {
    /// A SQLite file in the folder of each run.
    Files,
    /// A database for each run on one server.
    Server {
        /// `mysql://user[:password]@host[:port]`, with parameters after a `?` where there are any.
        url: String,
        /// The password, where the URL has none.
        password: Option<String>,
        /// The cache beside it; the keys of each run have a prefix of their own.
        cache: Option<String>,
    },
}

/// Why there is no fresh store.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailure {
    /// The program that makes it could not be started.
    #[error("`double11 scratch` could not be started")]
    Spawn(#[source] std::io::Error),
    /// It could not be made or dropped.
    #[error("the database of a run could not be {done}: {last_words}")]
    Refused {
        /// What was wanted: `made` or `dropped`.
        done: &'static str,
        /// The last line that the program said.
        last_words: String,
    },
}

/// The store of one run.
#[derive(Debug)]
pub(crate) struct FreshStore {
    location: StoreLocation,
    gateway_ledger: PathBuf,
    environment: Vec<(&'static str, String)>,
    program: PathBuf,
    /// Whether a database and keys of this run are on servers now.
    is_on_server: bool,
}

impl FreshStore {
    /// Makes the store of the run that keeps its files in `folder`.
    pub(crate) fn make(
        stores: &Stores,
        program: &Path,
        folder: &Path,
    ) -> Result<Self, StoreFailure> {
        let file = folder.join("shop.db");
        let mut fresh = Self {
            gateway_ledger: beside(&file),
            location: StoreLocation::Sqlite(file),
            environment: Vec::new(),
            program: program.to_owned(),
            is_on_server: false,
        };
        if let Stores::Server {
            url,
            password,
            cache,
        } = stores
        {
            let name = database_name(folder);
            let url = with_database(url, &name);
            fresh.environment.push(("DOUBLE11_STORE", url.clone()));
            if let Some(password) = password {
                fresh
                    .environment
                    .push(("DOUBLE11_STORE_PASSWORD", password.clone()));
            }
            if let Some(cache) = cache {
                let keys = with_prefix(cache, &name);
                fresh.environment.push(("DOUBLE11_CACHE", keys));
            }
            fresh.location = StoreLocation::Mysql {
                url,
                password: password.clone(),
            };
            fresh.scratch("make", "made")?;
            fresh.is_on_server = true;
        }
        Ok(fresh)
    }

    /// Where it is, for the audit.
    pub(crate) const fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// The ledger of the sandbox gateway of this run.
    pub(crate) fn gateway_ledger(&self) -> &Path {
        &self.gateway_ledger
    }

    /// Tells a shop to use it.
    pub(crate) fn hand_to(&self, serve: &mut Command) {
        // What is configured for other shops is not meant for this one.
        serve
            .env_remove("DOUBLE11_CACHE")
            .env_remove("DOUBLE11_GATEWAY");
        match &self.location {
            StoreLocation::Sqlite(file) => {
                let mut url = OsString::from("sqlite:");
                url.push(file);
                serve.arg("--store").arg(url);
            }
            StoreLocation::Mysql { .. } => {
                serve
                    .arg("--gateway-ledger")
                    .arg(&self.gateway_ledger)
                    .envs(self.environment.iter().map(|(name, value)| (name, value)));
            }
        }
    }

    /// Removes it after a clean run: it is large and tells nothing more.
    pub(crate) fn remove(mut self) -> Result<(), StoreFailure> {
        if self.is_on_server {
            self.is_on_server = false;
            return self.scratch("drop", "dropped");
        }
        if let StoreLocation::Sqlite(file) = &self.location {
            for suffix in ["", "-wal", "-shm", ".lock"] {
                let mut name = file.as_os_str().to_owned();
                name.push(suffix);
                // A file that is not there needs no removing.
                drop(std::fs::remove_file(name));
            }
        }
        Ok(())
    }

    /// Leaves it where it is, for whoever looks for the fault; tells what it is called.
    pub(crate) fn keep(mut self) -> String {
        self.is_on_server = false;
        self.location.to_string()
    }

    fn scratch(&self, verb: &str, done: &'static str) -> Result<(), StoreFailure> {
        let output = Command::new(&self.program)
            .args(["scratch", verb])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(StoreFailure::Spawn)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let error = said.lines().find_map(|line| line.strip_prefix("error: "));
        Err(StoreFailure::Refused {
            done,
            last_words: error.unwrap_or("it said nothing").to_owned(),
        })
    }
}

impl Drop for FreshStore {
    /// A run that came to nothing leaves nothing on a server.
    fn drop(&mut self) {
        if self.is_on_server {
            self.is_on_server = false;
            drop(self.scratch("drop", "dropped"));
        }
    }
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".gateway");
    PathBuf::from(name)
}

/// MySQL has names of 64 characters, and a cache prefixes of 64 with the colon.
const NAME_MAX: usize = 60;

/// `double11_rehearsal_<run>_<folder of the run>`, in letters, digits and underscores only.
fn database_name(folder: &Path) -> String {
    let part = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).unwrap_or_default();
        let name = name.to_string_lossy().to_lowercase();
        let parts: Vec<&str> = name
            .split(|sign: char| !sign.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("_")
    };
    let run = part(folder.parent()).replace('_', "");
    let mut name = format!("double11_rehearsal_{run}_{}", part(Some(folder)));
    name.truncate(NAME_MAX);
    name
}

/// The URL of a server with this database in place of its path.
fn with_database(server: &str, database: &str) -> String {
    let (url, parameters) = split(server);
    let (scheme, rest) = url.split_once("://").unwrap_or(("mysql", url));
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{database}{parameters}")
}

/// The URL of a cache with this prefix in front of every key.
fn with_prefix(cache: &str, prefix: &str) -> String {
    let (url, parameters) = split(cache);
    let join = if parameters.is_empty() { '?' } else { '&' };
    format!("{url}{parameters}{join}prefix={prefix}:")
}

/// A URL, and its parameters with the sign in front of them.
fn split(url: &str) -> (&str, &str) {
    url.split_at(url.find('?').unwrap_or(url.len()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{database_name, with_database, with_prefix};

    #[test]
    fn every_run_has_a_database_and_a_prefix_of_its_own() {
        let name = database_name(Path::new("results/runs/2026-11-23T04-30-00Z/1-b-optimized"));
        assert_eq!(name, "double11_rehearsal_20261123t043000z_1_b_optimized");
        let rung =
            Path::new("runs/2026-11-23T04-30-00Z-2/ladder-3-+ catalog-cache = something long");
        assert_eq!(database_name(rung).len(), 60);
        for (server, expected) in [
            (
                "mysql://shop@127.0.0.1:3306",
                "mysql://shop@127.0.0.1:3306/d",
            ),
            (
                "mysql://shop:a%2Fb@[::1]:3306/",
                "mysql://shop:a%2Fb@[::1]:3306/d",
            ),
            (
                "mysql://shop@db/other?ssl=true",
                "mysql://shop@db/d?ssl=true",
            ),
        ] {
            assert_eq!(with_database(server, "d"), expected);
        }
        assert_eq!(with_prefix("redis://h/0", "r"), "redis://h/0?prefix=r:");
        assert_eq!(
            with_prefix("redis://h?cluster=true", "r"),
            "redis://h?cluster=true&prefix=r:"
        );
    }
}
