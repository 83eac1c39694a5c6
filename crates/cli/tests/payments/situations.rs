//! What can go wrong between buyer, shop and gateway, with one shop. Each ends with the whole state held
//! against what is right, and the audit.

use std::time::Duration;

use serde_json::json;

use crate::calls::{Call, at_once};
use crate::harness::{eventually, now, pause};
use crate::stores::Kind;
use crate::world::{SECRET, Setup, Stands, World};

/// A gateway that takes its time, so that what comes meanwhile finds the first one in process.
const SLOW: [&str; 2] = ["--latency", "150ms"];
/// A gateway that takes its time, and calls back.
const CALLS_BACK_LATER: Setup<'static> = Setup {
    gateway: &SLOW,
    calls_back: true,
    ..Setup::PLAIN
};
/// A gateway that charges and never says so.
pub(crate) const SILENT: [&str; 2] = ["--no-answer", "1"];

/// Payments that begin just before, at and after the end of their orders' windows.
pub(crate) fn a_payment_racing_expiry(kind: Kind) {
    race_expiry(kind, 1);
}

/// The same where every shop takes payments and lets orders expire.
pub(crate) fn race_expiry(kind: Kind, shops: usize) {
    let setup = Setup {
        shops,
        shop: &["--payment-window", "1s"],
        gateway: &SLOW,
        calls_back: true,
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let orders: Vec<_> = (0..16).map(|_| (buyer.order(), now())).collect();
    let payments = orders.iter().enumerate().map(|(number, placed)| {
        let ((order_id, total), placed) = (placed.0.clone(), placed.1);
        let buyer = world.buyer_at(number % shops);
        // From well before the end of the order's window of a second to well after it.
        let begins = Duration::from_millis(600 + 50 * number as u64);
        move || {
            pause(begins.saturating_sub(placed.elapsed()));
            buyer.pay(&order_id, total, None)
        }
    });
    let answers = at_once(payments.collect());
    let mut expected = Vec::new();
    for (((order_id, _), _), answer) in orders.iter().zip(&answers) {
        eventually("an end", Duration::from_secs(10), || {
            buyer.view(order_id)["status"] != "pending_payment"
        });
        expected.push(match answer.status {
            201 => Stands::new(order_id, "paid", &["captured"]),
            409 => {
                assert_eq!(answer.text("code"), "order_closed");
                Stands::new(order_id, "expired", &[])
            }
            _ => panic!("{answer:?}"),
        });
    }
    let paid = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((1..16).contains(&paid), "{paid} of 16 prove no race");
    world.end(&expected);
}

/// Two clicks at once: with a key they are one payment, and without one never more than is owed.
pub(crate) fn a_double_click(kind: Kind) {
    let Some(world) = World::start(kind, CALLS_BACK_LATER) else {
        return;
    };
    let buyer = world.buyer();
    let ((with, total), (without, _)) = (buyer.order(), buyer.order());
    let clicks = |order_id: &str, key: Option<&'static str>| {
        let click = |_| {
            let (buyer, order_id) = (buyer.clone(), order_id.to_owned());
            move || buyer.pay(&order_id, total, key)
        };
        at_once((0..2).map(click).collect())
    };

    // The second waits for the first, or finds it done.
    let told = clicks(&with, Some("click"));
    assert!(told.iter().all(|click| click.status == 201), "{told:?}");
    assert_eq!(told[0].body, told[1].body);
    assert_eq!(told.iter().filter(|click| click.replayed).count(), 1);

    // One of them finds nothing left to pay.
    let told = clicks(&without, None);
    let mut statuses: Vec<u16> = told.iter().map(|click| click.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{told:?}");
    world.end(&[
        Stands::new(&with, "paid", &["captured"]),
        Stands::new(&without, "paid", &["captured"]),
    ]);
}

/// The client is gone before there is an answer, and asks again with its key: while the first one is in
/// process, and when it is long over.
pub(crate) fn a_retry_after_a_lost_answer(kind: Kind) {
    let Some(world) = World::start(kind, CALLS_BACK_LATER) else {
        return;
    };
    let buyer = world.buyer();
    let ((at_once, total), (later, _)) = (buyer.order(), buyer.order());
    buyer.pay_and_hang_up(&at_once, total, "lost");
    let retried = buyer.pay(&at_once, total, Some("lost"));
    assert_eq!(retried.status, 201, "{retried:?}");

    buyer.pay_and_hang_up(&later, total, "long lost");
    eventually("the payment", Duration::from_secs(5), || {
        buyer.view(&later)["status"] == "paid"
    });
    let retried = buyer.pay(&later, total, Some("long lost"));
    assert_eq!(
        (retried.status, retried.replayed),
        (201, true),
        "{retried:?}"
    );
    let view = buyer.view(&later);
    assert_eq!(
        retried.body["payment_id"],
        view["payments"][0]["payment_id"]
    );
    world.end(&[
        Stands::new(&at_once, "paid", &["captured"]),
        Stands::new(&later, "paid", &["captured"]),
    ]);
}

/// Two captures with one key are one, two without a key are two, and never more than is owed.
pub(crate) fn two_captures_with_one_key_and_two_without(kind: Kind) {
    let setup = Setup {
        calls_back: true,
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let (order_id, total) = buyer.order();
    for (key, captured) in [(Some("part"), 1.0), (None, 3.0)] {
        for _ in 0..2 {
            assert_eq!(buyer.pay(&order_id, 1.0, key).status, 201);
        }
        assert_eq!(buyer.view(&order_id)["captured"], json!(captured));
    }
    let other = buyer.pay(&order_id, 2.0, Some("part"));
    assert_eq!((other.status, other.text("code")), (422, "key_reused"));
    let too_much = buyer.pay(&order_id, total - 2.99, None);
    assert_eq!(too_much.status, 422, "{too_much:?}");
    assert_eq!(too_much.text("code"), "amount_exceeds_balance");
    assert_eq!(world.in_ledger("\"charge\""), 3);
    let parts = ["captured"; 3];
    world.end(&[Stands::new(&order_id, "partially_paid", &parts)]);
}

/// Every outcome is told twice, of captures and of refusals; the first may come before the answer.
pub(crate) fn a_duplicate_callback(kind: Kind) {
    let setup = Setup {
        gateway: &["--duplicate-callbacks", "1", "--decline", "0.5"],
        calls_back: true,
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let mut expected = Vec::new();
    for number in 0..10 {
        let (order_id, total) = buyer.order();
        let (state, attempt) = match buyer
            .pay(&order_id, total, Some(&number.to_string()))
            .status
        {
            201 => ("paid", "captured"),
            402 => ("pending_payment", "declined"),
            status => panic!("{status}"),
        };
        expected.push(Stands::new(&order_id, state, &[attempt]));
    }
    let states: Vec<_> = expected.iter().map(|order| order.state).collect();
    assert!(states.contains(&"paid") && states.contains(&"pending_payment"));
    eventually("two callbacks each", Duration::from_secs(10), || {
        buyer.callbacks_heard() == 20
    });
    world.end(&expected);
}

/// Callbacks that come when the shop has given up waiting, when it has asked, and when the order was closed
/// and the money given back.
pub(crate) fn a_late_callback(kind: Kind) {
    let late = ["--late-callbacks", "1", "--late-by", "3600ms"];
    let setup = Setup {
        shop: &["--gateway-deadline", "100ms"],
        gateway: &[&SILENT[..], &late].concat(),
        calls_back: true,
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let ((told, total), (asked, _), (closed, _)) = (buyer.order(), buyer.order(), buyer.order());
    for (order_id, amount) in [(&told, total), (&asked, total), (&closed, 1.0)] {
        let unknown = buyer.pay(order_id, amount, Some(order_id));
        assert_eq!(unknown.status, 202, "{unknown:?}");
        assert_eq!(unknown.text("status"), "processing");
    }
    let early = buyer.pay(&asked, total, Some(&asked));
    assert_eq!(
        (early.status, early.text("code")),
        (409, "payment_processing")
    );
    // Told before the shop asks, which it does two seconds after the deadline.
    let call = Call::of(&buyer, &told, "captured");
    let heard = call.signed(SECRET, 0);
    assert_eq!((heard.status, heard.text("status")), (200, "captured"));
    assert_eq!(buyer.view(&told)["status"], "paid");
    world.settle();
    let replay = buyer.pay(&asked, total, Some(&asked));
    assert_eq!((replay.status, replay.replayed), (201, true));
    assert_eq!(buyer.cancel(&closed).status, 200);
    world.settle();
    assert_eq!(buyer.view(&closed)["payments"][0]["refund"], "done");
    // And now the gateway itself, of all three.
    eventually("the callbacks", Duration::from_secs(10), || {
        buyer.callbacks_heard() == 1 + 3
    });
    // It cannot take back what it did.
    let declined = Call::of(&buyer, &told, "declined").signed(SECRET, 0);
    assert_eq!(
        (declined.status, declined.text("status")),
        (200, "captured")
    );
    world.end(&[
        Stands::new(&told, "paid", &["captured"]),
        Stands::new(&asked, "paid", &["captured"]),
        Stands::new(&closed, "cancelled", &["captured+done"]),
    ]);
}

/// A gateway that charges and does not answer: with callbacks the shop is told, and need not wait.
pub(crate) fn a_callback_instead_of_an_answer(kind: Kind) {
    let setup = Setup {
        gateway: &SILENT,
        calls_back: true,
        shop: &["--gateway-deadline", "30s"],
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let (order_id, total) = buyer.order();
    let begun = now();
    let told = buyer.pay(&order_id, total, None);
    assert_eq!((told.status, told.text("order_status")), (201, "paid"));
    assert!(begun.elapsed() < Duration::from_secs(20));
    world.end(&[Stands::new(&order_id, "paid", &["captured"])]);
}

/// The gateway is killed while it charges and started again a moment later.
pub(crate) fn a_gateway_killed_in_mid_charge(kind: Kind) {
    let setup = Setup {
        gateway: &["--latency", "250ms"],
        shop: &["--gateway-deadline", "1s"],
        calls_back: true,
        ..Setup::PLAIN
    };
    let Some(mut world) = World::start(kind, setup) else {
        return;
    };
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
    let expected: Vec<_> = orders
        .iter()
        .map(
            |(order_id, _)| match buyer.view(order_id)["status"].as_str() {
                Some("paid") => Stands::new(order_id, "paid", &["captured"]),
                _ => Stands::new(order_id, "pending_payment", &["declined"]),
            },
        )
        .collect();
    world.end(&expected);
}

/// A gateway that is away: orders go on, health says it, and it mends itself.
pub(crate) fn a_gateway_that_is_away(kind: Kind) {
    let setup = Setup {
        shop: &["--gateway-deadline", "500ms"],
        ..Setup::PLAIN
    };
    let Some(mut world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
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
    let attempts = ["captured", "declined"];
    world.end(&[Stands::new(&order_id, "paid", &attempts)]);
}

/// The shop is killed after the gateway's capture and before FINALIZE. What paid an order stays, and what
/// paid a part of one that expires meanwhile is given back.
pub(crate) fn a_shop_killed_between_capture_and_finalize(kind: Kind) {
    let setup = Setup {
        gateway: &SILENT,
        shop: &["--gateway-deadline", "2s", "--payment-window", "2s"],
        ..Setup::PLAIN
    };
    let Some(mut world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let mut orders: Vec<_> = (0..3).map(|_| buyer.order()).collect();
    orders[2].1 = 1.0;
    let threads: Vec<_> = orders
        .iter()
        .cloned()
        .map(|(order_id, amount)| {
            let buyer = buyer.clone();
            std::thread::spawn(move || buyer.try_pay(&order_id, amount, Some(&order_id)))
        })
        .collect();
    world.until_charged(3);
    world.kill_shop(0);
    for thread in threads {
        assert!(thread.join().unwrap().is_none(), "the answer is lost");
    }
    world.start_shop(0);
    world.settle();
    for (order_id, amount) in &orders {
        let retried = buyer.pay(order_id, *amount, Some(order_id));
        assert_eq!((retried.status, retried.replayed), (201, true));
    }
    let part = &orders[2].0;
    eventually("expiry", Duration::from_secs(10), || {
        buyer.view(part)["status"] == "expired"
    });
    assert_eq!(world.in_ledger("\"charge\""), 3, "nobody charged again");
    world.end(&[
        Stands::new(&orders[0].0, "paid", &["captured"]),
        Stands::new(&orders[1].0, "paid", &["captured"]),
        Stands::new(part, "expired", &["captured+done"]),
    ]);
}

/// A forged callback, an old one, one for another amount, and a true one that is replayed.
pub(crate) fn callbacks_are_believed_when_they_are_true(kind: Kind) {
    let setup = Setup {
        gateway: &SILENT,
        shop: &["--gateway-deadline", "30s"],
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let buyer = world.buyer();
    let (order_id, total) = buyer.order();
    let paying = std::thread::spawn({
        let (buyer, order_id) = (buyer.clone(), order_id.clone());
        move || buyer.pay(&order_id, total, None)
    });
    world.until_charged(1);
    let call = Call::of(&buyer, &order_id, "captured");
    assert_eq!(call.signed("a forger's own secret", 0).status, 401);
    assert_eq!(call.signed(SECRET, 330).status, 401);
    assert_eq!(call.unsigned().status, 401);
    assert_eq!(call.with_amount("0.01").signed(SECRET, 0).status, 422);
    assert_eq!(buyer.view(&order_id)["status"], "pending_payment");
    for seconds_ago in [0, 0, 200] {
        let heard = call.signed(SECRET, seconds_ago);
        assert_eq!((heard.status, heard.text("status")), (200, "captured"));
    }
    let paid = paying.join().unwrap();
    assert_eq!((paid.status, paid.text("order_status")), (201, "paid"));
    world.end(&[Stands::new(&order_id, "paid", &["captured"])]);
}
