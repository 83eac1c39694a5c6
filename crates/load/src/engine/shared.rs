//! What the workers of a run share. Nothing of it changes but counters and the flag to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use double11_measure::sample::StepId;

use super::ledger::{LedgerForm, phase_field};
use super::{LoadModel, RunOptions, SamplePolicy, StopHandle};
use crate::journey::needs_body;
use crate::json::quote_into;
use crate::plan::Plan;
use crate::schedule::{PhaseClock, RateCurve};
use crate::shard::Shard;
use crate::transport::{Limits, RequestHead, TlsSettings};

/// Shared by the workers of a run.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) plan: Plan,
    /// By index of the step in the plan.
    pub(super) steps: Vec<StepFacts>,
    /// The phases as the client ledger names them.
    pub(super) phase_fields: Vec<Vec<u8>>,
    pub(super) peaks: Vec<bool>,
    pub(super) phases: PhaseClock,
    pub(super) curve: Arc<RateCurve>,
    pub(super) model: LoadModel,
    pub(super) seed: u64,
    pub(super) shard: Shard,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<TlsSettings>,
    pub(super) limits: Limits,
    pub(super) request_timeout: Duration,
    pub(super) connect_timeout: Duration,
    /// Whether paths go into the sample files.
    pub(super) keeps_paths: bool,
    pub(super) keeps_ledger: bool,
    /// The caller's wish to stop.
    stop: StopHandle,
    /// The run's own need to stop: a file cannot be written any more.
    halt: StopHandle,
    /// When the run was stopped, in nanoseconds since its start; the maximum when it was not.
    stopped_at: AtomicU64,
    in_flight: Vec<PaddedCounter>,
}

/// What the engine has to know of a step.
#[derive(Debug)]
pub(super) struct StepFacts {
    pub(super) id: StepId,
    pub(super) head: Option<RequestHead>,
    pub(super) keep_body: bool,
    pub(super) is_safe: bool,
    /// How a write of it stands in the client ledger.
    pub(super) ledger: Option<LedgerForm>,
}

/// A counter on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(AtomicU32);

impl Shared {
    pub(super) fn new(
        options: &RunOptions,
        (address, tls): (SocketAddr, Option<TlsSettings>),
        threads: usize,
        stop: &StopHandle,
    ) -> Self {
        let quoted = |name: &str| {
            let mut quoted = Vec::new();
            quote_into(name.as_bytes(), &mut quoted);
            quoted
        };
        let steps = options
            .plan
            .steps()
            .iter()
            .enumerate()
            .map(|(index, step)| {
                let request = step.request.as_ref();
                let head = request.map(|request| {
                    RequestHead::new(&options.target, &request.method, &request.headers)
                });
                StepFacts {
                    id: StepId(u16::try_from(index).unwrap_or(u16::MAX)),
                    head,
                    keep_body: request.is_some_and(needs_body),
                    is_safe: request.is_some_and(|request| request.method == "GET"),
                    ledger: request.and_then(|request| {
                        let name = quoted(&step.name);
                        Some(LedgerForm::new(request.write?, &name, &request.extract))
                    }),
                }
            });
        Self {
            steps: steps.collect(),
            plan: options.plan.clone(),
            phase_fields: options
                .phases
                .iter()
                .map(|phase| phase_field(&phase.name))
                .collect(),
            peaks: options.phases.iter().map(|phase| phase.peak).collect(),
            phases: PhaseClock::new(&options.phases),
            curve: Arc::new(options.curve()),
            model: options.model,
            seed: options.seed,
            shard: options.shard,
            address,
            tls,
            limits: options.limits,
            request_timeout: options.request_timeout,
            connect_timeout: options.connect_timeout,
            keeps_paths: options.output.is_some() && options.samples != SamplePolicy::None,
            keeps_ledger: options.output.is_some(),
            stop: stop.clone(),
            halt: StopHandle::new(),
            stopped_at: AtomicU64::new(u64::MAX),
            in_flight: (0..threads).map(|_| PaddedCounter::default()).collect(),
        }
    }

    pub(super) fn threads(&self) -> usize {
        self.in_flight.len()
    }

    /// Stops the run because it cannot be kept.
    pub(super) fn halt(&self) {
        self.halt.stop();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_stopping() || self.halt.is_stopping()
    }

    /// Notes that a worker stopped before the end.
    pub(super) fn note_stopped(&self, now: Duration) {
        let nanoseconds = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.stopped_at.fetch_min(nanoseconds, Ordering::Relaxed);
    }

    /// When the run was stopped before its end.
    pub(super) fn stopped_at(&self) -> Option<Duration> {
        let nanoseconds = self.stopped_at.load(Ordering::Relaxed);
        (nanoseconds < u64::MAX).then(|| Duration::from_nanos(nanoseconds))
    }

    /// Publishes how many requests a worker has in flight.
    pub(super) fn set_in_flight(&self, worker: usize, count: usize) {
        if let Some(counter) = self.in_flight.get(worker) {
            counter
                .0
                .store(u32::try_from(count).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    /// Requests in flight, all workers together, as they last published them.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight_besides(usize::MAX)
    }

    /// Requests in flight at the other workers, as they last published them.
    pub(super) fn in_flight_besides(&self, worker: usize) -> u32 {
        let others = self.in_flight.iter().enumerate();
        others
            .filter(|(index, _)| *index != worker)
            .map(|(_, counter)| counter.0.load(Ordering::Relaxed))
            .fold(0, u32::saturating_add)
    }
}
