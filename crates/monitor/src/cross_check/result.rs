//! What a check found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::matrix::CounterError;

/// The version of the form of a [`CrossCheck`].
const SCHEMA_VERSION: u32 = 1;

/// All checks of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossCheck {
    /// The version of this form, 1.
    pub schema_version: u32,
    /// What they come to together.
    pub overall: Overall,
    /// Each check.
    pub checks: Vec<CheckResult>,
}

/// What all checks come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// Every check agrees.
    Agrees,
    /// At least one check differs.
    Differs,
    /// None differs, but at least one could not be made, or there is none.
    CannotJudge,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// What kind of figure is compared, with its unit.
    pub kind: CheckKind,
    /// What is compared, for people: `requests POST /api/orders`, `throughput`, …
    pub name: String,
    /// The phase, where the check belongs to one; otherwise it is about the whole run.
    pub phase: Option<String>,
    /// The client's figure.
    pub client: Option<f64>,
    /// The target's figure.
    pub shop: Option<f64>,
    /// Target minus client.
    pub difference: Option<f64>,
    /// How large the difference may be. For counts only upwards or only downwards, see
    /// [`CheckKind`].
    pub limit: Option<f64>,
    /// What the P95 check rests on.
    pub service_time: Option<ServiceTimeDetail>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// The kind of a figure, which fixes its unit and what its limit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Requests sent to an endpoint. The target may have counted fewer, by as many as the client
    /// does not know the outcome of, and never more.
    Requests,
    /// Orders. The target may have counted more than the client saw acknowledged, by as many as the
    /// client does not know the outcome of, and never fewer.
    Orders,
    /// Captured payments, as orders.
    Payments,
    /// Answered requests per second.
    Throughput,
    /// The P95 of the service time in milliseconds.
    ServiceTimeP95,
    /// Scrapes by a Prometheus: as many as its interval gives, and as many as there are and succeeded.
    Scrapes,
}

/// The figures behind a P95 check, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServiceTimeDetail {
    /// The client's mean service time.
    pub client_mean_ms: f64,
    /// The target's mean time in the handler.
    pub shop_mean_ms: f64,
    /// The width of the bucket that the target's P95 falls into: how far off the target's own
    /// figure may be. `None` if it lies beyond the highest bound.
    pub bucket_error_ms: Option<f64>,
    /// What the client's side is said to add to each request.
    pub client_overhead_ms: f64,
}

/// What a check comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The figures agree within the limit.
    Agrees,
    /// They do not.
    Differs,
    /// The figures are not comparable, or one is missing.
    CannotCompare(Reason),
}

