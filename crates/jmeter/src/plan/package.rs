//! A sampler with all that is around it.

use std::sync::Arc;

use double11_jmx::template::Template;

use crate::results::ListenerId;
use crate::samplers::Sampler;

/// A sampler with all that is around it, by numbers in [`super::Elements`], in the order of running.
#[derive(Debug)]
pub struct Package {
    /// The name of the sampler.
    pub name: Template,
    /// The name, when nothing in it is to be filled in.
    pub label: Option<Arc<str>>,
    /// What it does.
    pub sampler: Sampler,
    /// Pre-processors, the outermost first.
    pub pre: Box<[u32]>,
    /// Timers, the nearest first.
    pub timers: Box<[u32]>,
    /// Post-processors, the outermost first.
    pub post: Box<[u32]>,
    /// Assertions, the outermost first.
    pub assertions: Box<[u32]>,
    /// Listeners that hear of its samples; not those that hear of a transaction that they are part of.
    pub listeners: Box<[ListenerId]>,
    /// All listeners in scope, which hear of transactions that end with it.
    pub listeners_in_scope: Box<[ListenerId]>,
    /// Reactions to its samples.
    pub reactions: Box<[u32]>,
}

/// What is around a transaction that makes a sample of its own.
#[derive(Debug)]
pub struct TransactionPackage {
    /// Assertions, the nearest first.
    pub assertions: Box<[u32]>,
    /// Listeners.
    pub listeners: Box<[ListenerId]>,
    /// Reactions.
    pub reactions: Box<[u32]>,
}
