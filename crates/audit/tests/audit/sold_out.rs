//! `sold_out` against the history of the stock.

use serde_json::json;

use crate::assert_failed;
use crate::world::{Call, WINDOW, World};

const CHECK: &str = "sold-out-justified";

/// A world with one product of two pieces, and a refusal of `wanted` pieces written by hand.
fn check(story: impl FnOnce(&mut World), expected: &[&str], case: &str) {
    let mut world = World::new(&[(2, 1_000)]);
    story(&mut world);
    assert_failed(&world.write().audit(), expected, case);
}

/// A refusal that was sent and answered `sent_ago` and `ended_ago` microseconds before now.
fn refuse(world: &mut World, wanted: i64, sent_ago: i64, ended_ago: i64) {
    world.client.push(
        json!({"kind": "order", "step": "checkout", "key": null, "attempt": 1,
        "phase": "peak_20x", "planned": 0, "sent": world.now - sent_ago,
        "end": world.now - ended_ago, "outcome": "refused", "status": 409, "code": "sold_out",
        "request": {"user_id": 7, "items": [{"product_id": 1, "quantity": wanted}]},
        "answer": null}),
    );
}

#[test]
fn a_refusal_while_stock_was_left_is_named() {
    check(
        |world| refuse(world, 2, 100, 0),
        &[CHECK],
        "nothing was ever taken",
    );
    check(
        |world| {
            world.order("1", &[(1, 1)], &Call::plain()).unwrap();
            refuse(world, 1, 5, 0);
        },
        &[CHECK],
        "one of two was left",
    );
    check(
        |world| {
            refuse(world, 1, 100, 50);
            world.order("1", &[(1, 2)], &Call::plain()).unwrap();
        },
        &[CHECK],
        "the stock was taken only after the answer",
    );
}

#[test]
fn a_refusal_for_want_of_stock_passes() {
    check(
        |world| {
            world.order("1", &[(1, 1)], &Call::plain()).unwrap();
            refuse(world, 2, 5, 0);
        },
        &[],
        "fewer were left than were wanted",
    );
    check(
        |world| refuse(world, 3, 100, 0),
        &[],
        "more was wanted than there ever was",
    );
    check(
        |world| {
            let order = world.order("1", &[(1, 2)], &Call::plain()).unwrap();
            world.pay(order, 2_000, crate::world::Ending::Captured, &Call::plain());
            world.now += 3_600_000_000;
            refuse(world, 1, 5, 0);
        },
        &[],
        "sold long ago",
    );
}

#[test]
fn stock_that_came_back_counts_as_missing_for_one_second() {
    let expire_then_refuse = |after: i64| {
        move |world: &mut World| {
            let order = world.order("1", &[(1, 2)], &Call::plain()).unwrap();
            world.expire(order);
            assert!(world.now >= world.order_ref(order).created + WINDOW);
            world.now += after;
            refuse(world, 1, 100, 0);
        }
    };
    check(
        expire_then_refuse(500_000),
        &[],
        "half a second after the expiry",
    );
    check(
        expire_then_refuse(1_000_099),
        &[],
        "the last justified instant",
    );
    check(
        expire_then_refuse(1_000_100),
        &[CHECK],
        "the first instant too late",
    );
}

#[test]
fn a_shortage_during_a_long_request_counts() {
    check(
        |world| {
            let sent = world.now;
            world.now += 2_000_000;
            let order = world.order("1", &[(1, 2)], &Call::plain()).unwrap();
            world.cancel(order);
            world.now += 3_000_000;
            let sent_ago = world.now - sent;
            refuse(world, 1, sent_ago, 0);
        },
        &[],
        "short for an instant between request and answer",
    );
}

#[test]
fn one_short_product_of_several_is_enough() {
    let mut world = World::new(&[(5, 100), (5, 100), (1, 100)]);
    world.order("1", &[(2, 4)], &Call::plain()).unwrap();
    assert_eq!(
        world.order("2", &[(1, 2), (2, 2), (3, 1)], &Call::keyed("a")),
        None
    );
    let mut site = world.write();
    assert_failed(&site.audit(), &[], "product 2 is short");
    // The same refusal, had the four pieces never been taken.
    world.orders.clear();
    world.client.remove(0);
    site = world.write();
    let report = site.audit();
    assert_failed(&report, &[CHECK], "none is short");
    let text = double11_audit::render_text(&report);
    let found = "1: wanted 2, never fewer than 5; 2: wanted 2, never fewer than 5; 3: wanted 1";
    assert!(text.contains(found), "{text}");
}

#[test]
fn a_refused_cart_is_judged_by_its_lines_unless_it_changed_later() {
    let mut world = World::new(&[(2, 100)]);
    let cart = world.add_to_cart(None, 1, 2);
    world.now += 100;
    world.client.push(
        json!({"kind": "order", "step": "checkout", "attempt": 1, "phase": "p",
        "planned": 0, "sent": world.now - 10, "end": world.now, "outcome": "refused",
        "status": 409, "code": "sold_out", "answer": null,
        "request": {"user_id": "7", "cart_id": cart.to_string()}}),
    );
    assert_failed(
        &world.write().audit(),
        &[CHECK],
        "two were wanted, two were there",
    );
    world.add_to_cart(Some(cart), 1, 1);
    let report = world.write().audit();
    assert_failed(&report, &[], "what was wanted is not known any more");
    let judged = report
        .checks
        .iter()
        .find(|check| check.id == CHECK)
        .unwrap();
    assert_eq!(judged.examined, 0);
    assert!(
        judged.remarks[0].starts_with("1 refusals were left out"),
        "{:?}",
        judged.remarks
    );
}
