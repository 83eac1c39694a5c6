//! A run against what a Prometheus has kept of its target.

use std::time::Duration;

use double11_units::UnixMicros;

use super::ask::{Asked, failed};
use super::target::{self, Target, Wanted};
use super::{Prometheus, PrometheusError, Span};
use crate::cross_check::{
    CheckKind, CheckResult, CrossCheck, CrossCheckInput, ORDERS, PAYMENTS, REPLAYS,
    REQUEST_DURATION, Reason, Verdict, checks,
};
use crate::matrix::{CounterError, Matrix, PROCESS_START};

/// How much the intervals of two runs may differ, as a share.
const INTERVAL_TOLERANCE: f64 = 0.1;

/// A run of the load engine.
#[derive(Debug, Clone, Copy)]
pub struct RunInput<'a> {
    /// The client's side; its matrix is not looked at.
    pub client: CrossCheckInput<'a>,
    /// Labels of the target, as `PromQL` matchers without braces.
    pub selector: &'a str,
    /// What the run asked, such as `http://127.0.0.1:8080`.
    pub target: &'a str,
    /// The time between two scrapes of the run that this one is compared with, where there is one.
    pub other_interval: Option<Duration>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct PrometheusCheck {
    /// The checks; where nothing can be said there is one, of the scrapes, that says why.
    pub cross_check: CrossCheck,
    /// How the target was scraped, where it was found.
    pub target: Option<ScrapedTarget>,
}

/// How a target was scraped while a run lasted.
#[derive(Debug, Clone, PartialEq)]
pub struct ScrapedTarget {
    /// Matchers of exactly this target, without braces.
    pub matchers: String,
    /// The time between two scrapes.
    pub interval: Duration,
    /// From the scrape before the first request to the one after the last.
    pub span: Span,
    /// Scrapes in it that succeeded.
    pub scrapes: u64,
    /// Mean and longest time that a scrape took.
    pub scrape_took: Option<(Duration, Duration)>,
}

/// Compares a run with what a Prometheus has of its target.
///
/// Nothing is compared where the clocks differ, the target was not found or restarted, its samples have
/// times of their own, or it counted requests outside of the run; the check of the scrapes says so.
///
/// # Errors
/// [`PrometheusError`] where Prometheus does not answer at all. Once it has, a question that fails is the
/// reason why the one figure cannot be compared.
pub fn check_run(
    prometheus: &Prometheus,
    input: &RunInput<'_>,
) -> Result<PrometheusCheck, PrometheusError> {
    let run = match run_span(&input.client) {
        Ok(span) => span,
        Err(reason) => return Ok(nothing(reason, None)),
    };
    let wanted = Wanted {
        selector: input.selector,
        target: Some(input.target),
        run,
    };
    let target = match target::find(prometheus, wanted)? {
        Ok(target) => target,
        Err(reason) => return Ok(nothing(reason, None)),
    };
    let around = match Around::of(&target, run) {
        Ok(around) => around,
        Err(reason) => return Ok(nothing(reason, None)),
    };
    let scraped = scraped(prometheus, &target, around.counted);
    let kept = prometheus.samples(&names(&target.matchers), around.all)?;
    let matrix = kept.until(around.counted.to);
    let client = CrossCheckInput {
        matrix: &matrix,
        ..input.client
    };
    let believed = of_the_scrapes(prometheus, &target, &kept)?
        .and_then(|()| believable(input, &target, &around, &kept));
    if let Err(reason) = believed {
        return Ok(nothing(reason, Some(scraped)));
    }
    let asked = Asked {
        prometheus,
        target: &target,
    };
    let mut all = vec![scrapes(&target, around.counted)];
    all.extend(checks(&client, &asked));
    Ok(PrometheusCheck {
        cross_check: CrossCheck::new(all),
        target: Some(scraped),
    })
}

/// The scrapes around a run.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// From the last before the first request to the first after the last answer.
    counted: Span,
    /// With one more on each side, where there is one.
    all: Span,
}

impl Around {
    fn of(target: &Target, run: Span) -> Result<Self, Reason> {
        let (from, before) = target.before(run.from);
        let (to, after) = target.after(run.to);
        // However far they are: counters keep what they counted, and a gap is told for itself.
        let from = from.ok_or(Reason::NoScrapeBefore)?;
        let to = to.ok_or(Reason::NoScrapeAfter)?;
        Ok(Self {
            counted: Span { from, to },
            all: Span {
                from: before.unwrap_or(from),
                to: after.unwrap_or(to),
            },
        })
    }
}

