//! The generator's figures against the shop's own metrics.

use serde::{Deserialize, Serialize};

/// Every comparison of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CrossCheckReport {
    /// The comparisons.
    pub results: Vec<CrossCheckResult>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CrossCheckResult {
    /// Phase of the run; `None` for the whole run.
    pub phase: Option<String>,
    /// What kind of figure is compared; it fixes the unit and what `limit` means.
    pub kind: CrossCheckKind,
    /// What is compared, for instance `requests POST /api/orders`.
    pub what: String,
    /// The generator's figure.
    pub generator: Option<f64>,
    /// The shop's figure.
    pub shop: Option<f64>,
    /// How far they may differ, in the unit of the kind; for counts: how many writes had an unknown
    /// outcome.
    pub limit: Option<f64>,
    /// What came out.
    pub status: CrossCheckStatus,
    /// Why they cannot be compared, where they cannot.
    pub why: Option<CrossCheckReason>,
}

/// The kind of a compared figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CrossCheckKind {
    /// Requests sent to an endpoint, a count.
    Requests,
    /// Orders, a count.
    Orders,
    /// Captured payments, a count.
    Payments,
    /// Answered requests per second.
    Throughput,
    /// P95 of the service time in milliseconds.
    ServiceTimeP95,
    /// Scrapes by a Prometheus: those that its interval gives, and those that there are and succeeded.
    Scrapes,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CrossCheckStatus {
    /// Within the tolerance.
    Agrees,
    /// Outside of it: one of the two is wrong.
    Differs,
    /// The two do not see the same thing, for instance requests that wait before the handler.
    CannotCompare,
}

/// Why two figures cannot be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum CrossCheckReason {
    /// The shop's process started anew during the run.
    TargetRestarted,
    /// A counter of the shop fell.
    CounterReset {
        /// Name of the series.
        series: String,
    },
    /// The shop has no such series.
    SeriesMissing {
        /// Name of the series.
        series: String,
    },
    /// The run does not say when it began.
    NoStartTime,
    /// Nothing was scraped before the first request.
    NoScrapeBefore,
    /// Nothing was scraped after the last request.
    NoScrapeAfter,
    /// The scrapes inside the phase do not span enough time.
    ScrapesTooFew {
        /// Seconds between the first and the last of them.
        spanned_s: f64,
        /// Seconds needed.
        needed_s: f64,
    },
    /// Too few requests were answered between the scrapes.
    RequestsTooFew {
        /// Requests answered.
        requests: f64,
        /// Requests needed.
        needed: f64,
    },
    /// Nobody said to which endpoint a step sends its requests.
    StepWithoutEndpoint {
        /// The step.
        step: String,
    },
    /// Requests waited before a handler saw them, so that its time says little about the client's.
    WaitedBeforeHandler {
        /// The mean wait in milliseconds.
        waited_before_handler_ms: f64,
    },
    /// The shop's P95 lies beyond the highest bound of its histogram.
    BeyondBuckets {
        /// That bound in milliseconds.
        highest_bound_ms: f64,
    },
    /// The shop's P95 lies in a bucket too wide to tell.
    BucketTooWide {
        /// The width of that bucket in milliseconds.
        bucket_error_ms: f64,
    },
    /// A histogram of the run cannot be read.
    UnreadableTimeSeries,
    /// The load generator was itself late, which is in its times and in none of the shop's.
    GeneratorLimited,
    /// The clock of Prometheus is not that of the generator.
    OtherClock {
        /// Seconds by which it is ahead; behind where negative.
        ahead_s: f64,
    },
    /// Prometheus has scraped no such target.
    NothingScraped {
        /// The labels that were asked for.
        selector: String,
    },
    /// Prometheus scraped the target, but not during the run.
    NoOverlap,
    /// Several targets of Prometheus could be the one of the run.
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
    /// Too few scrapes lie inside the phase.
    ScrapesInside {
        /// How many do.
        scrapes: u64,
        /// How many are needed.
        needed: u64,
    },
    /// The shop counted requests just before or just after the run.
    TrafficOutside {
        /// Before its first request.
        before: f64,
        /// After its last.
        after: f64,
    },
    /// The shop gives its samples times of its own.
    OtherTimestamps,
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
    /// Anything else, in words that are shown as they are.
    Other {
        /// Words without a final dot.
        text: String,
    },
}
