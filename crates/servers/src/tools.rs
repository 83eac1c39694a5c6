//! Which of the programs are installed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::ServerError;

/// Daemons live here, which a user's search path may leave out.
const FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// Where `scripts/install-test-tools.sh` puts Python packages, from the folder of this crate.
const PYTHON: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/test-tools/python/lib"
);

/// A server that may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `mariadbd`, `mariadb-install-db` and the client `mariadb`.
    MariaDb,
    /// `redis-server` and `redis-cli`.
    Redis,
    /// `seekdb` of the Python package `pylibseekdb`, and the client `mariadb`.
    SeekDb,
}

impl Tool {
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::MariaDb => &["mariadbd", "mariadb-install-db", "mariadb"],
            Self::Redis => &["redis-server", "redis-cli"],
            Self::SeekDb => &["seekdb", "mariadb"],
        }
    }
}

/// Whether all programs of the server can be found; says "skipped: …" on standard error if not.
///
/// # Panics
/// With `CI=true` in the environment when one cannot be found: there nothing is skipped.
pub fn present(tool: Tool) -> bool {
    let missing = tool
        .programs()
        .iter()
        .find_map(|program| find(program).err());
    let Some(missing) = missing else {
        return true;
    };
    assert!(!is_ci(), "with CI=true nothing is skipped: {missing}");
    // What is printed by macro is kept back while a test passes.
    drop(writeln!(std::io::stderr(), "skipped: {missing}"));
    false
}

/// Where a program is.
///
/// # Errors
/// [`ServerError::Missing`].
pub(crate) fn find(program: &'static str) -> Result<PathBuf, ServerError> {
    let path = variable_path();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let found = if program == "seekdb" {
        in_python_packages(Path::new("pylibseekdb/seekdb"))
    } else {
        folders
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
    };
    found.ok_or(ServerError::Missing { program })
}

fn in_python_packages(program: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(PYTHON).ok()?;
    versions
        .flatten()
        .map(|version| version.path().join("site-packages").join(program))
        .find(|path| path.is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the environment says where programs are"
)]
fn variable_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "CI says so by the environment")]
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
