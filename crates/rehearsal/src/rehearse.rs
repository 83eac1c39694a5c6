//! The whole: every run in turn, then one report.

use std::path::PathBuf;
use std::time::Instant;

use double11_jmeter::measured_run::MeasuredError;
use double11_load::schedule::{Ramp, Rate};
use double11_report::model::{
    CapacityProbe, CapacityReport, Finding, FindingKind, HostFacts, ImprovementReport, Ladder,
    Outcome, RunReport, VariantReport, Warning,
};

use double11_units::{UnixMicros, errors};

use crate::capacity;
use crate::child::ShopError;
use crate::files::{FilesError, Folders};
use crate::options::{Event, Observer, RehearsalOptions, Side};
use crate::prometheus::{self, PrometheusFailure, Scraping};
use crate::report_of::comparison::{self, PairOfPhases};
use crate::report_of::{facts, remarks};
use crate::run::{self, Origin, Run, Which};
use crate::seen::{self, Seen};
use crate::store::StoreFailure;
use crate::watched::Watched;
use crate::{clock, host, ladder, publish};

/// What a rehearsal left behind.
#[derive(Debug)]
pub struct Rehearsal {
    /// Everything that the report shows.
    pub report: ImprovementReport,
    /// The page.
    pub page: PathBuf,
    /// The folder with every run.
    pub kept: PathBuf,
    /// Where the first pair is in a Prometheus that watched both of its runs.
    pub watched: Option<Watched>,
}

