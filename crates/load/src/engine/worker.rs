//! A worker thread: an event loop with its own arrivals, timers and connections.

mod exchanges;
mod retries;
mod starts;

use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::time::Duration;

use double11_measure::histogram::LatencyHistogram;
use double11_measure::sample::PhaseId;
use mio::{Events, Poll, Token};
use slab::Slab;

use super::alarm::Alarm;
use super::lanes::Lanes;
use super::outbox::Outbox;
use super::shared::Shared;
use super::{Limit, LoadModel};
use crate::clock::{RunClock, thread_processor_time};
use crate::health::WorkerSecond;
use crate::journey::{RenderedRequest, Turn, Visit};
use crate::schedule::{Arrival, Arrivals, Spread};
use crate::shard::Stride;
use crate::transport::Buffers;

const ALARM: Token = Token(usize::MAX - 1);
const EVENTS_MAX: usize = 1_024;
/// How often a worker looks at the flag to stop and hands over what it has.
const TICK: Duration = Duration::from_millis(100);

/// One worker.
pub(super) struct Worker<'a> {
    shared: &'a Shared,
    index: usize,
    clock: RunClock,
    poll: Poll,
    alarm: Alarm,
    buffers: Buffers,
    lanes: Lanes,
    visits: Slab<VisitRun>,
    /// Visits that are over, for the memory they hold.
    spare_visits: Vec<Visit>,
    timers: BinaryHeap<Timer>,
    /// Virtual users whose next visit begins at once, each with the instant since which it may.
    ready: VecDeque<(Duration, usize)>,
    /// Starts that are due and wait for a connection, in the order of their planned instants.
    waiting: VecDeque<Start>,
    /// How often a start was found waiting while no connection was free.
    shortages: u64,
    in_flight: usize,
    /// Those of the other workers when they were last asked for.
    in_flight_elsewhere: u32,
    in_flight_max: usize,
    /// The shoppers of this worker (open model), or its virtual users, by their numbers in the run.
    own: Stride,
    arrivals: Arrivals,
    next_arrival: Option<Arrival>,
    /// Visits that each of this worker's virtual users has begun.
    users: Vec<u64>,
    /// Nothing is planned to start from here on.
    end: Duration,
    rendered: RenderedRequest,
    outbox: Outbox,
    next_tick: Duration,
    watch: Watch,
}

/// A visit under way.
#[derive(Debug)]
struct VisitRun {
    visit: Visit,
    shopper: u64,
    phase: PhaseId,
    planned: Duration,
    /// The virtual user whose visit it is, among this worker's.
    user: Option<usize>,
    /// The request that is to be sent again next.
    again: Option<Box<Again>>,
}

/// A request that failed and is sent again, byte for byte.
#[derive(Debug)]
struct Again {
    /// Which attempt comes next, from 2.
    attempt: u8,
    request: Vec<u8>,
    /// Where the path is in the request.
    path: std::ops::Range<usize>,
    /// Start of the body in the request.
    body_start: usize,
    key: Option<[u8; 36]>,
}

/// The start of a request.
#[derive(Debug, Clone, Copy)]
struct Start {
    visit: usize,
    turn: Turn,
    planned: Duration,
    /// The worker's count of shortages when the start became due.
    shortages: u64,
}

/// Something to do at an instant. The heap gives the greatest first, hence the reversed order.
#[derive(Debug)]
struct Timer {
    at: Duration,
    work: Work,
}

#[derive(Debug, Clone, Copy)]
enum Work {
    /// Start a request after a pause.
    Start(Start),
    /// Begin the next visit of a virtual user.
    Visit { user: usize },
}

/// A worker's view of its own punctuality.
#[derive(Debug)]
struct Watch {
    second: u64,
    since: Duration,
    lag: LatencyHistogram,
    processor_time: Duration,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

impl<'a> Worker<'a> {
    /// Prepares worker `index`: everything that could fail or take time before the run begins.
    pub(super) fn new(
        shared: &'a Shared,
        index: usize,
        (connections, in_flight_max): (Limit, Limit),
        outbox: Outbox,
    ) -> io::Result<Self> {
        let threads = shared.threads();
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let own = shared.shard.thread(to_u64(index), to_u64(threads));
        let (spread, users) = match shared.model {
            LoadModel::Open { spread } => (spread, 0),
            LoadModel::Closed { users } => (Spread::Even, own.below(to_u64(users))),
        };
        let users = usize::try_from(users).unwrap_or(usize::MAX);
        let arrivals = Arrivals::of(shared.curve.clone(), shared.seed, spread, own);
        Ok(Self {
            shared,
            index,
            clock: RunClock::start(),
            poll,
            alarm,
            buffers: Buffers::new(shared.tls.is_some()),
            lanes: Lanes::new(connections.part(index, threads)),
            visits: Slab::new(),
            spare_visits: Vec::new(),
            timers: BinaryHeap::new(),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            shortages: 0,
            in_flight: 0,
            in_flight_elsewhere: 0,
            in_flight_max: in_flight_max.part(index, threads),
            own,
            arrivals,
            next_arrival: None,
            users: vec![0; users],
            end: shared.phases.end(),
            rendered: RenderedRequest::default(),
            outbox,
            next_tick: TICK,
            watch: Watch {
                second: 0,
                since: Duration::ZERO,
                lag: LatencyHistogram::new(),
                processor_time: Duration::ZERO,
            },
        })
    }

