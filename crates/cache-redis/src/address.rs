//! Where the cache is: `redis[s]://[user:password@]host[:port][,host[:port]…][/database][?options]`.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo as _};

const PORT_DEFAULT: u16 = 6_379;
const PREFIX_DEFAULT: &str = "double11:";
const PREFIX_MAX: usize = 64;
/// What must be percent-encoded in user and password.
const RESERVED: [char; 5] = ['/', '#', '?', '[', ']'];

/// Where a Redis server or cluster is, and under which prefix the keys of one store lie there.
///
/// `redis://` or, with TLS, `rediss://`. Several hosts, or the option `cluster=true`, mean a Redis Cluster. The
/// option `prefix` stands in front of every key: 1 to 64 letters, digits and `:`, `_`, `-`, `.`; by default
/// `double11:`. User and password are percent-encoded, and shown by neither `Display` nor `Debug`.
#[derive(Clone)]
pub struct CacheAddress {
    nodes: Vec<ConnectionInfo>,
    is_cluster: bool,
    prefix: String,
    /// The address without its password.
    shown: String,
}

/// Why a text is no address of a cache. Never quotes the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with neither scheme.
    #[error("a cache's address begins with `redis://` or `rediss://`")]
    Scheme,
    /// A host is missing or its port is no port.
    #[error("host {position} of the cache's address is not `host` or `host:port`")]
    Host {
        /// Which one, from 1.
        position: usize,
    },
    /// What follows the hosts is no database.
    #[error("the database of the cache's address is not a number from 0 on")]
    Database,
    /// A cluster has one database.
    #[error("a Redis Cluster has only the database 0")]
    ClusterDatabase,
    /// An option is not known, or its value is none of those it can have.
    #[error(
        "`{option}` is not an option of a cache's address; there are `cluster=true` and `prefix=…`"
    )]
    Option {
        /// The option's name.
        option: String,
    },
    /// The prefix is empty, too long, or has other characters than it may have.
    #[error("a prefix has 1 to {PREFIX_MAX} letters, digits, `:`, `_`, `-` and `.`")]
    Prefix,
    /// User or password are not percent-encoded.
    #[error("user and password of the cache's address must be percent-encoded")]
    Credentials,
}

impl CacheAddress {
    /// The same place with another prefix.
    ///
    /// # Errors
    /// [`AddressError::Prefix`].
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self, AddressError> {
        self.prefix = checked_prefix(prefix)?;
        Ok(self)
    }

    /// What stands in front of every key.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether this is a Redis Cluster.
    pub fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.shown.starts_with("rediss:")
    }

    pub(crate) fn nodes(&self) -> &[ConnectionInfo] {
        &self.nodes
    }
}

impl FromStr for CacheAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = ["redis", "rediss"]
            .into_iter()
            .find_map(|scheme| Some((scheme, text.strip_prefix(scheme)?.strip_prefix("://")?)))
            .ok_or(AddressError::Scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        // What is not encoded may have been taken for something else, and would be shown as that.
        if query.contains('@') || credentials.is_some_and(|both| both.contains(RESERVED)) {
            return Err(AddressError::Credentials);
        }
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = parse_database(database)?;
        let hosts = parse_hosts(hosts)?;
        let options = Options::parse(query)?;
        let is_cluster = options.cluster || hosts.len() > 1;
        if is_cluster && database != 0 {
            return Err(AddressError::ClusterDatabase);
        }
        let place = format!("{}/{database}", hosts.join(","));
        // Who leaves out the colon may mean a password.
        let shown = match credentials.map(|both| both.split_once(':')) {
            Some(Some((user, _))) => format!("{scheme}://{user}:***@{place}"),
            Some(None) => format!("{scheme}://***@{place}"),
            None => format!("{scheme}://{place}"),
        };
        let credentials = credentials.map_or_else(String::new, |both| format!("{both}@"));
        let nodes = hosts
            .iter()
            .map(|host| format!("{scheme}://{credentials}{host}/{database}").into_connection_info())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| AddressError::Credentials)?;
        Ok(Self {
            nodes,
            is_cluster,
            prefix: options.prefix,
            shown,
        })
    }
}

impl fmt::Display for CacheAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for CacheAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CacheAddress")
            .field("address", &self.shown)
            .field("is_cluster", &self.is_cluster)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

struct Options {
    cluster: bool,
    prefix: String,
}

impl Options {
    fn parse(query: &str) -> Result<Self, AddressError> {
        let mut options = Self {
            cluster: false,
            prefix: PREFIX_DEFAULT.to_owned(),
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("cluster", "true")) => options.cluster = true,
                Some(("cluster", "false")) => options.cluster = false,
                Some(("prefix", prefix)) => options.prefix = checked_prefix(prefix)?,
                _ => {
                    let name = option.split('=').next().unwrap_or_default();
                    return Err(AddressError::Option {
                        option: name.to_owned(),
                    });
                }
            }
        }
        Ok(options)
    }
}

