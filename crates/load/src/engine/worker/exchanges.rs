//! Requests on connections, from sending to the sample.

use std::time::Duration;

use double11_measure::sample::{Failure, Outcome, Sample};
use double11_units::errors;
use mio::event::Event;
use mio::{Interest, Token};

use super::retries::compose;
use super::{Again, LoadModel, Start, Worker};
use crate::engine::lanes::Exchange;
use crate::engine::ledger::{LedgerLine, WriteOutcome};
use crate::transport::{BodyAt, Connection, Progress, ResponseHead, TransportError};

/// A start that had to wait for longer than this is late.
const LATE: Duration = Duration::from_millis(1);

/// How an exchange ended, besides its outcome.
struct End<'a> {
    at: Duration,
    status: Option<u16>,
    outcome: Outcome,
    message: &'a str,
}

impl Worker<'_> {
    /// Sends a request on a free lane, or on a new one.
    pub(super) fn send(&mut self, start: Start, free: Option<usize>) {
        let shared = self.shared;
        let (Some(run), Some(head)) = (
            self.visits.get_mut(start.visit),
            &shared.steps[start.turn.step].head,
        ) else {
            return;
        };
        let has_waited = self.shortages > start.shortages;
        // A virtual user plans to send when it sends, unless it had to wait for a connection.
        let is_prompt = matches!(shared.model, LoadModel::Closed { .. }) && !has_waited;
        let again = run.again.take();
        if again.is_none() {
            let unix_millis = u64::try_from(self.clock.wall(start.planned).millis()).unwrap_or(0);
            let step = start.turn.step;
            run.visit
                .render(&shared.plan, step, unix_millis, &mut self.rendered);
        }
        let in_flight = self.in_flight_everywhere();
        let sent = self.clock.now();
        let planned = if is_prompt { sent } else { start.planned };
        let mut exchange = Exchange {
            visit: start.visit,
            turn: start.turn,
            planned,
            sent,
            has_waited,
            is_fresh: free.is_none(),
            is_resent: false,
            attempt: again.as_ref().map_or(1, |again| again.attempt),
            in_flight,
            path: 0..0,
            body_start: 0,
            key: again.as_ref().map_or(self.rendered.key, |again| again.key),
        };
        let index = match free.map_or_else(|| self.open_lane(sent), Ok) {
            Ok(index) => index,
            Err(error) => return self.fail_unopened(&exchange, again, &error),
        };
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let request = lane.connection.request_buffer();
        (exchange.path, exchange.body_start) = match again {
            Some(again) => {
                request.extend_from_slice(&again.request);
                (again.path, again.body_start)
            }
            None => compose(head, &self.rendered, request),
        };
        let progress = lane
            .connection
            .send(shared.steps[start.turn.step].keep_body);
        self.lanes.set_busy(index, exchange);
        self.settle(index, progress);
    }

    /// Goes on with the lane that an event belongs to.
    pub(super) fn handle(&mut self, event: &Event) {
        let Token(index) = event.token();
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let progress = lane.connection.ready(event, &mut self.buffers, &self.clock);
        if !matches!(progress, Progress::Pending) {
            self.settle(index, progress);
            self.dispatch();
        }
    }

    fn settle(&mut self, index: usize, progress: Progress) {
        match progress {
            Progress::Pending => {}
            Progress::Complete(head, body, at) => self.conclude(index, head, &body, at),
            Progress::Failed(error) => self.fail_transport(index, &error),
            Progress::Closed => self.lanes.close(index),
        }
    }

    /// Gives up whatever has reached its time-out.
    pub(super) fn time_out(&mut self, now: Duration) {
        let timeout = self.shared.request_timeout;
        while let Some((index, sent)) = self.lanes.oldest()
            && sent.saturating_add(timeout) <= now
        {
            self.fail(index, Failure::TimeOut, "no answer within the time-out");
        }
        while let (_, Some(index)) = self.lanes.next_opening(now) {
            self.fail(index, Failure::Connect, "no connection within the time-out");
        }
        self.give_up_waiting(now);
        self.dispatch();
    }

    /// Gives up everything that is left at the end of the drain.
    pub(super) fn abandon_rest(&mut self) {
        let now = self.clock.now();
        while let Some(start) = self.waiting.pop_front() {
            self.give_up_start(start, now);
        }
        while let Some((index, _)) = self.lanes.oldest() {
            self.fail(index, Failure::TimeOut, "no answer by the end of the run");
        }
        self.cut_timers();
    }

    /// Opens a connection in a new lane.
    fn open_lane(&mut self, now: Duration) -> Result<usize, TransportError> {
        let connection = self.open_connection(self.lanes.next_slot())?;
        Ok(self
            .lanes
            .insert(connection, now.saturating_add(self.shared.connect_timeout)))
    }

    fn open_connection(&self, index: usize) -> Result<Connection, TransportError> {
        let shared = self.shared;
        let mut connection = Connection::open(shared.address, shared.tls.as_ref(), shared.limits)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        let registered = registry.register(connection.source(), Token(index), interest);
        registered.map_err(TransportError::Connect)?;
        Ok(connection)
    }

    fn conclude(&mut self, index: usize, head: ResponseHead, body: &BodyAt, at: Duration) {
        let Some(exchange) = self.lanes.take_exchange(index) else {
            return self.lanes.close(index);
        };
        let shared = self.shared;
        let (Some(lane), Some(run)) = (
            self.lanes.get_mut(index),
            self.visits.get_mut(exchange.visit),
        ) else {
            return;
        };
        let body = lane.connection.body(body, &self.buffers);
        let status = head.status;
        let conclusion = run.visit.judge(&shared.plan, exchange.turn, status, body);
        let request = shared.plan.steps()[exchange.turn.step].request.as_ref();
        let is_success = request.is_some_and(|request| request.success.contains(&status));
        let code = conclusion.code.as_deref();
        let written = WriteOutcome::of_answer(is_success, status, code);
        let outcome = conclusion.outcome;
        let message = match (outcome, code) {
            (Outcome::Failed(Failure::Extraction), _) => {
                "a value is missing in the answer".to_owned()
            }
            (Outcome::Failed(_), Some(code)) => format!("unexpected status {status}, code {code}"),
            (Outcome::Failed(_), None) => format!("unexpected status {status}"),
            _ => String::new(),
        };
        let code = conclusion.code.map(std::borrow::Cow::into_owned);
        let end = End {
            at,
            status: Some(status),
            outcome,
            message: &message,
        };
        self.record(index, &exchange, &end);
        self.keep_in_ledger(index, &exchange, &end, (written, code.as_deref()));
        let failure = match outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        };
        let again = self
            .retry_rule(&exchange, Some(status))
            .filter(|_| failure.is_some())
            .map(|rule| (rule, self.again(index, &exchange)));
        if head.keep_alive {
            self.lanes.set_free(index);
        } else {
            self.lanes.close(index);
        }
        match (again, failure) {
            (Some((rule, again)), _) => {
                self.try_again(&exchange, again, rule, (at, head.retry_after));
            }
            (None, Some(failure)) => self.end_failed(&exchange, at, failure),
            (None, None) => {
                self.change_in_flight(-1);
                self.go_on_after(exchange.visit, at);
            }
        }
    }

    fn fail_transport(&mut self, index: usize, error: &TransportError) {
        if self.resend(index) {
            return;
        }
        let failure = match error {
            TransportError::Connect(_) => Failure::Connect,
            TransportError::Tls(_) => Failure::Tls,
            TransportError::Io(_) | TransportError::Response(_) => Failure::Transport,
        };
        self.fail(index, failure, &errors::in_one_line(error));
    }

    /// Sends a request once more that the server cannot have begun to answer: it closed a kept
    /// connection. Only a request that writes nothing may be repeated.
    fn resend(&mut self, index: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else {
            return false;
        };
        let Some(exchange) = &mut lane.exchange else {
            return false;
        };
        let step = &self.shared.steps[exchange.turn.step];
        let was_closed = lane.connection.is_reused() && lane.connection.bytes_received() == 0;
        if !step.is_safe || !was_closed || exchange.is_resent {
            return false;
        }
        exchange.is_resent = true;
        exchange.is_fresh = true;
        let keep_body = step.keep_body;
        // Before the request leaves its connection: a retry may still need it there.
        let Ok(mut connection) = self.open_connection(index) else {
            return false;
        };
        if let Some(lane) = self.lanes.get_mut(index) {
            connection.set_request(lane.connection.take_request());
        }
        let progress = connection.send(keep_body);
        let connect_by = self.clock.now().saturating_add(self.shared.connect_timeout);
        self.lanes.replace(index, connection, connect_by);
        self.settle(index, progress);
        true
    }

    /// Ends an exchange without an answer and closes its connection.
    fn fail(&mut self, index: usize, failure: Failure, message: &str) {
        let at = self.clock.now();
        if let Some(exchange) = self.lanes.take_exchange(index) {
            let status = self.lanes.get_mut(index).and_then(|lane| {
                lane.connection
                    .status()
                    .filter(|_| failure == Failure::Transport)
            });
            let end = End {
                at,
                status,
                outcome: Outcome::Failed(failure),
                message,
            };
            self.record(index, &exchange, &end);
            self.keep_in_ledger(index, &exchange, &end, (WriteOutcome::Unknown, None));
            match self.retry_rule(&exchange, None) {
                Some(rule) => {
                    let again = self.again(index, &exchange);
                    self.try_again(&exchange, again, rule, (at, None));
                }
                None => self.end_failed(&exchange, at, failure),
            }
        }
        self.lanes.close(index);
    }

    /// Ends an exchange for which no connection could even be asked for.
    fn fail_unopened(
        &mut self,
        exchange: &Exchange,
        again: Option<Box<Again>>,
        error: &TransportError,
    ) {
        let at = self.clock.now();
        let outcome = Outcome::Failed(Failure::Connect);
        let end = End {
            at,
            status: None,
            outcome,
            message: &errors::in_one_line(error),
        };
        self.record(usize::MAX, exchange, &end);
        match self.retry_rule(exchange, None) {
            Some(rule) => {
                let again = match again {
                    Some(again) => Again {
                        attempt: exchange.attempt.saturating_add(1),
                        ..*again
                    },
                    None => self.compose_again(exchange),
                };
                self.try_again(exchange, again, rule, (at, None));
            }
            None => self.end_failed(exchange, at, Failure::Connect),
        }
    }

    fn end_failed(&mut self, exchange: &Exchange, at: Duration, failure: Failure) {
        self.change_in_flight(-1);
        self.end_failed_visit(exchange.visit, at, failure);
    }

    fn record(&mut self, index: usize, exchange: &Exchange, end: &End<'_>) {
        let shared = self.shared;
        let Some(run) = self.visits.get(exchange.visit) else {
            return;
        };
        let connection = self.lanes.get_mut(index).map(|lane| &lane.connection);
        let has_sent = connection.filter(|connection| connection.has_sent());
        let connected = connection
            .filter(|_| exchange.is_fresh)
            .and_then(Connection::connected_at);
        let bytes_sent = has_sent.map_or(0, |connection| connection.request().len());
        let path = connection
            .filter(|_| shared.keeps_paths)
            .and_then(|connection| connection.request().get(exchange.path.clone()));
        let sample = Sample {
            step: shared.steps[exchange.turn.step].id,
            phase: shared.phases.phase_at(exchange.planned),
            thread: u16::try_from(self.index).unwrap_or(u16::MAX),
            shopper: run.shopper,
            planned: exchange.planned,
            sent: Some(exchange.sent),
            first_byte: connection.and_then(Connection::first_byte_at),
            connect: connected.map(|connected| connected.saturating_sub(exchange.sent)),
            end: end.at,
            outcome: end.outcome,
            status: end.status,
            bytes_received: connection.map_or(0, Connection::bytes_received),
            bytes_sent: u64::try_from(bytes_sent).unwrap_or(u64::MAX),
            late: exchange.has_waited && exchange.sent.saturating_sub(exchange.planned) > LATE,
            in_flight: exchange.in_flight,
        };
        self.outbox
            .record(sample, path.unwrap_or_default(), end.message.as_bytes());
        self.outbox.send_if_full(&self.clock);
    }

    /// Notes a write that was sent in the client ledger.
    fn keep_in_ledger(
        &mut self,
        index: usize,
        exchange: &Exchange,
        end: &End<'_>,
        (outcome, code): (WriteOutcome, Option<&str>),
    ) {
        let shared = self.shared;
        let step = &shared.steps[exchange.turn.step];
        let (Some(form), Some(lane), Some(run)) = (
            &step.ledger,
            self.lanes.get_mut(index),
            self.visits.get(exchange.visit),
        ) else {
            return;
        };
        if !lane.connection.has_sent() {
            return;
        }
        self.outbox.batch.outcomes.add(outcome);
        if !shared.keeps_ledger {
            return;
        }
        let phase = shared.phases.phase_at(exchange.planned);
        let line = LedgerLine {
            form,
            key: exchange.key.as_ref().map(<[u8; 36]>::as_slice),
            attempt: exchange.attempt,
            phase: shared
                .phase_fields
                .get(usize::from(phase.0))
                .map_or(b",\"phase\":null,\"planned\":", Vec::as_slice),
            planned: self.clock.wall(exchange.planned),
            sent: self.clock.wall(exchange.sent),
            end: self.clock.wall(end.at),
            outcome,
            status: end.status,
            code,
            request: lane
                .connection
                .request()
                .get(exchange.body_start..)
                .unwrap_or_default(),
        };
        let value = |variable| run.visit.value_text(variable);
        line.write(value, &mut self.outbox.batch.ledger);
    }
}
