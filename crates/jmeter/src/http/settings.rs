//! What holds for all HTTP samplers of a plan: properties, proxy, another target.

use std::sync::Arc;

use super::connections::Connections;
use super::url::Url;
use super::witness::Witness;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

/// Settings of HTTP samplers.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own"
)]
pub struct HttpSettings {
    /// Where users keep their connections.
    pub(super) connections: StateId,
    /// Where every request goes instead.
    pub(super) target: Option<Url>,
    /// Whether `Host` names the plan's server although requests go to another target.
    pub(super) keeps_host: bool,
    /// The proxy of samplers that name none.
    pub(super) proxy: Option<ProxySettings>,
    /// Whether a new visitor begins without connections.
    resets_connections: bool,
    pub(super) cached: CachedResource,
    /// Whether `COOKIE_name` variables are set.
    pub(super) saves_cookies: bool,
    pub(super) redirects_max: usize,
    /// Who looks at certain requests.
    pub(super) witness: Option<Arc<dyn Witness>>,
    /// Whether a page is fine although something that it loads failed.
    pub(super) ignores_failed_resources: bool,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProxySettings {
    pub(super) host: String,
    pub(super) port: u16,
    /// User and password.
    pub(super) credentials: Option<(String, String)>,
    /// Hosts that are asked directly; `*` stands for anything.
    pub(super) direct: Vec<String>,
}

/// What comes of a request whose answer is in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CachedResource {
    /// No sample at all.
    NoSample,
    /// A sample with this code and message.
    Sample(String, String),
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The other target is no URL of the accepted form.
    #[error("`{0}` is not a target: give `http://host[:port]` or `https://…`")]
    Target(String),
}

impl HttpSettings {
    /// Settings from `JMeter`'s properties; with a target, every request goes there instead, and the
    /// header `Host` names it, since servers choose by that name what they answer. The property
    /// `double11.target.keep_host=true` leaves the plan's name in that header.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(
        property: &dyn Fn(&str) -> Option<String>,
        target: Option<&str>,
        compiler: &mut Compiler,
    ) -> Result<Self, SettingsError> {
        let wrong = |target: &str| SettingsError::Target(target.to_owned());
        let read = |target: &str| match Url::parse(target) {
            Ok(url) if url.path.trim_end_matches('/').is_empty() && url.query.is_none() => Ok(url),
            _ => Err(wrong(target)),
        };
        let is = |name: &str, default: bool| {
            property(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
        };
        let cached = match property("cache_manager.cached_resource_mode").as_deref() {
            Some("RETURN_200_CACHE") => {
                let message = property("RETURN_200_CACHE.message");
                let message = message.unwrap_or_else(|| "(ex cache)".to_owned());
                CachedResource::Sample("200".to_owned(), message)
            }
            Some("RETURN_CUSTOM_STATUS") => CachedResource::Sample(
                property("RETURN_CUSTOM_STATUS.code").unwrap_or_default(),
                property("RETURN_CUSTOM_STATUS.message").unwrap_or_else(|| "(ex cache)".to_owned()),
            ),
            _ => CachedResource::NoSample,
        };
        let redirects_max = property("httpsampler.max_redirects");
        Ok(Self {
            connections: compiler.state(),
            target: target.map(read).transpose()?,
            keeps_host: is("double11.target.keep_host", false),
            proxy: proxy(property),
            resets_connections: is("httpclient.reset_state_on_thread_group_iteration", true),
            cached,
            witness: None,
            saves_cookies: is("CookieManager.save.cookies", false),
            ignores_failed_resources: is("httpsampler.ignore_failed_embedded_resources", false),
            redirects_max: redirects_max.and_then(|max| max.parse().ok()).unwrap_or(20),
        })
    }

    /// Shows the requests that it wants to `witness`.
    #[must_use]
    pub fn with_witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// To be called before each iteration of a user; `same_user` is what the thread group says of its
    /// next iteration. Another user begins without connections.
    pub fn iteration_start(&self, user: &mut User, same_user: bool) {
        if self.resets_connections && !same_user {
            user.state(self.connections, Connections::default).close();
        }
    }
}

/// The proxy that the properties of Java name.
fn proxy(property: &dyn Fn(&str) -> Option<String>) -> Option<ProxySettings> {
    let host = property("http.proxyHost").filter(|host| !host.is_empty())?;
    let port = property("http.proxyPort").and_then(|port| port.trim().parse().ok());
    let user = property("http.proxyUser").filter(|user| !user.is_empty());
    let password = property("http.proxyPass").unwrap_or_default();
    let direct = property("http.nonProxyHosts").unwrap_or_default();
    let direct = direct.split('|').filter(|host| !host.is_empty());
    Some(ProxySettings {
        host,
        port: port.unwrap_or(80),
        credentials: user.map(|user| (user, password)),
        direct: direct.map(str::to_ascii_lowercase).collect(),
    })
}

impl ProxySettings {
    /// Whether requests to this host go through it.
    pub(super) fn serves(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        !self.direct.iter().any(|pattern| {
            match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
                (Some(end), _) => host.ends_with(end),
                (_, Some(start)) => host.starts_with(start),
                _ => *pattern == host,
            }
        })
    }
}
