//! What a run is asked to do, and whether that makes sense.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU64;
use std::time::Duration;

use double11_units::UnixMicros;
use rustls::pki_types::CertificateDer;

use super::LoadError;
use crate::plan::{Plan, Request, Step, is_name};
use crate::run_directory::RunDirectory;
use crate::schedule::{Phase, PhaseClock, Ramp, Rate, RateCurve, Spread};
use crate::shard::Shard;
use crate::transport::{Limits, Target};

const PHASES_MAX: usize = 1_000;
const RATE_MAX: f64 = 10_000_000.0;
const DURATION_MAX: Duration = Duration::from_hours(7 * 24);
const TIMEOUT_MAX: Duration = Duration::from_hours(1);

/// Everything a run needs to know. There is no default: the caller decides.
#[derive(Debug)]
pub struct RunOptions {
    /// What a shopper does.
    pub plan: Plan,
    /// Who is put under load.
    pub target: Target,
    /// Certificate authorities to trust besides the public ones.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether shoppers come by the clock or wait for answers.
    pub model: LoadModel,
    /// The stretches of the run, one after the other.
    pub phases: Vec<Phase>,
    /// Seed of the arrivals and of every choice.
    pub seed: u64,
    /// Which part of the run this generator makes. Everything else here is of the whole run: phases and
    /// users, of which the shard makes its part, and `connections` and `max_in_flight`, of which it
    /// gets its part.
    pub shard: Shard,
    /// When the run begins, in wall-clock time, so that shards begin together; `None` for at once.
    pub start_at: Option<UnixMicros>,
    /// Worker threads; `None` for one per core that may be used. Never more than connections.
    pub threads: Option<usize>,
    /// Processors to pin the workers to, in turn; empty for none.
    pub pin_to: Vec<usize>,
    /// Connections at most, all workers together.
    pub connections: usize,
    /// Requests waiting or running at most (open model), all workers together. Beyond it a start is
    /// dropped.
    pub max_in_flight: usize,
    /// Longest wait for an answer, from sending, connecting included. A start that waited this long
    /// for a connection is given up as well.
    pub request_timeout: Duration,
    /// Longest wait for a connection to open.
    pub connect_timeout: Duration,
    /// Bounds of a response.
    pub limits: Limits,
    /// Whether to refuse to begin when nothing accepts connections at the target.
    pub require_reachable: bool,
    /// Which samples are written to the sample files.
    pub samples: SamplePolicy,
    /// Where the files of the run go; `None` to keep nothing but the outcome.
    pub output: Option<RunDirectory>,
    /// What `run.json` says besides.
    pub about: RunAbout,
}

/// Whether shoppers come by the clock or wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadModel {
    /// Visits start at instants drawn beforehand, whatever the answers.
    Open {
        /// How they are spread under the rate curve.
        spread: Spread,
    },
    /// A fixed number of virtual users, each making one visit after the other until the end.
    Closed {
        /// How many. Where there are fewer connections a start waits for a free one, as in the open
        /// model.
        users: usize,
    },
}

/// Which samples are written to the sample files. The figures always count all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplePolicy {
    /// Every one.
    All,
    /// Those that failed.
    Errors,
    /// Every n-th.
    OneIn(NonZeroU64),
    /// None; the file holds its header only.
    None,
}

/// What the caller adds to `run.json`.
#[derive(Debug, Clone, Default)]
pub struct RunAbout {
    /// The command line, without secrets.
    pub command_line: Vec<String>,
    /// Versions of the program and of whatever else matters, by name.
    pub versions: BTreeMap<String, String>,
    /// What the target was limited to and by what, where the caller knows it: `0.5 CPU (cgroup v1)`.
    pub target_limits: Option<String>,
}

/// Bounds on what a worker may hold, from the bounds of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) usize);

impl Limit {
    /// The part of thread `index` of `threads`: as equal as can be, the first ones get the rest.
    pub(crate) fn part(self, index: usize, threads: usize) -> usize {
        self.0 / threads + usize::from(index < self.0 % threads)
    }
}

impl RunOptions {
    /// Longest wait for a connection to open, unless the caller knows better.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

    /// The end of the last phase.
    pub fn planned_end(&self) -> Duration {
        PhaseClock::new(&self.phases).end()
    }

    /// The arrival rate of a phase in visits per second; `None` in the closed model.
    pub fn visit_rate(&self, phase: &Phase) -> Option<Ramp> {
        Some(phase.rate?.visits(self.plan.requests_per_visit(phase.peak)))
    }

    /// Requests per second that a phase of the whole run offers on average; `None` in the closed model.
    pub fn offered_per_second(&self, phase: &Phase) -> Option<f64> {
        self.request_rate(phase).map(Ramp::mean)
    }