/// Why a rehearsal came to no report. What was measured until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The folders cannot be used.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A shop did not start or stop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// A run got no fresh store.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The load generator could not run.
    #[error("the load generator could not run")]
    Load(#[from] double11_load::engine::LoadError),
    /// A `JMeter` plan could not be run.
    #[error("the JMeter plan could not be run")]
    Plan(#[source] Box<MeasuredError>),
    /// A rate is to be tried with a plan whose users have none.
    #[error("the users of a JMeter plan have no rate that could be tried")]
    NoRate,
    /// A store could not be audited.
    #[error("a store could not be audited")]
    Audit(#[from] double11_audit::AuditError),
    /// A file could not be written.
    #[error("`{}` could not be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of a run could not be read back.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The operating system gave no thread.
    #[error("the operating system gave no thread")]
    Thread(#[source] std::io::Error),
    /// There is no Prometheus, or none that scrapes.
    #[error(transparent)]
    Prometheus(#[from] PrometheusFailure),
    /// Somebody asked for an early end.
    #[error("interrupted; what was measured is in `{}`", kept.display())]
    Interrupted {
        /// The folder of the interrupted run.
        kept: PathBuf,
    },
}

/// Rehearses: pairs of runs, the search for capacities and the ladder where they are asked for, and
/// the report.
///
/// # Errors
/// [`RehearsalError`] when a part of it could not be carried out. Missed targets are no errors; they
/// are in the report.
pub fn rehearse(
    options: &RehearsalOptions,
    observer: &dyn Observer,
) -> Result<Rehearsal, RehearsalError> {
    let folders = Folders::create(&options.out, clock::now())?;
    let scraping = options
        .prometheus
        .as_ref()
        .map(|source| Scraping::start(source, &folders.kept.join("prometheus"), options))
        .transpose()?;
    let mut conductor = Conductor {
        options,
        observer,
        started: clock::now(),
        watch: clock::steady(),
        folders,
        scraping,
        seen: Vec::new(),
        findings: Vec::new(),
        warnings: Vec::new(),
    };
    let host = conductor.look_at_the_host();
    match conductor.conduct(&host) {
        // Whatever failed while an end was asked for is that end.
        Err(_) if options.stop.is_stopping() => Err(RehearsalError::Interrupted {
            kept: conductor.folders.kept,
        }),
        result => result,
    }
}

/// A rehearsal that is under way.
struct Conductor<'rehearsal> {
    options: &'rehearsal RehearsalOptions,
    observer: &'rehearsal dyn Observer,
    started: UnixMicros,
    watch: Instant,
    folders: Folders,
    /// The Prometheus that scrapes the shops; stopped when the rehearsal ends.
    scraping: Option<Scraping>,
    seen: Vec<Seen>,
    findings: Vec<Finding>,
    warnings: Vec<Warning>,
}

impl Conductor<'_> {
    fn look_at_the_host(&mut self) -> HostFacts {
        let options = self.options;
        if options.owns_the_shops() && shares_cores(options) {
            let text = "the shop and the load generator share a core, and disturb each other";
            self.observer.event(Event::Warning { text });
            self.warnings.push(Warning::SharedCore);
        }
        self.look_at_the_plan();
        host::facts(
            &self.folders.kept,
            &options.shop_cpus,
            &options.generator_cpus,
            options.limits,
        )
    }

    /// The plans of this program either begin with a warm-up or are known not to.
    fn look_at_the_plan(&mut self) {
        let plan = &self.options.plan;
        let mut phases = self.options.schedule.phases.iter();
        if plan.steps().is_none() && phases.all(|phase| phase.measured) {
            let name = plan.name();
            let text = format!("the users of `{name}` begin all at once: no warm-up is left out");
            self.observer.event(Event::Warning { text: &text });
            self.warnings.push(Warning::Other { text });
        }
    }

    fn conduct(&mut self, host: &HostFacts) -> Result<Rehearsal, RehearsalError> {
        let options = self.options;
        let mut first = Vec::new();
        for number in 1..=options.pairs {
            self.observer.event(Event::Pair {
                number,
                of: options.pairs,
            });
            for (position, side) in order(number)
                .into_iter()
                .zip(['a', 'b'])
                .map(|(at, letter)| (letter, &options.sides[at]))
            {
                let run = self.run(number, position, side)?;
                if number == 1 {
                    let report = seen::variant(options, &run);
                    first.push((run, report));
                }
            }
        }
        if options.capacity.is_some() || !options.ladder.is_empty() {
            // The pairs are what counts: their report is there whatever becomes of the rest.
            let pairs_only = self.report(host, &first, Vec::new(), None);
            self.publish(&first, &pairs_only)?;
        }
        let capacity = self.capacities(&first);
        let ladder = self.ladder();
        if self.options.stop.is_stopping() {
            return Err(RehearsalError::Interrupted {
                kept: self.folders.kept.clone(),
            });
        }
        let report = self.report(host, &first, capacity, ladder);
        self.publish(&first, &report)?;
        Ok(Rehearsal {
            report,
            page: self.folders.out.join(publish::PAGE),
            kept: self.folders.kept.clone(),
            watched: self.watched(&first),
        })
    }

    fn watched(&self, first: &[(Run, VariantReport)]) -> Option<Watched> {
        let [before, after] = &self.options.sides;
        let traffic = |side: &Side| {
            let (run, _) = first.iter().find(|(run, _)| run.variant == side.name())?;
            run.prometheus.as_ref()?.check.target.as_ref()?;
            let series = &run.outcome.time_series;
            let start = UnixMicros::new(series.start_unix_ms?.saturating_mul(1_000));
            Some((start, prometheus::end_of(&run.outcome)))
        };
        Some(Watched::of(traffic(before)?, traffic(after)?))
    }

    fn publish(
        &self,
        first: &[(Run, VariantReport)],
        report: &ImprovementReport,
    ) -> Result<(), RehearsalError> {
        let runs: Vec<&Run> = first.iter().map(|(run, _)| run).collect();
        let options = self.options;
        let how = (options.language, options.plan.steps().is_none());
        publish::publish(&self.folders, &runs, report, how)
    }

    /// A part after the pairs could not be carried out; what they have shown stands.
    fn gave_up(&mut self, part: &str, error: &RehearsalError) {
        let text = format!("{part}: {}", errors::in_one_line(error));
        self.observer.event(Event::Warning { text: &text });
        self.warnings.push(Warning::Other { text });
    }

    fn run(&mut self, pair: u32, position: char, side: &Side) -> Result<Run, RehearsalError> {
        if self.options.stop.is_stopping() {
            return Err(RehearsalError::Interrupted {
                kept: self.folders.kept.clone(),
            });
        }
        let folder = format!("{pair}-{position}-{}", side.name());
        let run = run::run(
            self.options,
            (&self.folders, &folder),
            Which {
                name: side.name(),
                origin: Origin::from(side),
                seed: self.options.seed.wrapping_add(u64::from(pair) - 1),
                schedule: &self.options.schedule,
            },
            self.scraping.as_ref(),
            self.observer,
        )?;
        self.remark(pair, side, &run);
        self.seen
            .push(seen::seen(self.options, pair, &folder, &run));
        Ok(run)
    }

    /// Remarks that are the same in every run are made for the first pair only; faults are always.
    fn remark(&mut self, pair: u32, side: &Side, run: &Run) {
        let variant = &run.variant;
        if side.is_ours() && run.settled_after.is_none() {
            let limit_s = RehearsalOptions::SETTLE_LIMIT.as_secs_f64();
            self.findings.push(remarks::failure(
                variant,
                FindingKind::Unsettled { limit_s },
            ));
        }
        if pair == 1 {
            self.findings
                .extend(remarks::failures(variant, &run.outcome.summary));
            if let Some(cross_check) = &run.cross_check {
                self.findings
                    .extend(remarks::not_compared(variant, cross_check));
            }
            if let Some(said) = &run.prometheus {
                self.findings
                    .extend(remarks::not_scraped(variant, &said.check.cross_check));
            }
            let judged = &self.options.schedule.judged;
            self.findings
                .extend(remarks::throttled(variant, judged, &run.under_limits));
        }
        let scrapes = run.scrape_warnings.iter();
        self.warnings
            .extend(scrapes.map(|message| Warning::ScrapeFailed {
                variant: variant.clone(),
                message: message.clone(),
            }));
    }

    fn capacities(&mut self, first: &[(Run, VariantReport)]) -> Vec<CapacityReport> {
        let mut reports = Vec::new();
        let options = self.options;
        for side in options.sides.iter().filter(|_| options.capacity.is_some()) {
            let known = known_rates(options, side, first);
            let part = format!("the search for the capacity of {}", side.name());
            let found = capacity::search(options, &self.folders, side, &known, self.observer);
            let found = match found {
                Ok(found) => found,
                Err(_) if options.stop.is_stopping() => break,
                Err(error) => {
                    self.gave_up(&part, &error);
                    continue;
                }
            };
            if found.audit_passed == Some(false) {
                let text =
                    "The store was not in order after the search for its capacity.".to_owned();
                self.findings
                    .push(remarks::failure(side.name(), FindingKind::Other { text }));
            }
            if !found.is_narrow {
                let text = format!("{part} ended before its brackets were narrow");
                self.warnings.push(Warning::Other { text });
            }
            reports.push(found.report);
        }
        reports
    }

    fn ladder(&mut self) -> Option<Ladder> {
        if self.options.ladder.is_empty() || self.options.stop.is_stopping() {
            return None;
        }
        let climbed = match ladder::climb(self.options, &self.folders, self.observer) {
            Ok(climbed) => climbed,
            Err(error) => {
                if !self.options.stop.is_stopping() {
                    self.gave_up("the ladder", &error);
                }
                return None;
            }
        };
        for name in climbed.failed_audits {
            let text = "The audit of a rung of the ladder failed.".to_owned();
            self.findings
                .push(remarks::failure(&name, FindingKind::Other { text }));
        }
        Some(climbed.ladder)
    }

    fn report(
        &self,
        host: &HostFacts,
        first: &[(Run, VariantReport)],
        capacity: Vec<CapacityReport>,
        ladder: Option<Ladder>,
    ) -> ImprovementReport {
        let options = self.options;
        // The report's first variant is the yardstick, whichever ran first.
        let variants = options.sides.iter().filter_map(|side| {
            let found = first.iter().find(|(run, _)| run.variant == side.name());
            found.map(|(_, report)| report.clone())
        });
        let mut report = ImprovementReport {
            schema_version: double11_report::model::SCHEMA_VERSION,
            run: facts::run(options, self.started, self.watch.elapsed()),
            host: host.clone(),
            plan: facts::plan(options),
            variants: variants.collect(),
            runs: self.seen.iter().map(RunReport::from).collect(),
            comparison: Some(comparison::comparison(&self.pairs())),
            incomparable: Vec::new(),
            capacity,
            ladder,
            improvement: Vec::new(),
            outcome: Outcome::CannotJudge,
            sentence: String::new(),
            findings: self.findings.clone(),
            warnings: self.warnings.clone(),
            method: facts::method(options, &self.seen),
        };
        double11_report::conclude(&mut report);
        report
    }

    fn pairs(&self) -> Vec<PairOfPhases> {
        let [baseline, optimised] = &self.options.sides;
        let phase = |pair, side: &Side| {
            let run = self
                .seen
                .iter()
                .find(|seen| seen.pair == pair && seen.variant == side.name());
            run.and_then(|run| run.judged.clone())
        };
        (1..=self.options.pairs)
            .map(|pair| PairOfPhases {
                baseline: phase(pair, baseline),
                optimised: phase(pair, optimised),
            })
            .collect()
    }
}

/// Which side runs first: A B, B A, A B, …, so that whatever drifts meets both alike.
const fn order(pair: u32) -> [usize; 2] {
    if pair % 2 == 1 { [0, 1] } else { [1, 0] }
}

/// What the first pair has shown of constant rates at the peak.
fn known_rates(
    options: &RehearsalOptions,
    side: &Side,
    first: &[(Run, VariantReport)],
) -> Vec<CapacityProbe> {
    let run = first.iter().find(|(run, _)| run.variant == side.name());
    let phases = options.schedule.phases.iter().filter(|phase| {
        let constant = |ramp: Ramp| (ramp.from - ramp.to).abs() < f64::EPSILON;
        let rate = phase.rate.map(|rate| match rate {
            Rate::Visits(ramp) | Rate::Requests(ramp) => ramp,
        });
        phase.measured && phase.peak && rate.is_some_and(constant)
    });
    phases
        .filter_map(|phase| {
            let (run, report) = run?;
            let shown = report.phase(&phase.name)?;
            let summary = run.outcome.summary.phase(&phase.name)?;
            Some(capacity::of_phase(
                Some(summary),
                &run.outcome,
                shown.cpu_share,
            ))
        })
        .collect()
}

/// Whether shop and load generator may run on the same core.
fn shares_cores(options: &RehearsalOptions) -> bool {
    let (shop, generator) = (&options.shop_cpus, &options.generator_cpus);
    shop.is_empty() || generator.is_empty() || shop.iter().any(|core| generator.contains(core))
}

/// Processors that a shop of ours has: those of its limit, where it has one.
pub(crate) fn shop_cores(options: &RehearsalOptions) -> f64 {
    if let Some(limit) = options.limits.and_then(|held| held.limits.cpu) {
        limit.processors()
    } else if options.shop_cpus.is_empty() {
        std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
    } else {
        options.shop_cpus.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn the_sides_take_turns_in_going_first() {
        let firsts: Vec<_> = (1..=6).map(|pair| order(pair)[0]).collect();
        assert_eq!(firsts, [0, 1, 0, 1, 0, 1]);
        assert!((1..=6).all(|pair| order(pair)[0] + order(pair)[1] == 1));
    }
}
