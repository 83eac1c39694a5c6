//! Sending a failed request again, where the plan asks for it: after a pause, byte for byte, as an
//! attempt of its own in the figures and in the client ledger.

use std::ops::Range;
use std::time::Duration;

use super::{Again, Start, Timer, Work, Worker};
use crate::engine::lanes::Exchange;
use crate::journey::RenderedRequest;
use crate::plan::Retry;
use crate::transport::RequestHead;

impl<'a> Worker<'a> {
    /// The rule by which a failed exchange is tried again; `None` when it is not, or when it was the
    /// last attempt. Without a `status` there was no complete answer.
    pub(super) fn retry_rule(&self, exchange: &Exchange, status: Option<u16>) -> Option<&'a Retry> {
        let shared = self.shared;
        let retry = shared.plan.steps()[exchange.turn.step].retry.as_ref()?;
        let applies = match status {
            Some(status) => retry.statuses.contains(&status),
            None => retry.transport,
        };
        (applies && exchange.attempt < retry.attempts).then_some(retry)
    }

    /// The request on a lane, to be sent again.
    pub(super) fn again(&mut self, index: usize, exchange: &Exchange) -> Again {
        let lane = self.lanes.get_mut(index);
        let request = lane.map_or_else(Vec::new, |lane| lane.connection.request().to_vec());
        let place = (exchange.path.clone(), exchange.body_start);
        next_attempt(exchange, request, place)
    }

    /// The request that was rendered last and never got a lane.
    pub(super) fn compose_again(&self, exchange: &Exchange) -> Again {
        let mut request = Vec::new();
        let head = &self.shared.steps[exchange.turn.step].head;
        let place = match head {
            Some(head) => compose(head, &self.rendered, &mut request),
            None => (0..0, 0),
        };
        next_attempt(exchange, request, place)
    }

    /// Plans the next attempt. One that would begin after the end of the run cuts the visit short.
    pub(super) fn try_again(
        &mut self,
        exchange: &Exchange,
        again: Again,
        rule: &Retry,
        (at, retry_after): (Duration, Option<Duration>),
    ) {
        self.change_in_flight(-1);
        let Some(run) = self.visits.get_mut(exchange.visit) else {
            return;
        };
        let planned = at.saturating_add(run.visit.pause_before_retry(rule, retry_after));
        if planned >= self.end {
            return self.cut_visit(exchange.visit);
        }
        run.again = Some(Box::new(again));
        self.timers.push(Timer {
            at: planned,
            work: Work::Start(Start {
                visit: exchange.visit,
                turn: exchange.turn,
                planned,
                shortages: 0,
            }),
        });
    }
}

/// Writes a rendered request and tells where its path is and where its body begins.
pub(super) fn compose(
    head: &RequestHead,
    rendered: &RenderedRequest,
    request: &mut Vec<u8>,
) -> (Range<usize>, usize) {
    let key = rendered.key.as_ref().map(<[u8; 36]>::as_slice);
    let path = head.write(&rendered.path, key, &rendered.body, request);
    (path, request.len() - rendered.body.len())
}

fn next_attempt(
    exchange: &Exchange,
    request: Vec<u8>,
    (path, body_start): (Range<usize>, usize),
) -> Again {
    Again {
        attempt: exchange.attempt.saturating_add(1),
        request,
        path,
        body_start,
        key: exchange.key,
    }
}
