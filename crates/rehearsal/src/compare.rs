//! Two finished runs side by side: run directories of ours, or sample files of anybody's.
//!
//! Nothing is run here. What must not be compared is not judged: the report says why, and its outcome
//! is that it cannot be judged.

mod comparable;
mod input;

use std::path::{Path, PathBuf};
use std::time::Duration;

use double11_report::model::{
    FileFact, FileKind, HostFacts, ImprovementReport, MethodFacts, Outcome, PlanFacts, RunFacts,
    RunReport, Source, TimeBasis,
};

use crate::files::rfc3339;
use crate::report_of::comparison::{self, PairOfPhases};
use crate::{clock, report_of::phases};

pub use input::InputError;
use input::{Input, Kind};

/// What is compared, and what the report is to say of how.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// The runs of the plainer side: run directories, or JTL files.
    pub baseline: Vec<PathBuf>,
    /// Those of the other side, as many; the first of both make the first pair, and so on.
    pub optimized: Vec<PathBuf>,
    /// The phase that is judged; without it the busiest one that both have.
    pub phase: Option<String>,
    /// The command line that repeats it.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Commit that the program was built from.
    pub git_commit: Option<String>,
}

/// Why there is no comparison.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A run could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The sides have not the same number of runs.
    #[error("{baseline} runs of the baseline and {optimized} of the optimised shop make no pairs")]
    Unpaired {
        /// Runs of the plainer side.
        baseline: usize,
        /// Runs of the other side.
        optimized: usize,
    },
    /// A run directory on one side and a sample file on the other.
    #[error("`{}` is a run directory and `{}` is not: their figures are not of one kind", directory.display(), file.display())]
    Mixed {
        /// The directory.
        directory: PathBuf,
        /// The file.
        file: PathBuf,
    },
    /// A run is given more than once on one side, so that its pairs would not be independent.
    #[error("`{}` is given more than once", path.display())]
    Repeated {
        /// The run.
        path: PathBuf,
    },
    /// A run has no phase of that name.
    #[error("`{}` has no phase `{phase}`; it has {known}", path.display())]
    NoSuchPhase {
        /// The run.
        path: PathBuf,
        /// The phase that was asked for.
        phase: String,
        /// The phases it has.
        known: String,
    },
}

/// Reads both sides and compares them.
///
/// # Errors
/// [`CompareError`] when a run cannot be read or the two sides do not go together in number or kind.
/// Runs that must not be compared are no error; they are in the report.
pub fn compare(options: &CompareOptions) -> Result<ImprovementReport, CompareError> {
    let started = clock::now();
    let watch = clock::steady();
    if options.baseline.len() != options.optimized.len() || options.baseline.is_empty() {
        return Err(CompareError::Unpaired {
            baseline: options.baseline.len(),
            optimized: options.optimized.len(),
        });
    }
    once_each(&options.baseline)?;
    once_each(&options.optimized)?;
    let names = names(options);
    let mut pairs = Vec::new();
    for (baseline, optimized) in options.baseline.iter().zip(&options.optimized) {
        // Two large files are read at once where there are two processors.
        let (baseline, optimized) = std::thread::scope(|scope| {
            let other = scope.spawn(|| input::read(optimized, &names[1]));
            let this = input::read(baseline, &names[0]);
            (this, other.join())
        });
        let optimized = match optimized {
            Ok(optimized) => optimized,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        pairs.push([baseline?, optimized?]);
    }
    let all: Vec<&Input> = pairs.iter().flatten().collect();
    same_kind(&all)?;
    let judged = judged(options, &all)?;
    let mut report = report(options, &pairs, &judged);
    report.run.started_at = rfc3339(started);
    report.run.duration_s = Some(watch.elapsed().as_secs_f64());
    double11_report::conclude(&mut report);
    Ok(report)
}

/// A run that stands in several pairs would make chance look smaller than it is.
fn once_each(runs: &[PathBuf]) -> Result<(), CompareError> {
    let mut seen = Vec::new();
    for path in runs {
        // What cannot be resolved cannot be read either, which the reader says better.
        let resolved = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.contains(&resolved) {
            return Err(CompareError::Repeated { path: path.clone() });
        }
        seen.push(resolved);
    }
    Ok(())
}

/// What the sides are called: as the folders or files of the first pair, if these tell them apart.
fn names(options: &CompareOptions) -> [String; 2] {
    let name = |runs: &[PathBuf]| {
        let stem = runs.first().and_then(|path| path.file_stem());
        let stem = stem.map(|stem| stem.to_string_lossy().into_owned());
        stem.map(|stem| variant_of(&stem).to_owned())
    };
    match (name(&options.baseline), name(&options.optimized)) {
        (Some(baseline), Some(optimized)) if baseline != optimized => [baseline, optimized],
        _ => ["baseline".to_owned(), "optimized".to_owned()],
    }
}

/// `baseline` of `1-a-baseline`, as a rehearsal names the folder of a run.
fn variant_of(stem: &str) -> &str {
    let mut parts = stem.splitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(pair), Some("a" | "b"), Some(variant)) if pair.parse::<u32>().is_ok() => variant,
        _ => stem,
    }
}

