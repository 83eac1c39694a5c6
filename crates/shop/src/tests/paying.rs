//! Payments: captured once, resolved later, refunded when late.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use double11_gateway::{
    AttemptStatus, Charge, ChargeResult, Gateway, GatewayError, GatewayReply, Health, KnownAttempt,
};
use double11_store::payment::RefundState;
use double11_store::{AttemptState, Levers, OrderState, StoreError};
use double11_units::{AttemptId, Money, OrderId};
use serde_json::json;
use tokio::sync::Semaphore;

use super::client::{Answer, Client};
use super::fake_store::FakeStore;
use super::{Fixture, PRODUCTS, settings, start, start_with, variants};

/// Longer than any test.
pub(super) const PATIENT: Duration = Duration::from_mins(1);

/// A gateway that answers a charge only when let, and counts.
pub(super) struct SlowGateway {
    /// Charges that may go on.
    pub(super) let_go: Arc<Semaphore>,
    known: Arc<Mutex<HashMap<AttemptId, AttemptStatus>>>,
    pub(super) charges: AtomicU32,
    pub(super) refunds: Arc<AtomicU32>,
    /// Forget that the charge was asked for, as a gateway does that was never reached.
    pub(super) loses_charges: AtomicBool,
    /// Have had every attempt before, for another order, and captured it.
    pub(super) had_all_before: AtomicBool,
    /// The attempt whose refund is refused, or 0.
    refuses_refund_of: AtomicI64,
    health: Mutex<Health>,
}

impl SlowGateway {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            let_go: Arc::new(Semaphore::new(0)),
            known: Arc::default(),
            charges: AtomicU32::new(0),
            refunds: Arc::default(),
            loses_charges: AtomicBool::new(false),
            had_all_before: AtomicBool::new(false),
            refuses_refund_of: AtomicI64::new(0),
            health: Mutex::new(Health::Up),
        })
    }
}

impl Gateway for SlowGateway {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn health(&self) -> Health {
        *self.health.lock().unwrap()
    }

    fn charge(&self, charge: Charge) -> GatewayReply<ChargeResult> {
        let attempt_id = charge.attempt_id;
        self.charges.fetch_add(1, Ordering::SeqCst);
        if !self.loses_charges.load(Ordering::SeqCst) {
            self.known
                .lock()
                .unwrap()
                .insert(attempt_id, AttemptStatus::Captured);
        }
        let let_go = Arc::clone(&self.let_go);
        let had_before = self.had_all_before.load(Ordering::SeqCst);
        Box::pin(async move {
            let_go.acquire_owned().await.unwrap().forget();
            if had_before {
                return Err(GatewayError::OtherCharge);
            }
            Ok(ChargeResult::Captured)
        })
    }

    fn status(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        let known = self.known.lock().unwrap().get(&attempt_id).copied();
        let mut known = KnownAttempt::only(known.unwrap_or(AttemptStatus::NeverHeard));
        if self.had_all_before.load(Ordering::SeqCst) {
            known.order_id = OrderId::new(i64::MAX).ok();
        }
        Box::pin(async move { Ok(known) })
    }

