//! `run.json`: what a run was, so that two runs can be told to be comparable.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Ending, RunOutcome};
use crate::engine::keeper::KeptRun;
use crate::engine::{LoadError, LoadModel, RunAbout, RunOptions, SamplePolicy};
use crate::health::GeneratorHealth;
use crate::host::Host;
use crate::plan::{Plan, ProfileOverrides, Write};
use crate::run_directory::RUN;
use crate::schedule::{Phase, Spread};
use crate::shard::Shard;

/// Version of the form of `run.json`.
const SCHEMA_VERSION: u32 = 1;

/// The content of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of this form.
    pub schema_version: u32,
    /// What was walked through.
    pub plan: PlanFacts,
    /// Seed of arrivals and choices.
    pub seed: u64,
    /// Which part of the run this generator made; `None` for all of it. Phases, users and limits are
    /// those of the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What it was merged from; `None` for the run of one generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<MergeFacts>,
    /// What was put under load, without passwords.
    pub target: String,
    /// Names of the headers that every request carried besides the plan's; their values may be
    /// secrets.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What the target was limited to and by what: `0.5 CPU (cgroup v1)`; `None` where nothing was
    /// limited, or that was not known.
    #[serde(default)]
    pub target_limits: Option<String>,
    /// `open-poisson`, `open-even`, `closed`, or `arrivals` of a plan of another program.
    pub model: String,
    /// Virtual users of the closed model.
    pub users: Option<usize>,
    /// The phases in order.
    pub phases: Vec<PhaseFacts>,
    /// Bounds of the run.
    pub limits: LimitFacts,
    /// Which samples the sample files hold: `all`, `errors`, `1:N` or `none`.
    pub samples: String,
    /// Wall-clock time of the start, in microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// Length of the run without the drain, in seconds.
    pub duration_s: f64,
    /// How it ended.
    pub ending: Ending,
    /// Writes by what became of them.
    pub writes: WriteFacts,
    /// Visits that the end of the run cut short.
    pub visits_cut: u64,
    /// The command line.
    pub command_line: Vec<String>,
    /// Versions by name; `double11-load` among them.
    pub versions: BTreeMap<String, String>,
    /// The machine of the generator.
    pub host: Host,
    /// Whether the generator kept up.
    pub generator: GeneratorHealth,
}

/// A plan in `run.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Its name.
    pub name: String,
    /// Its content, hashed.
    pub hash: String,
    /// Names of its steps, in order.
    pub steps: Vec<String>,
    /// Its parameters, with the values they had; they are part of the hash.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Its load profile in words; `None` when it has none.
    #[serde(default)]
    pub profile: Option<String>,
    /// What was used in place of the profile's own values; it is no part of the hash.
    #[serde(default)]
    pub overrides: OverrideFacts,
    /// The steps that write something, and what.
    #[serde(default)]
    pub writes: BTreeMap<String, Write>,
    /// What the steps ask for, where no plan of this program says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, AskedPath>,
}

/// What the requests of a step ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedPath {
    /// The method.
    pub method: String,
    /// The path with `{}` for segments that differ from request to request, without a query.
    pub path: String,
}

/// What was used in place of a profile's own values, in `run.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverrideFacts {
    /// Requests per second at the factor 1.
    pub rate: Option<f64>,
    /// Virtual users at the factor 1.
    pub users: Option<u32>,
    /// Length of the whole, in seconds.
    pub duration_s: Option<f64>,
    /// Length of the ramp before the first phase, in seconds.
    pub ramp_s: Option<f64>,
    /// The one hour that was walked through.
    pub hour: Option<u32>,
    /// How many times faster than in the plan time passed.
    pub time_scale: Option<f64>,
    /// Whether shoppers behaved as at the peak throughout.
    pub peak: bool,
}

/// A phase in `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseFacts {
    /// Its name.
    pub name: String,
    /// Its length in seconds.
    pub duration_s: f64,
    /// Visits per second at its start and its end.
    pub visits_per_second: Option<(f64, f64)>,
    /// Requests per second that it offers on average, if every one succeeds.
    pub offered_per_second: Option<f64>,
    /// Whether shoppers behave as at the peak.
    pub peak: bool,
    /// Whether its figures count.
    pub measured: bool,
}