/// From the first request to the end of the last second in which anything ended.
fn run_span(client: &CrossCheckInput<'_>) -> Result<Span, Reason> {
    let from = client.start()?;
    let seconds = client.time_series.seconds.last();
    let seconds = seconds.map_or(0, |last| u64::from(last.second) + 1);
    Ok(Span {
        from,
        to: from.plus(Duration::from_secs(seconds)),
    })
}

/// The series that are compared.
fn names(matchers: &str) -> String {
    format!(
        "__name__=~\"{REQUEST_DURATION}_(bucket|sum|count)|{ORDERS}|{PAYMENTS}|{REPLAYS}|{PROCESS_START}\",\
         {matchers}"
    )
}

/// Whether what was kept has the instants of the scrapes, and whether there is anything at all.
pub(super) fn of_the_scrapes(
    prometheus: &Prometheus,
    target: &Target,
    kept: &Matrix,
) -> Result<Result<(), Reason>, PrometheusError> {
    let scrapes: Vec<UnixMicros> = target.scrapes.iter().map(|point| point.at).collect();
    let found = kept.scrapes();
    if found.iter().any(|at| scrapes.binary_search(at).is_err()) {
        return Ok(Err(Reason::OtherTimestamps));
    }
    if !found.is_empty() {
        return Ok(Ok(()));
    }
    let count = format!("{REQUEST_DURATION}_count");
    let at_any_time = format!("count(count_over_time({count}{{{}}}[1d]))", target.matchers);
    Ok(Err(match prometheus.number(&at_any_time, None)? {
        Some(series) if series > 0.0 => Reason::OtherTimestamps,
        _ => Reason::SeriesMissing { series: count },
    }))
}

/// Whether what was kept can be about this run.
fn believable(
    input: &RunInput<'_>,
    target: &Target,
    around: &Around,
    kept: &Matrix,
) -> Result<(), Reason> {
    let Around { counted, all } = *around;
    if kept.restarted_between(counted.from, counted.to) {
        return Err(Reason::TargetRestarted);
    }
    same_interval(target.interval, input.other_interval)?;
    let client = CrossCheckInput {
        matrix: kept,
        ..input.client
    };
    let counted_between = |from, to| {
        let mut sum = 0.0;
        for endpoint in client.distinct_endpoints() {
            match client.counted_at(endpoint, from, to) {
                Ok(count) => sum += count,
                // What is not there, or began anew outside of the run, counted nothing.
                Err(CounterError::Missing { .. } | CounterError::Reset { .. }) => {}
            }
        }
        sum
    };
    let before = counted_between(all.from, counted.from);
    let after = counted_between(counted.to, all.to);
    let unknown: u64 = client
        .distinct_endpoints()
        .map(|endpoint| client.sent_to(endpoint).unknown)
        .sum();
    if before > 0.0 || after > unknown as f64 {
        return Err(Reason::TrafficOutside { before, after });
    }
    Ok(())
}

/// Both variants must be scraped alike, so that both are disturbed alike.
fn same_interval(own: Duration, other: Option<Duration>) -> Result<(), Reason> {
    let (interval_s, other_s) = (own.as_secs_f64(), other.unwrap_or(own).as_secs_f64());
    if (interval_s - other_s).abs() <= other_s * INTERVAL_TOLERANCE {
        return Ok(());
    }
    Err(Reason::OtherInterval {
        interval_s,
        other_s,
    })
}

/// The check of the scrapes themselves.
fn scrapes(target: &Target, span: Span) -> CheckResult {
    let check = CheckResult::new(CheckKind::Scrapes, "scrapes due and made".to_owned(), None);
    check.judged(|check| {
        let (expected, missing) = target.expected_and_missing(span);
        check.figures(
            expected as f64,
            expected.saturating_sub(missing) as f64,
            0.0,
        );
        target.without_gap(span)?;
        Ok(Verdict::Agrees)
    })
}

/// Nothing can be said.
pub(super) fn nothing(reason: Reason, target: Option<ScrapedTarget>) -> PrometheusCheck {
    let check = CheckResult::new(CheckKind::Scrapes, "scrapes due and made".to_owned(), None);
    PrometheusCheck {
        cross_check: CrossCheck::new(vec![check.judged(|_| Err(reason))]),
        target,
    }
}

