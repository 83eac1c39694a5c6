//! From a plan's file to its run, in the order in which a command line needs it.
//!
//! [`open`] reads and compiles, and tells all problems at once; [`Session::run`] opens the files and runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use double11_jmx::document::{self, Document, Limits, ReadError};

use crate::compiler::{Compiler, Problem};
use crate::engine::{self, EngineError, EngineOptions, StopHandle, Summary};
use crate::http::{HttpSettings, SettingsError};
use crate::log::Log;
use crate::plan::{self, Plan, PlanOptions};
use crate::results::{Line, Outcome, Recorder, RecorderError, RecorderOptions};
use crate::run::Run;
use crate::user::User;

/// What a run is told from outside.
#[derive(Debug)]
pub struct SessionOptions {
    /// `JMeter`'s properties.
    pub properties: HashMap<String, String>,
    /// Java's properties, where those of `JMeter` say nothing.
    pub system_properties: HashMap<String, String>,
    /// The variables of the environment.
    pub environment: HashMap<String, String>,
    /// Where every request goes instead, if anywhere.
    pub target: Option<String>,
    /// The seed of the users' random numbers.
    pub seed: u64,
    /// Threads for users, if so many and no others are to be used.
    pub workers: Option<usize>,
    /// What becomes of samples.
    pub recorder: RecorderOptions,
    /// Where messages go.
    pub log: Log,
}

/// A plan made ready, and what it is run with.
#[derive(Debug)]
pub struct Session {
    plan: Arc<Plan>,
    user: User,
    problems: Vec<Problem>,
    recorder: RecorderOptions,
    engine: EngineOptions,
}

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The file cannot be read.
    #[error("cannot read the plan `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no plan.
    #[error("`{}` is not a plan that can be read", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Results cannot be written.
    #[error(transparent)]
    Recorder(#[from] RecorderError),
    /// The run could not go on.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Reads the document of a plan.
///
/// # Errors
/// [`SessionError::File`] and [`SessionError::Document`].
pub fn read(path: &Path) -> Result<Document, SessionError> {
    let bytes = std::fs::read(path).map_err(|source| SessionError::File {
        path: path.to_owned(),
        source,
    })?;
    document::read(&bytes, Limits::STANDARD).map_err(|source| SessionError::Document {
        path: path.to_owned(),
        source,
    })
}

/// Makes a plan ready. Problems do not end this: [`Session::problems`] has them all.
///
/// # Errors
/// [`SessionError`] when the file is no plan, or a setting cannot be used.
pub fn open(path: &Path, options: SessionOptions) -> Result<Session, SessionError> {
    let document = read(path)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut compiler = Compiler::new(&folder);
    let property = |name: &str| {
        let own = options.properties.get(name);
        own.or_else(|| options.system_properties.get(name)).cloned()
    };
    let http = HttpSettings::new(&property, options.target.as_deref(), &mut compiler)?;
    let include = |path: &Path| {
        let document = read(path).map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        });
        document.map(|document| document.root)
    };
    let plan_options = PlanOptions {
        http: &Arc::new(http),
        form: &options.recorder.form,
        needs: options.recorder.form.needs(),
        include_prefix: &property("includecontroller.prefix").unwrap_or_default(),
        include: &include,
    };
    let plan = plan::compile(&document.root, &plan_options, &mut compiler);
    let mut run = Run::new(&folder, options.properties, options.seed);
    let name = path.file_name().unwrap_or_default();
    run.plan_name = name.to_string_lossy().into_owned();
    run.environment = options.environment;
    run.log = options.log;
    let user = engine::begin(&plan, &Arc::new(run));
    Ok(Session {
        plan: Arc::new(plan),
        user,
        problems: compiler.problems().to_vec(),
        recorder: options.recorder,
        engine: EngineOptions {
            workers: options.workers,
        },
    })
}

impl Session {
    /// What of the plan cannot be run as it says; what is run leaves it out.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What all users share.
    pub fn shared(&self) -> &Arc<Run> {
        &self.user.run
    }

    /// Runs the plan to its end, or until `stop` ends it; `output` is called with lines of talk.
    ///
    /// # Errors
    /// [`SessionError`] when a file cannot be opened, a thread group not be started, or results not be
    /// written to the end.
    pub fn run(
        mut self,
        stop: &StopHandle,
        output: Box<dyn FnMut(Line) + Send>,
    ) -> Result<(Summary, Outcome), SessionError> {
        engine::check(&self.plan, &mut self.user)?;
        let listeners = &self.plan.elements.listeners;
        let mut recorder = Recorder::start(self.recorder, listeners, &mut self.user, output)?;
        let summary = engine::run(&self.plan, self.user, &mut recorder, stop, self.engine);
        let outcome = recorder.finish();
        Ok((summary?, outcome?))
    }
}
