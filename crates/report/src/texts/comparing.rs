//! Sentences about what all pairs say together, and about what must not be compared.

use super::{Texts, fill};
use crate::format::{self, count};
use crate::model::{
    Comparison, ComparisonReason, DifferenceComparison, Incomparable, Metric, TimeBasis,
};

/// A template with a value of either side.
fn sides(template: &str, baseline: &str, optimised: &str) -> String {
    fill(
        template,
        &[("baseline", baseline), ("optimised", optimised)],
    )
}

impl Texts {
    /// The name of a metric in a report of this basis: without planned starts there is no response
    /// time.
    pub(crate) fn metric_by(&self, metric: Metric, basis: TimeBasis) -> &'static str {
        match (metric, basis) {
            (Metric::ResponseTimeP95, TimeBasis::ServiceTimeOnly) => self.metric_p95_service,
            _ => self.metric(metric),
        }
    }

    /// How long a sync took, to be read beside the rate of orders.
    pub(crate) fn sync_note(&self, fdatasync_ms: Option<f64>) -> Option<String> {
        let median = fdatasync_ms.filter(|median| *median > 0.0)?;
        let rate = format::rate(1_000.0 / median);
        let time = format::milliseconds(median);
        let values = [("time", time.as_str()), ("rate", rate.as_str())];
        Some(fill(self.improvement_sync, &values))
    }

    pub(crate) fn comparison_reason(
        &self,
        reason: ComparisonReason,
        comparison: &Comparison,
    ) -> String {
        let effect = format::percent_short(comparison.minimum_effect);
        let template = match reason {
            ComparisonReason::Significant => self.comparison_significant,
            ComparisonReason::NotSignificant => self.comparison_not_significant,
            ComparisonReason::BelowMinimumEffect => self.comparison_below_minimum,
            ComparisonReason::TooFewPairs => self.comparison_too_few,
            ComparisonReason::BothBounds => self.comparison_both_bounds,
            ComparisonReason::WrongSideOfBound => self.comparison_wrong_side,
            ComparisonReason::MissingFigures => self.comparison_missing,
            ComparisonReason::Reserved => self.comparison_reserved,
        };
        fill(
            template,
            &[
                ("effect", &effect),
                ("pairs", &comparison.pairs.to_string()),
                ("needed", &comparison.pairs_needed.to_string()),
            ],
        )
    }

    /// What can be said of a share of which nothing was seen in the judged shop of this name; a dash
    /// where something was.
    pub(crate) fn rule_of_three(&self, compared: &DifferenceComparison, name: &str) -> String {
        let Some(rule) = compared.none_seen else {
            return format::NONE.to_owned();
        };
        let template = match compared.metric {
            Metric::Availability => self.rule_windows,
            _ => self.rule_errors,
        };
        fill(
            template,
            &[
                ("name", name),
                ("trials", &count(rule.trials)),
                (
                    "bound",
                    &format!("{}%", format::ratio_number(rule.upper_bound * 100.0)),
                ),
            ],
        )
    }

    pub(crate) fn incomparable(&self, why: &Incomparable) -> String {
        let of = |template, what: &str, baseline: &str, optimised: &str| {
            sides(&fill(template, &[("what", what)]), baseline, optimised)
        };
        match why {
            Incomparable::DifferentPlan {
                baseline,
                optimised,
            } => sides(self.incomparable_plan, baseline, optimised),
            Incomparable::DifferentSeed {
                baseline,
                optimised,
            } => sides(
                self.incomparable_seed,
                &baseline.to_string(),
                &optimised.to_string(),
            ),
            Incomparable::DifferentSchedule { phase: None } => {
                self.incomparable_schedule.to_owned()
            }
            Incomparable::DifferentSchedule { phase: Some(phase) } => {
                fill(self.incomparable_schedule_phase, &[("phase", phase)])
            }
            Incomparable::DifferentHost {
                what,
                baseline,
                optimised,
            } => of(self.incomparable_host, what, baseline, optimised),
            Incomparable::DifferentLimits {
                what,
                baseline,
                optimised,
            } => of(self.incomparable_limits, what, baseline, optimised),
            Incomparable::GeneratorLimited { variant } => {
                fill(self.incomparable_generator, &[("name", variant)])
            }
            Incomparable::DifferentSteps {
                baseline,
                optimised,
            } => {
                let list = |steps: &[String]| match steps {
                    [] => format::NONE.to_owned(),
                    steps => steps.join(self.list_separator),
                };
                sides(self.incomparable_steps, &list(baseline), &list(optimised))
            }
            Incomparable::NothingMeasured { variant } => {
                fill(self.incomparable_nothing, &[("name", variant)])
            }
            Incomparable::Interrupted { run } => {
                fill(self.incomparable_interrupted, &[("run", run)])
            }
            Incomparable::UnlikeFirstPair { pair } => {
                fill(self.incomparable_pair, &[("pair", &pair.to_string())])
            }
        }
    }
}