fn same_kind(all: &[&Input]) -> Result<(), CompareError> {
    let find = |directory: bool| {
        all.iter()
            .find(|input| matches!(input.kind, Kind::Directory(_)) == directory)
    };
    match (find(true), find(false)) {
        (Some(directory), Some(file)) => Err(CompareError::Mixed {
            directory: directory.path.clone(),
            file: file.path.clone(),
        }),
        _ => Ok(()),
    }
}

/// The phase that is judged: the one that was asked for, else the busiest measured one of the first
/// run that every run has.
fn judged(options: &CompareOptions, all: &[&Input]) -> Result<String, CompareError> {
    if let Some(wanted) = &options.phase {
        for input in all {
            if input.summary.phase(wanted).is_none() {
                let known = input.summary.phases.iter();
                let known: Vec<_> = known.map(|phase| phase.name.as_str()).collect();
                return Err(CompareError::NoSuchPhase {
                    path: input.path.clone(),
                    phase: wanted.clone(),
                    known: known.join(", "),
                });
            }
        }
        return Ok(wanted.clone());
    }
    let first = all.first().map(|input| &input.summary);
    let shared = first
        .into_iter()
        .flat_map(|summary| &summary.phases)
        .filter(|phase| phase.measured)
        .filter(|phase| {
            all.iter()
                .all(|input| input.summary.phase(&phase.name).is_some())
        });
    let busiest = shared.reduce(|best, next| {
        if next.offered_per_second > best.offered_per_second {
            next
        } else {
            best
        }
    });
    Ok(busiest.map_or_else(String::new, |phase| phase.name.clone()))
}

fn report(options: &CompareOptions, pairs: &[[Input; 2]], judged: &str) -> ImprovementReport {
    let phases = |input: &Input| {
        let phase = input.summary.phase(judged)?;
        Some(phases::phase(phase, input.beside()))
    };
    let of_pairs: Vec<PairOfPhases> = pairs
        .iter()
        .map(|[baseline, optimised]| PairOfPhases {
            baseline: phases(baseline),
            optimised: phases(optimised),
        })
        .collect();
    let runs = pairs.iter().zip(1..).flat_map(|(pair, number)| {
        pair.iter().map(move |input| RunReport {
            pair: number,
            variant: input.name.clone(),
            folder: input.path.display().to_string(),
            judged: phases(input),
            audit_passed: input.audit_passed(),
            cross_check_failed: input.cross_check_failed(),
            generator_limited: input.as_directory().map(|_| input.generator_limited()),
        })
    });
    let runs: Vec<RunReport> = runs.collect();
    let first = pairs.first();
    let sides = || first.into_iter().flatten();
    ImprovementReport {
        schema_version: double11_report::model::SCHEMA_VERSION,
        run: RunFacts {
            started_at: String::new(),
            duration_s: None,
            command: options.command.clone(),
            seed: sides().find_map(Input::seed).unwrap_or_default(),
            version: options.version.clone(),
            git_commit: options.git_commit.clone(),
        },
        host: sides().next().map_or_else(unknown_host, Input::host),
        plan: sides().next().map_or_else(unknown_plan, Input::plan),
        variants: sides().map(|input| input.variant(judged)).collect(),
        comparison: Some(comparison::comparison(&of_pairs)),
        incomparable: comparable::incomparable(pairs),
        capacity: Vec::new(),
        ladder: None,
        improvement: Vec::new(),
        outcome: Outcome::CannotJudge,
        sentence: String::new(),
        findings: sides().flat_map(|input| input.findings(judged)).collect(),
        warnings: pairs.iter().flatten().flat_map(Input::warnings).collect(),
        method: method(pairs, &runs, judged),
        runs,
    }
}