fn parse_database(text: &str) -> Result<i64, AddressError> {
    if text.is_empty() {
        return Ok(0);
    }
    let database: u16 = text.parse().map_err(|_| AddressError::Database)?;
    Ok(i64::from(database))
}

/// The hosts, each with its port.
fn parse_hosts(text: &str) -> Result<Vec<String>, AddressError> {
    (1..)
        .zip(text.split(','))
        .map(|(position, host)| with_port(host).ok_or(AddressError::Host { position }))
        .collect()
}

fn with_port(host: &str) -> Option<String> {
    // The colons of an IPv6 address stand in brackets.
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()?),
        _ => (host, PORT_DEFAULT),
    };
    let bracketed = name.starts_with('[') && name.ends_with(']');
    let plain = !name.contains([':', '[', ']', ' ', '@', '#', '%']);
    (!name.is_empty() && port > 0 && (bracketed || plain)).then(|| format!("{name}:{port}"))
}

fn checked_prefix(prefix: &str) -> Result<String, AddressError> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte);
    if (1..=PREFIX_MAX).contains(&prefix.len()) && prefix.bytes().all(is_fine) {
        Ok(prefix.to_owned())
    } else {
        Err(AddressError::Prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressError, CacheAddress};

    fn parse(text: &str) -> Result<CacheAddress, AddressError> {
        text.parse()
    }

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("redis://cache", "redis://cache:6379/0", false, "double11:"),
            (
                "rediss://cache:7000/2",
                "rediss://cache:7000/2",
                false,
                "double11:",
            ),
            (
                "redis://[::1]:7000/",
                "redis://[::1]:7000/0",
                false,
                "double11:",
            ),
            ("redis://[::1]", "redis://[::1]:6379/0", false, "double11:"),
            ("redis://a,b:1?prefix=x", "redis://a:6379,b:1/0", true, "x"),
            (
                "redis://a?cluster=true&prefix=s1:",
                "redis://a:6379/0",
                true,
                "s1:",
            ),
            (
                "redis://a?cluster=false",
                "redis://a:6379/0",
                false,
                "double11:",
            ),
            (
                "redis://ann:b%40d@a",
                "redis://ann:***@a:6379/0",
                false,
                "double11:",
            ),
            ("redis://word@a", "redis://***@a:6379/0", false, "double11:"),
            (
                "redis://:bad@a",
                "redis://:***@a:6379/0",
                false,
                "double11:",
            ),
        ];
        for (text, shown, is_cluster, prefix) in cases {
            let address = parse(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!(
                (address.is_cluster(), address.prefix()),
                (is_cluster, prefix),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        let option = |option: &str| AddressError::Option {
            option: option.to_owned(),
        };
        let cases = [
            ("mysql://a", AddressError::Scheme),
            ("redis:a", AddressError::Scheme),
            ("redis://", AddressError::Host { position: 1 }),
            ("redis://a,,b", AddressError::Host { position: 2 }),
            ("redis://a:x", AddressError::Host { position: 1 }),
            ("redis://a:0", AddressError::Host { position: 1 }),
            ("redis://a:70000", AddressError::Host { position: 1 }),
            ("redis://::1", AddressError::Host { position: 1 }),
            ("redis://a/first", AddressError::Database),
            ("redis://a/-1", AddressError::Database),
            ("redis://a,b/1", AddressError::ClusterDatabase),
            ("redis://a?prefix=", AddressError::Prefix),
            ("redis://a?prefix=a*", AddressError::Prefix),
            ("redis://a?prefix={a}", AddressError::Prefix),
            ("redis://ann:42?word@cache", AddressError::Credentials),
            ("redis://ann:1#word@cache", AddressError::Credentials),
            ("redis://ann:1/word@cache", AddressError::Credentials),
            ("redis://a?cluster=yes", option("cluster")),
            ("redis://a?clutser=true", option("clutser")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let address = parse("redis://ann:secret-word@a,b").unwrap();
        assert!(!format!("{address} {address:?} {address:#?}").contains("secret"));
        let address = parse("redis://secret-word@a").unwrap();
        assert!(!format!("{address} {address:?}").contains("secret"));
        for wrong in ["redis://ann:secret-word@a:x", "redis://ann:4?secret-word@a"] {
            let error = parse(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[test]
    fn a_prefix_can_be_replaced_but_not_emptied() {
        let address = parse("redis://a").unwrap();
        assert_eq!(address.clone().with_prefix("r7:").unwrap().prefix(), "r7:");
        assert_eq!(address.with_prefix("").unwrap_err(), AddressError::Prefix);
    }
}
