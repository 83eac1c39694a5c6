//! Where a reader finds the first pair of runs among what a Prometheus has kept.

use std::time::Duration;

use double11_units::UnixMicros;

/// The first run of each side on one axis, as the dashboards lay them over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The begin of the second side's traffic, in a whole second.
    pub from: UnixMicros,
    /// Late enough for the traffic of both.
    pub to: UnixMicros,
    /// By how many seconds the first side's traffic began earlier; negative if it began later.
    pub shift_seconds: i64,
}

impl Watched {
    /// From begin and end of the traffic of each side.
    pub(crate) fn of(first: (UnixMicros, UnixMicros), second: (UnixMicros, UnixMicros)) -> Self {
        let length = second.1.since(second.0).max(first.1.since(first.0));
        let seconds = |at: UnixMicros| at.millis().div_euclid(1_000);
        let from = UnixMicros::new(seconds(second.0) * 1_000_000);
        Self {
            from,
            // The whole second that the begin was put back by.
            to: from.plus(length + Duration::from_secs(1)),
            shift_seconds: seconds(second.0) - seconds(first.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use double11_units::UnixMicros;

    use super::Watched;

    #[test]
    fn both_runs_are_within_the_span_and_begin_together() {
        let at = |millis: i64| UnixMicros::new(millis * 1_000);
        let watched = |first: (i64, i64), second: (i64, i64)| {
            let watched = Watched::of((at(first.0), at(first.1)), (at(second.0), at(second.1)));
            (
                watched.from.millis(),
                watched.to.millis(),
                watched.shift_seconds,
            )
        };
        assert_eq!(
            watched((100_200, 130_200), (200_900, 230_900)),
            (200_000, 231_000, 100)
        );
        // The first side ran later, and longer.
        assert_eq!(
            watched((300_000, 360_000), (200_000, 230_000)),
            (200_000, 261_000, -100)
        );
    }
}
