//! The least available quantity of one product over a sliding window of time.
//!
//! Events and questions come in the order of time, so that only the part of the history within the
//! longest window is kept: the stretches of constant quantity in ascending order of quantity (a
//! stretch that is followed by one with no more pieces can never be the least of a window again).

use std::collections::VecDeque;

/// A stretch of time with a constant quantity that is over.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The instant at which the next stretch began; not part of this one.
    end: i64,
    available: i64,
}

/// The availability of one product.
#[derive(Debug)]
pub(super) struct Availability {
    available: i64,
    window_max: i64,
    past: VecDeque<Stretch>,
}

impl Availability {
    /// A product of which nothing was taken yet. No question looks back further than `window_max`
    /// microseconds from the newest event or question.
    pub(super) fn new(received: i64, window_max: i64) -> Self {
        Self {
            available: received,
            window_max,
            past: VecDeque::new(),
        }
    }

    /// Pieces were taken, or given back when negative. Instants must strictly ascend: what happened
    /// at one instant is one event.
    pub(super) fn take(&mut self, at: i64, pieces: i64) {
        let stretch = Stretch {
            end: at,
            available: self.available,
        };
        self.available = self.available.saturating_sub(pieces);
        while self
            .past
            .back()
            .is_some_and(|last| last.available >= stretch.available)
        {
            self.past.pop_back();
        }
        self.past.push_back(stretch);
        let horizon = at.saturating_sub(self.window_max);
        while self.past.front().is_some_and(|first| first.end <= horizon) {
            self.past.pop_front();
        }
    }

    /// The least quantity that was available from `from` until the last event that was taken in.
    pub(super) fn least_since(&self, from: i64) -> i64 {
        let first = self.past.partition_point(|stretch| stretch.end <= from);
        match self.past.get(first) {
            Some(stretch) => stretch.available.min(self.available),
            None => self.available,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Availability;
    use proptest::prelude::*;

    /// The definition, by looking at every instant.
    fn least_by_definition(received: i64, events: &[(i64, i64)], from: i64, until: i64) -> i64 {
        (from..=until)
            .map(|instant| {
                let taken: i64 = events
                    .iter()
                    .filter(|(at, _)| *at <= instant)
                    .map(|(_, pieces)| pieces)
                    .sum();
                received - taken
            })
            .min()
            .unwrap()
    }

    #[test]
    fn a_shortage_counts_until_the_instant_it_ends() {
        let mut availability = Availability::new(3, 1_000);
        availability.take(10, 3);
        availability.take(20, -3);
        let check = |from, expected| assert_eq!(availability.least_since(from), expected, "{from}");
        check(0, 0);
        check(19, 0);
        check(20, 3);
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            mut events in prop::collection::vec((0_i64..60, -3_i64..4), 0..40),
            mut questions in prop::collection::vec((0_i64..80, 0_i64..30), 1..30),
        ) {
            events.sort_by_key(|(at, _)| *at);
            questions.sort_by_key(|(until, _)| *until);
            // The audit sums the events of one instant before they arrive here.
            let events = merge(&events);
            let mut availability = Availability::new(5, 30);
            let mut coming = events.iter().peekable();
            for (until, window) in questions {
                while let Some((at, pieces)) = coming.next_if(|(at, _)| *at <= until) {
                    availability.take(*at, *pieces);
                }
                let from = until - window;
                let expected = least_by_definition(5, &events, from, until);
                let found = availability.least_since(from);
                prop_assert_eq!(found, expected);
            }
        }
    }

    fn merge(events: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (at, pieces) in events {
            match merged.last_mut() {
                Some(last) if last.0 == *at => last.1 += pieces,
                _ => merged.push((*at, *pieces)),
            }
        }
        merged
    }
}