fn method(pairs: &[[Input; 2]], runs: &[RunReport], judged: &str) -> MethodFacts {
    let samples_only = pairs
        .iter()
        .flatten()
        .any(|input| matches!(input.kind, Kind::Samples(_)));
    let warm_up = pairs.iter().flatten().next().map(|input| {
        let phases = input.summary.phases.iter();
        phases
            .filter(|phase| !phase.measured)
            .map(|phase| phase.duration_s)
            .sum()
    });
    MethodFacts {
        source: if samples_only {
            Source::SampleFiles
        } else {
            Source::RunDirectories
        },
        time_basis: if samples_only {
            TimeBasis::ServiceTimeOnly
        } else {
            TimeBasis::ResponseTime
        },
        pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
        order: runs.iter().map(|run| run.variant.clone()).collect(),
        run_folders: runs.iter().map(|run| run.folder.clone()).collect(),
        judged_phase: judged.to_owned(),
        warm_up_s: warm_up.filter(|_| !samples_only),
        files: runs
            .iter()
            .map(|run| FileFact {
                name: run.folder.clone(),
                what: if samples_only {
                    FileKind::Samples
                } else {
                    FileKind::Runs
                },
            })
            .collect(),
    }
}

/// A sample file does not say where it was made.
fn unknown_host() -> HostFacts {
    HostFacts {
        cpu_model: None,
        logical_cpus: None,
        memory_bytes: None,
        operating_system: None,
        kernel: None,
        file_system: None,
        fdatasync_ms: None,
        shop_cpus: None,
        generator_cpus: None,
        shop_limits: None,
    }
}

fn unknown_plan() -> PlanFacts {
    PlanFacts {
        name: String::new(),
        hash: None,
        normal_per_second: None,
        connections: None,
        max_in_flight: None,
        request_timeout_ms: Duration::ZERO.as_secs_f64(),
        products: None,
        payment_window_s: None,
        store: None,
    }
}

/// Whether a path is a run directory of ours.
pub(crate) fn is_run_directory(path: &Path) -> bool {
    path.join(double11_load::run_directory::RUN).is_file()
}

#[cfg(test)]
mod tests {
    use super::{CompareOptions, names, variant_of};

    #[test]
    fn the_sides_have_names_of_their_own() {
        let named = |baseline: &str, optimized: &str| {
            names(&CompareOptions {
                baseline: vec![baseline.into()],
                optimized: vec![optimized.into()],
                phase: None,
                command: String::new(),
                version: String::new(),
                git_commit: None,
            })
        };
        assert_eq!(
            named("r/1-a-baseline", "r/1-b-tuned/"),
            ["baseline", "tuned"]
        );
        assert_eq!(named("before.jtl", "after.jtl"), ["before", "after"]);
        assert_eq!(named("a/run.jtl", "b/run.jtl"), ["baseline", "optimized"]);
        assert_eq!(variant_of("x-a-baseline"), "x-a-baseline");
    }
}
