//! Sheds load that cannot be served in time, the least important first (lever `admission`).
//!
//! Two rules. The shop is pressed when work waits too long for the processor; then it sheds a share that
//! follows the wait (`pressure`). And never are more requests in process than a limit, of which each
//! class may use a growing share. The check is a few atomics and stands before everything else, the
//! body included.

mod pressure;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) use pressure::PERIOD;
use pressure::Pressure;

/// How important a request is, from the least on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Browse,
    Search,
    Detail,
    Cart,
    Order,
    Payment,
}

impl Class {
    /// Every class, the least important first; the order of the metric's labels.
    pub(crate) const ALL: [Self; 6] = [
        Self::Browse,
        Self::Search,
        Self::Detail,
        Self::Cart,
        Self::Order,
        Self::Payment,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Search => "search",
            Self::Detail => "detail",
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }

    /// The share of the limit that this class may fill, in percent.
    const fn share(self) -> usize {
        match self {
            Self::Browse => 50,
            Self::Search => 60,
            Self::Detail => 70,
            Self::Cart => 80,
            Self::Order => 90,
            Self::Payment => 100,
        }
    }
}

/// A limit of the requests in process.
#[derive(Debug)]
pub(crate) struct Admission {
    in_flight: AtomicUsize,
    /// The rules; none when the lever is off.
    rules: Option<Rules>,
}

#[derive(Debug)]
struct Rules {
    /// The limit of each class.
    limits: [usize; 6],
    pressure: Pressure,
}

impl Admission {
    /// A limit of `in_flight_max` requests, or none.
    pub(crate) fn new(in_flight_max: Option<usize>) -> Self {
        let rules = in_flight_max.map(|limit| Rules {
            limits: Class::ALL.map(|class| (limit * class.share() / 100).max(1)),
            pressure: Pressure::default(),
        });
        Self {
            in_flight: AtomicUsize::new(0),
            rules,
        }
    }

    /// To be called every [`PERIOD`]; `lag` is how late the call comes. False when nothing is shed ever.
    pub(crate) fn follow(&self, lag: Duration) -> bool {
        if let Some(rules) = &self.rules {
            rules.pressure.follow(lag);
        }
        self.rules.is_some()
    }

    /// Requests in process now.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Lets a request of this class in, until the permit is dropped; none when it is shed.
    pub(crate) fn admit(&self, class: Class) -> Option<Permit<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let permit = Permit(self);
        match &self.rules {
            Some(rules) if before >= rules.limits[class as usize] => None,
            Some(rules) if rules.pressure.sheds(class) => None,
            _ => Some(permit),
        }
    }
}

/// A request in process.
#[derive(Debug)]
pub(crate) struct Permit<'admission>(&'admission Admission);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Class};

    #[test]
    fn less_important_classes_are_shed_first() {
        let admission = Admission::new(Some(10));
        let mut permits = Vec::new();
        let mut shed_at = Vec::new();
        for class in Class::ALL {
            while let Some(permit) = admission.admit(class) {
                permits.push(permit);
            }
            shed_at.push(permits.len());
        }
        assert_eq!(shed_at, [5, 6, 7, 8, 9, 10]);
        // A refusal leaves no trace: after one request ends, exactly one payment fits.
        drop(permits.pop());
        assert!(admission.admit(Class::Order).is_none());
        assert!(admission.admit(Class::Payment).is_some());
    }

    #[test]
    fn without_the_lever_nothing_is_shed() {
        let admission = Admission::new(None);
        let permits: Vec<_> = (0..10_000)
            .map(|_| admission.admit(Class::Browse))
            .collect();
        assert!(permits.iter().all(Option::is_some));
    }
}
