//! Store URLs on the command line.

use std::path::PathBuf;

use crate::exit::Failure;

/// The file of a `sqlite:` URL.
pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf, Failure> {
    let path = url
        .strip_prefix("sqlite:")
        .map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(Failure::usage(anyhow::anyhow!("`{url}` is not a store"))
            .hint("write `sqlite:FILE`, such as `sqlite:double11.db`")),
    }
}

/// The sandbox gateway's ledger beside a store.
pub(crate) fn gateway_ledger(store: &std::path::Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".gateway");
    PathBuf::from(name)
}
