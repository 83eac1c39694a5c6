//! When a refund is tried again that the gateway did not confirm.
//!
//! The rows in the store are what makes a refund certain; here is only remembered how long to leave one
//! alone, so that one that can never be confirmed neither holds up the others nor is asked for every
//! second. A restart forgets it, which costs one try each.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use double11_store::PendingRefund;
use double11_units::AttemptId;
use tokio::time::Instant;

use crate::random::scramble;

/// Refunds that are tried at a time.
pub(super) const PAGE: usize = 256;
/// Refunds that are remembered as waiting; beyond that no new ones are taken up.
const WAITING_MAX: usize = 65_536;
/// The wait after the first failure; it doubles with each further one.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(5);

/// Refunds that failed, and when each is due again.
#[derive(Debug)]
pub(super) struct Backoff {
    waiting: HashMap<AttemptId, Waiting>,
    /// Keeps several shops out of step.
    salt: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    failures: u32,
    /// Whether it was ever refused: that is worse than not knowing, and said even where that was said.
    refused: bool,
    due: Instant,
}

/// Why a refund was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may be next time.
    Unknown,
    /// The gateway refuses it: unlikely to change.
    Refused,
}

impl Backoff {
    pub(super) fn new(salt: u64) -> Self {
        Self {
            waiting: HashMap::new(),
            salt,
        }
    }

    /// How many of the oldest pending refunds to list, so that a page of new ones is among them
    /// however many wait.
    pub(super) fn list_max(&self) -> usize {
        PAGE + self.waiting.len()
    }

    /// At most a page of those that are due, of the oldest `list_max` pending ones.
    pub(super) fn due(&mut self, listed: Vec<PendingRefund>, now: Instant) -> Vec<PendingRefund> {
        // A list that is not full is all that there is: what it lacks was confirmed, here or elsewhere.
        if listed.len() < self.list_max() {
            let ids: HashSet<AttemptId> = listed.iter().map(|refund| refund.attempt_id).collect();
            self.waiting
                .retain(|attempt_id, _| ids.contains(attempt_id));
        }
        let mut room = WAITING_MAX.saturating_sub(self.waiting.len());
        listed
            .into_iter()
            .filter(|refund| match self.waiting.get(&refund.attempt_id) {
                Some(waiting) => waiting.due <= now,
                None if room == 0 => false,
                None => {
                    room -= 1;
                    true
                }
            })
            .take(PAGE)
            .collect()
    }

    pub(super) fn confirmed(&mut self, attempt_id: AttemptId) {
        self.waiting.remove(&attempt_id);
    }

    /// Leaves a refund alone for a while; whether it failed in this way for the first time, or in a milder one
    /// for the first time at all.
    pub(super) fn failed(&mut self, attempt_id: AttemptId, failure: Failure, now: Instant) -> bool {
        let before = self.waiting.get(&attempt_id);
        let failures = before.map_or(0, |waiting| waiting.failures) + 1;
        let wait = match failure {
            Failure::Refused => WAIT_MAX,
            Failure::Unknown => WAIT_MIN
                .saturating_mul(1 << (failures - 1).min(16))
                .min(WAIT_MAX),
        };
        let due = now + self.jittered(wait, attempt_id, failures);
        let was_refused = before.is_some_and(|waiting| waiting.refused);
        let refused = was_refused || failure == Failure::Refused;
        let waiting = Waiting {
            failures,
            refused,
            due,
        };
        self.waiting.insert(attempt_id, waiting);
        failures == 1 || refused != was_refused
    }

