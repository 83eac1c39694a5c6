//! What shoppers do in a rehearsal: a plan of the load engine, or one of `JMeter`.

use std::path::Path;

use double11_jmeter::measured_run::{self, MeasuredError, MeasuredOptions, MeasuredPlan};
use double11_load::engine::{LoadError, Observation, RunAbout, RunOutcome};
use double11_load::plan::Plan;
use double11_load::run_directory::RunDirectory;

use crate::options::RehearsalOptions;
use crate::rehearse::RehearsalError;
use crate::run::{self, Which};

/// What shoppers do.
#[derive(Clone, Debug)]
pub enum RehearsedPlan {
    /// The steps of a plan, walked by the load engine.
    Steps(Box<Plan>),
    /// The virtual users of a `JMeter` plan.
    Jmeter(Box<MeasuredPlan>),
}

impl RehearsedPlan {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Steps(plan) => plan.name(),
            Self::Jmeter(plan) => plan.name(),
        }
    }

    /// Its content, hashed.
    pub fn hash(&self) -> &str {
        match self {
            Self::Steps(plan) => plan.hash(),
            Self::Jmeter(plan) => plan.hash(),
        }
    }

    /// Its steps with their shares; a `JMeter` plan has none.
    pub fn steps(&self) -> Option<&Plan> {
        match self {
            Self::Steps(plan) => Some(plan),
            Self::Jmeter(_) => None,
        }
    }

    /// Runs it against a shop once, into a folder.
    pub(crate) fn run(
        &self,
        options: &RehearsalOptions,
        which: Which<'_>,
        (target, folder): (&str, &Path),
        observer: &mut dyn FnMut(&Observation),
    ) -> Result<RunOutcome, RehearsalError> {
        match self {
            Self::Steps(plan) => {
                let run_options = run::run_options(options, plan, which, target, Some(folder))?;
                Ok(double11_load::run(&run_options, &options.stop, observer)?)
            }
            Self::Jmeter(plan) => {
                let output = RunDirectory::create(folder, true).map_err(LoadError::from)?;
                let measured = MeasuredOptions {
                    target: target.to_owned(),
                    seed: which.seed,
                    workers: Some(1),
                    pin_to: options.generator_cpus.clone(),
                    request_timeout: RehearsalOptions::REQUEST_TIMEOUT,
                    keeps_samples: true,
                    output: Some(output),
                    about: RunAbout {
                        command_line: vec![options.command.clone()],
                        versions: [("double11".to_owned(), options.version.clone())].into(),
                        target_limits: options.limits.map(|held| held.to_string()),
                    },
                };
                let run = measured_run::run(plan, measured, &options.stop, observer);
                run.map_err(|error| match error {
                    MeasuredError::Load(error) => error.into(),
                    error => RehearsalError::Plan(Box::new(error)),
                })
            }
        }
    }
}
