//! Starting things: arrivals, virtual users, the steps of a visit.

use std::time::Duration;

use double11_measure::sample::{Failure, Outcome, Sample};

use super::{LoadModel, Start, Timer, VisitRun, Work, Worker, to_u64};

/// Things started before the event loop looks at its connections again.
const STARTS_AT_ONCE: usize = 64;
/// Visits that a virtual user may make in a row without sending anything.
const EMPTY_VISITS_MAX: usize = 1_000;
/// Pause of a virtual user whose plan hardly ever sends anything.
const EMPTY_VISITS_PAUSE: Duration = Duration::from_millis(1);
/// Pause of a virtual user after a visit that ended for want of a connection. A refusal comes at
/// once: without it the users of a shop that is down would do nothing but ask.
const NO_CONNECTION_PAUSE: Duration = Duration::from_millis(100);

impl Worker<'_> {
    /// Starts what is due.
    pub(super) fn fire(&mut self, now: Duration) {
        for _ in 0..STARTS_AT_ONCE {
            let arrival = self.next_arrival.filter(|arrival| arrival.at <= now);
            let timer = self
                .timers
                .peek()
                .map(|timer| timer.at)
                .filter(|at| *at <= now);
            if let Some((_, user)) = self
                .ready
                .pop_front_if(|(at, _)| timer.is_none_or(|timer| *at <= timer))
            {
                self.begin_user_visit(user, now);
                continue;
            }
            match (arrival, timer) {
                (Some(arrival), timer) if timer.is_none_or(|at| arrival.at <= at) => {
                    self.next_arrival = None;
                    if arrival.at < self.end {
                        self.note_lag(arrival.at);
                        self.begin_visit(arrival.shopper, arrival.at, None);
                        self.next_arrival = self.arrivals.next();
                    }
                }
                (_, Some(_)) => {
                    if let Some(timer) = self.timers.pop() {
                        self.fire_timer(&timer, now);
                    }
                }
                _ => return,
            }
        }
    }

    fn fire_timer(&mut self, timer: &Timer, now: Duration) {
        match timer.work {
            Work::Start(start) => {
                self.note_lag(timer.at);
                self.start(start);
            }
            Work::Visit { user } => self.begin_user_visit(user, now),
        }
    }

    /// Notes how late the loop is with something that was due at `at`.
    fn note_lag(&mut self, at: Duration) {
        self.watch.lag.record(self.clock.now().saturating_sub(at));
    }

    fn begin_user_visit(&mut self, user: usize, mut now: Duration) {
        let LoadModel::Closed { users } = self.shared.model else {
            return;
        };
        for _ in 0..EMPTY_VISITS_MAX {
            if now >= self.end {
                return;
            }
            let visits = self.users[user];
            self.users[user] += 1;
            let shopper = visits * to_u64(users) + self.own.at(to_u64(user));
            if self.begin_visit(shopper, now, Some(user)) {
                return;
            }
            now = self.clock.now();
        }
        let at = now + EMPTY_VISITS_PAUSE;
        self.timers.push(Timer {
            at,
            work: Work::Visit { user },
        });
    }

    /// Begins a visit; `false` when it was over at once.
    fn begin_visit(&mut self, shopper: u64, planned: Duration, user: Option<usize>) -> bool {
        let phase = self.shared.phases.phase_at(planned);
        let peak = self
            .shared
            .peaks
            .get(usize::from(phase.0))
            .copied()
            .unwrap_or(false);
        let mut visit = self.spare_visits.pop().unwrap_or_default();
        visit.begin(&self.shared.plan, self.shared.seed, shopper, peak);
        let key = self.visits.insert(VisitRun {
            visit,
            shopper,
            phase,
            planned,
            user,
            again: None,
        });
        self.go_on(key, planned)
    }

    /// Goes on with a visit whose last step ended at `at`; `false` when the visit was over before it
    /// sent anything. A virtual user's next visit is the caller's business then.
    pub(super) fn go_on(&mut self, key: usize, at: Duration) -> bool {
        let Some(run) = self.visits.get_mut(key) else {
            return false;
        };
        let Some(turn) = run.visit.turn(&self.shared.plan) else {
            self.finish_visit(key, at);
            return false;
        };
        let planned = at.saturating_add(turn.pause);
        if planned >= self.end {
            self.cut_visit(key);
            return true;
        }
        let start = Start {
            visit: key,
            turn,
            planned,
            shortages: 0,
        };
        if turn.pause.is_zero() {
            self.start(start);
        } else {
            self.timers.push(Timer {
                at: planned,
                work: Work::Start(start),
            });
        }
        true
    }

    /// Goes on after an answer: with the visit, or with the user's next one.
    pub(super) fn go_on_after(&mut self, key: usize, at: Duration) {
        self.go_on_or_rest(key, at, Duration::ZERO);
    }

    /// Ends a visit after a failure, and lets its user go on.
    pub(super) fn end_failed_visit(&mut self, key: usize, at: Duration, failure: Failure) {
        if let Some(run) = self.visits.get_mut(key) {
            run.visit.give_up();
        }
        let rest = match failure {
            Failure::Connect => NO_CONNECTION_PAUSE,
            _ => Duration::ZERO,
        };
        self.go_on_or_rest(key, at, rest);
    }

    /// Goes on with the visit, or, when it is over, with the user's next one after a `rest`.
    fn go_on_or_rest(&mut self, key: usize, at: Duration, rest: Duration) {
        let user = self.visits.get(key).and_then(|run| run.user);
        if !self.go_on(key, at)
            && let Some(user) = user
        {
            if rest.is_zero() {
                self.ready.push_back((at, user));
                return;
            }
            self.timers.push(Timer {
                at: at.saturating_add(rest),
                work: Work::Visit { user },
            });
        }
    }

    fn start(&mut self, mut start: Start) {
        let is_open = matches!(self.shared.model, LoadModel::Open { .. });
        if is_open && self.in_flight >= self.in_flight_max {
            let end = self.clock.now();
            self.record_unsent(start, end, Failure::Dropped);
            if let Some(run) = self.visits.get_mut(start.visit) {
                run.visit.give_up();
            }
            self.finish_visit(start.visit, end);
            return;
        }
        self.change_in_flight(1);
        start.shortages = self.shortages;
        self.waiting.push_back(start);
    }

    /// Sends waiting starts as long as there are connections.
    pub(super) fn dispatch(&mut self) {
        while !self.waiting.is_empty() {
            let free = self.lanes.take_free();
            if free.is_none() && !self.lanes.has_room() {
                self.shortages += 1;
                return;
            }
            if let Some(start) = self.waiting.pop_front() {
                self.send(start, free);
            }
        }
    }

    /// Gives up a start that waited for a connection as long as a request may take: its shopper
    /// would be gone.
    pub(super) fn give_up_waiting(&mut self, now: Duration) {
        let timeout = self.shared.request_timeout;
        while let Some(start) = self
            .waiting
            .pop_front_if(|start| start.planned.saturating_add(timeout) <= now)
        {
            self.give_up_start(start, now);
        }
    }

    pub(super) fn give_up_start(&mut self, start: Start, now: Duration) {
        self.record_unsent(start, now, Failure::TimeOut);
        self.change_in_flight(-1);
        if let Some(run) = self.visits.get_mut(start.visit) {
            run.visit.give_up();
        }
        self.go_on_after(start.visit, now);
    }

    fn record_unsent(&mut self, start: Start, end: Duration, failure: Failure) {
        let Some(run) = self.visits.get(start.visit) else {
            return;
        };
        let sample = Sample {
            step: self.shared.steps[start.turn.step].id,
            phase: self.shared.phases.phase_at(start.planned),
            thread: u16::try_from(self.index).unwrap_or(u16::MAX),
            shopper: run.shopper,
            planned: start.planned,
            sent: None,
            first_byte: None,
            connect: None,
            end,
            outcome: Outcome::Failed(failure),
            status: None,
            bytes_received: 0,
            bytes_sent: 0,
            late: false,
            in_flight: self.in_flight_everywhere(),
        };
        let message: &[u8] = match failure {
            Failure::Dropped => b"too many requests in flight",
            _ => b"no connection was free within the time-out",
        };
        self.outbox.record(sample, b"", message);
        self.outbox.send_if_full(&self.clock);
    }

    /// Notes requests of this worker that begin or end; the others hear of it once a round.
    pub(super) fn change_in_flight(&mut self, change: isize) {
        self.in_flight = self.in_flight.saturating_add_signed(change);
    }

    /// Requests in flight, all workers together.
    pub(super) fn in_flight_everywhere(&self) -> u32 {
        let own = u32::try_from(self.in_flight).unwrap_or(u32::MAX);
        self.in_flight_elsewhere.saturating_add(own)
    }

    fn finish_visit(&mut self, key: usize, at: Duration) {
        let Some(run) = self.visits.try_remove(key) else {
            return;
        };
        self.outbox
            .batch
            .visits
            .push((run.phase, at.saturating_sub(run.planned)));
        self.spare_visits.push(run.visit);
    }

    /// Ends a visit because the run ends; it is not counted as a session.
    pub(super) fn cut_visit(&mut self, key: usize) {
        if let Some(run) = self.visits.try_remove(key) {
            self.outbox.batch.visits_cut += 1;
            self.spare_visits.push(run.visit);
        }
    }

    /// Cuts the visits that are in a pause when the run ends.
    pub(super) fn cut_timers(&mut self) {
        self.next_arrival = None;
        self.ready.clear();
        while let Some(timer) = self.timers.pop() {
            if let Work::Start(start) = timer.work {
                self.cut_visit(start.visit);
            }
        }
    }
}
