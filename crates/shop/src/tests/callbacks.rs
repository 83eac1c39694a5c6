//! Callbacks of the gateway: believed when signed, heard whenever they come, counted once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use double11_gateway::signature::Secret;
use double11_store::payment::RefundState;
use double11_store::{AttemptState, Clock, Levers, OrderState, SystemClock};
use double11_units::UnixMicros;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::fake_store::FakeStore;
use super::paying::{PATIENT, SlowGateway, order, pay_in_background, payment, until};
use super::{Fixture, PRODUCTS, settings, start_with};
use crate::ShopSettings;

const PATH: &str = "/api/payments/callbacks/sandbox";
const SECRET: &[u8] = b"a secret of shop and gateway";

fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// A shop that knows the secret, and a gateway that answers when it is let.
async fn shop(deadline: Duration, is_shared: bool) -> (Fixture, Arc<SlowGateway>) {
    let gateway = SlowGateway::new();
    let store = FakeStore::new(PRODUCTS);
    store.set_shared(is_shared);
    let fixture = start_with(knowing(deadline), store, Arc::clone(&gateway) as _).await;
    (fixture, gateway)
}

/// Settings of a shop that knows the secret.
fn knowing(deadline: Duration) -> ShopSettings {
    let mut settings = settings(Levers::NONE);
    settings.gateway_deadline = deadline;
    settings.callback_secret = Some(secret());
    settings
}

/// What the gateway says of the first payment of an order.
fn told(fixture: &Fixture, order_id: &str, result: &str) -> Value {
    let view = fixture.store.order_now(order_id);
    let payment = &view.payments[0];
    json!({
        "attempt_id": payment.attempt_id.to_string(), "order_id": order_id, "result": result,
        "amount": payment.amount.to_string(), "currency": "CNY", "at": 7, "and": {"more": [1]},
    })
}

async fn send(client: &mut Client, path: &str, signature: &str, body: &str) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("Double11-Signature", signature),
    ];
    client.send("POST", path, &headers, body).await
}

/// Calls back as the gateway does.
async fn call_back(client: &mut Client, body: &Value) -> Answer {
    let body = body.to_string();
    let signature = secret().sign(SystemClock.now(), body.as_bytes());
    send(client, PATH, &signature, &body).await
}

/// Payments as the metrics count them: succeeded, declined, invalid, failed.
async fn counted(client: &mut Client) -> [u32; 4] {
    let page = client.get("/actuator/prometheus").await.body;
    let page = String::from_utf8(page).unwrap();
    ["success", "declined", "invalid", "failed"].map(|status| {
        let series = format!(
            "ecommerce_payments_total{{currency=\"CNY\",gateway=\"sandbox\",status=\"{status}\"}} "
        );
        let mut lines = page.lines();
        let count = lines.find_map(|line| line.strip_prefix(&series));
        count.unwrap().parse().unwrap()
    })
}

/// An order that is being paid for in the background, and waits for the gateway.
async fn being_paid(
    fixture: &Fixture,
    gateway: &SlowGateway,
    client: &mut Client,
) -> (String, tokio::task::JoinHandle<Answer>) {
    let (order_id, _) = order(client).await;
    let before = gateway.charges.load(Ordering::SeqCst);
    let paying = pay_in_background(fixture, "p", &payment(&order_id, 1.0));
    until(|| gateway.charges.load(Ordering::SeqCst) == before + 1).await;
    (order_id, paying)
}

#[tokio::test]
async fn a_callback_answers_a_request_that_still_waits() {
    for (result, status, counts) in [
        ("captured", 201, [1, 0, 0, 0]),
        ("declined", 402, [0, 1, 0, 0]),
    ] {
        let (fixture, gateway) = shop(PATIENT, false).await;
        let mut client = fixture.client().await;
        let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
        let body = told(&fixture, &order_id, result);
        let heard = call_back(&mut client, &body).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        assert_eq!(
            heard.json(),
            json!({"payment_id": body["attempt_id"], "order_id": order_id, "status": result})
        );
        // The gateway itself never answers in this test.
        let paid = paying.await.unwrap();
        assert_eq!(paid.status, status);
        assert_eq!(paid.header("idempotent-replayed"), None);
        for _ in 0..3 {
            let again = call_back(&mut client, &body).await;
            assert_eq!((again.status, again.json()), (200, heard.json()));
        }
        assert_eq!(counted(&mut client).await, counts);
    }
}

