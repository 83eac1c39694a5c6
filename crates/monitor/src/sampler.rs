//! Scraping at a fixed interval, beside the run, on a thread of its own.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use double11_units::{UnixMicros, errors};

use crate::clock::steady_now;
use crate::matrix::{Matrix, seconds_text};
use crate::scrape::{ScrapeError, Scraper};

/// The interval of scrapes unless another is asked for.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);

/// Where a shop tells its metrics, as Spring Boot does.
const METRICS_PATH: &str = "/actuator/prometheus";

/// How long a scrape of a shop may take.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(2);

/// Requests for a scrape that may wait for the thread.
const COMMANDS_WAITING_MAX: usize = 16;

/// A thread that scrapes a target until it is stopped.
///
/// Due instants are computed from the start, so that a slow scrape does not shift those after it; a
/// due instant that passes while another scrape runs is skipped. A scrape that fails leaves a gap in
/// the matrix and a warning, never a value. Dropping the sampler stops and joins the thread too.
#[derive(Debug)]
pub struct Sampler {
    commands: SyncSender<Command>,
    thread: Option<JoinHandle<Matrix>>,
}

/// Why a scrape on demand did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The target could not be scraped; the matrix has a warning.
    #[error(transparent)]
    Scrape(#[from] ScrapeError),
    /// The sampler's thread is gone.
    #[error("the sampler has stopped")]
    Stopped,
}

#[derive(Debug)]
enum Command {
    ScrapeNow(SyncSender<Result<UnixMicros, ScrapeError>>),
    Stop,
}

impl Sampler {
    /// Scrapes the metrics page of a shop every `interval`, if the shop has one; the first scrape is
    /// over when this returns. `None` without such a page, and where the shop is asked with TLS, which
    /// a scraper does not speak.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn of_shop(target: &str, interval: Duration) -> io::Result<Option<Self>> {
        let scraper = Scraper::new(format!("{target}{METRICS_PATH}"), SCRAPE_TIMEOUT);
        if !target.starts_with("http://") || scraper.scrape().is_err() {
            return Ok(None);
        }
        let sampler = Self::start(scraper, interval)?;
        // A scrape that fails leaves a gap and a warning in the matrix.
        drop(sampler.scrape_now());
        Ok(Some(sampler))
    }

    /// Starts scraping: at once, and then every `interval`.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    ///
    /// # Panics
    /// If `interval` is zero.
    pub fn start(scraper: Scraper, interval: Duration) -> io::Result<Self> {
        assert!(
            !interval.is_zero(),
            "the interval of scrapes is longer than nothing"
        );
        let (commands, received) = sync_channel(COMMANDS_WAITING_MAX);
        let thread = thread::Builder::new()
            .name("metrics-sampler".to_owned())
            .spawn(move || run(&scraper, interval, &received))?;
        Ok(Self {
            commands,
            thread: Some(thread),
        })
    }

    /// Scrapes now, beside the schedule, and waits for it: for the boundaries of phases. Returns
    /// the instant of the scrape.
    ///
    /// # Errors
    /// [`SampleError::Scrape`] if the target could not be scraped.
    pub fn scrape_now(&self) -> Result<UnixMicros, SampleError> {
        let (answer, answered) = sync_channel(1);
        self.commands
            .send(Command::ScrapeNow(answer))
            .map_err(|_| SampleError::Stopped)?;
        Ok(answered.recv().map_err(|_| SampleError::Stopped)??)
    }

    /// Ends the thread, after a scrape that is under way, and returns all that was scraped.
    ///
    /// # Panics
    /// If the thread has panicked.
    pub fn stop(mut self) -> Matrix {
        match self.join() {
            Some(Ok(matrix)) => matrix,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Matrix::new(),
        }
    }

    fn join(&mut self) -> Option<thread::Result<Matrix>> {
        let thread = self.thread.take()?;
        // A thread that is gone needs no word to stop.
        drop(self.commands.send(Command::Stop));
        Some(thread.join())
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        drop(self.join());
    }
}

fn run(scraper: &Scraper, interval: Duration, commands: &Receiver<Command>) -> Matrix {
    let mut matrix = Matrix::new();
    let started = steady_now();
    let mut due = started;
    loop {
        let command = commands.recv_timeout(due.saturating_duration_since(steady_now()));
        match command {
            Ok(Command::ScrapeNow(answer)) => {
                let scraped = scrape(scraper, &mut matrix);
                // What was due meanwhile is done with this one. Another would still be under way when
                // whoever asked goes on, and count what happens then to what was before.
                let now = steady_now();
                if due <= now {
                    due = next_due(started, interval, now);
                }
                // Whoever asked may have given up waiting; the scrape is kept all the same.
                drop(answer.send(scraped));
            }
            Err(RecvTimeoutError::Timeout) => {
                drop(scrape(scraper, &mut matrix));
                due = next_due(started, interval, steady_now());
            }
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return matrix,
        }
    }
}

fn scrape(scraper: &Scraper, matrix: &mut Matrix) -> Result<UnixMicros, ScrapeError> {
    let asked = scraper.clock().now();
    match scraper.scrape() {
        Ok(scrape) => {
            matrix.push(&scrape);
            Ok(scrape.at)
        }
        Err(error) => {
            matrix.warn(format!(
                "scrape at {} failed: {}",
                seconds_text(asked),
                errors::in_one_line(&error)
            ));
            Err(error)
        }
    }
}

/// The first instant `start + n · interval` that lies after `now`.
fn next_due(start: Instant, interval: Duration, now: Instant) -> Instant {
    let elapsed = now.saturating_duration_since(start).as_nanos();
    let into_interval = elapsed % interval.as_nanos();
    let rest = interval.as_nanos() - into_interval;
    now + Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
