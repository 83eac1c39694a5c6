//! One scrape of a target over HTTP.

use std::sync::Arc;
use std::time::Duration;

use double11_units::UnixMicros;

use crate::clock::{Clock, SystemClock};
use crate::exposition::{BYTES_MAX, Exposition, ParseError};

/// Fetches the metrics of one target.
#[derive(Debug, Clone)]
pub struct Scraper {
    agent: ureq::Agent,
    url: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// What a target said, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrape {
    /// When the request was made, as Prometheus stamps it.
    pub at: UnixMicros,
    /// How long it took until the answer was whole.
    pub took: Duration,
    /// The answer.
    pub exposition: Exposition,
}

/// Why a target could not be scraped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// No whole answer in time.
    #[error("`{url}` did not answer within {} ms", timeout.as_millis())]
    TimeOut {
        /// The address.
        url: String,
        /// The limit.
        timeout: Duration,
    },
    /// No answer at all: an unusable address, nobody listening, or no HTTP spoken.
    #[error("cannot scrape `{url}`")]
    Unreachable {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// An answer other than 200.
    #[error("`{url}` answered with status {status}, expected 200")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// An answer beyond [`BYTES_MAX`].
    #[error("the metrics of `{url}` are longer than {BYTES_MAX} bytes")]
    TooLarge {
        /// The address.
        url: String,
    },
    /// An answer that is not UTF-8.
    #[error("the metrics of `{url}` are not UTF-8")]
    NotText {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: std::string::FromUtf8Error,
    },
    /// An answer that is not in the text format.
    #[error("the metrics of `{url}` are not in the Prometheus text format 0.0.4")]
    Format {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: ParseError,
    },
}

impl Scraper {
    /// A scraper of `url`, such as `http://127.0.0.1:8080/actuator/prometheus`, that waits at most
    /// `timeout` for a whole answer. Nothing is sent yet, and no proxy is ever used.
    pub fn new(url: impl Into<String>, timeout: Duration) -> Self {
        Self::with_clock(url, timeout, Arc::new(SystemClock))
    }

    /// As [`Self::new`], with a clock other than the system's.
    pub fn with_clock(url: impl Into<String>, timeout: Duration, clock: Arc<dyn Clock>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .accept("text/plain;version=0.0.4")
            .build()
            .new_agent();
        Self {
            agent,
            url: url.into(),
            timeout,
            clock,
        }
    }

    /// The address that is scraped.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The clock that stamps scrapes.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Scrapes once.
    ///
    /// # Errors
    /// Each variant of [`ScrapeError`] says what was wrong with the target or its answer.
    pub fn scrape(&self) -> Result<Scrape, ScrapeError> {
        let at = self.clock.now();
        let text = self.fetch()?;
        let took = self.clock.now().since(at);
        let exposition = Exposition::parse(&text).map_err(|source| ScrapeError::Format {
            url: self.url.clone(),
            source,
        })?;
        Ok(Scrape {
            at,
            took,
            exposition,
        })
    }

    fn fetch(&self) -> Result<String, ScrapeError> {
        let mut response = self
            .agent
            .get(&self.url)
            .call()
            .map_err(|error| self.error(error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(ScrapeError::Status {
                url: self.url.clone(),
                status,
            });
        }
        let bytes = response
            .body_mut()
            .with_config()
            .limit(BYTES_MAX as u64)
            .read_to_vec()
            .map_err(|error| self.error(error))?;
        String::from_utf8(bytes).map_err(|source| ScrapeError::NotText {
            url: self.url.clone(),
            source,
        })
    }

    fn error(&self, error: ureq::Error) -> ScrapeError {
        let url = self.url.clone();
        match error {
            ureq::Error::Timeout(_) => ScrapeError::TimeOut {
                url,
                timeout: self.timeout,
            },
            ureq::Error::BodyExceedsLimit(_) => ScrapeError::TooLarge { url },
            other => ScrapeError::Unreachable {
                url,
                source: Box::new(other),
            },
        }
    }
}

#[cfg(test)]
mod tests;
