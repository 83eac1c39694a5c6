//! The built-in gateway: a seeded latency and decline rate in front of a durable ledger.
//!
//! Latency and refusal of an attempt depend on the seed and its id only, not on order or threads.
//! The latency is the one artificial wait in the shop, and it is the same in every variant.

mod ledger;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use double11_store::Clock;
use double11_units::{AttemptId, Money};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use rand_pcg::Pcg64Mcg;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Charge, ChargeResult, Gateway, GatewayError, GatewayReply, Health, KnownAttempt, SANDBOX,
};
use ledger::Ledger;
use writer::{Reply, Request, Writer};

pub use ledger::LedgerError;

/// Requests that may wait for the ledger's thread; more wait in their callers.
const QUEUE_MAX: usize = 4_096;

/// How the sandbox gateway behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct SandboxSettings {
    /// The ledger file, `<store>.gateway` by default.
    pub ledger: PathBuf,
    /// The seed of latencies and refusals.
    pub seed: u64,
    /// The median of the log-normal latency; zero for none.
    pub latency_median: Duration,
    /// The standard deviation of the latency's logarithm; 0.3 puts the 99th percentile at twice the
    /// median.
    pub latency_sigma: f64,
    /// The share of attempts that are refused, 0.0..=1.0.
    pub decline_rate: f64,
}

impl SandboxSettings {
    /// What `serve` uses: a median of 2 ms, no refusals.
    pub fn serve(ledger: PathBuf, seed: u64) -> Self {
        Self {
            ledger,
            seed,
            latency_median: Duration::from_millis(2),
            latency_sigma: 0.3,
            decline_rate: 0.0,
        }
    }
}

/// The built-in gateway. Dropping it writes what is queued, then closes the ledger.
#[derive(Debug)]
pub struct SandboxGateway {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Set by the ledger's thread when its disk failed.
    broken: Arc<AtomicBool>,
    settings: SandboxSettings,
}

impl SandboxGateway {
    /// Opens the ledger and starts the thread that writes it. Blocks while the file is read.
    ///
    /// # Errors
    /// [`LedgerError`] when the file cannot be used, is in use, or holds something else.
    pub fn open(settings: SandboxSettings, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        Self::over_ledger(Ledger::open(&settings.ledger)?, settings, clock)
    }

    /// A gateway over a descriptor that takes no writes: its disk fails at the next one.
    #[cfg(test)]
    fn open_broken(settings: SandboxSettings) -> Self {
        let mut ledger = Ledger::open(&settings.ledger).expect("a good ledger");
        ledger.file = std::fs::File::open(&settings.ledger).expect("the file, to be read only");
        let clock = Arc::new(double11_store::SystemClock);
        Self::over_ledger(ledger, settings, clock).expect("a thread")
    }

    fn over_ledger(
        ledger: Ledger,
        settings: SandboxSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let broken = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(ledger, clock, Arc::clone(&broken));
        let thread = std::thread::Builder::new()
            .name("gateway-ledger".to_owned())
            .spawn(move || writer.run(receiver))
            .map_err(|source| LedgerError::Io {
                path: settings.ledger.clone(),
                source,
            })?;
        Ok(Self {
            requests: Some(sender),
            thread: Some(thread),
            broken,
            settings,
        })
    }

    /// Sends a request after the latency of this attempt and waits for its durable answer.
    fn ask<T: Send + 'static>(
        &self,
        latency: Duration,
        request: impl FnOnce(Reply<T>) -> Request + Send + 'static,
    ) -> GatewayReply<T> {
        // A weak sender: a forgotten future must not keep the ledger's thread alive.
        let requests = self.requests.as_ref().map(mpsc::Sender::downgrade);
        Box::pin(async move {
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            let (reply, answer) = oneshot::channel();
            let requests = requests
                .and_then(|weak| weak.upgrade())
                .ok_or(GatewayError::OutcomeUnknown)?;
            requests
                .send(request(reply))
                .await
                .map_err(|_| GatewayError::OutcomeUnknown)?;
            drop(requests);
            answer.await.map_err(|_| GatewayError::OutcomeUnknown)?
        })
    }

    /// The latency of an attempt and whether it is refused.
    fn fate(&self, attempt_id: AttemptId) -> (Duration, bool) {
        let settings = &self.settings;
        let id_bits = attempt_id.get().cast_unsigned();
        let stream = scramble(settings.seed ^ scramble(id_bits));
        let mut random = Pcg64Mcg::seed_from_u64(stream);
        let refused = random.random_range(0.0..1.0) < settings.decline_rate;
        let latency =
            LogNormal::new(0.0, settings.latency_sigma).map_or(settings.latency_median, |spread| {
                settings
                    .latency_median
                    .mul_f64(spread.sample(&mut random).min(100.0))
            });
        (latency, refused)
    }
}

impl Drop for SandboxGateway {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the gateway ledger panicked");
        }
    }
}

impl Gateway for SandboxGateway {
    fn name(&self) -> &'static str {
        SANDBOX
    }

    fn health(&self) -> Health {
        if self.broken.load(Ordering::Acquire) {
            Health::Down("the ledger cannot be written")
        } else {
            Health::Up
        }
    }

    fn charge(&self, charge: Charge) -> GatewayReply<ChargeResult> {
        let (latency, decline) = self.fate(charge.attempt_id);
        self.ask(latency, move |reply| Request::Charge {
            charge,
            decline,
            reply,
        })
    }

    fn status(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        self.ask(Duration::ZERO, move |reply| Request::Status {
            attempt_id,
            reply,
        })
    }

    fn void(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        self.ask(Duration::ZERO, move |reply| Request::Void {
            attempt_id,
            reply,
        })
    }

    fn refund(&self, attempt_id: AttemptId, amount: Money) -> GatewayReply<()> {
        let (latency, _) = self.fate(attempt_id);
        self.ask(latency, move |reply| Request::Refund {
            attempt_id,
            amount,
            reply,
        })
    }
}

/// The output function of `SplitMix64`: a bijection that scatters neighbouring inputs. Source: Steele,
/// Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
pub(crate) const fn scramble(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
