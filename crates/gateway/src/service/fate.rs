//! What becomes of an attempt besides its charge: whether it is answered, and how it is called back.
//!
//! Decided by the seed and the attempt's id alone, never by order or threads, as the sandbox's own
//! latencies and refusals are; and from another stream than those, so that one share does not move the
//! others.

use std::time::Duration;

use double11_units::AttemptId;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::sandbox::scramble;

/// Keeps this stream apart from that of the sandbox, which begins with the same seed and id.
const STREAM: u64 = 0x7061_796d_656e_7473;
/// A second callback comes at most this much after the first.
const DUPLICATE_GAP_MAX: Duration = Duration::from_secs(1);
/// How late a late answer is: later than any shop waits.
pub(super) const ANSWER_LATE_BY: Duration = Duration::from_secs(8);

/// The shares of attempts that something befalls, each 0.0..=1.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Charges that are made and not answered in time: half of them never, half much later.
    pub no_answer: f64,
    /// Callbacks that are sent twice.
    pub duplicate: f64,
    /// Callbacks that are sent late.
    pub late: f64,
}

/// How a charge is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    AtOnce,
    Late,
    Never,
}

/// What befalls one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) answered: Answered,
    pub(super) is_called_back_late: bool,
    /// The wait between the first callback and the second, when there is one.
    pub(super) called_back_again_after: Option<Duration>,
}

impl Fate {
    pub(super) fn of(attempt_id: AttemptId, seed: u64, shares: Shares) -> Self {
        let id_bits = attempt_id.get().cast_unsigned();
        let stream = scramble(seed ^ STREAM ^ scramble(id_bits));
        let mut random = Pcg64Mcg::seed_from_u64(stream);
        // Every number is drawn every time, so that one share does not move what follows it.
        let mut share = || random.random_range(0.0..1.0_f64);
        let (answered, half, duplicate, gap, late) = (share(), share(), share(), share(), share());
        Self {
            answered: match (answered < shares.no_answer, half < 0.5) {
                (false, _) => Answered::AtOnce,
                (true, true) => Answered::Late,
                (true, false) => Answered::Never,
            },
            is_called_back_late: late < shares.late,
            called_back_again_after: (duplicate < shares.duplicate)
                .then(|| DUPLICATE_GAP_MAX.mul_f64(gap)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answered, Fate, Shares};
    use double11_units::AttemptId;

    fn fates(seed: u64, shares: Shares) -> Vec<Fate> {
        (1..=2_000)
            .map(|id| Fate::of(AttemptId::new(id).unwrap(), seed, shares))
            .collect()
    }

    #[test]
    fn shares_are_kept_and_follow_the_seed() {
        let shares = Shares {
            no_answer: 0.2,
            duplicate: 0.5,
            late: 0.1,
        };
        let some = fates(1, shares);
        let count = |is: fn(&Fate) -> bool| some.iter().filter(|fate| is(fate)).count();
        // Six standard deviations of a binomial count of 2,000.
        let near = |count: usize, share: f64| {
            let spread = (2_000.0 * share * (1.0 - share)).sqrt();
            let expected = 2_000.0 * share;
            assert!(
                (count as f64 - expected).abs() < 6.0 * spread,
                "{count} instead of {expected}"
            );
        };
        near(count(|fate| fate.answered == Answered::Late), 0.1);
        near(count(|fate| fate.answered == Answered::Never), 0.1);
        near(count(|fate| fate.called_back_again_after.is_some()), 0.5);
        near(count(|fate| fate.is_called_back_late), 0.1);
        assert_eq!(fates(1, shares), some);
        assert_ne!(fates(2, shares), some);
        // One share does not move the others.
        let other = Shares {
            no_answer: 1.0,
            ..shares
        };
        for (fate, before) in fates(1, other).iter().zip(&some) {
            assert_ne!(fate.answered, Answered::AtOnce);
            assert_eq!(fate.is_called_back_late, before.is_called_back_late);
            assert_eq!(fate.called_back_again_after, before.called_back_again_after);
        }
    }

    #[test]
    fn without_shares_nothing_befalls() {
        let none = Shares {
            no_answer: 0.0,
            duplicate: 0.0,
            late: 0.0,
        };
        for fate in fates(7, none) {
            assert_eq!(fate.answered, Answered::AtOnce);
            assert!(!fate.is_called_back_late && fate.called_back_again_after.is_none());
        }
    }
}
