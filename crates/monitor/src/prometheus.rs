//! Asking a Prometheus: its HTTP API, and the cross-check of a run against what it has kept.
//!
//! Counters are compared by the samples as they were scraped, at the scrapes' own instants, which is
//! exact. Rates and percentiles are asked as dashboards ask them, by `rate` and `histogram_quantile`,
//! but only from scrape to scrape inside steady load, where their extrapolation adds nothing. Writing
//! to a Prometheus, authentication and TLS are deliberately absent.
//!
//! Source: Prometheus documentation, "HTTP API", sections "Expression queries" and "Format overview".

use std::sync::Arc;
use std::time::Duration;

use double11_units::UnixMicros;

use crate::clock::{Clock, SystemClock};
use crate::exposition::Labels;
use crate::matrix::{Matrix, Point};

mod answer;
mod ask;
mod history;
mod run;
mod sample_file;
mod target;

pub use history::{HistoryPoint, history};
pub use run::{PrometheusCheck, RunInput, ScrapedTarget, check_run};
pub use sample_file::{ORDER_LABELS, SampleFile, check_sample_file};

/// The labels by which the shop is found unless others are given: the job of the shipped
/// configuration.
pub const SELECTOR_DEFAULT: &str = "job=\"ecommerce-app\"";

/// How long Prometheus may take for an answer unless another limit is given.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(20);

/// Bytes of an answer beyond which it is refused.
const BYTES_MAX: u64 = 512 << 20;

