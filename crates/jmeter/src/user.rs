//! One virtual user's memory: its variables, its random numbers, and what elements keep for it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use double11_jmx::template::Site;
use double11_load::random::Stream;

use crate::run::Run;
use crate::sample::SampleResult;

/// A virtual user: what `JMeter` calls a thread.
#[derive(Debug)]
pub struct User {
    /// The run it belongs to.
    pub run: Arc<Run>,
    /// The name of its thread group.
    pub group: Arc<str>,
    /// Its number within the thread group, from 1.
    pub number: u32,
    /// The iteration of its thread group that it is in, from 1; zero before the first.
    pub iteration: u32,
    /// The name in result files: `Group 1-1`.
    pub thread_name: Arc<str>,
    /// Its variables.
    pub variables: Variables,
    /// Its random numbers.
    pub random: Stream,
    /// What its last sampler brought.
    pub previous: Option<Rc<SampleResult>>,
    /// The name of the sampler that runs, filled in.
    pub sampler: Arc<str>,
    /// What a function met with that stops the user or its sampler; whoever filled in a text takes it.
    pub trouble: Option<Trouble>,
    /// The request that comes next, when a pre-processor has changed it.
    pub(crate) draft: Option<Box<crate::http::Draft>>,
    /// When the request that is under way is cut, on the run's clock.
    pub(crate) cut_at: Option<std::time::Duration>,
    /// How many texts made while the plan runs hold the one that is filled in.
    pub(crate) depth: u32,
    /// What elements keep, by their number.
    states: Vec<Option<Box<dyn Any>>>,
    /// What functions keep for all their calls.
    types: HashMap<TypeId, Box<dyn Any>>,
    /// What functions keep, by the place of the call.
    sites: HashMap<Site, Box<dyn Any>>,
}

/// What a function met with instead of yielding a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// An exception in `JMeter`: the sampler does not run and leaves no sample; the text is for the log.
    Failed(String),
    /// The user ends, as at the end of a sequence of files.
    StopThread(String),
}

/// A number under which a user keeps something for one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateId(pub(crate) u32);

/// Variables by name.
#[derive(Debug, Clone, Default)]
pub struct Variables(HashMap<Box<str>, Arc<str>>);

impl Variables {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: impl Into<Arc<str>>) {
        match self.0.get_mut(name) {
            Some(own) => *own = value.into(),
            None => drop(self.0.insert(name.into(), value.into())),
        }
    }

    /// Takes a variable away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl User {
    /// User number `number` (from 1) of group number `group_number` (from 1), called `group`.
    pub fn new(run: &Arc<Run>, group: &str, group_number: u32, number: u32) -> Self {
        let thread = (u64::from(group_number) << 32) | u64::from(number);
        Self {
            run: Arc::clone(run),
            group: group.into(),
            number,
            iteration: 0,
            thread_name: format!("{group} {group_number}-{number}").into(),
            variables: Variables::default(),
            random: Stream::of_shopper(run.seed, thread),
            previous: None,
            sampler: Arc::from(""),
            trouble: None,
            draft: None,
            cut_at: None,
            depth: 0,
            states: Vec::new(),
            types: HashMap::new(),
            sites: HashMap::new(),
        }
    }

    /// What this user keeps for an element; made by `make` at first.
    ///
    /// # Panics
    /// Never: what is kept is replaced when it is of another type.
    pub fn state<T: Any>(&mut self, id: StateId, make: impl FnOnce() -> T) -> &mut T {
        let index = id.0 as usize;
        if self.states.len() <= index {
            self.states.resize_with(index + 1, || None);
        }
        let slot = &mut self.states[index];
        if !slot.as_ref().is_some_and(|kept| kept.is::<T>()) {
            *slot = Some(Box::new(make()));
        }
        let kept = slot.as_mut().and_then(|kept| kept.downcast_mut());
        kept.expect("the slot was just given a value of this type")
    }

    /// Whether this user keeps something for an element.
    pub fn has_state(&self, id: StateId) -> bool {
        let slot = self.states.get(id.0 as usize);
        slot.is_some_and(Option::is_some)
    }

    /// What this user keeps for one call of a function.
    ///
    /// # Panics
    /// Never: what is kept is replaced when it is of another type.
    pub fn at_site<T: Any + Default>(&mut self, site: Site) -> &mut T {
        let kept = self
            .sites
            .entry(site)
            .or_insert_with(|| Box::new(T::default()));
        if !kept.is::<T>() {
            *kept = Box::new(T::default());
        }
        kept.downcast_mut()
            .expect("the site was just given a value of this type")
    }
    /// What this user keeps by its type alone.
    ///
    /// # Panics
    /// Never: what is kept under a type is of that type.
    pub(crate) fn by_type<T: Any + Default>(&mut self) -> &mut T {
        let kept = self.types.entry(TypeId::of::<T>());
        let kept = kept.or_insert_with(|| Box::new(T::default()));
        kept.downcast_mut()
            .expect("what is kept under a type is of that type")
    }

    /// Forgets what calls in texts keep that were made while the plan runs: each such text is new.
    pub(crate) fn forget_sites_made_while_running(&mut self) {
        self.sites.retain(|site, _| !site.is_made_while_running());
    }
}