#[tokio::test]
async fn a_callback_after_the_answer_changes_nothing() {
    let (fixture, gateway) = shop(PATIENT, false).await;
    let mut client = fixture.client().await;
    let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
    gateway.let_go.add_permits(1);
    assert_eq!(paying.await.unwrap().status, 201);
    let before = fixture.store.order_now(&order_id);
    for result in ["captured", "declined"] {
        let body = told(&fixture, &order_id, result);
        let heard = call_back(&mut client, &body).await;
        assert_eq!((heard.status, &*heard.text("status")), (200, "captured"));
    }
    assert_eq!(fixture.store.order_now(&order_id), before);
    assert_eq!(counted(&mut client).await, [1, 0, 0, 0]);
}

/// The answer and many callbacks at once: one success.
#[tokio::test]
async fn outcomes_that_come_together_are_counted_once() {
    for _ in 0..20 {
        let (fixture, gateway) = shop(PATIENT, false).await;
        let mut client = fixture.client().await;
        let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
        let body = told(&fixture, &order_id, "captured");
        let mut callbacks = tokio::task::JoinSet::new();
        for number in 0..8 {
            if number == 4 {
                gateway.let_go.add_permits(1);
            }
            let (mut client, body) = (fixture.client().await, body.clone());
            callbacks.spawn(async move { call_back(&mut client, &body).await.status });
        }
        assert_eq!(paying.await.unwrap().status, 201);
        while let Some(status) = callbacks.join_next().await {
            assert_eq!(status.unwrap(), 200);
        }
        assert_eq!(counted(&mut client).await, [1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn a_capture_that_comes_after_all_is_refunded() {
    let (fixture, gateway) = shop(Duration::from_millis(300), false).await;
    gateway.loses_charges.store(true, Ordering::SeqCst);
    let mut client = fixture.client().await;
    let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
    assert_eq!(paying.await.unwrap().status, 202);
    until(|| fixture.store.order_now(&order_id).payments[0].state == AttemptState::Declined).await;
    let body = told(&fixture, &order_id, "captured");
    for _ in 0..2 {
        let late = call_back(&mut client, &body).await;
        assert_eq!((late.status, &*late.text("status")), (200, "late"));
    }
    let refund = || fixture.store.order_now(&order_id).payments[0].refund;
    until(|| refund() == Some(RefundState::Done)).await;
    assert_eq!(gateway.refunds.load(Ordering::SeqCst), 1);
    let view = fixture.store.order_now(&order_id);
    assert_eq!(view.order.state, OrderState::PendingPayment);
    // Declined once, when it was given up.
    assert_eq!(counted(&mut client).await, [0, 1, 0, 0]);
}

#[tokio::test]
async fn only_the_gateway_is_believed() {
    let (fixture, gateway) = shop(PATIENT, false).await;
    let mut client = fixture.client().await;
    let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
    let body = told(&fixture, &order_id, "captured").to_string();
    let now = SystemClock.now().get();
    let at = |seconds: i64| UnixMicros::new(now + seconds * 1_000_000);
    let sign = |at, body: &str| secret().sign(at, body.as_bytes());
    let other = Secret::new(b"the secret of somebody else").unwrap();
    for signature in [
        String::new(),
        "rubbish".to_owned(),
        sign(at(0), "another body"),
        sign(at(0), &(body.clone() + " ")),
        other.sign(at(0), body.as_bytes()),
        sign(at(-302), &body),
        sign(at(302), &body),
    ] {
        let refused = send(&mut client, PATH, &signature, &body).await;
        let what = (refused.status, &*refused.code());
        assert_eq!(what, (401, "invalid_signature"), "{signature}");
        let scheme = refused.header("www-authenticate");
        assert_eq!(scheme, Some("double11-signature"));
    }
    let unsigned = client.post(PATH, &body).await;
    assert_eq!(
        (unsigned.status, &*unsigned.code()),
        (401, "invalid_signature")
    );
    let elsewhere = "/api/payments/callbacks/other";
    let unknown = send(&mut client, elsewhere, &sign(at(0), &body), &body).await;
    assert_eq!((unknown.status, &*unknown.code()), (404, "not_found"));
    let state = fixture.store.order_now(&order_id).payments[0].state;
    assert_eq!(state, AttemptState::Processing);
    // An old one within the tolerance is no other than a replayed one: heard, without effect.
    let signature = sign(at(-290), &body);
    for _ in 0..2 {
        let heard = send(&mut client, PATH, &signature, &body).await;
        assert_eq!(heard.status, 200);
    }
    assert_eq!(paying.await.unwrap().status, 201);
    assert_eq!(counted(&mut client).await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_shop_without_a_secret_believes_nobody() {
    let gateway = SlowGateway::new();
    let fixture = start_with(settings(Levers::NONE), FakeStore::new(PRODUCTS), gateway).await;
    let mut client = fixture.client().await;
    let refused = call_back(&mut client, &json!({})).await;
    assert_eq!(
        (refused.status, &*refused.code()),
        (401, "invalid_signature")
    );
}

#[tokio::test]
async fn what_a_callback_says_must_fit() {
    let (fixture, gateway) = shop(PATIENT, false).await;
    let mut client = fixture.client().await;
    let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
    let good = told(&fixture, &order_id, "captured");
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, status, code) in [
        (json!([1]), 400, "invalid_request"),
        (json!({}), 400, "invalid_request"),
        (with("result", json!("refunded")), 400, "invalid_request"),
        (with("result", Value::Null), 400, "invalid_request"),
        (with("amount", json!("much")), 400, "invalid_request"),
        (with("attempt_id", json!(true)), 400, "invalid_request"),
        (with("order_id", json!([])), 400, "invalid_request"),
        (with("currency", json!(7)), 400, "invalid_request"),
        (with("attempt_id", json!("999999")), 404, "unknown_attempt"),
        (with("attempt_id", json!("x")), 404, "unknown_attempt"),
        (with("order_id", json!("999999")), 404, "unknown_attempt"),
        (with("order_id", json!("-1")), 404, "unknown_attempt"),
        (with("amount", json!("1.01")), 422, "amount_mismatch"),
        (with("amount", json!("-1.00")), 422, "amount_mismatch"),
        (with("currency", json!("USD")), 422, "amount_mismatch"),
    ] {
        let refused = call_back(&mut client, &body).await;
        let what = (refused.status, &*refused.code());
        assert_eq!(what, (status, code), "{body}");
    }
    let broken = "{\"attempt_id\":";
    let signature = secret().sign(SystemClock.now(), broken.as_bytes());
    let refused = send(&mut client, PATH, &signature, broken).await;
    assert_eq!((refused.status, &*refused.code()), (400, "malformed_json"));
    let large = " ".repeat(100_000);
    let mut other = fixture.client().await;
    let refused = send(&mut other, PATH, "t=1,v1=0", &large).await;
    assert_eq!((refused.status, &*refused.code()), (413, "body_too_large"));
    let state = fixture.store.order_now(&order_id).payments[0].state;
    assert_eq!(state, AttemptState::Processing);
    // Amounts are decimals, as a text or as a number.
    let number = with("amount", json!(1.0));
    assert_eq!(call_back(&mut client, &number).await.status, 200);
    assert_eq!(paying.await.unwrap().status, 201);
}

#[tokio::test]
async fn a_store_that_fails_has_the_gateway_call_again() {
    let (fixture, gateway) = shop(Duration::from_secs(1), false).await;
    let mut client = fixture.client().await;
    let (order_id, paying) = being_paid(&fixture, &gateway, &mut client).await;
    let body = told(&fixture, &order_id, "captured");
    fixture
        .store
        .fail_with(Some(double11_store::StoreError::Busy));
    let failed = call_back(&mut client, &body).await;
    assert_eq!((failed.status, &*failed.code()), (503, "overloaded"));
    assert_eq!(failed.header("retry-after"), Some("1"));
    fixture.store.fail_with(None);
    assert_eq!(call_back(&mut client, &body).await.status, 200);
    assert!(matches!(paying.await.unwrap().status, 201 | 202));
    assert_eq!(counted(&mut client).await[0], 1);
}

/// Two shops on one store with one gateway, whose answers they wait for as long as this.
async fn two_shops(deadline: Duration) -> (Fixture, Fixture, Arc<SlowGateway>) {
    let (first, gateway) = shop(deadline, true).await;
    let store = Arc::clone(&first.store);
    let second = start_with(knowing(deadline), store, Arc::clone(&gateway) as _).await;
    (first, second, gateway)
}

/// The one is called back about what the other waits for.
#[tokio::test]
async fn another_shop_may_be_called_back() {
    let (first, second, gateway) = two_shops(Duration::from_secs(2)).await;
    let mut client = first.client().await;
    let (order_id, paying) = being_paid(&first, &gateway, &mut client).await;
    let body = told(&first, &order_id, "captured");
    let mut other = second.client().await;
    assert_eq!(call_back(&mut other, &body).await.status, 200);
    // The first shop learns of it from the store, at its deadline.
    let paid = paying.await.unwrap();
    assert_eq!(
        (paid.status, &*paid.text("order_status")),
        (201, "partially_paid")
    );
    counted_once(&mut client, &mut other).await;
}

/// A callback that another shop was faster with still ends the wait of the request here.
#[tokio::test]
async fn a_callback_that_another_shop_stored_ends_the_wait() {
    let (first, second, gateway) = two_shops(Duration::from_mins(10)).await;
    let mut client = first.client().await;
    let (order_id, paying) = being_paid(&first, &gateway, &mut client).await;
    let body = told(&first, &order_id, "captured");
    let mut other = second.client().await;
    assert_eq!(call_back(&mut other, &body).await.status, 200);
    assert_eq!(call_back(&mut client, &body).await.status, 200);
    let paid = tokio::time::timeout(Duration::from_secs(20), paying).await;
    assert_eq!(paid.unwrap().unwrap().status, 201);
    counted_once(&mut client, &mut other).await;
}

async fn counted_once(client: &mut Client, other: &mut Client) {
    let (here, there) = (counted(client).await, counted(other).await);
    assert_eq!(here[0] + there[0], 1, "once among all shops");
}

/// A shop that is started beside another leaves alone what the other works on.
#[tokio::test]
async fn a_new_shop_leaves_the_attempts_of_living_ones_alone() {
    for is_shared in [true, false] {
        let (first, gateway) = shop(Duration::from_millis(1_500), is_shared).await;
        gateway.loses_charges.store(true, Ordering::SeqCst);
        let mut client = first.client().await;
        let (order_id, paying) = being_paid(&first, &gateway, &mut client).await;
        let store = Arc::clone(&first.store);
        let mut settings = settings(Levers::NONE);
        settings.gateway_deadline = Duration::from_millis(1_500);
        let second = start_with(settings, store, Arc::clone(&gateway) as _).await;
        let state = || first.store.order_now(&order_id).payments[0].state;
        if is_shared {
            // Several rounds of the second shop's resolver.
            tokio::time::sleep(Duration::from_millis(1_400)).await;
            assert_eq!(state(), AttemptState::Processing);
        }
        // Its age decides, or that a store of one shop can only hold attempts of earlier ones.
        until(|| state() == AttemptState::Declined).await;
        drop(paying.await.unwrap());
        drop(second);
    }
}
