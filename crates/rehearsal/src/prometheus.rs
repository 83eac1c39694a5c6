//! A Prometheus that scrapes the shops of a rehearsal: somebody's that runs already, or one of our own.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use double11_load::StopHandle;
use double11_load::engine::RunOutcome;
use double11_monitor::cross_check::{
    CLIENT_OVERHEAD_DEFAULT, ClientWrites, CrossCheckInput, Reason, StepEndpoint, Verdict,
};
use double11_monitor::matrix::Matrix;
use double11_monitor::prometheus::{
    HistoryPoint, Prometheus, PrometheusCheck, PrometheusError, RunInput, SELECTOR_DEFAULT,
    TIMEOUT_DEFAULT, check_run, history,
};
use double11_units::UnixMicros;

use crate::clock;
use crate::options::{Event, Observer, PrometheusSource, RehearsalOptions};
use crate::resources::cpu_of;

mod configuration;
mod server;

use server::{Server, ServerSpec};

/// How long a Prometheus may take until it has scraped a shop that has just begun: that of the shipped
/// configuration does so within ten seconds.
const FIRST_SCRAPE_LIMIT: Duration = Duration::from_mins(1);
/// How long the scrape after the traffic is waited for.
const LAST_SCRAPE_LIMIT: Duration = Duration::from_secs(40);
/// Between two looks whether a scrape has come.
const LOOK: Duration = Duration::from_millis(250);
/// The file of a run with what Prometheus has of it.
pub(crate) const ANSWER: &str = "prometheus.json";

/// Why there is no Prometheus, or none that scrapes.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusFailure {
    /// The program is not there.
    #[error("there is no program `{}`", program.display())]
    NotFound {
        /// The program.
        program: PathBuf,
    },
    /// It could not be started, or its files could not be written.
    #[error("Prometheus could not be started")]
    Start(#[source] std::io::Error),
    /// It ended before it answered.
    #[error("Prometheus ended before it was ready: {last_words}")]
    Ended {
        /// The last line that it said.
        last_words: String,
    },
    /// It does not answer.
    #[error(transparent)]
    NoAnswer(#[from] PrometheusError),
    /// It does not scrape a shop.
    #[error("Prometheus has not scraped `{target}` within {} s", limit.as_secs())]
    NotScraping {
        /// The shop.
        target: String,
        /// How long that was waited for.
        limit: Duration,
    },
}

/// A Prometheus that scrapes one shop after the other.
#[derive(Debug)]
pub(crate) struct Scraping {
    client: Prometheus,
    selector: String,
    version: Option<String>,
    /// Where it was started here; stopped when dropped.
    server: Option<Server>,
    /// The time between two scrapes of the first run, which all others must have.
    interval: Cell<Option<Duration>>,
    stop: StopHandle,
}

/// What a run left behind that a Prometheus is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Client<'run> {
    pub(crate) outcome: &'run RunOutcome,
    pub(crate) endpoints: &'run [StepEndpoint],
    pub(crate) writes: ClientWrites,
    /// The folder of the run.
    pub(crate) folder: &'run Path,
}

/// What Prometheus said of a run.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) check: PrometheusCheck,
    pub(crate) points: Vec<HistoryPoint>,
    pub(crate) version: Option<String>,
    pub(crate) started_here: bool,
    /// Processors that it used itself, where it was started here.
    pub(crate) cpu_share: Option<f64>,
}

impl Said {
    /// What the comparisons came to, in three numbers.
    pub(crate) fn event<'event>(&self, variant: &'event str) -> Event<'event> {
        let of = |wanted: fn(&Verdict) -> bool| {
            let checks = self.check.cross_check.checks.iter();
            checks.filter(|check| wanted(&check.verdict)).count()
        };
        Event::AskedPrometheus {
            variant,
            agree: of(|verdict| *verdict == Verdict::Agrees),
            differ: of(|verdict| *verdict == Verdict::Differs),
            not_compared: of(|verdict| matches!(verdict, Verdict::CannotCompare(_))),
        }
    }
}

impl Scraping {
    /// Starts a Prometheus with its files in `folder`, or asks the one that runs whether it is there.
    pub(crate) fn start(
        source: &PrometheusSource,
        folder: &Path,
        options: &RehearsalOptions,
    ) -> Result<Self, PrometheusFailure> {
        let (server, url, selector) = match source {
            PrometheusSource::Running { url, selector } => (None, url.clone(), selector.clone()),
            PrometheusSource::Spawn { program, keep_data } => {
                let spec = ServerSpec {
                    own_program: &options.program,
                    program,
                    folder,
                    keep_data: *keep_data,
                    roots: &options.extra_roots,
                };
                let server = Server::start(&spec)?;
                let url = server.url.clone();
                (Some(server), url, SELECTOR_DEFAULT.to_owned())
            }
        };
        let client = Prometheus::new(&url, TIMEOUT_DEFAULT)?;
        client.clock_ahead()?;
        Ok(Self {
            version: client.version(),
            client,
            selector,
            server,
            interval: Cell::new(None),
            stop: options.stop.clone(),
        })
    }