/// Why two figures cannot be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The target's process started anew between the scrapes.
    TargetRestarted,
    /// A counter of the target fell between the scrapes.
    CounterReset {
        /// The name of the series.
        series: String,
    },
    /// The target has no such series.
    SeriesMissing {
        /// The name of the series.
        series: String,
    },
    /// The client's time series does not say when it began.
    NoStartTime,
    /// Nothing was scraped before the first request.
    NoScrapeBefore,
    /// Nothing was scraped after the last request.
    NoScrapeAfter,
    /// The scrapes inside the phase do not span enough time.
    ScrapesTooFew {
        /// Seconds between the first and the last scrape inside the phase.
        spanned_s: f64,
        /// Seconds needed.
        needed_s: f64,
    },
    /// Too few requests were answered between the scrapes for the figure to mean anything.
    RequestsTooFew {
        /// Requests answered.
        requests: f64,
        /// Requests needed.
        needed: f64,
    },
    /// A step sent requests, and nobody said to which endpoint.
    StepWithoutEndpoint {
        /// The step.
        step: String,
    },
    /// Requests waited in the target, or on their way, before a handler saw them, so that the
    /// handler's time says little about the client's.
    WaitedBeforeHandler {
        /// The mean wait in milliseconds.
        waited_before_handler_ms: f64,
    },
    /// The target's P95 lies beyond the highest bound of its histogram.
    BeyondBuckets {
        /// That bound in milliseconds.
        highest_bound_ms: f64,
    },
    /// The target's P95 lies in a bucket too wide to tell a difference within the tolerance.
    BucketTooWide {
        /// The width of that bucket in milliseconds.
        bucket_error_ms: f64,
    },
    /// A histogram of the client's time series cannot be read.
    UnreadableTimeSeries,
    /// The clock of Prometheus is not the one of this machine.
    OtherClock {
        /// Seconds by which it is ahead; behind where negative.
        ahead_s: f64,
    },
    /// Prometheus has not scraped any target like this.
    NothingScraped {
        /// The labels that were asked for.
        selector: String,
    },
    /// Prometheus scraped the target, but not while the run lasted.
    NoOverlap,
    /// More than one target could be the one of the run.
    SeveralTargets {
        /// Their addresses.
        targets: Vec<String>,
    },
    /// Scrapes are missing or failed.
    ScrapeGap {
        /// How many.
        missing: u64,
        /// How many there should be.
        expected: u64,
    },
    /// Too few scrapes lie inside the phase for a rate.
    ScrapesInside {
        /// How many do.
        scrapes: u64,
        /// How many are needed.
        needed: u64,
    },
    /// The target counted requests outside of the run: somebody else's, or the clocks differ.
    TrafficOutside {
        /// Between the two scrapes before its first request.
        before: f64,
        /// Between the two scrapes after its last.
        after: f64,
    },
    /// The target gives its samples times of its own, so that they are not those of the scrapes.
    OtherTimestamps,
    /// The sample file has dates without a time zone.
    LocalDates,
    /// No sample is called what orders are called.
    NoOrderSamples {
        /// The labels that were looked for.
        labels: Vec<String>,
    },
    /// The other variant was scraped at another interval.
    OtherInterval {
        /// Seconds between two scrapes of this one.
        interval_s: f64,
        /// Seconds between two scrapes of the other.
        other_s: f64,
    },
    /// Prometheus gave no usable answer.
    PrometheusFailed {
        /// What it said, or what happened.
        message: String,
    },
}

impl CrossCheck {
    pub(crate) fn new(checks: Vec<CheckResult>) -> Self {
        let any = |wanted: fn(&Verdict) -> bool| checks.iter().any(|check| wanted(&check.verdict));
        let overall = if any(|verdict| *verdict == Verdict::Differs) {
            Overall::Differs
        } else if checks.is_empty() || any(|verdict| *verdict != Verdict::Agrees) {
            Overall::CannotJudge
        } else {
            Overall::Agrees
        };
        Self {
            schema_version: SCHEMA_VERSION,
            overall,
            checks,
        }
    }
}

impl CheckResult {
    /// A check without figures yet, to be compared or given up.
    pub(crate) fn new(kind: CheckKind, name: String, phase: Option<&str>) -> Self {
        Self {
            kind,
            name,
            phase: phase.map(str::to_owned),
            client: None,
            shop: None,
            difference: None,
            limit: None,
            service_time: None,
            verdict: Verdict::Agrees,
        }
    }

    /// The verdict of what `compare` finds, with whatever figures it filled in.
    pub(crate) fn judged(
        mut self,
        compare: impl FnOnce(&mut Self) -> Result<Verdict, Reason>,
    ) -> Self {
        self.verdict = compare(&mut self).unwrap_or_else(Verdict::CannotCompare);
        self
    }

    /// Fills in both figures and the limit, and returns target minus client.
    pub(crate) fn figures(&mut self, client: f64, shop: f64, limit: f64) -> f64 {
        let difference = shop - client;
        self.client = Some(client);
        self.shop = Some(shop);
        self.difference = Some(difference);
        self.limit = Some(limit);
        difference
    }
}

impl Verdict {
    pub(crate) fn agrees_if(agrees: bool) -> Self {
        if agrees { Self::Agrees } else { Self::Differs }
    }
}

