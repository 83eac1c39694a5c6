//! The arrival rate over the run and its integral.

use std::time::Duration;

use double11_measure::sample::PhaseId;

use super::Ramp;

/// A piecewise linear arrival rate.
#[derive(Debug, Clone)]
pub struct RateCurve {
    pieces: Vec<Piece>,
}

/// One linear piece: a phase.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: Duration,
    seconds: f64,
    rate: Ramp,
    /// Arrivals expected before the piece.
    expected_before: f64,
    /// Arrivals expected before its end.
    expected_by_end: f64,
}

impl RateCurve {
    /// The pieces one after the other from the start of the run; rates are at least 0.
    pub fn new(pieces: impl IntoIterator<Item = (Duration, Ramp)>) -> Self {
        let (mut start, mut expected) = (Duration::ZERO, 0.0);
        let pieces = pieces.into_iter().map(|(duration, rate)| {
            let seconds = duration.as_secs_f64();
            let expected_before = expected;
            expected += f64::midpoint(rate.from, rate.to) * seconds;
            let piece = Piece {
                start,
                seconds,
                rate,
                expected_before,
                expected_by_end: expected,
            };
            start = start.saturating_add(duration);
            piece
        });
        Self {
            pieces: pieces.collect(),
        }
    }

    /// Arrivals expected in the whole run.
    pub fn expected(&self) -> f64 {
        self.pieces
            .last()
            .map_or(0.0, |piece| piece.expected_by_end)
    }

    /// The instant by which `expected` arrivals are expected, with its phase; `None` after the end.
    /// `from` is the piece of an earlier instant.
    pub(super) fn instant_of(&self, expected: f64, from: usize) -> Option<(Duration, usize)> {
        let pieces = self.pieces.get(from..)?;
        let found = pieces
            .iter()
            .position(|piece| expected < piece.expected_by_end)?;
        let piece = pieces.get(found)?;
        let after = piece.time_of(expected - piece.expected_before);
        Some((piece.start + Duration::from_secs_f64(after), from + found))
    }

    /// The phase of a piece.
    pub(super) fn phase(piece: usize) -> PhaseId {
        PhaseId(u16::try_from(piece).unwrap_or(u16::MAX))
    }
}

impl Piece {
    /// Seconds from the start of the piece until `count` arrivals are expected in it.
    ///
    /// Solves `from·t + (to − from)/(2·seconds)·t² = count` in the form that loses no digits when the
    /// slope is small.
    fn time_of(&self, count: f64) -> f64 {
        let slope = (self.rate.to - self.rate.from) / self.seconds;
        let discriminant = (self.rate.from.powi(2) + 2.0 * slope * count).max(0.0);
        let time = 2.0 * count / (self.rate.from + discriminant.sqrt());
        // `0/0` at the very start of a ramp from zero.
        if time.is_nan() {
            0.0
        } else {
            time.clamp(0.0, self.seconds)
        }
    }
}