/// Bounds of a run in `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// Worker threads.
    pub threads: usize,
    /// Processors that they were pinned to; empty when they were not.
    pub pinned_to: Vec<usize>,
    /// Connections at most.
    pub connections: usize,
    /// Requests waiting or running at most.
    pub max_in_flight: usize,
    /// Longest wait for an answer, in seconds.
    pub request_timeout_s: f64,
    /// Longest wait for a connection, in seconds.
    pub connect_timeout_s: f64,
}

/// Writes of a run in `run.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteFacts {
    /// With a success status.
    pub acknowledged: u64,
    /// Definitely refused.
    pub refused: u64,
    /// Nobody can say from here.
    pub unknown: u64,
}

/// The shards that a run was merged from, in `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeFacts {
    /// How many shards the run has.
    pub shards: u32,
    /// Numbers of those that are not in it; empty for a whole run.
    pub missing: Vec<u32>,
    /// By how much the last shard began later than the first, in seconds.
    pub start_spread_s: f64,
    /// Those that are in it, by number.
    pub parts: Vec<PartFacts>,
}

/// One shard of a merged run, in `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartFacts {
    /// Which one.
    pub shard: Shard,
    /// Its run directory, as it was named.
    pub directory: String,
    /// Wall-clock time of its start, in microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// Length of its run without the drain, in seconds.
    pub duration_s: f64,
    /// How it ended.
    pub ending: Ending,
    /// Whether its generator was the bottleneck.
    pub generator_limited: bool,
    /// Its command line.
    pub command_line: Vec<String>,
    /// The machine of its generator.
    pub host: Host,
}

impl RunManifest {
    pub(super) fn new(options: &RunOptions, outcome: &RunOutcome) -> Self {
        let (model, users) = match options.model {
            LoadModel::Open {
                spread: Spread::Poisson,
            } => ("open-poisson", None),
            LoadModel::Open {
                spread: Spread::Even,
            } => ("open-even", None),
            LoadModel::Closed { users } => ("closed", Some(users)),
        };
        Self {
            schema_version: SCHEMA_VERSION,
            plan: PlanFacts::new(&options.plan),
            seed: options.seed,
            shard: (!options.shard.is_whole()).then_some(options.shard),
            merged: None,
            target: options.target.to_string(),
            headers: options.target.headers().names(),
            target_limits: options.about.target_limits.clone(),
            model: model.to_owned(),
            users,
            phases: options
                .phases
                .iter()
                .map(|phase| PhaseFacts::new(options, phase))
                .collect(),
            limits: LimitFacts {
                threads: outcome.health.threads,
                pinned_to: options.pin_to.clone(),
                connections: options.connections,
                max_in_flight: options.max_in_flight,
                request_timeout_s: options.request_timeout.as_secs_f64(),
                connect_timeout_s: options.connect_timeout.as_secs_f64(),
            },
            samples: match options.samples {
                SamplePolicy::All => "all".to_owned(),
                SamplePolicy::Errors => "errors".to_owned(),
                SamplePolicy::OneIn(n) => format!("1:{n}"),
                SamplePolicy::None => "none".to_owned(),
            },
            started_unix_us: outcome.started.get(),
            duration_s: outcome.duration.as_secs_f64(),
            ending: outcome.ending,
            writes: WriteFacts::of(outcome),
            visits_cut: outcome.visits_cut,
            command_line: options.about.command_line.clone(),
            versions: versions(&options.about),
            host: Host::look(),
            generator: outcome.health.clone(),
        }
    }
}

/// A run that another engine made, on its way into `run.json`.
pub(in crate::engine) struct KeptManifest<'a>(pub(in crate::engine) &'a KeptRun);