    /// Between three quarters and five quarters of a wait.
    fn jittered(&self, wait: Duration, attempt_id: AttemptId, failures: u32) -> Duration {
        let id_bits = attempt_id.get().cast_unsigned();
        let scattered = scramble(self.salt ^ scramble(id_bits ^ (u64::from(failures) << 48)));
        // The upper 16 bits, as a share of a half.
        let share = (scattered >> 48) as f64 / 65_536.0 / 2.0;
        wait.mul_f64(0.75 + share)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use double11_store::PendingRefund;
    use double11_units::{AttemptId, Currency, Money, OrderId};
    use tokio::time::Instant;

    use super::{Backoff, Failure, PAGE, WAIT_MAX, WAIT_MIN};

    fn refund(id: i64) -> PendingRefund {
        PendingRefund {
            order_id: OrderId::new(id).unwrap(),
            attempt_id: AttemptId::new(id).unwrap(),
            amount: Money::from_minor(100, Currency::Cny),
        }
    }

    fn refunds(ids: std::ops::RangeInclusive<i64>) -> Vec<PendingRefund> {
        ids.map(refund).collect()
    }

    #[test]
    fn what_cannot_be_confirmed_lets_the_others_pass() {
        let now = Instant::now();
        let mut backoff = Backoff::new(7);
        let page = i64::try_from(PAGE).unwrap();
        let stuck = refunds(1..=page);
        let mut all = refunds(1..=2 * page);
        assert_eq!(backoff.list_max(), PAGE);
        assert_eq!(backoff.due(all[..PAGE].to_vec(), now), stuck);
        for refund in &stuck {
            assert!(backoff.failed(refund.attempt_id, Failure::Unknown, now));
        }
        // As many as all that wait and a page more are listed, and only the new ones are due.
        assert_eq!(backoff.list_max(), 2 * PAGE);
        let due = backoff.due(all.clone(), now);
        assert_eq!(due, refunds(page + 1..=2 * page));
        for refund in &due {
            backoff.confirmed(refund.attempt_id);
        }
        all.truncate(PAGE);
        assert!(backoff.due(all.clone(), now).is_empty());
        // Each is tried again in its time, a page at the most.
        let later = now + WAIT_MIN.mul_f64(1.3);
        assert_eq!(backoff.due(all, later), stuck);
    }

    #[test]
    fn waits_double_up_to_a_bound_and_differ() {
        let now = Instant::now();
        let mut backoff = Backoff::new(7);
        let id = refund(1).attempt_id;
        let listed = || vec![refund(1)];
        let mut wait = WAIT_MIN;
        for number in 0..12 {
            assert_eq!(
                backoff.failed(id, Failure::Unknown, now),
                number == 0,
                "said once"
            );
            let early = now + wait.mul_f64(0.74);
            let late = now + wait.mul_f64(1.26);
            assert!(backoff.due(listed(), early).is_empty(), "{wait:?}");
            assert_eq!(backoff.due(listed(), late), listed(), "{wait:?}");
            wait = (wait * 2).min(WAIT_MAX);
        }
        let mut waits: Vec<Duration> = (0..64)
            .map(|salt| Backoff::new(salt).jittered(WAIT_MAX, id, 1))
            .collect();
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 60, "shops keep out of step: {waits:?}");
    }

    #[test]
    fn a_refusal_after_a_time_out_is_said_once_too() {
        let now = Instant::now();
        let mut backoff = Backoff::new(7);
        let id = refund(1).attempt_id;
        let said = [
            Failure::Unknown,
            Failure::Unknown,
            Failure::Refused,
            Failure::Refused,
            Failure::Unknown,
            Failure::Refused,
        ]
        .map(|failure| backoff.failed(id, failure, now));
        assert_eq!(said, [true, false, true, false, false, false]);
    }

    #[test]
    fn a_refusal_waits_long_and_a_confirmation_is_forgotten() {
        let now = Instant::now();
        let mut backoff = Backoff::new(7);
        let id = refund(1).attempt_id;
        assert!(backoff.failed(id, Failure::Refused, now));
        let soon = now + WAIT_MAX / 2;
        assert!(backoff.due(vec![refund(1)], soon).is_empty());
        // Another shop had it confirmed: it is not listed any more, and forgotten.
        assert!(backoff.due(Vec::new(), soon).is_empty());
        assert_eq!(backoff.list_max(), PAGE);
    }
}
