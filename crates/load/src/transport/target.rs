//! What is put under load: scheme, host, port and base path, from a URL.

use std::fmt;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::Headers;

/// The shop under load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    is_tls: bool,
    host: String,
    port: u16,
    base_path: String,
    headers: Headers,
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The URL is not one of the accepted form.
    #[error("`{url}` is not a target: {reason}; give `http://host[:port][/path]` or `https://…`")]
    Url {
        /// The URL as it was given, or a placeholder when it held a password.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host has no address.
    #[error("the host of {target} cannot be found")]
    Resolve {
        /// The target.
        target: String,
        /// The resolver's answer, when it gave one.
        source: Option<std::io::Error>,
    },
    /// Nothing accepts connections there.
    #[error("{target} cannot be reached")]
    Unreachable {
        /// The target.
        target: String,
        /// Why the last address refused.
        source: std::io::Error,
    },
}

impl Target {
    /// Parses `http://host[:port][/path]` or `https://…`.
    ///
    /// # Errors
    /// [`TargetError::Url`] for anything else, user names, queries and fragments included.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        // A password must not reach a message or a file.
        let shown = if url.contains('@') { "…@…" } else { url };
        let refuse = |reason| TargetError::Url {
            url: shown.to_owned(),
            reason,
        };
        let (is_tls, rest) = if let Some(rest) = url.strip_prefix("http://") {
            (false, rest)
        } else if let Some(rest) = url.strip_prefix("https://") {
            (true, rest)
        } else {
            return Err(refuse("the scheme is not http or https"));
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        if rest.contains('@') {
            return Err(refuse("a user name is not supported"));
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'?' && byte != b'#';
        if !rest.bytes().all(plain) {
            return Err(refuse(
                "queries, fragments and characters beyond ASCII are not supported",
            ));
        }
        let (host, port) = split_port(authority).ok_or_else(|| refuse("the port is wrong"))?;
        if host.is_empty() {
            return Err(refuse("the host is missing"));
        }
        let base_path = path.trim_end_matches('/');
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            base_path: if base_path.is_empty() {
                String::new()
            } else {
                format!("/{base_path}")
            },
            headers: Headers::default(),
        })
    }

    /// The same target, asked with these headers in every request.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }

    /// The headers that every request carries, besides those of its step.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether requests go through TLS.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// What every path begins with; empty or `/path`.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The value of the `Host` header.
    pub fn authority(&self) -> String {
        let is_default = self.port == if self.is_tls { 443 } else { 80 };
        if is_default {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The first address of the host that accepts a connection within `timeout`.
    ///
    /// # Errors
    /// [`TargetError::Resolve`] or [`TargetError::Unreachable`].
    pub fn reach(&self, timeout: Duration) -> Result<SocketAddr, TargetError> {
        let mut last = None;
        for address in self.addresses()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(_) => return Ok(address),
                Err(error) => last = Some(error),
            }
        }
        Err(match last {
            Some(source) => TargetError::Unreachable {
                target: self.to_string(),
                source,
            },
            None => TargetError::Resolve {
                target: self.to_string(),
                source: None,
            },
        })
    }

    /// The first address of the host, without trying it.
    ///
    /// # Errors
    /// [`TargetError::Resolve`].
    pub fn resolve(&self) -> Result<SocketAddr, TargetError> {
        let mut addresses = self.addresses()?;
        addresses.next().ok_or_else(|| TargetError::Resolve {
            target: self.to_string(),
            source: None,
        })
    }

    fn addresses(&self) -> Result<std::vec::IntoIter<SocketAddr>, TargetError> {
        (self.host(), self.port)
            .to_socket_addrs()
            .map_err(|source| TargetError::Resolve {
                target: self.to_string(),
                source: Some(source),
            })
    }
}

/// Host and port; `None` when the port is not a number.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority.get(after_address..)?.find(':');
    match colon {
        None => Some((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at_checked(after_address + colon)?;
            let port = port
                .strip_prefix(':')?
                .parse()
                .ok()
                .filter(|port| *port != 0)?;
            Some((host, Some(port)))
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed() {
        for (url, shown, authority, base_path) in [
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080",
                "127.0.0.1:8080",
                "",
            ),
            (
                "http://shop.example/",
                "http://shop.example",
                "shop.example",
                "",
            ),
            (
                "https://shop.example:443/v1/",
                "https://shop.example/v1",
                "shop.example",
                "/v1",
            ),
            (
                "https://shop.example:8443",
                "https://shop.example:8443",
                "shop.example:8443",
                "",
            ),
            ("http://[::1]:80/a/b", "http://[::1]/a/b", "[::1]", "/a/b"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(target.authority(), authority);
            assert_eq!(target.base_path(), base_path);
        }
        assert_eq!(Target::parse("http://[::1]:81").unwrap().host(), "::1");
    }

    #[test]
    fn wrong_urls_are_refused_without_showing_passwords() {
        for url in [
            "",
            "shop:80",
            "ftp://shop",
            "http://",
            "http://:80",
            "http://shop:0",
            "http://shop:x",
            "http://shop:99999",
            "http://shop/?a=1",
            "http://shop/#a",
            "http://sh op",
            "http://手機",
        ] {
            assert!(
                matches!(Target::parse(url), Err(TargetError::Url { .. })),
                "{url}"
            );
        }
        let error = Target::parse("http://user:secret@shop")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("user name") && !error.contains("secret"),
            "{error}"
        );
    }
}