    fn void(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt> {
        let status = *self
            .known
            .lock()
            .unwrap()
            .entry(attempt_id)
            .or_insert(AttemptStatus::Voided);
        Box::pin(async move { Ok(KnownAttempt::only(status)) })
    }

    fn refund(&self, attempt_id: AttemptId, _: Money) -> GatewayReply<()> {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        if attempt_id.get() == self.refuses_refund_of.load(Ordering::SeqCst) {
            return Box::pin(async { Err(GatewayError::NotCaptured) });
        }
        Box::pin(async { Ok::<(), GatewayError>(()) })
    }
}

/// An order of one product and its total.
pub(super) async fn order(client: &mut Client) -> (String, f64) {
    let body = r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#;
    let order = client.post("/api/orders", body).await;
    assert_eq!(order.status, 201);
    (
        order.text("order_id"),
        order.json()["total"].as_f64().unwrap(),
    )
}

pub(super) fn payment(order_id: &str, amount: f64) -> String {
    format!(r#"{{"order_id":"{order_id}","amount":{amount:.2}}}"#)
}

pub(super) async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("did not happen within ten seconds");
}

#[tokio::test]
async fn deposit_and_balance() {
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let (order_id, total) = order(&mut client).await;
        let paid = client.post("/api/payments", &payment(&order_id, 1.0)).await;
        assert_eq!(paid.status, 201);
        assert_eq!(
            (&*paid.text("status"), &*paid.text("order_status")),
            ("captured", "partially_paid")
        );
        assert_eq!(
            (&*paid.text("gateway"), &*paid.text("order_id")),
            ("sandbox", &*order_id)
        );
        assert_eq!(paid.json()["amount"], json!(1.0));
        let over = client
            .post("/api/payments", &payment(&order_id, total))
            .await;
        assert_eq!(
            (over.status, &*over.code()),
            (422, "amount_exceeds_balance")
        );
        assert!((over.json()["outstanding"].as_f64().unwrap() - (total - 1.0)).abs() < 0.005);
        let rest = client
            .post("/api/payments", &payment(&order_id, total - 1.0))
            .await;
        assert_eq!((rest.status, &*rest.text("order_status")), (201, "paid"));
        let closed = client.post("/api/payments", &payment(&order_id, 1.0)).await;
        assert_eq!((closed.status, &*closed.code()), (409, "order_closed"));
        let cancel = client
            .post(&format!("/api/orders/{order_id}/cancel"), "")
            .await;
        assert_eq!((cancel.status, &*cancel.code()), (409, "order_paid"));
        let view = client.get(&format!("/api/orders/{order_id}")).await.json();
        assert_eq!(view["payments"].as_array().unwrap().len(), 2);
        assert_eq!(view["captured"], view["total"]);
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn a_key_is_charged_once() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let body = payment(&order_id, 1.0);
    let first = client.post_with_key("/api/payments", "p", &body).await;
    let second = client.post_with_key("/api/payments", "p", &body).await;
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (201, None)
    );
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!((second.status, second.json()), (201, first.json()));
    let other = client
        .post_with_key("/api/payments", "p", &payment(&order_id, 2.0))
        .await;
    assert_eq!((other.status, &*other.code()), (422, "key_reused"));
    assert_eq!(fixture.store.order_now(&order_id).payments.len(), 1);
}

/// A shop whose gateway waits to be let go, at most for this long.
async fn slow(gateway_deadline: Duration) -> (Fixture, Arc<SlowGateway>) {
    let gateway = SlowGateway::new();
    let store = FakeStore::new(PRODUCTS);
    let mut settings = settings(Levers::NONE);
    settings.gateway_deadline = gateway_deadline;
    let fixture = start_with(settings, store, Arc::clone(&gateway) as _).await;
    (fixture, gateway)
}

pub(super) fn pay_in_background(
    fixture: &Fixture,
    key: &'static str,
    body: &str,
) -> tokio::task::JoinHandle<Answer> {
    let (addr, body) = (fixture.shop.local_addr(), body.to_owned());
    tokio::spawn(async move {
        Client::connect(addr)
            .await
            .post_with_key("/api/payments", key, &body)
            .await
    })
}

#[tokio::test]
async fn a_duplicate_in_flight_joins_the_first() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let body = payment(&order_id, 1.0);
    let first = pay_in_background(&fixture, "p", &body);
    until(|| gateway.charges.load(Ordering::SeqCst) == 1).await;
    let twins: Vec<_> = (0..3)
        .map(|_| pay_in_background(&fixture, "p", &body))
        .collect();
    let stranger = client
        .post_with_key("/api/payments", "p", &payment(&order_id, 2.0))
        .await;
    assert_eq!((stranger.status, &*stranger.code()), (422, "key_reused"));
    // Let the twins arrive before the charge goes on; were they late, they would be replays of the
    // store, and nothing below would differ.
    tokio::time::sleep(Duration::from_millis(50)).await;
    gateway.let_go.add_permits(1);
    let first = first.await.unwrap();
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (201, None)
    );
    for twin in twins {
        let twin = twin.await.unwrap();
        assert_eq!((twin.status, twin.json()), (201, first.json()));
        assert_eq!(twin.header("idempotent-replayed"), Some("true"));
    }
    assert_eq!(gateway.charges.load(Ordering::SeqCst), 1);
    assert_eq!(fixture.store.order_now(&order_id).payments.len(), 1);
}

#[tokio::test]
async fn a_charge_goes_on_when_the_client_hangs_up() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let paying = pay_in_background(&fixture, "p", &payment(&order_id, 1.0));
    until(|| gateway.charges.load(Ordering::SeqCst) == 1).await;
    paying.abort();
    gateway.let_go.add_permits(1);
    until(|| fixture.store.order_now(&order_id).order.state == OrderState::PartiallyPaid).await;
}

