//! The P95 of the service time inside a phase.

use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::run::PhaseSummary;

use super::result::{CheckKind, CheckResult, Reason, ServiceTimeDetail, Verdict};
use super::source::{HandlerTime, Source};
use super::window::Window;
use super::{CrossCheckInput, P95_TOLERANCE, WAIT_COMPARABLE};

/// Requests below which a P95 is the luck of a few.
const REQUESTS_MIN: u64 = 100;

/// The share of a phase's requests that, failed or begun late, tells overload.
const OVERLOAD_SHARE: f64 = 0.01;

/// The least mean wait that is called a wait before the handler in an overloaded phase.
const OVERLOAD_WAIT: Duration = Duration::from_millis(10);

/// Compares the client's P95 of the requests planned between the first and the last scrape inside
/// the phase with Prometheus' interpolated P95 of the target's histogram between them.
///
/// They may differ by the width of the bucket that the target's P95 falls into, by the stated
/// overhead of the client and by the mean time that requests spent outside the handler, and never by
/// more than [`P95_TOLERANCE`]. Where that mean time is beyond [`WAIT_COMPARABLE`], or is most of
/// the service time in a phase that was overloaded by the client's own figures, the two are
/// different things and not compared. Neither are they where the target's P95 lies in a bucket wider
/// than the tolerance and the difference in it: then the target itself does not know any better.
pub(super) fn check(
    input: &CrossCheckInput<'_>,
    source: &dyn Source,
    phase: &PhaseSummary,
) -> CheckResult {
    let name = "P95 of service time".to_owned();
    CheckResult::new(CheckKind::ServiceTimeP95, name, Some(&phase.name)).judged(|check| {
        let window = source.window(input, phase)?;
        let client = client_service_time(input, window)?;
        let agreement = Agreement {
            client_overhead: input.client_overhead,
            is_overloaded: is_overloaded(phase),
        };
        compare(check, &client, agreement, || {
            source.handler_time(input, window)
        })
    })
}

/// What decides how far two P95 may differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agreement {
    /// What the client's side adds to each request.
    pub(crate) client_overhead: Duration,
    /// Whether requests suffered by the client's own figures.
    pub(crate) is_overloaded: bool,
}

/// Compares the P95 of the client's service times with that of the target's handlers.
pub(crate) fn compare(
    check: &mut CheckResult,
    client: &LatencyHistogram,
    agreement: Agreement,
    handler_time: impl FnOnce() -> Result<Option<HandlerTime>, Reason>,
) -> Result<Verdict, Reason> {
    let (Some(client_p95), Some(client_mean)) = (client.percentile(95.0), client.mean()) else {
        return Err(requests_too_few(0));
    };
    check.client = Some(milliseconds(client_p95));
    if client.len() < REQUESTS_MIN {
        return Err(requests_too_few(client.len()));
    }
    let HandlerTime {
        p95: shop_p95,
        mean: shop_mean,
    } = handler_time()?.ok_or_else(|| requests_too_few(0))?;
    let waited = client_mean.saturating_sub(shop_mean);
    let overhead = agreement.client_overhead;
    let detail = ServiceTimeDetail {
        client_mean_ms: milliseconds(client_mean),
        shop_mean_ms: milliseconds(shop_mean),
        bucket_error_ms: shop_p95.bucket_error().map(milliseconds),
        client_overhead_ms: milliseconds(overhead),
    };
    check.service_time = Some(detail);
    let waited_before_handler = || Reason::WaitedBeforeHandler {
        waited_before_handler_ms: milliseconds(waited),
    };
    if waited > WAIT_COMPARABLE {
        check.shop = Some(milliseconds(shop_p95.value));
        return Err(waited_before_handler());
    }
    let bucket_error = shop_p95.bucket_error().ok_or(Reason::BeyondBuckets {
        highest_bound_ms: milliseconds(shop_p95.bucket_lower),
    })?;
    let limit = (bucket_error + overhead + waited).min(P95_TOLERANCE);
    let difference = check.figures(
        milliseconds(client_p95),
        milliseconds(shop_p95.value),
        milliseconds(limit),
    );
    let agrees = difference.abs() <= milliseconds(limit);
    let waited_most = waited > OVERLOAD_WAIT && waited * 2 > client_mean;
    if !agrees && difference < 0.0 && waited_most && agreement.is_overloaded {
        return Err(waited_before_handler());
    }
    let explained = milliseconds(bucket_error + overhead + waited);
    if !agrees && bucket_error > P95_TOLERANCE && difference.abs() <= explained {
        return Err(Reason::BucketTooWide {
            bucket_error_ms: milliseconds(bucket_error),
        });
    }
    Ok(Verdict::agrees_if(agrees))
}

/// The service times of the compared steps in the seconds that lie at least half inside the window.
fn client_service_time(
    input: &CrossCheckInput<'_>,
    window: Window,
) -> Result<LatencyHistogram, Reason> {
    let steps = input.compared_steps();
    let mut sum = LatencyHistogram::new();
    let seconds = input.time_series.seconds.iter();
    for second in seconds.filter(|second| window.share(second) >= 0.5) {
        for step in second
            .steps
            .iter()
            .filter(|step| steps.contains(&step.step))
        {
            if let Some(text) = &step.service_time {
                let histogram = LatencyHistogram::from_base64(text)
                    .map_err(|_| Reason::UnreadableTimeSeries)?;
                sum.merge(&histogram);
            }
        }
    }
    Ok(sum)
}

fn is_overloaded(phase: &PhaseSummary) -> bool {
    let total = &phase.total;
    let suffering = total.failed.max(total.late) as f64;
    suffering > total.attempted as f64 * OVERLOAD_SHARE
}

fn requests_too_few(requests: u64) -> Reason {
    Reason::RequestsTooFew {
        requests: requests as f64,
        needed: REQUESTS_MIN as f64,
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}
