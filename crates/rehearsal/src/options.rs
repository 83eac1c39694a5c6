//! What the caller decides, and what it is told meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use double11_limits::Held;
use double11_load::transport::{CertificateDer, Headers};
use double11_load::{Observation, StopHandle};

use crate::rehearsed_plan::RehearsedPlan;
use crate::schedule::Schedule;
use crate::store::Stores;

/// One of the two shops that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// A shop of ours, started by the rehearsal on a fresh store for each run.
    Variant {
        /// What it is called in files and reports; the variant's name, unless the same variant is
        /// measured twice.
        name: String,
        /// The variant.
        variant: String,
        /// Its port; 0 lets the system choose.
        port: u16,
    },
    /// A shop of somebody else's that runs already.
    Url {
        /// What it is called in files and reports.
        name: String,
        /// Where it answers.
        target: String,
    },
}

impl Side {
    /// What the side is called in files and reports.
    pub fn name(&self) -> &str {
        match self {
            Self::Variant { name, .. } | Self::Url { name, .. } => name,
        }
    }

    /// Whether the rehearsal starts the shop itself, and so has its store and its process.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Variant { .. })
    }
}

/// A shop with some optimisations, one step of the ladder from the plainer variant to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What it is called, such as `+ pool`.
    pub name: String,
    /// The named variant that it is, where it is one.
    pub variant: Option<String>,
    /// The variant it starts from.
    pub base: String,
    /// The levers that are turned on besides.
    pub enable: Vec<String>,
    /// The levers that the rung before did not have.
    pub added: Vec<String>,
}

/// A Prometheus that scrapes the shops beside the rehearsal's own scrapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrometheusSource {
    /// One that runs already and scrapes both ports.
    Running {
        /// Where it answers.
        url: String,
        /// Labels of the shops, as `PromQL` matchers without braces.
        selector: String,
    },
    /// One that the rehearsal starts, with the shipped configuration, on its own processors.
    Spawn {
        /// The program; a bare name is looked for on the path.
        program: PathBuf,
        /// Whether its data are kept beside the runs.
        keep_data: bool,
    },
}

/// Everything that decides a rehearsal.
#[derive(Clone, Debug)]
pub struct RehearsalOptions {
    /// The program that serves: this very one.
    pub program: PathBuf,
    /// Where the report and the runs go.
    pub out: PathBuf,
    /// Decides catalogue, shoppers and gateway. The second pair has the shoppers of the next seed, and
    /// so on; both runs of a pair have the same.
    pub seed: u64,
    /// The two shops, the plainer one first.
    pub sides: [Side; 2],
    /// How many pairs of runs.
    pub pairs: u32,
    /// How long a rate counts in the search for each shop's capacity, after the pairs; `None` for no
    /// search.
    pub capacity: Option<Duration>,
    /// The shops between the two variants, to be run once each; empty for no ladder.
    pub ladder: Vec<Rung>,
    /// What a shopper does.
    pub plan: RehearsedPlan,
    /// Where our shops keep their data.
    pub stores: Stores,
    /// Products in the catalogue.
    pub products: u32,
    /// Pieces of each product; `None` when the catalogue decides.
    pub stock: Option<u32>,
    /// The traffic.
    pub schedule: Schedule,
    /// The Prometheus to compare with; `None` for none.
    pub prometheus: Option<PrometheusSource>,
    /// Headers of every request.
    pub headers: Headers,
    /// Certificate authorities to trust besides the public ones.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Cores of the shop; empty for all.
    pub shop_cpus: Vec<usize>,
    /// Cores of the load generator; empty for all.
    pub generator_cpus: Vec<usize>,
    /// What each shop of ours is limited to; `None` for no limits.
    pub limits: Option<Held>,
    /// The language of the page and of the sentence.
    pub language: double11_report::Language,
    /// The command line that repeats this rehearsal.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Commit that the program was built from.
    pub git_commit: Option<String>,
    /// Asks for an early end: what was measured is kept.
    pub stop: StopHandle,
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
    /// How long a rate counts in the search for a capacity, unless time is compressed.
    pub const PROBE: Duration = Duration::from_secs(6);
    /// Share of the payments that start when their order is about to expire, in shops of ours.
    pub const DELAYED_PAYMENTS: f64 = 0.02;

    /// Whether both shops are started by the rehearsal.
    pub fn owns_the_shops(&self) -> bool {
        self.sides.iter().all(Side::is_ours)
    }

    /// Traffic of all runs together, without starting, settling, auditing and the search for
    /// capacities.
    pub fn traffic_time(&self) -> Duration {
        let ladder = u32::try_from(self.ladder.len()).unwrap_or(u32::MAX);
        self.schedule.length() * (2 * self.pairs) + self.schedule.for_ladder().length() * ladder
    }
}

/// What happens meanwhile.
#[derive(Clone, Copy, Debug)]
pub enum Event<'event> {
    /// A pair of runs begins.
    Pair {
        /// Its number, from 1.
        number: u32,
        /// How many there will be.
        of: u32,
    },
    /// A rung of the ladder begins.
    Rung {
        /// Its number, from 1.
        number: usize,
        /// How many there will be.
        of: usize,
    },
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
    /// Prometheus is to scrape the shop before the traffic begins.
    AwaitingScrape {
        /// Its variant.
        variant: &'event str,
    },
    /// Prometheus is to scrape the shop once more, and is then asked.
    AskingPrometheus {
        /// Its variant.
        variant: &'event str,
    },
    /// Prometheus was asked: what its comparisons came to.
    AskedPrometheus {
        /// The variant.
        variant: &'event str,
        /// How many agree.
        agree: usize,
        /// How many differ.
        differ: usize,
        /// How many could not be made.
        not_compared: usize,
    },
    /// The traffic goes on; about once a second.
    Progress {
        /// The variant under traffic.
        variant: &'event str,
        /// The phase by the plan.
        phase: &'event str,
        /// How it goes.
        seen: &'event Observation,
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
    /// The search for a shop's capacity tries a rate.
    Probing {
        /// The variant.
        variant: &'event str,
        /// Requests per second that are offered.
        per_second: f64,
    },
    /// The rate was tried.
    Probed {
        /// The variant.
        variant: &'event str,
        /// Requests per second that were offered.
        per_second: f64,
        /// Whether the stricter criterion held.
        strict: bool,
        /// Whether the looser one held.
        relaxed: bool,
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
