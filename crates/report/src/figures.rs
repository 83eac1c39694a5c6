//! One figure per metric and variant, over one run or over all of them.

use crate::model::{
    Availability, Bound, Figure, ImprovementReport, Metric, PhaseReport, RunReport, Unit,
    VariantReport,
};

/// The figures of the judged phase for one variant.
pub(crate) struct Figures<'a> {
    phases: Vec<Option<&'a PhaseReport>>,
}

impl<'a> Figures<'a> {
    /// All runs of the variant where the report lists them, the one in `variants` otherwise. Two
    /// variants of one name cannot be told apart in the list, so that only the first pair counts.
    pub(crate) fn of(report: &'a ImprovementReport, variant: &'a VariantReport) -> Self {
        let namesakes = report
            .variants
            .iter()
            .filter(|other| other.name == variant.name)
            .count();
        let runs: Vec<&RunReport> = report
            .runs
            .iter()
            .filter(|run| namesakes == 1 && run.variant == variant.name)
            .collect();
        let phases = if runs.is_empty() {
            vec![variant.phase(&report.method.judged_phase)]
        } else {
            runs.iter().map(|run| run.judged.as_ref()).collect()
        };
        Self { phases }
    }

    /// How many runs stand behind the figures.
    pub(crate) fn runs(&self) -> usize {
        self.phases.len()
    }

    /// A phase whose plan stands for all: length, offered rate and multiple.
    pub(crate) fn plan(&self) -> Option<&'a PhaseReport> {
        self.phases.iter().flatten().next().copied()
    }

    /// Periods of the quota and those that were throttled, all runs together; `None` where no run was
    /// throttled.
    pub(crate) fn throttled(&self) -> Option<(u64, u64)> {
        let phases = self.phases.iter().flatten();
        let all = phases.filter_map(|phase| phase.throttling);
        let (periods, throttled) = all.fold((0, 0), |(periods, throttled), run| {
            (periods + run.periods, throttled + run.throttled)
        });
        (throttled > 0).then_some((periods, throttled))
    }

    /// Whether less than one request in a hundred failed, was dropped or was refused, all runs together.
    pub(crate) fn served_everything(&self) -> bool {
        let phases = || self.phases.iter().flatten();
        let attempted: u64 = phases().map(|phase| phase.attempted).sum();
        let succeeded: u64 = phases().map(|phase| phase.succeeded).sum();
        attempted > 0 && (attempted.saturating_sub(succeeded)) as f64 / (attempted as f64) < 0.01
    }

    /// The figure over all runs: the median; for error rate and availability the share of all runs
    /// together. `None` where any run lacks it.
    pub(crate) fn figure(&self, metric: Metric) -> Option<Figure> {
        let phases: Vec<&PhaseReport> = self.phases.iter().copied().collect::<Option<_>>()?;
        match (metric, phases.as_slice()) {
            (_, []) => None,
            (_, [phase]) => figure(metric, phase),
            (Metric::ErrorRate, _) => {
                let failed: u64 = phases.iter().map(|phase| phase.failed).sum();
                let attempted: u64 = phases.iter().map(|phase| phase.attempted).sum();
                let measured = phases.iter().all(|phase| phase.error_rate.is_some());
                (measured && attempted > 0)
                    .then(|| exact(failed as f64 / attempted as f64, Unit::Share))
            }
            (Metric::Availability, _) => {
                let windows: Vec<Availability> = phases
                    .iter()
                    .map(|phase| phase.availability)
                    .collect::<Option<_>>()?;
                availability(Availability {
                    good: windows.iter().map(|run| run.good).sum(),
                    total: windows.iter().map(|run| run.total).sum(),
                })
            }
            (_, _) => {
                let figures: Vec<Figure> = phases
                    .iter()
                    .map(|phase| figure(metric, phase))
                    .collect::<Option<_>>()?;
                median(figures)
            }
        }
    }
}

/// The middle figure; of an even number the mean of the middle two.
///
/// A lower bound above the middle stays above it whatever its true value is; one at or below the
/// middle makes the median a lower bound as well.
pub(crate) fn median(mut figures: Vec<Figure>) -> Option<Figure> {
    figures.sort_by(|left, right| left.value.total_cmp(&right.value));
    let upper = figures.get(figures.len() / 2)?;
    let lower = figures.get((figures.len() - 1) / 2)?;
    let at_or_below = figures.get(..=figures.len() / 2)?;
    let bound = if at_or_below
        .iter()
        .any(|figure| figure.bound == Bound::AtLeast)
    {
        Bound::AtLeast
    } else {
        Bound::Exact
    };
    Some(Figure {
        value: f64::midpoint(lower.value, upper.value),
        unit: upper.unit,
        bound,
        windows: None,
    })
}

fn exact(value: f64, unit: Unit) -> Figure {
    Figure {
        value,
        unit,
        bound: Bound::Exact,
        windows: None,
    }
}

fn availability(windows: Availability) -> Option<Figure> {
    windows.share().map(|value| Figure {
        windows: Some((windows.good, windows.total)),
        ..exact(value, Unit::Share)
    })
}

/// The figure of a metric in one phase; `None` where it was not measured.
pub fn figure(metric: Metric, phase: &PhaseReport) -> Option<Figure> {
    let per = |value: Option<f64>, unit| value.map(|value| exact(value, unit));
    match metric {
        Metric::Throughput => per(phase.throughput_per_second, Unit::PerSecond),
        Metric::OrderRate => per(phase.orders_per_second, Unit::PerSecond),
        Metric::PaymentRate => per(phase.payments_per_second, Unit::PerSecond),
        Metric::ResponseTimeP95 => phase.verdict_p95_ms.map(|value| Figure {
            bound: if phase.verdict_p95_is_lower_bound {
                Bound::AtLeast
            } else {
                Bound::Exact
            },
            ..exact(value, Unit::Milliseconds)
        }),
        Metric::ErrorRate => per(phase.error_rate, Unit::Share),
        Metric::Availability => phase.availability.and_then(availability),
        Metric::CpuShare => per(phase.cpu_share, Unit::Share),
        Metric::CpuPerRequest => per(phase.cpu_per_request_us, Unit::Microseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_knows_when_it_is_only_a_bound() {
        let check = |figures: &[(f64, bool)], value: f64, bound: Bound| {
            let figures = figures
                .iter()
                .map(|(value, lower)| Figure {
                    bound: if *lower { Bound::AtLeast } else { Bound::Exact },
                    ..exact(*value, Unit::Milliseconds)
                })
                .collect();
            let median = median(figures).unwrap();
            assert_eq!(
                (median.value.to_bits(), median.bound),
                (value.to_bits(), bound)
            );
        };
        check(&[(4.0, false)], 4.0, Bound::Exact);
        check(
            &[(9.0, true), (3.0, false), (4.0, false)],
            4.0,
            Bound::Exact,
        );
        check(
            &[(9.0, true), (3.0, false), (9.0, true)],
            9.0,
            Bound::AtLeast,
        );
        check(
            &[(2.0, true), (3.0, false), (4.0, false)],
            3.0,
            Bound::AtLeast,
        );
        check(&[(2.0, false), (4.0, false)], 3.0, Bound::Exact);
        check(&[(2.0, false), (4.0, true)], 3.0, Bound::AtLeast);
        assert_eq!(median(Vec::new()), None);
    }
}
