//! The HTTP sampler and the managers around it: headers, cookies, cache, authorisation, names.
//!
//! [`HttpSampler`] sends what `HTTPSamplerProxy` says and brings what `JMeter`'s HTTP client would have
//! brought, on connections that each user keeps for itself. Who compiles a plan finds the managers in
//! scope and hands them over in [`Scope`]; [`HttpSettings`] is one for the whole plan. Requests are sent
//! within a task of `double11_load::tasks`.

mod authorization;
mod cache;
mod challenge;
mod clearing;
mod connections;
mod cookies;
mod embedded;
mod encode;
mod failure;
mod headers;
mod modifier;
mod multipart;
mod names;
mod request;
mod response;
mod sampler;
mod settings;
mod url;
mod witness;

#[cfg(test)]
mod tests;

pub use authorization::AuthManager;
pub use cache::CacheManager;
pub use cookies::CookieManager;
pub use headers::HeaderManager;
pub(crate) use modifier::Draft;
pub use modifier::Modifier;
pub use names::{DnsCacheManager, KeystoreConfig};
pub use sampler::HttpSampler;
pub use settings::{HttpSettings, SettingsError};
pub use witness::{Exchange, Witness};

use std::sync::Arc;

use crate::sample::Needs;

/// What is in scope of an HTTP sampler.
#[derive(Debug, Clone)]
pub struct Scope {
    /// What holds for all samplers of the plan.
    pub settings: Arc<HttpSettings>,
    /// What of its samples somebody reads.
    pub needs: Needs,
    /// The header managers, the nearest first; of two headers of one name the nearer wins.
    pub headers: Vec<Arc<HeaderManager>>,
    /// The nearest cookie manager.
    pub cookies: Option<Arc<CookieManager>>,
    /// The nearest cache manager.
    pub cache: Option<Arc<CacheManager>>,
    /// The nearest authorisation manager.
    pub authorization: Option<Arc<AuthManager>>,
    /// The nearest DNS cache manager.
    pub names: Option<Arc<DnsCacheManager>>,
}