#[tokio::test]
async fn an_unknown_outcome_is_told_and_resolved_without_a_second_charge() {
    for (loses, state, order_state) in [
        (false, AttemptState::Captured, OrderState::PartiallyPaid),
        (true, AttemptState::Declined, OrderState::PendingPayment),
    ] {
        let (fixture, gateway) = slow(Duration::from_millis(300)).await;
        gateway.loses_charges.store(loses, Ordering::SeqCst);
        let mut client = fixture.client().await;
        let (order_id, _) = order(&mut client).await;
        let body = payment(&order_id, 1.0);
        let unknown = client.post_with_key("/api/payments", "p", &body).await;
        assert_eq!(
            (unknown.status, &*unknown.text("status")),
            (202, "processing")
        );
        let retry = client.post_with_key("/api/payments", "p", &body).await;
        assert_eq!((retry.status, &*retry.code()), (409, "payment_processing"));
        let cancel = client
            .post(&format!("/api/orders/{order_id}/cancel"), "")
            .await;
        assert_eq!(
            (cancel.status, &*cancel.code()),
            (409, "payment_processing")
        );
        until(|| fixture.store.order_now(&order_id).payments[0].state == state).await;
        assert_eq!(fixture.store.order_now(&order_id).order.state, order_state);
        assert_eq!(gateway.charges.load(Ordering::SeqCst), 1);
        if !loses {
            let replay = client.post_with_key("/api/payments", "p", &body).await;
            assert_eq!(replay.status, 201);
            assert_eq!(replay.text("payment_id"), unknown.text("payment_id"));
        }
    }
}

/// A database that was restored from a backup gives ids a second time. Whether the gateway says so in its answer
/// or only when it is asked for the status: what became of the first charge is nobody's outcome here.
#[tokio::test]
async fn an_attempt_that_the_gateway_had_before_counts_as_declined() {
    for answers in [true, false] {
        let (fixture, gateway) = slow(Duration::from_millis(300)).await;
        gateway.had_all_before.store(true, Ordering::SeqCst);
        gateway.let_go.add_permits(usize::from(answers));
        let mut client = fixture.client().await;
        let (order_id, _) = order(&mut client).await;
        let body = payment(&order_id, 1.0);
        let paid = client.post_with_key("/api/payments", "p", &body).await;
        assert_eq!(paid.status, if answers { 402 } else { 202 });
        let state = || fixture.store.order_now(&order_id).payments[0].state;
        until(|| state() == AttemptState::Declined).await;
        let order = fixture.store.order_now(&order_id).order;
        assert_eq!(order.state, OrderState::PendingPayment);
    }
}

#[tokio::test]
async fn the_next_start_resolves_what_a_crash_left_open() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let paying = pay_in_background(&fixture, "p", &payment(&order_id, 1.0));
    until(|| gateway.charges.load(Ordering::SeqCst) == 1).await;
    // Dropping without a shutdown is the crash: the charge is never finalized.
    let store = Arc::clone(&fixture.store);
    drop(fixture);
    paying.abort();
    assert_eq!(
        store.order_now(&order_id).payments[0].state,
        AttemptState::Processing
    );
    let next = start_with(
        settings(Levers::NONE),
        Arc::clone(&store),
        Arc::clone(&gateway) as _,
    );
    let _fixture = next.await;
    until(|| store.order_now(&order_id).payments[0].state == AttemptState::Captured).await;
    assert_eq!(gateway.charges.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_late_capture_is_refunded_and_revives_nothing() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let paying = pay_in_background(&fixture, "p", &payment(&order_id, 1.0));
    until(|| gateway.charges.load(Ordering::SeqCst) == 1).await;
    fixture.store.expire_by_force(&order_id);
    gateway.let_go.add_permits(1);
    let late = paying.await.unwrap();
    assert_eq!((late.status, &*late.code()), (409, "order_closed"));
    until(|| fixture.store.order_now(&order_id).payments[0].refund == Some(RefundState::Done))
        .await;
    assert_eq!(gateway.refunds.load(Ordering::SeqCst), 1);
    assert_eq!(
        fixture.store.order_now(&order_id).order.state,
        OrderState::Expired
    );
    let view = client.get(&format!("/api/orders/{order_id}")).await.json();
    assert_eq!(view["payments"][0]["status"], "late");
    assert_eq!(view["payments"][0]["refund"], "done");
}

