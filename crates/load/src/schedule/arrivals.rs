//! The arrival instants, drawn one after the other.

use std::sync::Arc;
use std::time::Duration;

use double11_measure::sample::PhaseId;

use super::{RateCurve, Spread};
use crate::random::Stream;
use crate::shard::Stride;

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

/// The arrivals of one worker thread, of those of the whole run.
#[derive(Debug, Clone)]
pub struct Arrivals {
    curve: Arc<RateCurve>,
    stream: Stream,
    spread: Spread,
    own: Stride,
    next: u64,
    expected: f64,
    piece: usize,
}

impl Arrivals {
    /// The arrivals of the shoppers with these numbers.
    pub fn of(curve: Arc<RateCurve>, seed: u64, spread: Spread, own: Stride) -> Self {
        Self {
            curve,
            stream: Stream::of_arrivals(seed),
            spread,
            own,
            next: 0,
            expected: 0.0,
            piece: 0,
        }
    }

    /// Every arrival of a run.
    pub fn all(curve: Arc<RateCurve>, seed: u64, spread: Spread) -> Self {
        Self::of(curve, seed, spread, Stride::ALL)
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
            if !self.own.has(shopper) && self.expected < self.curve.expected() {
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
