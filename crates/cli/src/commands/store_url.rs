//! Store URLs on the command line.

use std::path::{Path, PathBuf};

use double11_audit::StoreLocation;

use crate::arguments;
use crate::exit::Failure;

/// Where a shop keeps its data, as it was named.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `sqlite:FILE`.
    Sqlite(PathBuf),
    /// `mysql://…`.
    Mysql {
        /// The URL as it was given; may hold a password.
        url: String,
        /// The password given apart from the URL.
        password: Option<String>,
    },
}

impl StoreUrl {
    /// Reads the URL of a store; a server's password may also be in the environment.
    pub(crate) fn parse(url: &str) -> Result<Self, Failure> {
        Self::with_password(url, arguments::store_password())
    }

    fn with_password(url: &str, password: Option<String>) -> Result<Self, Failure> {
        if url.starts_with("mysql://") {
            return Ok(Self::Mysql {
                url: url.to_owned(),
                password,
            });
        }
        match sqlite_file(url) {
            Some(path) => Ok(Self::Sqlite(path)),
            None => Err(Failure::usage(anyhow::anyhow!(
                "`{}` is not a store",
                without_password(url)
            ))
            .hint(
                "write `sqlite:FILE`, such as `sqlite:double11.db`, or \
                 `mysql://USER@HOST:PORT/DATABASE`",
            )),
        }
    }

    /// The store as the audit names it.
    pub(crate) fn location(&self) -> StoreLocation {
        match self {
            Self::Sqlite(path) => StoreLocation::Sqlite(path.clone()),
            Self::Mysql { url, password } => StoreLocation::Mysql {
                url: url.clone(),
                password: password.clone(),
            },
        }
    }
}

fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// An argument of the command line without the user and password of a store or cache.
pub(crate) fn without_secret(argument: &str) -> String {
    match argument.split_once("://") {
        Some((start, _))
            if ["mysql", "redis", "rediss"]
                .iter()
                .any(|s| start.ends_with(s)) =>
        {
            without_password(argument)
        }
        _ => argument.to_owned(),
    }
}

/// What may be shown of a URL that could not be read: nothing between a scheme and its last `@`.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

/// The sandbox gateway's ledger beside a store.
pub(crate) fn gateway_ledger(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".gateway");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{StoreUrl, without_password};

    #[test]
    fn urls_of_both_kinds_are_read() {
        let read = |url: &str| StoreUrl::with_password(url, Some("p".to_owned()));
        let file = |url: &str| match read(url) {
            Ok(StoreUrl::Sqlite(path)) => Some(path),
            _ => None,
        };
        assert_eq!(file("sqlite:a b.db"), Some(PathBuf::from("a b.db")));
        assert_eq!(file("sqlite:///tmp/x.db"), Some(PathBuf::from("/tmp/x.db")));
        assert_eq!(file("sqlite:"), None);
        assert_eq!(file("double11.db"), None);
        let server = read("mysql://shop@127.0.0.1:3307/d");
        let given = StoreUrl::Mysql {
            url: "mysql://shop@127.0.0.1:3307/d".to_owned(),
            password: Some("p".to_owned()),
        };
        assert!(matches!(server, Ok(url) if url == given));
    }

    #[test]
    fn an_unreadable_url_is_shown_without_its_password() {
        assert_eq!(
            without_password("mariadb://shop:s3cr@t@host/d"),
            "mariadb://…@host/d"
        );
        assert_eq!(without_password("double11.db"), "double11.db");
    }
}