    /// Works until the last phase is over and everything is drained.
    pub(super) fn run(mut self, clock: RunClock) -> io::Result<()> {
        self.begin(clock);
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut result = Ok(());
        while result.is_ok() && self.start_due() {
            result = self.go_on_ready(&mut events);
        }
        self.close_second(self.clock.now());
        self.shared.set_in_flight(self.index, 0);
        self.outbox.finish();
        result
    }

    /// Plans the first starts.
    pub(super) fn begin(&mut self, clock: RunClock) {
        self.clock = clock;
        self.watch.processor_time = thread_processor_time();
        match self.shared.model {
            LoadModel::Open { .. } => self.next_arrival = self.arrivals.next(),
            LoadModel::Closed { .. } => {
                let users = 0..self.users.len();
                self.ready.extend(users.map(|user| (Duration::ZERO, user)));
            }
        }
    }

    /// Starts what is due and gives up what is overdue; `false` when everything is done.
    pub(super) fn start_due(&mut self) -> bool {
        let now = self.clock.now();
        if now >= self.next_tick {
            self.tick(now);
        }
        // What the others have in flight changes with every request: asking once a round is enough.
        self.in_flight_elsewhere = self.shared.in_flight_besides(self.index);
        self.fire(now);
        self.dispatch();
        self.time_out(now);
        self.shared.set_in_flight(self.index, self.in_flight);
        !self.is_done(now)
    }

    /// Waits until there is something to do, and goes on with the connections that are ready.
    pub(super) fn go_on_ready(&mut self, events: &mut Events) -> io::Result<()> {
        self.wait(events)?;
        for event in &*events {
            if event.token() != ALARM {
                self.handle(event);
            }
        }
        Ok(())
    }

    /// Whether nothing is under way and nothing will be.
    fn is_done(&mut self, now: Duration) -> bool {
        let end = self.end;
        if now < end {
            return false;
        }
        let is_due_before_end = self.next_arrival.is_some_and(|arrival| arrival.at < end)
            || self.timers.peek().is_some_and(|timer| timer.at < end);
        if is_due_before_end {
            return false;
        }
        self.cut_timers();
        if now >= end.saturating_add(self.shared.request_timeout) {
            self.abandon_rest();
        }
        self.in_flight == 0
    }

    /// Sleeps until the next event or the next thing to do.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.clock.now();
        let next = self.next_instant(now);
        let timeout = if next <= now {
            Some(Duration::ZERO)
        } else {
            self.alarm.wake_by(next, now, &self.clock)?;
            None
        };
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }

    fn next_instant(&mut self, now: Duration) -> Duration {
        let timeout = self.shared.request_timeout;
        let mut next = self.next_tick;
        let mut consider = |instant: Option<Duration>| {
            next = next.min(instant.unwrap_or(Duration::MAX));
        };
        let end = self.end;
        consider(
            self.next_arrival
                .map(|arrival| arrival.at)
                .filter(|at| *at < end),
        );
        consider(self.timers.peek().map(|timer| timer.at));
        consider(self.ready.front().map(|(at, _)| *at));
        consider(
            self.lanes
                .oldest()
                .map(|(_, sent)| sent.saturating_add(timeout)),
        );
        consider(self.lanes.next_opening(now).0);
        let first = self.waiting.front();
        consider(first.map(|start| start.planned.saturating_add(timeout)));
        consider(Some(end).filter(|end| *end > now));
        next
    }

    /// The work of every tenth of a second.
    fn tick(&mut self, now: Duration) {
        while self.next_tick <= now {
            self.next_tick += TICK;
        }
        if self.shared.is_stopping() && now < self.end {
            self.shared.note_stopped(now);
            self.end = now;
        }
        if now.as_secs() > self.watch.second {
            self.close_second(now);
        }
        self.outbox.send(&self.clock);
    }

    /// Reports on the worker's own health in the second that is over.
    fn close_second(&mut self, now: Duration) {
        let processor_time = thread_processor_time();
        let used = processor_time.saturating_sub(self.watch.processor_time);
        let second = WorkerSecond {
            worker: self.index,
            second: self.watch.second,
            lag: std::mem::take(&mut self.watch.lag),
            processor_time: used,
            length: now.saturating_sub(self.watch.since),
            connections: self.lanes.count(),
            blocked: self.outbox.blocked(),
        };
        self.outbox.batch.health.push(second);
        self.watch.processor_time = processor_time;
        self.watch.second = now.as_secs();
        self.watch.since = now;
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