/// How the target was scraped; how long that took is left out where Prometheus does not tell.
pub(super) fn scraped(prometheus: &Prometheus, target: &Target, span: Span) -> ScrapedTarget {
    let (expected, missing) = target.expected_and_missing(span);
    let took = format!("__name__=\"scrape_duration_seconds\",{}", target.matchers);
    let seconds: Vec<f64> = prometheus
        .samples(&took, span)
        .map(|matrix| matrix.values().collect())
        .unwrap_or_default();
    let longest = seconds.iter().copied().reduce(f64::max);
    let mean = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    ScrapedTarget {
        matchers: target.matchers.clone(),
        interval: target.interval,
        span,
        scrapes: expected.saturating_sub(missing),
        scrape_took: longest.map(|longest| (duration(mean), duration(longest))),
    }
}

impl PrometheusCheck {
    /// A check that could not be made because Prometheus did not answer in its course.
    pub fn failed(error: &PrometheusError) -> Self {
        nothing(failed(error), None)
    }
}

impl Prometheus {
    /// The latest successful scrape of the target of a run since an instant, or why it cannot be
    /// told which that is.
    ///
    /// # Errors
    /// As [`Self::clock_ahead`].
    pub fn scraped_since(
        &self,
        selector: &str,
        target: &str,
        since: UnixMicros,
    ) -> Result<Result<Option<UnixMicros>, Reason>, PrometheusError> {
        let run = Span {
            from: since,
            to: self.clock.now().max(since),
        };
        let wanted = Wanted {
            selector,
            target: Some(target),
            run,
        };
        let found = target::find(self, wanted)?;
        Ok(found.map(|target| {
            let (last, _) = target.before(run.to);
            last.filter(|last| *last >= since)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Around, Span, same_interval};
    use crate::cross_check::Reason;
    use crate::matrix::Point;
    use crate::prometheus::target::Target;
    use double11_units::UnixMicros;
    use std::time::Duration;

    fn at(seconds: i64) -> UnixMicros {
        UnixMicros::new(seconds * 1_000_000)
    }

    fn around(scrapes: &[(i64, f64)]) -> Result<[UnixMicros; 4], Reason> {
        let point = |&(seconds, value): &(i64, f64)| Point {
            at: at(seconds),
            value,
        };
        let target = Target {
            matchers: String::new(),
            scrapes: scrapes.iter().map(point).collect(),
            interval: Duration::from_secs(5),
        };
        let run = Span {
            from: at(12),
            to: at(31),
        };
        Around::of(&target, run)
            .map(|Around { counted, all }| [all.from, counted.from, counted.to, all.to])
    }

    #[test]
    fn a_run_is_counted_from_the_scrape_before_it_to_the_one_after_it() {
        let up = |seconds: &[i64]| -> Vec<(i64, f64)> {
            seconds.iter().map(|second| (*second, 1.0)).collect()
        };
        let whole = up(&[0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
        assert_eq!(around(&whole), Ok([5, 10, 35, 40].map(at)));
        assert_eq!(around(&up(&[10, 20, 35])), Ok([10, 10, 35, 35].map(at)));
        // A scrape that failed has no counters: the next one counts.
        let failed = [(5, 1.0), (10, 0.0), (20, 1.0), (35, 0.0), (40, 1.0)];
        assert_eq!(around(&failed), Ok([5, 5, 40, 40].map(at)));
        assert_eq!(around(&up(&[15, 35])), Err(Reason::NoScrapeBefore));
        assert_eq!(around(&up(&[10, 30])), Err(Reason::NoScrapeAfter));
    }

    #[test]
    fn variants_that_are_scraped_at_different_intervals_are_not_compared() {
        let seconds = Duration::from_secs;
        assert_eq!(same_interval(seconds(5), None), Ok(()));
        assert_eq!(
            same_interval(seconds(5), Some(Duration::from_millis(5_003))),
            Ok(())
        );
        let reason = Reason::OtherInterval {
            interval_s: 5.0,
            other_s: 15.0,
        };
        assert_eq!(
            same_interval(seconds(5), Some(seconds(15))),
            Err(reason.clone())
        );
        let words = "the target was scraped every 5.0 s, the other variant every 15.0 s";
        assert_eq!(reason.to_string(), words);
    }
}