impl From<CounterError> for Reason {
    fn from(error: CounterError) -> Self {
        match error {
            CounterError::Missing { name } => Self::SeriesMissing { series: name },
            CounterError::Reset { name } => Self::CounterReset { series: name },
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees => formatter.write_str("agrees"),
            Self::Differs => formatter.write_str("differs"),
            Self::CannotCompare(reason) => write!(formatter, "cannot compare, {reason}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.of_prometheus() {
            return formatter.write_str(&text);
        }
        match self {
            Self::TargetRestarted => formatter.write_str("the target restarted during the run"),
            Self::CounterReset { series } => write!(formatter, "`{series}` was reset"),
            Self::SeriesMissing { series } => write!(formatter, "the target has no `{series}`"),
            Self::NoStartTime => formatter.write_str("the run does not say when it began"),
            Self::NoScrapeBefore => formatter.write_str("no scrape before the first request"),
            Self::NoScrapeAfter => formatter.write_str("no scrape after the last request"),
            Self::ScrapesTooFew {
                spanned_s,
                needed_s,
            } => write!(
                formatter,
                "the scrapes inside the phase span {spanned_s:.1} s, needed {needed_s:.1} s"
            ),
            Self::RequestsTooFew { requests, needed } => {
                write!(
                    formatter,
                    "{requests:.0} requests between the scrapes, needed {needed:.0}"
                )
            }
            Self::StepWithoutEndpoint { step } => {
                write!(formatter, "the endpoint of step `{step}` is not known")
            }
            Self::WaitedBeforeHandler {
                waited_before_handler_ms,
            } => {
                write!(
                    formatter,
                    "waited before the handler: {waited_before_handler_ms:.0} ms"
                )
            }
            Self::BucketTooWide { bucket_error_ms } => write!(
                formatter,
                "the target's bucket is {bucket_error_ms:.0} ms wide, too wide to tell"
            ),
            Self::BeyondBuckets { highest_bound_ms } => write!(
                formatter,
                "the target's P95 is beyond its highest bucket, {highest_bound_ms:.0} ms"
            ),
            _ => formatter.write_str("a histogram of the time series cannot be read"),
        }
    }
}

impl Reason {
    /// The words of the reasons that only a check against a Prometheus has.
    fn of_prometheus(&self) -> Option<String> {
        Some(match self {
            Self::OtherClock { ahead_s } => {
                let side = if *ahead_s < 0.0 { "behind" } else { "ahead of" };
                let by = ahead_s.abs();
                format!("the clock of Prometheus is {by:.1} s {side} this machine's")
            }
            Self::NothingScraped { selector } => {
                format!("Prometheus has scraped no target with {{{selector}}}")
            }
            Self::NoOverlap => {
                "Prometheus has nothing of the target from the time of the run".to_owned()
            }
            Self::SeveralTargets { targets } => {
                let targets = targets.join(", ");
                format!("several targets could be meant: {targets}")
            }
            Self::ScrapeGap { missing, expected } => {
                format!("{missing} of {expected} scrapes missing or failed")
            }
            Self::ScrapesInside { scrapes, needed } => {
                format!("{scrapes} scrapes lie inside the phase, needed {needed}")
            }
            Self::TrafficOutside { before, after } => format!(
                "the target counted {before:.0} requests just before the run and {after:.0} just after \
                 it: they are somebody else's, or the clocks differ"
            ),
            Self::OtherTimestamps => {
                "the target gives its samples times of its own, not those of the scrapes".to_owned()
            }
            Self::LocalDates => "the times of the file are dates without a time zone".to_owned(),
            Self::NoOrderSamples { labels } => {
                let labels = labels.join(", ");
                format!("no sample is called {labels}, but the target counted orders")
            }
            Self::OtherInterval {
                interval_s,
                other_s,
            } => format!(
                "the target was scraped every {interval_s:.1} s, the other variant every {other_s:.1} s"
            ),
            Self::PrometheusFailed { message } => {
                format!("Prometheus gave no usable answer: {message}")
            }
            _ => return None,
        })
    }
}