impl KeptManifest<'_> {
    /// The content of `run.json`; the steps are those that were seen.
    pub(in crate::engine) fn of(&self, outcome: &RunOutcome) -> RunManifest {
        let run = self.0;
        let steps = outcome.summary.whole.steps.iter();
        RunManifest {
            schema_version: SCHEMA_VERSION,
            plan: PlanFacts {
                steps: steps.map(|step| step.step.clone()).collect(),
                writes: outcome.writes.iter().cloned().collect(),
                asked: outcome.asked.clone(),
                ..run.plan.clone()
            },
            seed: run.seed,
            shard: None,
            merged: None,
            target_limits: run.about.target_limits.clone(),
            target: run.target.clone(),
            headers: Vec::new(),
            model: if run.has_arrivals {
                "arrivals"
            } else {
                "closed"
            }
            .to_owned(),
            users: (!run.has_arrivals).then_some(run.users),
            phases: run.phases.iter().map(PhaseFacts::of_kept).collect(),
            limits: LimitFacts {
                threads: run.threads,
                pinned_to: run.pin_to.clone(),
                connections: run.users,
                max_in_flight: run.users,
                request_timeout_s: run.request_timeout.as_secs_f64(),
                connect_timeout_s: run.connect_timeout.as_secs_f64(),
            },
            samples: run.samples.clone(),
            started_unix_us: outcome.started.get(),
            duration_s: outcome.duration.as_secs_f64(),
            ending: outcome.ending,
            writes: WriteFacts::of(outcome),
            visits_cut: outcome.visits_cut,
            command_line: run.about.command_line.clone(),
            versions: versions(&run.about),
            host: Host::look(),
            generator: outcome.health.clone(),
        }
    }
}

/// Versions by name, ours among them.
fn versions(about: &RunAbout) -> BTreeMap<String, String> {
    let mut versions = about.versions.clone();
    let own = env!("CARGO_PKG_VERSION").to_owned();
    versions.insert("double11-load".to_owned(), own);
    versions
}

impl WriteFacts {
    fn of(outcome: &RunOutcome) -> Self {
        Self {
            acknowledged: outcome.writes_acknowledged,
            refused: outcome.writes_refused,
            unknown: outcome.writes_unknown,
        }
    }
}

impl PlanFacts {
    fn new(plan: &Plan) -> Self {
        Self {
            name: plan.name().to_owned(),
            hash: plan.hash().to_owned(),
            steps: plan.steps().iter().map(|step| step.name.clone()).collect(),
            parameters: plan.parameters().clone(),
            profile: plan.profile().map(ToString::to_string),
            overrides: OverrideFacts::new(plan.overrides()),
            writes: plan.writes().into_iter().collect(),
            asked: BTreeMap::new(),
        }
    }
}

impl OverrideFacts {
    fn new(overrides: &ProfileOverrides) -> Self {
        Self {
            rate: overrides.rate,
            users: overrides.users,
            duration_s: overrides.duration.map(|duration| duration.as_secs_f64()),
            ramp_s: overrides.ramp.map(|ramp| ramp.as_secs_f64()),
            hour: overrides.hour,
            time_scale: overrides.time_scale,
            peak: overrides.peak,
        }
    }
}

impl PhaseFacts {
    fn of_kept(phase: &Phase) -> Self {
        Self {
            name: phase.name.clone(),
            duration_s: phase.duration.as_secs_f64(),
            visits_per_second: None,
            offered_per_second: None,
            peak: phase.peak,
            measured: phase.measured,
        }
    }

    fn new(options: &RunOptions, phase: &Phase) -> Self {
        Self {
            name: phase.name.clone(),
            duration_s: phase.duration.as_secs_f64(),
            visits_per_second: options.visit_rate(phase).map(|ramp| (ramp.from, ramp.to)),
            offered_per_second: options.offered_per_second(phase),
            peak: phase.peak,
            measured: phase.measured,
        }
    }
}

/// Reads the `run.json` of a run directory.
///
/// # Errors
/// [`LoadError::System`] when it is not there or not of this form.
pub fn read_manifest(directory: &Path) -> Result<RunManifest, LoadError> {
    let read =
        std::fs::read(directory.join(RUN)).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
    read.map_err(|source| LoadError::System {
        what: "to read `run.json`",
        source,
    })
}
