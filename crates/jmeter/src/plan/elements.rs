//! What stands around samplers, each element once.

use std::sync::Arc;

use double11_jmx::document::Element;

use crate::compiler::Compiler;
use crate::http::{
    AuthManager, CacheManager, CookieManager, DnsCacheManager, HeaderManager, HttpSettings,
    KeystoreConfig,
};
use crate::processors::{Assertion, DataConfig, PostProcessor, PreProcessor, Reaction};
use crate::results::Listener;
use crate::timers::Timer;
use crate::user::User;

/// The elements of a plan that are neither samplers nor controllers, by their numbers.
#[derive(Debug)]
pub struct Elements {
    /// What holds for all HTTP samplers.
    pub http: Arc<HttpSettings>,
    /// Managers that HTTP samplers use.
    pub managers: Vec<Manager>,
    /// Config elements that give data.
    pub data: Vec<DataConfig>,
    /// Pre-processors.
    pub pre: Vec<PreProcessor>,
    /// Timers.
    pub timers: Vec<Timer>,
    /// Post-processors.
    pub post: Vec<PostProcessor>,
    /// Assertions.
    pub assertions: Vec<Assertion>,
    /// Listeners that write or sum up.
    pub listeners: Vec<Listener>,
    /// Listeners that change what comes next.
    pub reactions: Vec<Reaction>,
    /// Who is told of iterations, by the number in a hook.
    pub hooks: Vec<IterationHook>,
    /// Whether a text anywhere reads the body of the sample before.
    pub reads_previous_bodies: bool,
    /// Whether anybody looks at the sample before.
    pub keeps_previous: bool,
}

/// A manager that HTTP samplers use.
#[derive(Debug, Clone)]
pub enum Manager {
    /// Adds headers.
    Headers(Arc<HeaderManager>),
    /// Keeps cookies.
    Cookies(Arc<CookieManager>),
    /// Keeps answers.
    Cache(Arc<CacheManager>),
    /// Knows passwords.
    Authorization(Arc<AuthManager>),
    /// Knows addresses.
    Names(Arc<DnsCacheManager>),
    /// Knows certificates.
    Keys(Arc<KeystoreConfig>),
}

/// Who is told that a controller begins an iteration.
#[derive(Debug, Clone, Copy)]
pub enum IterationHook {
    /// A config element.
    Data(u32),
    /// A pre-processor.
    Pre(u32),
}

impl Manager {
    /// Reads a manager; `None` when the element is none.
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let manager = match element.class.as_str() {
            "HeaderManager" => Self::Headers(HeaderManager::compile(element, compiler)?.into()),
            "CookieManager" => Self::Cookies(CookieManager::compile(element, compiler)?.into()),
            "CacheManager" => Self::Cache(CacheManager::compile(element, compiler)?.into()),
            "AuthManager" => Self::Authorization(AuthManager::compile(element, compiler)?.into()),
            "DNSCacheManager" => Self::Names(DnsCacheManager::compile(element, compiler)?.into()),
            "KeystoreConfig" => Self::Keys(KeystoreConfig::compile(element, compiler)?.into()),
            _ => return None,
        };
        Some(manager)
    }

    /// Is told that a user begins an iteration.
    pub fn iteration_start(&self, user: &mut User, same_user: bool) {
        match self {
            Self::Cookies(manager) => manager.iteration_start(user, same_user),
            Self::Cache(manager) => manager.iteration_start(user, same_user),
            Self::Headers(_) | Self::Authorization(_) | Self::Names(_) | Self::Keys(_) => {}
        }
    }
}

impl Elements {
    /// No elements yet.
    pub(super) fn new(http: &Arc<HttpSettings>) -> Self {
        Self {
            http: Arc::clone(http),
            managers: Vec::new(),
            data: Vec::new(),
            pre: Vec::new(),
            timers: Vec::new(),
            post: Vec::new(),
            assertions: Vec::new(),
            listeners: Vec::new(),
            reactions: Vec::new(),
            hooks: Vec::new(),
            reads_previous_bodies: false,
            keeps_previous: false,
        }
    }
}