    /// The part of that which the shard offers.
    pub(super) fn own_offered_per_second(&self, phase: &Phase) -> Option<f64> {
        Some(self.shard.rate(self.offered_per_second(phase)?))
    }

    /// The rate of a phase in requests per second as far as the shard makes it; `None` in the closed
    /// model.
    pub(super) fn own_request_rate(&self, phase: &Phase) -> Option<Ramp> {
        let whole = self.request_rate(phase)?;
        Some(Ramp {
            from: self.shard.rate(whole.from),
            to: self.shard.rate(whole.to),
        })
    }

    /// The shard's part of the connections.
    pub(super) fn own_connections(&self) -> usize {
        self.shard.part(self.connections)
    }

    /// The shard's part of the requests in flight.
    pub(super) fn own_in_flight(&self) -> usize {
        self.shard.part(self.max_in_flight)
    }

    /// The rate of a phase of the whole run in requests per second; `None` in the closed model.
    fn request_rate(&self, phase: &Phase) -> Option<Ramp> {
        Some(
            phase
                .rate?
                .requests(self.plan.requests_per_visit(phase.peak)),
        )
    }

    pub(super) fn curve(&self) -> RateCurve {
        let rate = |phase: &Phase| self.visit_rate(phase).unwrap_or(Ramp::constant(0.0));
        RateCurve::new(
            self.phases
                .iter()
                .map(|phase| (phase.duration, rate(phase))),
        )
    }

