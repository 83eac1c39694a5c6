//! Queues between users, of the plugins' Inter-Thread Communication: by name, shared by all of a run.
//!
//! Source: jmeter-plugins.org, `FifoMap`, `FifoPutPostProcessor` and `FifoPopPreProcessor` of jpgc-fifo.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use double11_load::tasks::{self, Signal, StopLevel};

use crate::compiler::Compiler;
use crate::log::Level;
use crate::run::Run;
use crate::user::{Trouble, User};

/// Texts that a queue holds at most, unless a property says fewer. In the plugin only memory bounds them.
const ITEMS_MAX: usize = 1_000_000;

/// The queues of a run.
#[derive(Debug, Default)]
struct Queues(Mutex<HashMap<String, Arc<Queue>>>);

/// A queue of texts.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    items: Mutex<VecDeque<Arc<str>>>,
    /// Tells of texts that were put in.
    changed: Signal,
}

/// `FifoPutPostProcessor`: puts a text into a queue after a sample.
#[derive(Debug)]
pub(super) struct FifoPut {
    queue: Template,
    value: Template,
}

/// `FifoPopPreProcessor`: takes a text out of a queue before a sample, and waits for one.
#[derive(Debug)]
pub(super) struct FifoPop {
    queue: Template,
    variable: Template,
    /// In seconds.
    timeout: Template,
}

impl Queue {
    /// The queue of this name.
    pub(crate) fn of(run: &Run, name: &str) -> Arc<Self> {
        let queues: Arc<Queues> = run.named("__fifo".to_owned());
        let mut queues = queues.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(name.to_owned()).or_default())
    }

    /// Puts a text in; not when the queue is full.
    pub(crate) fn put(&self, run: &Run, value: &str) -> bool {
        let most = run.property("kg.apc.jmeter.functions.FifoCapacity");
        let most = most.and_then(|most| most.trim().parse().ok());
        let most = most.unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
        let mut items = self.items();
        if items.len() >= most {
            return false;
        }
        items.push_back(value.into());
        drop(items);
        self.changed.notify();
        true
    }

    /// The text that comes next, which stays.
    pub(crate) fn peek(&self) -> Option<Arc<str>> {
        self.items().front().cloned()
    }

    /// How many texts are in it.
    pub(crate) fn len(&self) -> usize {
        self.items().len()
    }

    fn take(&self) -> Option<Arc<str>> {
        self.items().pop_front()
    }

    /// Takes the next text, waiting for one until an instant or a stop.
    async fn pop(&self, until: Option<Duration>) -> Option<Arc<str>> {
        loop {
            let count = self.changed.count();
            if let Some(item) = self.take() {
                return Some(item);
            }
            let mut past = std::pin::pin!(self.changed.past(count, until));
            let changed = std::future::poll_fn(|context| {
                if tasks::stop_level() != StopLevel::Running {
                    return Poll::Ready(false);
                }
                past.as_mut().poll(context).map(|past| past == Ok(true))
            });
            if !changed.await {
                return None;
            }
        }
    }

    // What it guards changes in one step; nothing waits with it held.
    fn items(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<str>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FifoPut {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            queue: compiler.property(element, "FifoName"),
            value: compiler.property(element, "Value"),
        }
    }

    pub(super) fn process(&self, user: &mut User) {
        let name = user.render(&self.queue).into_owned();
        let value = user.render(&self.value);
        let run = Arc::clone(&user.run);
        if !Queue::of(&run, &name).put(&run, &value) {
            let text = format!("the queue {name} is full; `{value}` was not put in");
            run.log.line(Level::Warn, "FifoPutPostProcessor", &text);
        }
    }
}

impl FifoPop {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        Self {
            queue: compiler.property(element, "FifoName"),
            variable: compiler.property(element, "Variable"),
            timeout: compiler.property(element, "Timeout"),
        }
    }

    /// Sets the variable to the next text, which takes until `ends` at most; without one it is taken
    /// away, as `JMeter` sets it to null.
    pub(super) async fn process(&self, user: &mut User, ends: Option<Duration>) {
        let name = user.render(&self.queue).into_owned();
        let mut timeout = user.render(&self.timeout).trim().to_owned();
        if timeout.is_empty() {
            let property = user.run.property("kg.apc.jmeter.functions.FifoTimeout");
            property.unwrap_or_default().trim().clone_into(&mut timeout);
        }
        let mut until = ends;
        if !timeout.is_empty() {
            let Ok(seconds) = timeout.parse::<u64>() else {
                let text = format!("FifoPopPreProcessor: For input string: \"{timeout}\"");
                user.trouble.get_or_insert(Trouble::Failed(text));
                return;
            };
            let now = user.run.clock.now();
            let timed_out = now.saturating_add(Duration::from_secs(seconds));
            until = Some(ends.map_or(timed_out, |ends| ends.min(timed_out)));
        }
        let queue = Queue::of(&user.run, &name);
        let item = queue.pop(until).await;
        let variable = user.render(&self.variable);
        match item {
            Some(item) => user.variables.set(&variable, item),
            None => user.variables.remove(&variable),
        }
    }
}
