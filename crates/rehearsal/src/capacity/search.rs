//! Which rate to try next, and between which rates the capacity lies.
//!
//! Two criteria share the probes. A probe that the load generator could not make in full tells
//! nothing of the shop beyond that it held so far; the search goes no higher then.

/// Highest rate ÷ lowest rate of a bracket that is narrow enough.
const NARROW: f64 = 1.1;
/// How much the rate is raised while it holds.
const UP: f64 = 2.0;
/// How much it is lowered while it fails.
const DOWN: f64 = 4.0;
/// Rates beyond these are not tried, in requests per second: of fewer there are too few for a P95.
const LOWEST: f64 = 10.0;
const HIGHEST: f64 = 200_000.0;

/// What a rate has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Requests per second that were offered.
    pub(crate) rate: f64,
    /// Whether the stricter criterion held.
    pub(crate) strict: bool,
    /// Whether the looser one held.
    pub(crate) relaxed: bool,
    /// Whether the load generator was the limit.
    pub(crate) limited: bool,
}

/// One of the two criteria.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    Strict,
    Relaxed,
}

/// Between which rates a criterion stops to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bracket {
    /// The highest rate at which it held.
    pub(crate) holds_at: Option<f64>,
    /// The lowest rate above that at which it did not.
    pub(crate) fails_at: Option<f64>,
    /// Whether the search ended because the load generator could not go higher.
    pub(crate) limited: bool,
}

impl Seen {
    fn holds(&self, criterion: Criterion) -> bool {
        !self.limited
            && match criterion {
                Criterion::Strict => self.strict,
                Criterion::Relaxed => self.relaxed,
            }
    }
}

/// The bracket of a criterion by what was seen.
pub(crate) fn bracket(seen: &[Seen], criterion: Criterion) -> Bracket {
    let (holds_at, next) = ends(seen, criterion);
    Bracket {
        holds_at,
        fails_at: next.filter(|next| !next.limited).map(|next| next.rate),
        limited: next.is_some_and(|next| next.limited),
    }
}

/// The highest rate that held, and the lowest above it that did not.
fn ends(seen: &[Seen], criterion: Criterion) -> (Option<f64>, Option<Seen>) {
    let holds_at = seen
        .iter()
        .filter(|seen| seen.holds(criterion))
        .map(|seen| seen.rate)
        .reduce(f64::max);
    let above = seen
        .iter()
        .filter(|seen| !seen.holds(criterion) && holds_at.is_none_or(|held| seen.rate > held))
        .copied()
        .reduce(|lowest, next| {
            if next.rate < lowest.rate {
                next
            } else {
                lowest
            }
        });
    (holds_at, above)
}

/// The next rate to try; `None` when both brackets are narrow or nothing more can be learnt.
pub(crate) fn next_rate(seen: &[Seen], first: f64) -> Option<f64> {
    if seen.is_empty() {
        return Some(first.clamp(LOWEST, HIGHEST));
    }
    // The wider bracket first; of two equally wide the looser criterion's, which every shop has.
    let (relaxed, strict) = (
        next_for(seen, Criterion::Relaxed),
        next_for(seen, Criterion::Strict),
    );
    let wider = match (relaxed, strict) {
        (Some(relaxed), Some(strict)) if strict.0 > relaxed.0 => strict,
        (Some(relaxed), _) => relaxed,
        (None, strict) => strict?,
    };
    Some(rounded(wider.1)).filter(|rate| {
        seen.iter()
            .all(|seen| (seen.rate - rate).abs() > rate * 1e-3)
    })
}

/// How wide the bracket still is, and the rate to try for it.
fn next_for(seen: &[Seen], criterion: Criterion) -> Option<(f64, f64)> {
    match ends(seen, criterion) {
        (Some(held), None) => Some((f64::INFINITY, held * UP)).filter(|next| next.1 <= HIGHEST),
        (None, Some(failed)) => {
            Some((f64::INFINITY, failed.rate / DOWN)).filter(|next| next.1 >= LOWEST)
        }
        (Some(held), Some(above)) => {
            let width = above.rate / held;
            (width > NARROW).then(|| (width, (held * above.rate).sqrt()))
        }
        (None, None) => None,
    }
}

/// Three significant digits: a rate that one can say.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.log10().floor() - 2.0);
    (rate / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a shop that holds the criteria up to these rates, with a generator that reaches
    /// `reach`.
    fn search(strict: f64, relaxed: f64, reach: f64, first: f64) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(rate) = next_rate(&seen, first) {
            assert!(seen.len() < 40, "does not end: {seen:?}");
            seen.push(Seen {
                rate,
                strict: rate <= strict,
                relaxed: rate <= relaxed,
                limited: rate > reach,
            });
        }
        seen
    }

    #[test]
    fn both_brackets_hold_the_capacity_and_are_narrow() {
        for (strict, relaxed) in [
            (17_300.0, 24_000.0),
            (63.0, 91.0),
            (900.0, 900.0),
            (18.0, 8_000.0),
        ] {
            let seen = search(strict, relaxed, f64::INFINITY, 1_000.0);
            for (criterion, capacity) in
                [(Criterion::Strict, strict), (Criterion::Relaxed, relaxed)]
            {
                let found = bracket(&seen, criterion);
                let (held, failed) = (found.holds_at.unwrap(), found.fails_at.unwrap());
                assert!(
                    held <= capacity && capacity < failed,
                    "{found:?} of {capacity}"
                );
                assert!(failed / held <= 1.11, "{found:?}");
                assert!(!found.limited);
            }
            assert!(seen.len() <= 20, "{} probes", seen.len());
        }
    }

    #[test]
    fn a_shop_that_never_holds_has_no_lower_end() {
        let seen = search(0.0, 70.0, f64::INFINITY, 1_000.0);
        let strict = bracket(&seen, Criterion::Strict);
        assert_eq!(strict.holds_at, None);
        assert!(strict.fails_at.unwrap() <= 40.0);
        assert!(bracket(&seen, Criterion::Relaxed).holds_at.unwrap() > 60.0);
    }

    #[test]
    fn the_generators_reach_is_no_failure_of_the_shop() {
        let seen = search(50_000.0, 60_000.0, 30_000.0, 1_000.0);
        for criterion in [Criterion::Strict, Criterion::Relaxed] {
            let found = bracket(&seen, criterion);
            assert!(found.limited);
            assert_eq!(found.fails_at, None);
            assert!(
                (27_000.0..=30_000.0).contains(&found.holds_at.unwrap()),
                "{found:?}"
            );
        }
    }

    #[test]
    fn one_bad_moment_below_does_not_hide_what_held_above() {
        let at = |rate, holds| Seen {
            rate,
            strict: holds,
            relaxed: holds,
            limited: false,
        };
        let seen = [at(1_000.0, false), at(2_000.0, true), at(4_000.0, false)];
        let found = bracket(&seen, Criterion::Strict);
        assert_eq!(
            (found.holds_at, found.fails_at),
            (Some(2_000.0), Some(4_000.0))
        );
    }

    #[test]
    fn rates_have_three_digits() {
        for (rate, expected) in [(1_414.21, 1_410.0), (70.71, 70.7), (0.123_4, 0.123)] {
            assert!((rounded(rate) - expected).abs() < 1e-9, "{rate}");
        }
    }
}
