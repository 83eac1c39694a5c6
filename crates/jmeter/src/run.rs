//! What all users of a run share.

use std::any::Any;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use double11_jmx::template::Site;
use double11_load::clock::RunClock;

use crate::log::Log;

/// A run of a plan.
#[derive(Debug)]
pub struct Run {
    /// The clock of the run.
    pub clock: RunClock,
    /// The folder of the plan.
    pub folder: PathBuf,
    /// The name of the plan's file.
    pub plan_name: String,
    /// The variables of the environment, for a function that reads them.
    pub environment: HashMap<String, String>,
    /// Where messages go.
    pub log: Log,
    /// `JMeter`'s properties: `-J`, property files, and what functions set.
    pub properties: RwLock<HashMap<String, String>>,
    /// The seed of the users' random numbers.
    pub seed: u64,
    /// When all users end at the latest, but for those that tear down; none when the plan says.
    pub ends: Option<Duration>,
    /// When the users began that neither set up nor tear down.
    pub main_began: OnceLock<Duration>,
    /// When the last of them was through.
    pub main_ended: OnceLock<Duration>,
    /// Users that are running.
    pub active: AtomicU32,
    /// Users that ever began.
    pub started: AtomicU32,
    /// What functions keep for all users, by the place of the call.
    kept: Mutex<HashMap<Site, Arc<dyn Any + Send + Sync>>>,
    /// What functions keep under a name of their own.
    named: Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

impl Run {
    /// A run of the plan in this folder.
    pub fn new(folder: &Path, properties: HashMap<String, String>, seed: u64) -> Self {
        Self {
            clock: RunClock::start(),
            folder: folder.to_owned(),
            plan_name: String::new(),
            environment: HashMap::new(),
            log: Log::default(),
            properties: RwLock::new(properties),
            seed,
            ends: None,
            main_began: OnceLock::new(),
            main_ended: OnceLock::new(),
            active: AtomicU32::new(0),
            started: AtomicU32::new(0),
            kept: Mutex::default(),
            named: Mutex::default(),
        }
    }

    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<String> {
        let properties = self.properties.read();
        let properties = properties.unwrap_or_else(PoisonError::into_inner);
        properties.get(name).cloned()
    }

    /// Sets a property and tells what it was.
    pub fn set_property(&self, name: &str, value: &str) -> Option<String> {
        let properties = self.properties.write();
        let mut properties = properties.unwrap_or_else(PoisonError::into_inner);
        properties.insert(name.to_owned(), value.to_owned())
    }

    /// Users that are running.
    pub fn active(&self) -> u32 {
        self.active.load(Ordering::Relaxed)
    }

    /// What all users share at one call of a function.
    pub fn kept<T: Any + Send + Sync + Default>(&self, site: Site) -> Arc<T> {
        shared(&self.kept, site)
    }

    /// What all users share under a name, such as a file that functions read line by line. The name
    /// begins with the name of the function.
    pub fn named<T: Any + Send + Sync + Default>(&self, name: String) -> Arc<T> {
        shared(&self.named, name)
    }

    /// A file that the plan names: relative names are looked for beside the plan.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn shared<K, T>(all: &Mutex<HashMap<K, Arc<dyn Any + Send + Sync>>>, key: K) -> Arc<T>
where
    K: std::hash::Hash + Eq,
    T: Any + Send + Sync + Default,
{
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = all.entry(key).or_insert_with(|| Arc::new(T::default()));
    match Arc::clone(entry).downcast() {
        Ok(found) => found,
        // Something else is kept there, which names and sites rule out.
        Err(_) => Arc::new(T::default()),
    }
}
