//! What can go wrong between a shop and its gateway.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use double11_gateway::signature::Secret;
use double11_store::{Clock as _, SystemClock};
use double11_units::UnixMicros;
use serde_json::{Value, json};

use crate::harness::{eventually, now, pause};
use crate::world::{Answer, SECRET, World, callbacks_of, payment};

/// A gateway that tells everything, twice, and half of it late.
const TALKATIVE: [&str; 6] = [
    "--duplicate-callbacks",
    "1",
    "--late-callbacks",
    "0.5",
    "--late-by",
    "700ms",
];

/// The answers of as many threads as there are payments.
fn at_once(payments: Vec<impl FnOnce() -> Answer + Send + 'static>) -> Vec<Answer> {
    let threads: Vec<_> = payments.into_iter().map(std::thread::spawn).collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

/// Two clicks with one key are one payment, and two without a key never pay more than is owed.
#[test]
fn clicks_and_retries_pay_once() {
    let world = World::with_callbacks(&TALKATIVE, &[]);
    let buyer = world.buyer();

    // A double click: the second waits for the first, or finds it done.
    let (order_id, total) = buyer.order();
    let clicks = (0..2).map(|_| {
        let (buyer, order_id) = (buyer.clone(), order_id.clone());
        move || buyer.pay(&order_id, total, Some("click"))
    });
    let clicks = at_once(clicks.collect());
    assert!(clicks.iter().all(|click| click.status == 201), "{clicks:?}");
    assert_eq!(clicks[0].body, clicks[1].body);
    assert_eq!(clicks.iter().filter(|click| click.replayed).count(), 1);
    assert_eq!(buyer.view(&order_id)["status"], "paid");

    // The same without a key: one of them finds nothing left to pay.
    let (order_id, total) = buyer.order();
    let clicks = (0..2).map(|_| {
        let (buyer, order_id) = (buyer.clone(), order_id.clone());
        move || buyer.pay(&order_id, total, None)
    });
    let mut statuses: Vec<u16> = at_once(clicks.collect())
        .iter()
        .map(|click| click.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);

    // A lost answer: the client is gone before there is one, and asks again with its key.
    let (order_id, _) = buyer.order();
    let body = payment(&order_id, 1.0);
    let mut lost = TcpStream::connect(("127.0.0.1", world.shop_port)).unwrap();
    let request = format!(
        "POST /api/payments HTTP/1.1\r\nhost: s\r\ncontent-type: application/json\r\n\
         idempotency-key: lost\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    lost.write_all(request.as_bytes()).unwrap();
    drop(lost);
    let retried = buyer.pay(&order_id, 1.0, Some("lost"));
    assert_eq!(retried.status, 201, "{retried:?}");
    eventually("one payment", Duration::from_secs(5), || {
        buyer.view(&order_id)["captured"] == json!(1.0)
    });

    // Two captures with one key are one, two without a key are two.
    for (key, captured) in [(Some("part"), 2.0), (None, 4.0)] {
        for _ in 0..2 {
            assert_eq!(buyer.pay(&order_id, 1.0, key).status, 201);
        }
        assert_eq!(buyer.view(&order_id)["captured"], json!(captured));
    }
    let other = buyer.pay(&order_id, 2.0, Some("part"));
    assert_eq!((other.status, other.text("code")), (422, "key_reused"));
    let charged = world.in_ledger("\"charge\"");
    assert_eq!(charged, 1 + 1 + 1 + 1 + 2);

    // Every callback comes twice, some of them late; none of them counts anything.
    pause(Duration::from_secs(2));
    assert_eq!(world.end(), charged as u64);
}

/// Payments that begin just before, at and after the end of their orders' windows.
#[test]
fn payments_race_expiry() {
    let mut gateway = TALKATIVE.to_vec();
    gateway.extend(["--latency", "150ms"]);
    let world = World::with_callbacks(&gateway, &["--payment-window", "1s"]);
    let buyer = world.buyer();
    let orders: Vec<_> = (0..16).map(|_| (buyer.order(), now())).collect();
    let payments = orders.iter().enumerate().map(|(number, placed)| {
        let ((order_id, total), placed) = (placed.0.clone(), placed.1);
        let buyer = buyer.clone();
        // From well before the end of the order's window of a second to well after it.
        let begins = Duration::from_millis(600 + 50 * number as u64);
        move || {
            pause(begins.saturating_sub(placed.elapsed()));
            buyer.pay(&order_id, total, None)
        }
    });
    let answers = at_once(payments.collect());
    world.settle();
    let mut paid = 0;
    for (((order_id, _), _), answer) in orders.iter().zip(&answers) {
        eventually("an end", Duration::from_secs(5), || {
            buyer.view(order_id)["status"] != "pending_payment"
        });
        let view = buyer.view(order_id);
        match answer.status {
            201 => {
                paid += 1;
                assert_eq!(view["status"], "paid", "{answer:?}");
            }
            409 => {
                assert_eq!(answer.text("code"), "order_closed");
                assert_eq!(view["status"], "expired", "{answer:?}");
                assert_eq!(view["payments"], json!([]));
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!((1..16).contains(&paid), "{paid} of 16 prove no race");
    assert_eq!(world.end(), paid);
}

/// A gateway that charges and never says so: without callbacks the shop asks, with them it is told.
#[test]
fn a_gateway_that_does_not_answer() {
    let mut world = World::start(&["--no-answer", "1"], &["--gateway-deadline", "800ms"]);
    let buyer = world.buyer();
    let (order_id, _) = buyer.order();
    let unknown = buyer.pay(&order_id, 1.0, Some("key"));
    assert_eq!(
        (unknown.status, unknown.text("status")),
        (202, "processing")
    );
    let early = buyer.pay(&order_id, 1.0, Some("key"));
    assert_eq!(
        (early.status, early.text("code")),
        (409, "payment_processing")
    );
    world.settle();
    let replay = buyer.pay(&order_id, 1.0, Some("key"));
    assert_eq!((replay.status, replay.replayed), (201, true));
    assert_eq!(replay.text("payment_id"), unknown.text("payment_id"));
    // Closing the order gives the money back.
    let cancelled = buyer.post(&format!("/api/orders/{order_id}/cancel"), &[], "");
    assert_eq!(cancelled.status, 200);
    world.settle();
    assert_eq!(buyer.view(&order_id)["payments"][0]["refund"], "done");

    let callbacks = callbacks_of(world.shop_port);
    assert!(world.terminate_gateway());
    world.gateway_arguments(&["--no-answer", "1", "--callbacks", &callbacks]);
    world.start_gateway();
    let (order_id, total) = buyer.order();
    let told = buyer.pay(&order_id, total, None);
    assert_eq!((told.status, told.text("order_status")), (201, "paid"));
    assert_eq!(world.in_ledger("\"charge\""), 2);
    assert_eq!(world.end(), 2);
}

/// The gateway is killed while it charges, and started again a moment later, or after a while.
#[test]
fn a_gateway_killed_in_mid_charge() {
    let mut world = World::with_callbacks(&["--latency", "250ms"], &["--gateway-deadline", "2s"]);
    let buyer = world.buyer();
    let orders: Vec<_> = (0..12).map(|_| buyer.order()).collect();
    let payments = orders
        .iter()
        .enumerate()
        .map(|(number, (order_id, total))| {
            let (buyer, order_id, total) = (buyer.clone(), order_id.clone(), *total);
            let begins = Duration::from_millis(40 * number as u64);
            move || {
                pause(begins);
                buyer.pay(&order_id, total, None)
            }
        });
    let payments: Vec<_> = payments.collect();
    let threads = std::thread::spawn(move || at_once(payments));
    pause(Duration::from_millis(300));
    world.kill_gateway();
    pause(Duration::from_millis(200));
    world.start_gateway();
    let answers = threads.join().unwrap();
    let count = |status: u16| answers.iter().filter(|it| it.status == status).count();
    assert_eq!(count(201) + count(202), 12, "{answers:?}");
    assert!(count(202) > 0, "the kill hit nothing: {answers:?}");
    assert!(count(201) > 0, "a restart is survived: {answers:?}");
    world.settle();
    let paid = || {
        let views = orders.iter().map(|(order_id, _)| buyer.view(order_id));
        views.filter(|view| view["status"] == "paid").count()
    };
    assert_eq!(paid(), world.in_ledger("\"captured\""));

    // A gateway that is away: orders go on, health says it, and it mends itself.
    world.kill_gateway();
    let (order_id, total) = buyer.order();
    assert_eq!(buyer.pay(&order_id, total, None).status, 202);
    buyer.until_gateway_is("DOWN");
    assert_eq!(buyer.get("/actuator/health/readiness").status, 200);
    world.start_gateway();
    buyer.until_gateway_is("UP");
    world.settle();
    // The charge was never sent, and so made void.
    assert_eq!(buyer.view(&order_id)["payments"][0]["status"], "declined");
    assert_eq!(buyer.pay(&order_id, total, None).status, 201);
    let captured = world.in_ledger("\"captured\"") as u64;
    assert_eq!(world.end(), captured);
}

/// The shop is killed after the charge and before FINALIZE.
#[test]
fn a_shop_killed_between_charge_and_finalize() {
    let mut world = World::start(&["--no-answer", "1"], &["--gateway-deadline", "30s"]);
    let buyer = world.buyer();
    let orders: Vec<_> = (0..3).map(|_| buyer.order()).collect();
    let threads: Vec<_> = orders
        .iter()
        .map(|(order_id, total)| {
            let (port, body) = (world.shop_port, payment(order_id, *total));
            let key = order_id.clone();
            std::thread::spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                let request = agent
                    .post(format!("http://127.0.0.1:{port}/api/payments"))
                    .content_type("application/json")
                    .header("idempotency-key", &key);
                request.send(&body).is_err()
            })
        })
        .collect();
    eventually("three charges", Duration::from_secs(10), || {
        world.in_ledger("\"charge\"") == 3
    });
    world.kill_shop();
    for thread in threads {
        assert!(thread.join().unwrap(), "the answer is lost");
    }
    world.start_shop();
    world.settle();
    for (order_id, total) in &orders {
        let view = buyer.view(order_id);
        assert_eq!(view["status"], "paid");
        let retried = buyer.pay(order_id, *total, Some(order_id));
        assert_eq!((retried.status, retried.replayed), (201, true));
    }
    assert_eq!(world.in_ledger("\"charge\""), 3, "nobody charged again");
    assert_eq!(world.end(), 3);
}

/// A forged callback, an old one, one for another amount, and a true one that is replayed.
#[test]
fn callbacks_are_believed_when_they_are_true() {
    let world = World::start(&["--no-answer", "1"], &["--gateway-deadline", "30s"]);
    let buyer = world.buyer();
    let (order_id, total) = buyer.order();
    let paying = std::thread::spawn({
        let (buyer, order_id) = (buyer.clone(), order_id.clone());
        move || buyer.pay(&order_id, total, None)
    });
    eventually("the charge", Duration::from_secs(10), || {
        world.in_ledger("\"charge\"") == 1
    });
    let view = buyer.view(&order_id);
    let body = |amount: f64| {
        json!({
            "attempt_id": view["payments"][0]["payment_id"], "order_id": order_id,
            "result": "captured", "amount": format!("{amount:.2}"), "currency": "CNY",
        })
    };
    let path = "/api/payments/callbacks/http";
    let call = |body: &Value, secret: &str, seconds_ago: i64| {
        let body = body.to_string();
        let at = UnixMicros::new(SystemClock.now().get() - seconds_ago * 1_000_000);
        let signed = Secret::new(secret.as_bytes())
            .unwrap()
            .sign(at, body.as_bytes());
        buyer.post(path, &[("double11-signature", &signed)], &body)
    };
    let good = body(total);
    assert_eq!(call(&good, "a forger's own secret", 0).status, 401);
    assert_eq!(call(&good, SECRET, 330).status, 401);
    assert_eq!(buyer.post(path, &[], &good.to_string()).status, 401);
    assert_eq!(call(&body(total + 1.0), SECRET, 0).status, 422);
    assert_eq!(buyer.view(&order_id)["status"], "pending_payment");
    for seconds_ago in [0, 0, 200] {
        let heard = call(&good, SECRET, seconds_ago);
        assert_eq!((heard.status, heard.text("status")), (200, "captured"));
    }
    let paid = paying.join().unwrap();
    assert_eq!((paid.status, paid.text("order_status")), (201, "paid"));
    assert_eq!(world.end(), 1);
}
