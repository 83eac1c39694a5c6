//! From a request to its response: route, admission, panic guard, measurement.
//!
//! The order matters. Admission stands before the body is read, so that a refused request costs next
//! to nothing; the panic guard stands inside the measurement, so that a defect is counted too.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use double11_store::{PaymentMethod, SharedCache, Store};

use super::handlers;
use super::problem::{self, Problem};
use super::reference::References;
use super::reply::Reply;
use super::request_body::{BodyLimits, Upload};
use super::route::{Route, Target, resolve};
use crate::admission::{Admission, Turns};
use crate::carts::Carts;
use crate::metrics::{Metrics, OrderStatus, PaymentStatus};
use crate::orders::Orders;
use crate::payments::Payments;
use crate::products::Products;
use crate::settings::ShopSettings;
use crate::sold_out::SoldOut;
use double11_store::Stopwatch;

/// Which requests a listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Everything, where there is one address.
    Whole,
    /// The API without `/actuator`, which has an address of its own.
    Public,
    /// `/actuator` and nothing else.
    Management,
}

/// Everything that requests are served from.
pub(crate) struct App {
    pub(crate) settings: ShopSettings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) admission: Admission,
    pub(crate) products: Products,
    pub(crate) carts: Carts,
    pub(crate) orders: Orders,
    /// What was seen sold out a moment ago, on a store that is shared.
    pub(crate) sold_out: Option<Arc<SoldOut>>,
    /// What is shared with other shops, if anything.
    pub(crate) cache: Option<Arc<dyn SharedCache>>,
    pub(crate) payments: Arc<Payments>,
    pub(crate) references: References,
    /// Set when the shop begins to shut down; readiness then says so.
    pub(crate) draining: AtomicBool,
}

/// A request of an API route.
pub(super) struct Call<'call, 'connection> {
    pub(super) route: Route,
    pub(super) first: &'connection str,
    pub(super) second: &'connection str,
    pub(super) query: Option<&'connection str>,
    pub(super) upload: &'call mut Upload<'connection>,
}

impl App {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(super) fn body_limits(&self) -> BodyLimits {
        let limits = &self.settings.limits;
        BodyLimits {
            bytes: limits.body_bytes,
            timeout: limits.body_timeout,
        }
    }

    /// Answers one request; never fails.
    pub(super) async fn serve(
        &self,
        upload: &mut Upload<'_>,
        door: Door,
        turns: &mut Turns,
    ) -> Reply {
        let stopwatch = Stopwatch::start();
        let head = upload.head;
        let target = resolve(head.method, head.path);
        if door == Door::Management && !matches!(target, Target::Actuator(_)) {
            return Problem::from(problem::NOT_FOUND).reply();
        }
        let (route, reply) = match target {
            Target::Api {
                route,
                first,
                second,
            } => {
                let call = Call {
                    route,
                    first,
                    second,
                    query: head.query,
                    upload,
                };
                (route, self.admit(call, turns).await)
            }
            Target::Actuator(page) if door != Door::Public => {
                return handlers::actuator::answer(self, page).await;
            }
            Target::Reference(file) => return self.references.answer(file, &head.conditions),
            Target::WrongMethod { allow } => {
                let mut reply = Problem::from(problem::METHOD_NOT_ALLOWED).reply();
                reply.allow = Some(allow);
                (Route::Other, reply)
            }
            Target::Actuator(_) | Target::Nothing => {
                (Route::Other, Problem::from(problem::NOT_FOUND).reply())
            }
        };
        self.metrics
            .request(route as usize, reply.status, stopwatch.elapsed());
        reply
    }

    async fn admit(&self, call: Call<'_, '_>, turns: &mut Turns) -> Reply {
        let route = call.route;
        let Some(permit) = self.admission.admit(route.class()) else {
            self.metrics.shed(route.class());
            self.count_without_outcome(route, OrderStatus::Shed);
            return Problem::from(problem::OVERLOADED).reply();
        };
        let answered = catch_panic(handlers::answer(self, call));
        if let Some(reply) = permit.run(turns, answered).await {
            return reply;
        }
        tracing::error!(http.route = route.template(), "a request handler panicked");
        self.count_without_outcome(route, OrderStatus::Failed);
        Problem::from(problem::INTERNAL).reply()
    }

    /// Counts a write that never reached its use case, or never came back from it.
    fn count_without_outcome(&self, route: Route, status: OrderStatus) {
        match route {
            Route::PlaceOrder => self.metrics.order(status, PaymentMethod::Unspecified),
            Route::Pay => self.metrics.payment(PaymentStatus::Failed),
            _ => {}
        }
    }

    /// Counts a request whose head could not be read.
    pub(super) fn head_refused(&self, status: u16) {
        self.metrics
            .request(Route::Other as usize, status, std::time::Duration::ZERO);
    }

    /// Counts a request whose head did not arrive in time.
    pub(super) fn head_timed_out(&self, taken: std::time::Duration) -> Reply {
        let reply = Problem::from(problem::REQUEST_TIMEOUT).reply();
        self.metrics
            .request(Route::Other as usize, reply.status, taken);
        reply
    }
}

/// Runs a future to its end; none when it panicked. What a handler shares is behind locks that pass
/// poison over and atomics, so that no half-made state can be seen afterwards.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[tokio::test]
    async fn a_panic_becomes_none() {
        assert_eq!(catch_panic(async { 7 }).await, Some(7));
        let panicking = async {
            tokio::task::yield_now().await;
            assert!(
                std::hint::black_box(false),
                "this panic is part of the test"
            );
        };
        assert_eq!(catch_panic(panicking).await, None);
    }
}
