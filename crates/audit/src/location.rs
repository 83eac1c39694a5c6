//! Where the audited store is.

use std::fmt;
use std::path::PathBuf;

use mysql::Opts;

/// The store to be audited. Neither its text nor its debugging form ever shows a password.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database on a server that speaks MySQL's protocol.
    Mysql {
        /// `mysql://USER@HOST:PORT/DATABASE`; may hold a password too.
        url: String,
        /// The password; stands in for the one in the URL.
        password: Option<String>,
    },
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Sqlite(path) => return write!(formatter, "{}", path.display()),
            Self::Mysql { url, .. } => url,
        };
        // What cannot be taken apart is not shown: a password may be anywhere in it.
        let Ok(options) = Opts::from_url(url) else {
            return formatter.write_str("mysql://…");
        };
        formatter.write_str("mysql://")?;
        if let Some(user) = options.get_user() {
            write!(formatter, "{user}@")?;
        }
        formatter.write_str(&options.get_ip_or_hostname())?;
        write!(
            formatter,
            ":{}/{}",
            options.get_tcp_port(),
            options.get_db_name().unwrap_or_default()
        )
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreLocation({self})")
    }
}

impl From<PathBuf> for StoreLocation {
    fn from(path: PathBuf) -> Self {
        Self::Sqlite(path)
    }
}

#[cfg(test)]
mod tests {
    use super::StoreLocation;

    #[test]
    fn no_form_shows_a_password() {
        let check = |url: &str, expected: &str| {
            let location = StoreLocation::Mysql {
                url: url.to_owned(),
                password: Some("geheim".to_owned()),
            };
            assert_eq!(location.to_string(), expected);
            let debugged = format!("{location:?}");
            assert!(!debugged.contains("geheim"), "{debugged}");
            assert!(!debugged.contains("s3cret"), "{debugged}");
        };
        check(
            "mysql://shop:s3cret@db.example:3307/double11",
            "mysql://shop@db.example:3307/double11",
        );
        check(
            "mysql://127.0.0.1/double11",
            "mysql://127.0.0.1:3306/double11",
        );
        check("mysql://shop:s3cret@[::1]/d", "mysql://shop@[::1]:3306/d");
        check("mysql://shop:s3cret@host:port/d", "mysql://…");
        check("mysql://shop:s3cret", "mysql://…");
    }
}
