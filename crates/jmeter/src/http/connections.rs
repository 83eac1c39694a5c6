//! A user's connections and what it needs to make them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use double11_load::tasks::{Link, off_thread};
use double11_load::transport::{Limits, TlsSettings};

use super::failure::Exception;
use super::request::Body;
use super::url::Url;
use crate::user::User;

/// Bytes of an answer at most.
const LIMITS: Limits = Limits {
    head_bytes_max: 256 * 1_024,
    body_bytes_max: 2 << 30,
};

/// What one user keeps.
#[derive(Debug, Default)]
pub(super) struct Connections {
    idle: Vec<(Key, Link)>,
    /// Addresses of names that were looked up.
    names: HashMap<String, Vec<IpAddr>>,
    tls: Option<TlsSettings>,
    /// Memory for the next body.
    pub(super) body: Body,
}

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// The proxy that it goes through, with its port.
    pub(super) proxy: Option<(String, u16)>,
}

impl Key {
    pub(super) fn leads_to(&self, url: &Url, proxy: Option<&(String, u16)>) -> bool {
        self.is_tls == url.is_tls
            && self.port == url.port_or_default()
            && self.host == url.bare_host()
            && self.proxy.as_ref() == proxy
    }
}

impl Connections {
    /// An idle connection to the server, if there is one.
    pub(super) fn take(&mut self, url: &Url, proxy: Option<&(String, u16)>) -> Option<(Key, Link)> {
        self.idle.retain(|(_, link)| link.is_usable());
        let leads = |(key, _): &(Key, Link)| key.leads_to(url, proxy);
        let index = self.idle.iter().rposition(leads)?;
        Some(self.idle.swap_remove(index))
    }

    /// Keeps a connection for later.
    pub(super) fn keep(&mut self, key: Key, link: Link) {
        if link.is_usable() {
            self.idle.push((key, link));
        }
    }

    /// Closes all.
    pub(super) fn close(&mut self) {
        self.idle.clear();
    }

    /// A host with its addresses as Java shows them.
    pub(super) fn shown(&self, host: &str) -> String {
        let address = |address: &IpAddr| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => address
                .segments()
                .map(|segment| format!("{segment:x}"))
                .join(":"),
        };
        match (host.parse::<IpAddr>(), self.names.get(host)) {
            (Ok(own), _) => format!("/{}", address(&own)),
            (_, Some(known)) => {
                let known = known.iter().map(|own| format!("{host}/{}", address(own)));
                known.collect::<Vec<_>>().join(", ")
            }
            _ => host.to_owned(),
        }
    }

    /// TLS for a host.
    pub(super) fn tls(&mut self, host: &str) -> Result<TlsSettings, Exception> {
        let settings = match &self.tls {
            Some(settings) => settings.for_host(host),
            None => TlsSettings::unchecked(host),
        };
        let settings = settings
            .map_err(|error| Exception::new("javax.net.ssl.SSLException", error.to_string()))?;
        self.tls = Some(settings.clone());
        Ok(settings)
    }
}

/// The addresses of a host, looked up once a user.
pub(super) async fn addresses(
    user: &mut User,
    state: crate::user::StateId,
    host: &str,
) -> Result<Vec<IpAddr>, Exception> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let connections = user.state(state, Connections::default);
    if let Some(known) = connections.names.get(host) {
        return Ok(known.clone());
    }
    let name = host.to_owned();
    let found = off_thread(move || {
        let found = (name.as_str(), 0).to_socket_addrs()?;
        Ok::<Vec<IpAddr>, std::io::Error>(found.map(|address| address.ip()).collect())
    });
    let unknown = || {
        let message = format!("{host}: Name or service not known");
        Exception::new("java.net.UnknownHostException", message)
    };
    let mut found = found.await.and_then(|found| found).map_err(|_| unknown())?;
    // Java asks the shorter addresses first, and resolvers name an address once for each socket type.
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    if found.is_empty() {
        return Err(unknown());
    }
    let connections = user.state(state, Connections::default);
    connections.names.insert(host.to_owned(), found.clone());
    Ok(found)
}

/// Starts to connect.
pub(super) fn open(
    address: SocketAddr,
    tls: Option<&TlsSettings>,
) -> Result<Link, double11_load::transport::TransportError> {
    Link::open(address, tls, LIMITS)
}