/// A Prometheus that is asked.
#[derive(Debug, Clone)]
pub struct Prometheus {
    agent: ureq::Agent,
    url: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrometheusError {
    /// The address is not one.
    #[error("`{url}` is not the address of a Prometheus, such as `http://127.0.0.1:9090`")]
    Address {
        /// The address.
        url: String,
    },
    /// The address has a user or a password in it, which would be sent, logged and published.
    #[error("the address of a Prometheus has no user and no password in it here")]
    Credentials,
    /// No whole answer in time.
    #[error("Prometheus at `{url}` did not answer within {} ms", timeout.as_millis())]
    TimeOut {
        /// The address.
        url: String,
        /// The limit.
        timeout: Duration,
    },
    /// Nobody answers, or no HTTP is spoken.
    #[error("Prometheus at `{url}` cannot be reached")]
    Unreachable {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// Prometheus refused the question, or somebody else answered.
    #[error("`{url}` answered with status {status}: {message}")]
    Refused {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// More bytes than are read.
    #[error("the answer of `{url}` is longer than {BYTES_MAX} bytes")]
    TooLarge {
        /// The address.
        url: String,
    },
    /// An answer that is not of the API's form.
    #[error("the answer of `{url}` is not of the form of Prometheus")]
    Form {
        /// The address.
        url: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: UnixMicros,
    /// Its end.
    pub to: UnixMicros,
}

impl Span {
    /// How long it is.
    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }
}

impl Prometheus {
    /// A Prometheus at an address such as `http://127.0.0.1:9090`.
    ///
    /// # Errors
    /// [`PrometheusError::Address`] for anything but `http://HOST…`, [`PrometheusError::Credentials`] for
    /// `http://USER@HOST…`.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, PrometheusError> {
        Self::with_clock(url, timeout, Arc::new(SystemClock))
    }

    /// The same, with a clock to compare Prometheus' own with.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_clock(
        url: &str,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PrometheusError> {
        let url = url.trim_end_matches('/').to_owned();
        let host = url.strip_prefix("http://").unwrap_or_default();
        if url.contains('@') {
            return Err(PrometheusError::Credentials);
        }
        if host.is_empty() || host.starts_with('/') || url.contains(char::is_whitespace) {
            return Err(PrometheusError::Address { url });
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            url,
            timeout,
            clock,
        })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// By how many seconds the clock of Prometheus is ahead of ours, and how far that figure may be
    /// off: half the time that the question took.
    ///
    /// # Errors
    /// Each variant of [`PrometheusError`] says what was wrong with the answer.
    pub fn clock_ahead(&self) -> Result<(f64, f64), PrometheusError> {
        let asked = self.clock.now();
        let told = self.number("time()", None)?;
        let answered = self.clock.now();
        let seconds = |at: UnixMicros| at.get() as f64 / 1e6;
        let middle = f64::midpoint(seconds(asked), seconds(answered));
        let told = told.ok_or_else(|| self.form("`time()` gave nothing"))?;
        Ok((told - middle, (seconds(answered) - seconds(asked)) / 2.0))
    }

    /// The version that it tells of itself, such as `2.42.0`.
    pub fn version(&self) -> Option<String> {
        let body = self.get("/api/v1/status/buildinfo").ok()?;
        answer::version(&body)
    }

    /// Every sample of the series that match, as they were scraped within a span. `matchers` are those
    /// of `PromQL`, without the braces.
    ///
    /// # Errors
    /// As [`Self::clock_ahead`].
    pub fn samples(&self, matchers: &str, span: Span) -> Result<Matrix, PrometheusError> {
        // One millisecond more, because newer versions leave the beginning of a range out.
        let range = span.length().as_millis() + 1;
        let query = format!("{{{matchers}}}[{range}ms]");
        let body = self.ask(&query, Some(span.to))?;
        serde_json::from_slice(&body).map_err(|source| self.unreadable(source))
    }

    /// The answer to `query_range`, in its own bytes, after a look at its form.
    ///
    /// # Errors
    /// As [`Self::clock_ahead`].
    pub fn range(
        &self,
        query: &str,
        span: Span,
        step: Duration,
    ) -> Result<Vec<u8>, PrometheusError> {
        let form = [
            ("query", query.to_owned()),
            ("start", seconds_text(span.from)),
            ("end", seconds_text(span.to)),
            ("step", format!("{}ms", step.as_millis().max(1))),
        ];
        self.post("/api/v1/query_range", &form)
    }

    /// The series of an answer to `query_range`, with their labels.
    ///
    /// # Errors
    /// As [`Self::clock_ahead`].
    pub fn series(
        &self,
        query: &str,
        span: Span,
        step: Duration,
    ) -> Result<Vec<(Labels, Vec<Point>)>, PrometheusError> {
        let body = self.range(query, span, step)?;
        answer::series(&body).map_err(|source| self.unreadable(source))
    }

    /// The one number that a query gives at an instant, by default now; `None` for no series.
    ///
    /// # Errors
    /// As [`Self::clock_ahead`], and [`PrometheusError::Form`] for several series.
    pub fn number(
        &self,
        query: &str,
        at: Option<UnixMicros>,
    ) -> Result<Option<f64>, PrometheusError> {
        let body = self.ask(query, at)?;
        answer::number(&body).map_err(|source| self.unreadable(source))
    }

    fn ask(&self, query: &str, at: Option<UnixMicros>) -> Result<Vec<u8>, PrometheusError> {
        let mut form = vec![("query", query.to_owned())];
        form.extend(at.map(|at| ("time", seconds_text(at))));
        self.post("/api/v1/query", &form)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, PrometheusError> {
        let response = self.agent.get(format!("{}{path}", self.url)).call();
        self.body(response)
    }

    fn post(&self, path: &str, form: &[(&str, String)]) -> Result<Vec<u8>, PrometheusError> {
        let response = self
            .agent
            .post(format!("{}{path}", self.url))
            .send_form(form.iter().map(|(name, value)| (*name, value.as_str())));
        self.body(response)
    }

    fn body(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Vec<u8>, PrometheusError> {
        let mut response = response.map_err(|error| self.error(error))?;
        let status = response.status().as_u16();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(BYTES_MAX)
            .read_to_vec()
            .map_err(|error| self.error(error))?;
        if status == 200 {
            return Ok(bytes);
        }
        let message =
            answer::error(&bytes).unwrap_or_else(|| "no Prometheus answers there".to_owned());
        Err(PrometheusError::Refused {
            url: self.url.clone(),
            status,
            message,
        })
    }

    fn error(&self, error: ureq::Error) -> PrometheusError {
        let url = self.url.clone();
        match error {
            ureq::Error::Timeout(_) => PrometheusError::TimeOut {
                url,
                timeout: self.timeout,
            },
            ureq::Error::BodyExceedsLimit(_) => PrometheusError::TooLarge { url },
            other => PrometheusError::Unreachable {
                url,
                source: Box::new(other),
            },
        }
    }

    fn unreadable(&self, source: serde_json::Error) -> PrometheusError {
        PrometheusError::Form {
            url: self.url.clone(),
            source,
        }
    }

    fn form(&self, words: &str) -> PrometheusError {
        self.unreadable(serde::de::Error::custom(words))
    }
}

/// An instant as the API takes it: seconds with milliseconds, which is what it keeps.
fn seconds_text(at: UnixMicros) -> String {
    let millis = at.millis();
    format!(
        "{}.{:03}",
        millis.div_euclid(1_000),
        millis.rem_euclid(1_000)
    )
}

#[cfg(test)]
mod tests;