#[tokio::test]
async fn cancelling_and_expiring_refund_what_was_captured() {
    for expires in [false, true] {
        let fixture = start(settings(Levers::NONE)).await;
        let mut client = fixture.client().await;
        if expires {
            fixture.store.set_window_micros(400_000);
        }
        let stock = fixture.store.available(3);
        let (order_id, _) = order(&mut client).await;
        let paid = client.post("/api/payments", &payment(&order_id, 1.0)).await;
        assert_eq!(paid.status, 201);
        if !expires {
            let cancelled = client
                .post(&format!("/api/orders/{order_id}/cancel"), "")
                .await;
            assert_eq!(cancelled.status, 200);
        }
        until(|| fixture.store.order_now(&order_id).payments[0].refund == Some(RefundState::Done))
            .await;
        assert_eq!(fixture.store.available(3), stock);
        let closed = client.post("/api/payments", &payment(&order_id, 1.0)).await;
        assert_eq!((closed.status, &*closed.code()), (409, "order_closed"));
        let ledger = fixture.folder.as_ref().unwrap().path().join("shop.gateway");
        let ledger = std::fs::read_to_string(ledger).unwrap();
        assert_eq!(ledger.matches("\"refund\"").count(), 1);
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_apart() {
    let cause: Arc<dyn std::error::Error + Send + Sync> = Arc::new(std::io::Error::other("disk"));
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    let (order_id, _) = order(&mut client).await;
    let item = r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#;
    for (fault, code) in [
        (StoreError::QueueFull, "overloaded"),
        (StoreError::Busy, "overloaded"),
        (StoreError::Unavailable(cause), "store_unavailable"),
        (StoreError::Closed, "store_unavailable"),
        (StoreError::OutcomeUnknown, "outcome_unknown"),
    ] {
        fixture.store.fail_with(Some(fault));
        for answer in [
            client.get("/api/products/7").await,
            client.post("/api/orders", item).await,
            client.post("/api/payments", &payment(&order_id, 1.0)).await,
        ] {
            assert_eq!((answer.status, &*answer.code()), (503, code));
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        let health = client.get("/actuator/health").await;
        assert_eq!((health.status, &*health.text("status")), (503, "DOWN"));
        assert_eq!(client.get("/actuator/health/readiness").await.status, 200);
        fixture.store.fail_with(None);
        assert_eq!(
            client.get("/actuator/health").await.status,
            200,
            "recovered"
        );
        assert_eq!(
            client.post("/api/orders", item).await.status,
            201,
            "recovered"
        );
    }
}

#[tokio::test]
async fn a_refund_that_is_refused_lets_the_others_pass() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    gateway.let_go.add_permits(2);
    let mut orders = Vec::new();
    for _ in 0..2 {
        let (order_id, _) = order(&mut client).await;
        let paid = client.post("/api/payments", &payment(&order_id, 1.0)).await;
        assert_eq!(paid.status, 201);
        orders.push(order_id);
    }
    let stuck = fixture.store.order_now(&orders[0]).payments[0].attempt_id;
    gateway
        .refuses_refund_of
        .store(stuck.get(), Ordering::SeqCst);
    for order_id in &orders {
        let path = format!("/api/orders/{order_id}/cancel");
        assert_eq!(client.post(&path, "").await.status, 200);
    }
    let refund = |order: usize| fixture.store.order_now(&orders[order]).payments[0].refund;
    until(|| refund(1) == Some(RefundState::Done)).await;
    // Several rounds of the resolver: the one that is refused is left alone for minutes.
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    assert_eq!(refund(0), Some(RefundState::Pending));
    assert_eq!(gateway.refunds.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn health_names_a_gateway_that_cannot_work() {
    let (fixture, gateway) = slow(PATIENT).await;
    let mut client = fixture.client().await;
    let health = client.get("/actuator/health").await;
    let component = &health.json()["components"]["gateway"];
    assert_eq!(
        (health.status, component),
        (
            200,
            &json!({"status": "UP", "details": {"name": "sandbox"}})
        )
    );
    *gateway.health.lock().unwrap() = Health::Down("the ledger cannot be written");
    let health = client.get("/actuator/health").await;
    assert_eq!((health.status, &*health.text("status")), (503, "DOWN"));
    let details = json!({"name": "sandbox", "reason": "the ledger cannot be written"});
    let component = &health.json()["components"]["gateway"];
    assert_eq!(component, &json!({"status": "DOWN", "details": details}));
    assert_eq!(client.get("/actuator/health/readiness").await.status, 200);
}
