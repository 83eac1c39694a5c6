//! Sheds load that cannot be served in time, the least important first (lever `admission`).
//!
//! Two rules. The shop is pressed when work waits too long for the processor; then it sheds a share that
//! follows the wait (`pressure`). And never are more requests in process than a limit, of which each
//! class may use a growing share; those that only wait for their turn are not counted (`turn`). The
//! check is a few atomics and stands before everything else, the body included.

mod pressure;
mod turn;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::time::Duration;

pub(crate) use pressure::PERIOD;
use pressure::Pressure;
pub(crate) use turn::Turns;

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
    in_flight: Arc<AtomicUsize>,
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
            in_flight: Arc::default(),
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

impl Permit<'_> {
    /// Runs a request to its end. While it only waits for its turn it is not in process.
    pub(crate) async fn run<T>(self, turns: &mut Turns, request: impl Future<Output = T>) -> T {
        let admission = self.0;
        if admission.rules.is_none() {
            return request.await;
        }
        let mut request = pin!(request);
        let running = Running(turns);
        let mut permit = Some(self);
        std::future::poll_fn(move |context| {
            let waker = running
                .0
                .begin(context.waker(), &admission.in_flight, permit.take());
            request.as_mut().poll(&mut Context::from_waker(waker))
        })
        .await
    }
}

/// A request that its turns count; no longer when dropped.
struct Running<'turns>(&'turns mut Turns);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    use super::{Admission, Class, Turns};

    /// A task that nobody polls again by itself.
    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    /// What has been woken does not keep others out, however long it waits for its turn.
    #[test]
    fn a_request_that_waits_for_its_turn_does_not_count() {
        let admission = Admission::new(Some(10));
        let mut turns = Turns::default();
        let (reply, answer) = tokio::sync::oneshot::channel();
        let mut context = Context::from_waker(Waker::noop());
        {
            let permit = admission.admit(Class::Payment).unwrap();
            let mut request = std::pin::pin!(permit.run(&mut turns, answer));
            assert_eq!(admission.in_flight(), 1);
            assert!(request.as_mut().poll(&mut context).is_pending());
            assert_eq!(admission.in_flight(), 1, "it waits for an answer");
            reply.send(7).unwrap();
            assert_eq!(admission.in_flight(), 0, "it waits for its turn");
            assert_eq!(request.as_mut().poll(&mut context), Poll::Ready(Ok(7)));
        }
        assert_eq!(admission.in_flight(), 0);
    }

    /// However a request ends, and whichever task polls it, it counts once and then no more.
    #[test]
    fn nothing_is_left_of_a_request_that_ended() {
        let admission = Admission::new(Some(10));
        let mut turns = Turns::default();
        for is_woken in [false, true] {
            let (reply, answer) = tokio::sync::oneshot::channel::<()>();
            let permit = admission.admit(Class::Payment).unwrap();
            let mut request = Box::pin(permit.run(&mut turns, answer));
            for waker in [Waker::noop().clone(), Waker::from(Arc::new(Task))] {
                let mut context = Context::from_waker(&waker);
                assert!(request.as_mut().poll(&mut context).is_pending());
                assert_eq!(admission.in_flight(), 1);
            }
            let _reply = (!is_woken).then_some(reply);
            assert_eq!(admission.in_flight(), usize::from(!is_woken));
            drop(request);
            assert_eq!(admission.in_flight(), 0);
        }
        // One that never ran.
        let permit = admission.admit(Class::Payment).unwrap();
        drop(permit.run(&mut turns, async {}));
        assert_eq!(admission.in_flight(), 0);
    }

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
