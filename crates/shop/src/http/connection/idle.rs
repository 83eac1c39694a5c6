//! When a connection has waited too long.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::Progress;
use super::stream::Traffic;

/// Ticks within the time-out of a head; the time-out is exact to one of them.
const TICKS: u32 = 4;

/// What a tick says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// A head began to arrive and did not end in time.
    HeadTimedOut,
    /// Nothing arrived for as long as a connection may idle.
    Idle,
}

/// Ticks a few times within the time-out and counts how long nothing got finished.
#[derive(Debug)]
pub(super) struct IdleTimer {
    ticks: Interval,
    idle_ticks_max: u32,
    answered: u64,
    /// Ticks since a head began to arrive, and since nothing arrives at all.
    partial_ticks: u32,
    idle_ticks: u32,
}

impl IdleTimer {
    pub(super) fn new(head_timeout: Duration, idle_timeout: Duration) -> Self {
        let period = (head_timeout / TICKS).max(Duration::from_millis(1));
        let mut ticks = interval_at(tokio::time::Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let idle_ticks = idle_timeout.as_nanos().div_ceil(period.as_nanos());
        Self {
            ticks,
            idle_ticks_max: u32::try_from(idle_ticks).unwrap_or(u32::MAX),
            answered: 0,
            partial_ticks: 0,
            idle_ticks: 0,
        }
    }

    /// Waits for the next tick and judges.
    pub(super) async fn next_tick(&mut self, progress: &Progress, traffic: &Traffic) -> Verdict {
        self.ticks.tick().await;
        let answered = progress.answered.load(Ordering::Relaxed);
        if progress.busy.load(Ordering::Relaxed) || answered != self.answered {
            self.answered = answered;
            (self.partial_ticks, self.idle_ticks) = (0, 0);
            return Verdict::Fine;
        }
        if traffic.bytes_read() == progress.read_at_answer.load(Ordering::Relaxed) {
            self.idle_ticks += 1;
            if self.idle_ticks > self.idle_ticks_max {
                Verdict::Idle
            } else {
                Verdict::Fine
            }
        } else {
            // The first of these ticks may come right after the first byte, so that one more than
            // the ticks of the time-out must pass.
            self.partial_ticks += 1;
            if self.partial_ticks > TICKS {
                Verdict::HeadTimedOut
            } else {
                Verdict::Fine
            }
        }
    }
}