    /// Disk space that the files may need, as far as it can be told beforehand.
    pub(super) fn expected_bytes(&self) -> u64 {
        const SAMPLE_BYTES: f64 = 160.0;
        const LEDGER_BYTES: f64 = 450.0;
        /// Of the time series: two histograms of a step in a second.
        const SECOND_BYTES: f64 = 1_000.0;
        let sum = |per_visit: &dyn Fn(bool) -> f64| -> f64 {
            let visits = |phase: &Phase| {
                let rate = self.visit_rate(phase).unwrap_or(Ramp::constant(0.0));
                self.shard.rate(rate.mean()) * phase.duration.as_secs_f64()
            };
            self.phases
                .iter()
                .map(|phase| visits(phase) * per_visit(phase.peak))
                .sum()
        };
        let samples = match self.samples {
            SamplePolicy::All => 1.0,
            SamplePolicy::OneIn(n) => 1.0 / n.get() as f64,
            SamplePolicy::Errors | SamplePolicy::None => 0.0,
        };
        let bytes = sum(&|peak| self.attempts_per_visit(peak, |_| true)) * samples * SAMPLE_BYTES
            + sum(&|peak| self.attempts_per_visit(peak, |request| request.write.is_some()))
                * LEDGER_BYTES
            + self.planned_end().as_secs_f64()
                * self.plan.requesting_steps().count() as f64
                * SECOND_BYTES;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; a float cast saturates"
        )]
        let bytes = bytes as u64;
        bytes
    }

    /// Attempts of a visit's requests at most, on average: each request as often as its step may try.
    fn attempts_per_visit(&self, peak: bool, counts: impl Fn(&Request) -> bool) -> f64 {
        let attempts = |step: &Step| {
            let retry = step.retry.as_ref();
            retry.map_or(1.0, |retry| f64::from(retry.attempts))
        };
        self.plan
            .requesting_steps()
            .filter(|step| step.request.as_ref().is_some_and(&counts))
            .map(|step| step.share(peak) * attempts(step))
            .sum()
    }

    pub(super) fn check(&self) -> Result<(), LoadError> {
        let refuse = |option, reason: &str| {
            Err(LoadError::Option {
                option,
                reason: reason.to_owned(),
            })
        };
        if self.connections == 0 {
            return refuse("connections", "at least 1");
        }
        if self.max_in_flight == 0 {
            return refuse("max_in_flight", "at least 1");
        }
        if self.threads == Some(0) {
            return refuse("threads", "at least 1");
        }
        for (option, timeout) in [
            ("request_timeout", self.request_timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if timeout.is_zero() || timeout > TIMEOUT_MAX {
                return refuse(option, "more than 0 and at most an hour");
            }
        }
        if self.model == (LoadModel::Closed { users: 0 }) {
            return refuse("users", "at least 1");
        }
        self.check_shard()?;
        self.check_phases()
    }

    /// A shard without a connection or a user would wait for nothing.
    fn check_shard(&self) -> Result<(), LoadError> {
        let count = usize::try_from(self.shard.count()).unwrap_or(usize::MAX);
        let users = match self.model {
            LoadModel::Open { .. } => count,
            LoadModel::Closed { users } => users,
        };
        for (option, whole) in [
            ("connections", self.connections),
            ("max_in_flight", self.max_in_flight),
            ("users", users),
        ] {
            if whole < count {
                return Err(LoadError::Option {
                    option,
                    reason: format!(
                        "{whole} of the whole run cannot be shared out among {count} shards"
                    ),
                });
            }
        }
        Ok(())
    }

    fn check_phases(&self) -> Result<(), LoadError> {
        let refuse = |phase: &Phase, reason: &str| {
            Err(LoadError::Option {
                option: "phases",
                reason: format!("phase `{}`: {reason}", phase.name),
            })
        };
        if self.phases.is_empty() || self.phases.len() > PHASES_MAX {
            return Err(LoadError::Option {
                option: "phases",
                reason: format!("from 1 to {PHASES_MAX}"),
            });
        }
        let mut names = HashSet::new();
        for phase in &self.phases {
            if !is_name(&phase.name) || !names.insert(&phase.name) {
                return refuse(phase, "a name of its own, of a–z, 0–9, `_` and `-`");
            }
            if phase
                .samples_file
                .as_deref()
                .is_some_and(|name| !is_name(name))
            {
                return refuse(
                    phase,
                    "a sample file's name consists of a–z, 0–9, `_` and `-`",
                );
            }
            if phase.duration.is_zero() || phase.duration > DURATION_MAX {
                return refuse(phase, "longer than 0 and at most a week");
            }
            match (self.model, phase.rate) {
                (LoadModel::Open { .. }, Some(Rate::Visits(ramp) | Rate::Requests(ramp))) => {
                    let is_rate = |rate: f64| (0.0..=RATE_MAX).contains(&rate);
                    if !is_rate(ramp.from) || !is_rate(ramp.to) {
                        return refuse(phase, "a rate is from 0 to 10,000,000 per second");
                    }
                }
                (LoadModel::Open { .. }, None) => return refuse(phase, "needs an arrival rate"),
                (LoadModel::Closed { .. }, None) => {}
                (LoadModel::Closed { .. }, Some(_)) => {
                    return refuse(phase, "virtual users have no arrival rate");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A read and, on half the visits, an order; a hundred visits a second for ten seconds.
    fn options(retry: &str) -> RunOptions {
        let plan = format!(
            "format = 1\nname = \"p\"\n[[step]]\nname = \"get\"\nweight = 1\n[step.request]\n\
             method = \"GET\"\npath = \"/\"\nsuccess = [200]\n[[step]]\nname = \"order\"\n\
             weight = 0.5\n[step.request]\nmethod = \"POST\"\npath = \"/\"\nsuccess = [201]\n\
             write = \"order\"\nidempotency_key = true\n{retry}"
        );
        RunOptions {
            plan: Plan::parse("p", &plan, &[]).unwrap(),
            target: Target::parse("http://127.0.0.1:1").unwrap(),
            extra_roots: Vec::new(),
            model: LoadModel::Open {
                spread: Spread::Even,
            },
            phases: vec![Phase {
                name: "only".to_owned(),
                duration: Duration::from_secs(10),
                rate: Some(Rate::Visits(Ramp::constant(100.0))),
                peak: false,
                measured: true,
                samples_file: None,
            }],
            seed: 1,
            shard: Shard::WHOLE,
            start_at: None,
            threads: Some(1),
            pin_to: Vec::new(),
            connections: 1,
            max_in_flight: 1,
            request_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            limits: Limits {
                head_bytes_max: 1,
                body_bytes_max: 1,
            },
            require_reachable: false,
            samples: SamplePolicy::All,
            output: None,
            about: RunAbout::default(),
        }
    }

    #[test]
    fn the_room_on_the_disk_is_for_every_attempt() {
        // Two steps for ten seconds, a thousand bytes each.
        let series = 2 * 10 * 1_000;
        let retry = "[step.retry]\nattempts = 4\nstatuses = [503]\nmin_s = 0.1\nmax_s = 0.2\n";
        for (retry, orders) in [("", 500), (retry, 2_000)] {
            let mut options = options(retry);
            let expected = (1_000 + orders) * 160 + orders * 450 + series;
            assert_eq!(options.expected_bytes(), expected);
            options.samples = SamplePolicy::None;
            assert_eq!(options.expected_bytes(), orders * 450 + series);
            options.shard = Shard::new(1, 2).unwrap();
            let half = orders / 2 * 450 + series;
            assert_eq!(options.expected_bytes(), half, "half of the shoppers");
        }
    }

    #[test]
    fn a_limit_is_shared_out_in_full() {
        for (limit, threads) in [(1, 1), (7, 2), (8, 3), (100, 16)] {
            let parts: Vec<usize> = (0..threads)
                .map(|index| Limit(limit).part(index, threads))
                .collect();
            assert_eq!(parts.iter().sum::<usize>(), limit);
            assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
