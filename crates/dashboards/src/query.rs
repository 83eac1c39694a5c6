//! PromQL as the panels use it: every selector names job, instance and variant.
//!
//! What the words mean is decided here once. They are those of `docs/GLOSSARY.md` and of the recording
//! rules in `deploy/prometheus/ecommerce_rules.yml`:
//!
//! - a request is one that a route of the API answered; scanners and broken clients
//!   (`endpoint="other"`) are none, nor is anything below `/actuator`;
//! - a transaction is a request that succeeded, or an order refused because the product is sold out;
//! - failed is 5xx, which shed requests get as well;
//! - a latency is that of requests that did not fail, so that failing fast never looks fast.

/// The window of a `rate()` that Grafana chooses: at least four scrapes.
pub(crate) const RATE: &str = "$__rate_interval";
/// The whole span that the dashboard shows.
pub(crate) const RANGE: &str = "$__range";
/// The time by which a run of the baseline is moved onto the time axis of the other.
const SHIFT: &str = " offset $baseline_shift";

/// Requests that a route of the API answered.
pub(crate) const REQUESTS: &str = r#"endpoint!="other""#;
/// Those that succeeded.
pub(crate) const SUCCEEDED: &str = r#"endpoint!="other",status=~"2..""#;
/// Those that did not fail.
pub(crate) const ANSWERED: &str = r#"endpoint!="other",status!~"5..""#;
/// Those that failed, shed ones among them.
pub(crate) const FAILED: &str = r#"endpoint!="other",status=~"5..""#;

/// Counts orders by outcome.
const ORDERS: &str = "ecommerce_orders_total";
/// Orders that failed or were shed.
const LOST: &str = r#"status=~"failed|shed""#;

/// Counts requests.
pub(crate) const REQUEST_COUNT: &str = "ecommerce_request_duration_seconds_count";
/// Counts requests by the time they took.
pub(crate) const REQUEST_BUCKET: &str = "ecommerce_request_duration_seconds_bucket";

/// Whose series a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The baseline, moved by `$baseline_shift`.
    Baseline,
    /// The optimised variant, where both are compared.
    Optimized,
    /// The variant that the dashboard's variable names.
    Chosen,
}

impl Side {
    /// The two that a comparison shows.
    pub(crate) const BOTH: [Self; 2] = [Self::Baseline, Self::Optimized];

    const fn variant(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Optimized => "optimized",
            Self::Chosen => "$variant",
        }
    }

    const fn offset(self) -> &'static str {
        match self {
            Self::Baseline => SHIFT,
            Self::Optimized | Self::Chosen => "",
        }
    }

    fn selector(self, metric: &str, matchers: &str) -> String {
        let variant = self.variant();
        let comma = if matchers.is_empty() { "" } else { "," };
        format!(
            r#"{metric}{{job=~"$job",instance=~"$instance",variant="{variant}"{comma}{matchers}}}"#
        )
    }

    /// The latest value of a gauge.
    pub(crate) fn gauge(self, metric: &str) -> String {
        format!("{}{}", self.selector(metric, ""), self.offset())
    }

    /// The value of a gauge now: at the end of the span, and of nobody who was last seen before its last
    /// few scrapes. A target that was removed is not shown as if it were still there.
    pub(crate) fn now(self, metric: &str) -> String {
        let selector = self.selector(metric, "");
        let offset = self.offset();
        format!("last_over_time({selector}[{RATE}]{offset})")
    }

    /// What a counter gained per second.
    pub(crate) fn rate(self, metric: &str, matchers: &str) -> String {
        self.windowed("rate", metric, matchers, RATE)
    }

    /// What a counter gained within a window.
    pub(crate) fn increase(self, metric: &str, matchers: &str, window: &str) -> String {
        self.windowed("increase", metric, matchers, window)
    }

    fn windowed(self, function: &str, metric: &str, matchers: &str, window: &str) -> String {
        let selector = self.selector(metric, matchers);
        let offset = self.offset();
        format!("{function}({selector}[{window}]{offset})")
    }

    /// Requests that succeeded and orders refused as sold out, per second.
    pub(crate) fn transactions(self) -> String {
        // The status 409 of an order has other causes too, so sold-out orders have their own counter.
        let succeeded = self.rate(REQUEST_COUNT, SUCCEEDED);
        let sold_out = self.rate(ORDERS, r#"status="sold_out""#);
        format!("sum({succeeded}) + sum({sold_out})")
    }

    /// The percentage of requests that failed.
    pub(crate) fn error_percentage(self) -> String {
        let failed = self.rate(REQUEST_COUNT, FAILED);
        let all = self.rate(REQUEST_COUNT, REQUESTS);
        // Where nothing was asked there is no rate of errors; without the guard it would be NaN.
        format!("100 * sum({failed}) / (sum({all}) > 0)")
    }

    /// The percentage of orders that failed or were shed, over the whole span that is shown.
    pub(crate) fn order_error_percentage(self) -> String {
        let failed = self.increase(ORDERS, LOST, RANGE);
        let all = self.increase(ORDERS, "", RANGE);
        format!("100 * sum({failed}) / (sum({all}) > 0)")
    }

    /// The same at each moment.
    pub(crate) fn order_error_trend(self) -> String {
        let failed = self.rate(ORDERS, LOST);
        let all = self.rate(ORDERS, "");
        format!("100 * sum({failed}) / (sum({all}) > 0)")
    }

    /// A quantile of the time that answered requests took.
    pub(crate) fn request_quantile(self, quantile: &str) -> String {
        let buckets = self.rate(REQUEST_BUCKET, ANSWERED);
        format!("histogram_quantile({quantile}, sum by (le) ({buckets}))")
    }

    /// How many answered requests fell into each bucket.
    pub(crate) fn request_heatmap(self) -> String {
        let buckets = self.increase(REQUEST_BUCKET, ANSWERED, RATE);
        format!("sum by (le) ({buckets})")
    }

    /// Processor time, in per cent of one core.
    pub(crate) fn cpu_percentage(self) -> String {
        let used = self.rate("process_cpu_seconds_total", "");
        format!("100 * sum({used})")
    }

    /// Memory in use, in bytes.
    pub(crate) fn memory(self) -> String {
        format!("sum({})", self.gauge("process_resident_memory_bytes"))
    }

    /// Processor time for each transaction, in seconds.
    pub(crate) fn cpu_of_a_transaction(self) -> String {
        let used = self.rate("process_cpu_seconds_total", "");
        let transactions = self.transactions();
        format!("sum({used}) / (({transactions}) > 0)")
    }
}
