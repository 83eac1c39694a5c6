//! The arrival instants, drawn one after the other.

use std::sync::Arc;
use std::time::Duration;

use double11_measure::sample::PhaseId;

use super::{RateCurve, Spread};
use crate::random::Stream;

/// One arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Number of the shopper who arrives, from 0 in the order of arrival.
    pub shopper: u64,
    /// When, since the start of the run.
    pub at: Duration,
    /// The phase of that instant.
    pub phase: PhaseId,
}

/// The arrivals of one worker thread: every `step`-th of the run's, from number `first`.
#[derive(Debug, Clone)]
pub struct Arrivals {
    curve: Arc<RateCurve>,
    stream: Stream,
    spread: Spread,
    first: u64,
    step: u64,
    next: u64,
    expected: f64,
    piece: usize,
}

impl Arrivals {
    /// The arrivals that belong to thread `thread` of `threads`.
    pub fn of_thread(
        curve: Arc<RateCurve>,
        seed: u64,
        spread: Spread,
        thread: u64,
        threads: u64,
    ) -> Self {
        Self {
            curve,
            stream: Stream::of_arrivals(seed),
            spread,
            first: thread,
            step: threads.max(1),
            next: 0,
            expected: 0.0,
            piece: 0,
        }
    }

    /// Every arrival of a run.
    pub fn all(curve: Arc<RateCurve>, seed: u64, spread: Spread) -> Self {
        Self::of_thread(curve, seed, spread, 0, 1)
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            // Inverting the integral of the rate at the events of a unit Poisson process gives a
            // Poisson process with that rate, exact where the rate changes.
            self.expected = match self.spread {
                Spread::Poisson => self.expected + self.stream.exponential(),
                Spread::Even => self.next as f64 + 0.5,
            };
            let shopper = self.next;
            self.next += 1;
            let is_own = shopper % self.step == self.first;
            if !is_own && self.expected < self.curve.expected() {
                continue;
            }
            let (at, piece) = self.curve.instant_of(self.expected, self.piece)?;
            self.piece = piece;
            return Some(Arrival {
                shopper,
                at,
                phase: RateCurve::phase(piece),
            });
        }
    }
}