    /// Has a shop scraped from now on, where the targets are ours to choose, and waits for the first
    /// scrape: counters must have been seen before the first request. It answered when it was started, so
    /// that one which has gone since is only warned of: the runs are what counts, and the check after
    /// the traffic says why nothing was compared. A question that it refuses is wrong usage, and is said at once.
    pub(crate) fn attach<'target>(
        &self,
        variant: &str,
        target: &'target str,
        observer: &dyn Observer,
    ) -> Result<Attached<'_, 'target>, PrometheusFailure> {
        observer.event(Event::AwaitingScrape { variant });
        let since = clock::now();
        if let Some(server) = &self.server {
            server
                .scrape(Some((variant, target)))
                .map_err(PrometheusFailure::Start)?;
        }
        let attached = Attached {
            scraping: self,
            target,
            begun: clock::steady(),
            cpu: self.cpu(),
        };
        match attached.wait(since, FIRST_SCRAPE_LIMIT) {
            Ok(true) => Ok(attached),
            Ok(false) => Err(PrometheusFailure::NotScraping {
                target: target.to_owned(),
                limit: FIRST_SCRAPE_LIMIT,
            }),
            Err(error) if is_away(&error) => {
                let text = format!("{variant} runs without Prometheus: {error}");
                observer.event(Event::Warning { text: &text });
                Ok(attached)
            }
            // It is there and does not take the question: nothing would ever be compared.
            Err(error) => Err(error.into()),
        }
    }

    fn cpu(&self) -> Option<Duration> {
        cpu_of(self.server.as_ref()?.process_id())
    }
}

/// Whether a Prometheus has gone, or is just ending, rather than refused what it was asked.
const fn is_away(error: &PrometheusError) -> bool {
    match error {
        PrometheusError::TimeOut { .. } | PrometheusError::Unreachable { .. } => true,
        PrometheusError::Refused { status, .. } => *status >= 500,
        _ => false,
    }
}

/// A shop that is being scraped.
#[derive(Debug)]
pub(crate) struct Attached<'scraping, 'target> {
    scraping: &'scraping Scraping,
    target: &'target str,
    begun: Instant,
    cpu: Option<Duration>,
}

impl Attached<'_, '_> {
    /// Waits for a scrape since an instant; whether one came. True also where more waiting is vain: the
    /// check will say why.
    fn wait(&self, since: UnixMicros, limit: Duration) -> Result<bool, PrometheusError> {
        let Scraping {
            client,
            selector,
            stop,
            ..
        } = self.scraping;
        let begun = clock::steady();
        while begun.elapsed() < limit {
            match client.scraped_since(selector, self.target, since)? {
                Ok(None) | Err(Reason::NothingScraped { .. } | Reason::NoOverlap) => {}
                Ok(Some(_)) | Err(_) => return Ok(true),
            }
            if stop.is_stopping() {
                return Ok(true);
            }
            clock::pause(LOOK);
        }
        Ok(false)
    }

    /// The traffic is over and everything is answered: waits for one scrape more, compares, and keeps
    /// what Prometheus has in the folder of the run. A Prometheus that does not answer any more leaves
    /// a check that says so.
    pub(crate) fn finish(self, run: Client<'_>, observer: &dyn Observer) -> Said {
        let scraping = self.scraping;
        let used = self.cpu.zip(scraping.cpu());
        let cpu_share = used.map(|(before, after)| {
            after.saturating_sub(before).as_secs_f64() / self.begun.elapsed().as_secs_f64()
        });
        let said = |check, points| Said {
            check,
            points,
            version: scraping.version.clone(),
            started_here: scraping.server.is_some(),
            cpu_share,
        };
        let asked = self
            .wait(end_of(run.outcome).max(clock::now()), LAST_SCRAPE_LIMIT)
            .and_then(|_| self.ask(run, observer));
        if let Some(server) = &scraping.server {
            // A target that is gone is only scraped in vain.
            drop(server.scrape(None));
        }
        match asked {
            Ok((check, points)) => said(check, points),
            Err(error) => {
                observer.event(Event::Warning {
                    text: &error.to_string(),
                });
                said(PrometheusCheck::failed(&error), Vec::new())
            }
        }
    }

    fn ask(
        &self,
        run: Client<'_>,
        observer: &dyn Observer,
    ) -> Result<(PrometheusCheck, Vec<HistoryPoint>), PrometheusError> {
        let Scraping {
            client,
            selector,
            interval,
            ..
        } = self.scraping;
        let nothing_scraped = Matrix::new();
        let input = RunInput {
            client: CrossCheckInput {
                summary: &run.outcome.summary,
                time_series: &run.outcome.time_series,
                matrix: &nothing_scraped,
                endpoints: run.endpoints,
                writes: Some(run.writes),
                client_overhead: CLIENT_OVERHEAD_DEFAULT,
            },
            selector,
            target: self.target,
            other_interval: interval.get(),
        };
        let check = check_run(client, &input)?;
        let mut points = Vec::new();
        if let Some(target) = &check.target {
            interval.set(interval.get().or(Some(target.interval)));
            points = history(client, &input.client, target)?;
            let all = format!(
                "{{__name__=~\"(ecommerce|process)_.+\",{}}}",
                target.matchers
            );
            let answer = client.range(&all, target.span, target.interval)?;
            let path = run.folder.join(ANSWER);
            if let Err(error) = std::fs::write(&path, answer) {
                let text = format!("`{}` could not be written: {error}", path.display());
                observer.event(Event::Warning { text: &text });
            }
        }
        Ok((check, points))
    }
}

/// When the last second of a run ends in which anything was answered: requests are counted by seconds.
pub(crate) fn end_of(outcome: &RunOutcome) -> UnixMicros {
    let series = &outcome.time_series;
    let start = UnixMicros::new(series.start_unix_ms.unwrap_or(0).saturating_mul(1_000));
    let seconds = series.seconds.last();
    let seconds = seconds.map_or(0, |last| u64::from(last.second) + 1);
    start.plus(Duration::from_secs(seconds))
}
