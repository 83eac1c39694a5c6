//! What the caller decides, and what it is told meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use double11_measure::run::Progress;

/// One phase of the traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhasePlan {
    /// Its name in files and reports.
    pub name: &'static str,
    /// How long it lasts.
    pub duration: Duration,
    /// Requests per second that are offered.
    pub per_second: f64,
    /// Whether shoppers behave as at the peak of the sale.
    pub peak: bool,
    /// Whether its figures count.
    pub measured: bool,
}

/// The traffic of every run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The phases in order.
    pub phases: Vec<PhasePlan>,
    /// The phase whose figures are judged.
    pub judged: &'static str,
    /// The phase on which percentiles of both sides are compared.
    pub compared: &'static str,
}

/// Requests per second of a normal day, as the requirements have it.
pub(crate) const NORMAL_PER_SECOND: f64 = 50.0;

impl Schedule {
    /// One pair of runs within three minutes: warm-up 5 s, normal 15 s, 10x 20 s, 20x 30 s.
    pub fn quick() -> Self {
        let phase = |name, seconds, multiple, peak, measured| PhasePlan {
            name,
            duration: Duration::from_secs(seconds),
            per_second: NORMAL_PER_SECOND * multiple,
            peak,
            measured,
        };
        Self {
            phases: vec![
                phase("warm_up", 5, 1.0, false, false),
                phase("normal", 15, 1.0, false, true),
                phase("peak_10x", 20, 10.0, true, true),
                phase("peak_20x", 30, 20.0, true, true),
            ],
            judged: "peak_20x",
            compared: "normal",
        }
    }
}

/// Everything that decides a rehearsal.
#[derive(Clone, Debug)]
pub struct RehearsalOptions {
    /// The program that serves: this very one.
    pub program: PathBuf,
    /// Where the report and the runs go.
    pub out: PathBuf,
    /// Decides catalogue, shoppers and gateway.
    pub seed: u64,
    /// The two variants, the plainer one first.
    pub variants: [String; 2],
    /// Ports of the two shops; 0 lets the system choose.
    pub ports: [u16; 2],
    /// Products in the catalogue.
    pub products: u32,
    /// The traffic.
    pub schedule: Schedule,
    /// Cores of the shop; empty for all.
    pub shop_cpus: Vec<usize>,
    /// Cores of the load generator; empty for all.
    pub generator_cpus: Vec<usize>,
    /// The command line that repeats this rehearsal.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Commit that the program was built from.
    pub git_commit: Option<String>,
    /// Asks for an early end: what was measured is kept.
    pub stop: double11_load::StopHandle,
}

impl RehearsalOptions {
    /// How long an unpaid order holds its stock: short, so that expiry races payment in every run.
    pub const PAYMENT_WINDOW: Duration = Duration::from_secs(20);
    /// How long the shop has to come to rest after the traffic.
    pub const SETTLE_LIMIT: Duration = Duration::from_secs(30);
    /// Most connections that the load generator opens.
    pub const CONNECTIONS: u32 = 256;
    /// Most starts that wait or run before one is dropped.
    pub const MAX_IN_FLIGHT: u32 = 10_000;
    /// How long the load generator waits for an answer.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
    /// How often the shop's metrics are scraped, as the shipped Prometheus configuration does.
    pub const SCRAPE_INTERVAL: Duration = Duration::from_secs(5);
}

/// What happens meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Event<'event> {
    /// A shop is being started with a fresh store.
    Starting {
        /// Its variant.
        variant: &'event str,
    },
    /// It answers.
    Ready {
        /// Its variant.
        variant: &'event str,
        /// Where.
        target: &'event str,
        /// How long it took.
        after: Duration,
    },
    /// The traffic goes on; about once a second.
    Progress {
        /// The variant under traffic.
        variant: &'event str,
        /// The phase by the plan.
        phase: &'event str,
        /// Elapsed time of the traffic.
        elapsed: Duration,
        /// Length of the traffic.
        planned: Duration,
        /// How it goes.
        progress: Progress,
    },
    /// The traffic is over; payments and refunds in process come to rest.
    Settling {
        /// The variant.
        variant: &'event str,
    },
    /// The store is audited.
    Auditing {
        /// The variant.
        variant: &'event str,
    },
    /// The store was audited.
    Audited {
        /// The variant.
        variant: &'event str,
        /// Whether every check passed.
        passed: bool,
    },
    /// Something that casts doubt on the figures.
    Warning {
        /// A sentence.
        text: &'event str,
    },
}

/// Is told what happens. Called from more than one thread.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}
