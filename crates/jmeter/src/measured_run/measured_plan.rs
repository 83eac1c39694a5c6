//! A plan with all that decides what it does.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use double11_load::engine::PlanFacts;
use double11_load::schedule::Phase;
use sha2::{Digest as _, Sha256};

use crate::engine::{self, EngineError, Outline};
use crate::plan_file::{self, OpenError, OpenOptions, Opened};
use crate::results::{FormError, RecorderOptions};
use crate::run::Run;

/// The longest that any run lasts, as in the load engine.
const LENGTH_MAX: Duration = Duration::from_hours(7 * 24);
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 16;

/// The phase of the groups that set up; no figure counts it.
const SET_UP: &str = "set_up";
/// The phase until the last user begins; no figure counts it.
const RAMP: &str = "ramp";
/// The phase after it.
const STEADY: &str = "steady";

/// What is set from outside.
#[derive(Debug, Clone, Default)]
pub struct PlanSettings {
    /// `JMeter`'s properties: the built-in ones and those that were given.
    pub properties: HashMap<String, String>,
    /// The variables of the environment, for a function that reads them.
    pub environment: HashMap<String, String>,
    /// When the users end at the latest; `None` when the plan says.
    pub duration: Option<Duration>,
}

/// A plan that can be run as it says, with all that decides what it does.
#[derive(Debug, Clone)]
pub struct MeasuredPlan {
    pub(super) path: PathBuf,
    pub(super) properties: HashMap<String, String>,
    environment: HashMap<String, String>,
    duration: Option<Duration>,
    name: String,
    hash: String,
    users: usize,
    has_arrivals: bool,
    phases: Vec<Phase>,
    /// When all users are to have ended, from the first one's beginning; `None` when their loops say.
    length: Option<Duration>,
}

/// Why a plan is not run.
#[derive(Debug, thiserror::Error)]
pub enum RefusedPlan {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something in it would not be what it says.
    #[error("`{}` cannot be run as it says:{}", path.display(), lines(refusals))]
    NotSupported {
        /// The file.
        path: PathBuf,
        /// What, with lines and reasons.
        refusals: Vec<String>,
    },
    /// A thread group cannot start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A property of result files cannot be followed.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Nothing says when it ends.
    #[error("`{}` has no end: {} loops for ever without a duration", path.display(), quoted(groups))]
    Endless {
        /// The file.
        path: PathBuf,
        /// The thread groups.
        groups: Vec<String>,
    },
    /// It lasts longer than a run may.
    #[error("`{}` lasts longer than a week", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// There is nobody to run it.
    #[error("`{}` has no users", path.display())]
    NoUsers {
        /// The file.
        path: PathBuf,
    },
}

impl MeasuredPlan {
    /// Reads a plan and checks that it can be run as it says, to its end.
    ///
    /// # Errors
    /// [`RefusedPlan`].
    pub fn read(path: &Path, settings: PlanSettings) -> Result<Self, RefusedPlan> {
        let PlanSettings {
            properties,
            environment,
            duration,
        } = settings;
        let mut plan = Self {
            path: path.to_owned(),
            properties,
            environment,
            duration,
            name: String::new(),
            hash: String::new(),
            users: 0,
            has_arrivals: false,
            phases: Vec::new(),
            length: None,
        };
        let opened = plan.open()?;
        let refusals = plan_file::refusals(&opened.report);
        if !refusals.is_empty() {
            let path = plan.path;
            return Err(RefusedPlan::NotSupported { path, refusals });
        }
        let run = Arc::new(plan.run(&opened.folder, 0));
        let mut user = engine::begin(&opened.plan, &run);
        let outline = engine::outline(&opened.plan, &mut user)?;
        plan.name.clone_from(&opened.plan.name);
        plan.hash = plan.hash_of(&opened)?;
        plan.draw_up(&outline)?;
        Ok(plan)
    }

    /// The name that the plan has in its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its content, the files that it includes, and what was set from outside, hashed.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Users that run at a time, at most.
    pub fn users(&self) -> usize {
        self.users
    }

    /// Whether users begin as arrivals come, as many as it takes up to [`Self::users`].
    pub fn has_arrivals(&self) -> bool {
        self.has_arrivals
    }

    /// The phases as they are planned. Of what sets up nobody knows how long it takes.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// How long the users run; `None` when only their loops say.
    pub fn length(&self) -> Option<Duration> {
        self.length
    }

    /// The phase whose figures count.
    pub fn judged(&self) -> &str {
        STEADY
    }

    /// The phases of a run whose users began then.
    pub(super) fn phases_from(&self, began: Duration) -> Vec<Phase> {
        let mut phases = self.phases.clone();
        if let Some(first) = phases.first_mut() {
            // What passes between the start of the clock and the first user is next to nothing.
            if first.name == SET_UP {
                first.duration = began;
            } else {
                first.duration += began;
            }
        }
        phases
    }

    /// When all users are to have ended, on a run's clock, if that is known.
    pub(super) fn ends(&self) -> Option<Duration> {
        let sets_up = self.phases.iter().any(|phase| phase.name == SET_UP);
        self.duration.or(self.length.filter(|_| !sets_up))
    }

    /// How results are written: no summariser talks.
    pub(super) fn results(&self) -> Result<RecorderOptions, crate::results::RecorderError> {
        let mut options = RecorderOptions::of(&|name| self.properties.get(name).cloned())?;
        options.summariser.name = None;
        Ok(options)
    }

    /// A run of the plan.
    pub(super) fn run(&self, folder: &Path, seed: u64) -> Run {
        let mut run = Run::new(folder, self.properties.clone(), seed);
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        run.plan_name = name.to_string_lossy().into_owned();
        run.environment.clone_from(&self.environment);
        run.ends = Some(self.duration.unwrap_or(LENGTH_MAX));
        run
    }

    /// What `run.json` says of the plan.
    pub(super) fn facts(&self) -> PlanFacts {
        PlanFacts {
            name: self.name.clone(),
            hash: self.hash.clone(),
            profile: Some(if self.has_arrivals {
                format!("arrivals of a JMeter plan for at most {} users", self.users)
            } else {
                format!("{} users of a JMeter plan", self.users)
            }),
            ..PlanFacts::default()
        }
    }

    fn open(&self) -> Result<Opened, RefusedPlan> {
        let form = RecorderOptions::of(&|name| self.properties.get(name).cloned())?.form;
        let options = OpenOptions {
            property: &|name| self.properties.get(name).cloned(),
            target: None,
            form: &form,
            witness: None,
        };
        Ok(plan_file::open(&self.path, &options)?)
    }

    fn draw_up(&mut self, outline: &Outline) -> Result<(), RefusedPlan> {
        let path = || self.path.clone();
        if outline.users == 0 {
            return Err(RefusedPlan::NoUsers { path: path() });
        }
        let bound = self.duration;
        if !outline.endless.is_empty() && bound.is_none() {
            let groups = outline.endless.clone();
            return Err(RefusedPlan::Endless {
                path: path(),
                groups,
            });
        }
        let length = match (outline.ends, bound) {
            (Some(own), Some(bound)) => Some(own.min(bound)),
            (own, bound) => own.or(bound),
        };
        let longest = length.unwrap_or(LENGTH_MAX);
        if longest > LENGTH_MAX {
            return Err(RefusedPlan::TooLong { path: path() });
        }
        // Without a known rise, or when it fills the whole time, all of it counts; and where users end by their
        // loops, since most of them may be through before the last one begins.
        let by_time = outline.ends.is_some() || !outline.endless.is_empty();
        let rise = outline.last_begins;
        let rise = rise.filter(|rise| by_time && *rise < longest);
        let rise = rise.unwrap_or_default();
        let mut phases = Vec::new();
        if outline.sets_up {
            phases.push(phase(SET_UP, Duration::ZERO, false));
        }
        if !rise.is_zero() {
            phases.push(phase(RAMP, rise, false));
        }
        phases.push(phase(STEADY, longest.saturating_sub(rise), true));
        self.has_arrivals = outline.has_arrivals;
        self.users = usize::try_from(outline.users).unwrap_or(usize::MAX);
        (self.phases, self.length) = (phases, length);
        Ok(())
    }

    fn hash_of(&self, opened: &Opened) -> Result<String, OpenError> {
        let mut hash = Sha256::new();
        let included = opened.report.includes.iter();
        let included = included.map(|include| opened.folder.join(&include.path));
        hash.update(read(&self.path)?);
        for path in included.filter(|path| path.is_file()) {
            hash.update(read(&path)?);
        }
        let properties: BTreeMap<_, _> = self.properties.iter().collect();
        hash.update(format!("{properties:?} {:?}", self.duration));
        let mut text = String::new();
        for byte in hash.finalize() {
            let _infallible = write!(text, "{byte:02x}");
        }
        text.truncate(HASH_DIGITS);
        Ok(text)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path).map_err(|source| OpenError::Read {
        path: path.to_owned(),
        source,
    })
}

fn phase(name: &str, duration: Duration, measured: bool) -> Phase {
    Phase {
        name: name.to_owned(),
        duration,
        rate: None,
        peak: false,
        measured,
        samples_file: None,
    }
}

/// A line each.
fn lines(refusals: &[String]) -> String {
    let lines = refusals.iter().map(|line| format!("\n  {line}"));
    lines.collect()
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
