//! One planted fault after the other, and exactly the checks that name it.

use serde_json::{Value, json};

use crate::assert_failed;
use crate::world::{Call, Ending, Wish, World};

/// A fault in the scene.
struct Fault {
    /// What went wrong.
    case: &'static str,
    /// Done to the world before it is written: the ledgers, or what the shop did wrong.
    change: fn(&mut World),
    /// Done to the store after it was written.
    sql: &'static str,
    /// The checks that must fail; all others must pass.
    expected: &'static [&'static str],
}

fn nothing(_: &mut World) {}

fn in_store(case: &'static str, sql: &'static str, expected: &'static [&'static str]) -> Fault {
    Fault {
        case,
        change: nothing,
        sql,
        expected,
    }
}

fn in_world(
    case: &'static str,
    change: fn(&mut World),
    expected: &'static [&'static str],
) -> Fault {
    Fault {
        case,
        change,
        sql: "",
        expected,
    }
}

fn check(faults: &[Fault]) {
    for fault in faults {
        let mut world = World::scene();
        (fault.change)(&mut world);
        let site = world.write();
        if !fault.sql.is_empty() {
            assert!(
                site.corrupt(fault.sql) > 0,
                "{}: nothing was changed",
                fault.case
            );
        }
        let report = site.audit();
        assert_failed(&report, fault.expected, fault.case);
        crate::mysql::judges_alike(&site, &report, fault.case);
    }
}

#[test]
fn stock() {
    check(&[
        in_store(
            "a negative count",
            "UPDATE stock SET available = -1, received = -1 + reserved + sold WHERE product_id = 1",
            &["stock-equation", "no-oversell"],
        ),
        in_store(
            "a piece appeared",
            "UPDATE stock SET received = received + 1 WHERE product_id = 1",
            &["stock-equation"],
        ),
        in_store(
            "an update of a reservation was lost",
            "UPDATE stock SET reserved = reserved - 1, available = available + 1
             WHERE product_id = 2",
            &["reserved-matches-orders"],
        ),
        in_store(
            "an update of a sale was lost",
            "UPDATE stock SET sold = sold - 1, available = available + 1 WHERE product_id = 2",
            &["sold-matches-orders"],
        ),
        in_store(
            "the stock row of a product that nobody bought is gone",
            "INSERT INTO products VALUES (4, 'n', 'n', 'c', 100); UPDATE shop SET products = 4;",
            &["stock-complete"],
        ),
        in_store(
            "the catalogue has another size",
            "UPDATE shop SET products = 4",
            &["stock-complete"],
        ),
    ]);
}

#[test]
fn the_wrong_stock_policy_is_an_oversell() {
    // Two of product 2 are left. Two shoppers read that and each takes two; the second write
    // overwrites the first.
    let mut world = World::scene();
    for user in ["eve", "fay"] {
        world.place_unchecked(Wish::of_items(user, &[(2, 2)]), &Call::plain());
    }
    let mut honest = World::scene();
    honest.order("eve", &[(2, 2)], &Call::plain()).unwrap();
    world.products.get_mut(&2).unwrap().received += 2;
    let site = world.write();
    site.corrupt("UPDATE stock SET received = 5, reserved = reserved - 2 WHERE product_id = 2");
    assert_failed(
        &site.audit(),
        &["reserved-matches-orders", "no-oversell"],
        "lost update",
    );
    assert_failed(&honest.write().audit(), &[], "one of the two alone");
}

#[test]
fn orders() {
    check(&[
        in_store(
            "a wrong total of an order whose client knows none",
            "UPDATE orders SET total = total + 1 WHERE order_id = 1005",
            &["order-totals"],
        ),
        in_store(
            "a wrong total that was acknowledged otherwise",
            "UPDATE orders SET total = total + 1 WHERE order_id = 1003",
            &["order-totals", "acknowledged-orders-stored"],
        ),
        in_store(
            "a half-written order without lines",
            "DELETE FROM order_lines WHERE order_id = 1008",
            &["order-totals", "acknowledged-orders-stored"],
        ),
        in_store(
            "a line without an order",
            "INSERT INTO order_lines VALUES (77, 1, 1, 1000)",
            &["order-totals"],
        ),
        in_store(
            "a paid order that does not say so",
            "UPDATE orders SET state = 'partially_paid' WHERE order_id = 1001;
             UPDATE stock SET sold = sold - 2, reserved = reserved + 2 WHERE product_id = 1;
             UPDATE stock SET sold = sold - 1, reserved = reserved + 1 WHERE product_id = 2;",
            &["order-states", "attempt-states"],
        ),
        in_store(
            "a closed order that does not say when",
            "UPDATE orders SET closed_at = NULL WHERE order_id = 1008",
            &["order-states"],
        ),
        in_store(
            "money held that no attempt holds",
            "UPDATE orders SET processing = 1 WHERE order_id = 1003",
            &["order-payments"],
        ),
        in_store(
            "money captured that no attempt captured",
            "UPDATE orders SET captured = captured + 1 WHERE order_id = 1002",
            &["order-payments"],
        ),
        in_store(
            "expired before its time",
            "UPDATE orders SET expires_at = closed_at + 1 WHERE order_id = 1009",
            &["order-times"],
        ),
        in_store(
            "a payment window that never was",
            "UPDATE orders SET expires_at = created_at WHERE order_id = 1003",
            &["order-times"],
        ),
        in_store(
            "closed while a payment was in process",
            "UPDATE payments SET finished_at = finished_at + 1000 WHERE attempt_id = 5004",
            &["closing-waits-for-payment"],
        ),
    ]);
}

#[test]
fn payments_and_refunds() {
    check(&[
        in_store(
            "an attempt that ended without an end",
            "UPDATE payments SET finished_at = NULL WHERE attempt_id = 5003",
            &["attempt-states"],
        ),
        in_store(
            "two attempts with one id",
            "UPDATE payments SET attempt_id = 5003 WHERE attempt_id = 5006",
            &["attempt-ids-unique", "captures-match-gateway"],
        ),
        in_world(
            "a refund that waits",
            |world| world.attempt_mut(5_004).refund.as_mut().unwrap().finished = None,
            &["settled"],
        ),
        in_world(
            "a refund that was never made",
            |world| {
                world.attempt_mut(5_004).refund = None;
                remove_event(world, "refund", "5004");
            },
            &["refunds-complete"],
        ),
        in_world(
            "a late attempt that was never refunded",
            |world| {
                world.attempt_mut(5_005).refund = None;
                remove_event(world, "refund", "5005");
            },
            &["refunds-complete"],
        ),
        in_store(
            "a refund of another amount",
            "UPDATE refunds SET amount = amount - 1 WHERE attempt_id = 5004",
            &[
                "refunds-justified",
                "refunds-match-gateway",
                "gateway-balance",
            ],
        ),
        in_store(
            "a refund of an order that is paid",
            "INSERT INTO refunds VALUES (1001, 5001, 'pending', 4500, 1, NULL)",
            &["refunds-justified", "settled"],
        ),
    ]);
}

#[test]
fn keys_and_carts() {
    check(&[
        in_store(
            "a key without its order",
            "INSERT INTO idempotency_keys VALUES ('k', 'order', '42', zeroblob(16), 77, NULL, 1)",
            &["keys-name-their-writes"],
        ),
        in_store(
            "a declined attempt that kept its key",
            "INSERT INTO idempotency_keys VALUES ('k', 'payment', '42', zeroblob(16), 1003, 5003, 1)",
            &["keys-name-their-writes"],
        ),
        in_store(
            "a payment whose client never learned the outcome lost its key",
            "UPDATE payments SET idempotency_key = 'k' WHERE attempt_id = 5006",
            &["keys-name-their-writes"],
        ),
        in_store(
            "a short fingerprint",
            "UPDATE idempotency_keys SET fingerprint = x'00' WHERE key = 'order-1'",
            &["keys-name-their-writes"],
        ),
        in_store(
            "two keys for one order",
            "INSERT INTO idempotency_keys VALUES ('k', 'order', '42', zeroblob(16), 1001, NULL, 1)",
            &["one-key-per-write"],
        ),
        in_store(
            "a cart that became nothing",
            "UPDATE carts SET order_id = 1006 WHERE cart_id = 9002",
            &["carts-match-orders", "acknowledged-carts-stored"],
        ),
        in_store(
            "an order with other items than its cart",
            "UPDATE cart_lines SET quantity = quantity + 1 WHERE cart_id = 9001",
            &["carts-match-orders"],
        ),
        in_store(
            "a cart that became two orders",
            "UPDATE orders SET cart_id = 9001 WHERE order_id = 1006",
            &["carts-match-orders"],
        ),
    ]);
}

#[test]
fn gateway() {
    check(&[
        in_world(
            "a double charge",
            double_charge,
            &["charged-once", "gateway-balance"],
        ),
        in_world(
            "a charge that failed after one that did not",
            |world| {
                let mut again = event(world, "charge", "5001").clone();
                again["result"] = json!("declined");
                world.gateway.push(again);
            },
            &["charged-once"],
        ),
        in_world(
            "a charge after a void",
            |world| {
                let void = json!({"event": "void", "attempt_id": "5001", "at": 1});
                world.gateway.push(void);
            },
            &["charged-once"],
        ),
        in_world(
            "a capture that the gateway never made",
            |world| remove_event(world, "charge", "5001"),
            &["captures-match-gateway", "gateway-balance"],
        ),
        in_world(
            "a capture of another amount",
            |world| event(world, "charge", "5001")["amount"] = json!("45.01"),
            &["captures-match-gateway", "gateway-balance"],
        ),
        in_world(
            "a capture in another currency",
            |world| event(world, "charge", "5001")["currency"] = json!("USD"),
            &["captures-match-gateway"],
        ),
        in_world(
            "money taken for a declined attempt",
            |world| event(world, "charge", "5003")["result"] = json!("captured"),
            &["captures-match-gateway", "gateway-balance"],
        ),
        in_world(
            "an attempt that only the gateway knows",
            |world| {
                let mut unknown = event(world, "charge", "5003").clone();
                unknown["attempt_id"] = json!("77");
                world.gateway.push(unknown);
            },
            &["captures-match-gateway"],
        ),
    ]);
}

#[test]
fn gateway_refunds() {
    check(&[
        in_world(
            "a refund that only the store knows",
            |world| remove_event(world, "refund", "5004"),
            &["refunds-match-gateway", "gateway-balance"],
        ),
        in_world(
            "a refund that only the gateway knows",
            |world| {
                let mut refund = event(world, "refund", "5004").clone();
                refund["attempt_id"] = json!("5002");
                refund["amount"] = json!("4.00");
                world.gateway.push(refund);
            },
            &["refunds-match-gateway", "gateway-balance"],
        ),
        in_world(
            "a second refund",
            |world| {
                let refund = event(world, "refund", "5004").clone();
                world.gateway.push(refund);
            },
            &["charged-once", "gateway-balance"],
        ),
    ]);
}

#[test]
fn acknowledged_orders() {
    check(&[
        in_store(
            "an acknowledged order is lost",
            "DELETE FROM orders WHERE order_id = 1006;
             DELETE FROM order_lines WHERE order_id = 1006;
             UPDATE stock SET reserved = reserved - 1, available = available + 1
             WHERE product_id = 3;",
            &["acknowledged-orders-stored"],
        ),
        in_store(
            "an acknowledged order belongs to somebody else",
            "UPDATE orders SET user_id = 'mallory' WHERE order_id = 1006",
            &["acknowledged-orders-stored"],
        ),
        in_store(
            "an acknowledged order has other items of the same price",
            "UPDATE order_lines SET product_id = 1, unit_price = 100 WHERE order_id = 1006;
             UPDATE stock SET reserved = reserved - 1, available = available + 1
             WHERE product_id = 3;
             UPDATE stock SET reserved = reserved + 1, available = available - 1
             WHERE product_id = 1;",
            &["acknowledged-orders-stored"],
        ),
    ]);
}

#[test]
fn acknowledged_payments_carts_and_keys() {
    check(&[
        in_world(
            "an acknowledged payment was never made",
            |world| {
                let mut line = client(world, "key", "pay-2").clone();
                line["key"] = json!(null);
                line["answer"]["payment_id"] = json!("77");
                world.client.push(line);
            },
            &["acknowledged-payments-stored"],
        ),
        in_world(
            "an acknowledged payment was declined",
            |world| {
                let line = client(world, "key", "pay-3");
                line["outcome"] = json!("acknowledged");
                line["status"] = json!(201);
                line["answer"] = json!({"payment_id": "5003"});
            },
            &["acknowledged-payments-stored"],
        ),
        in_store(
            "an acknowledged cart is lost",
            "DELETE FROM carts WHERE cart_id = 9002; DELETE FROM cart_lines WHERE cart_id = 9002",
            &["acknowledged-carts-stored"],
        ),
        in_store(
            "a change of an open cart is lost",
            "UPDATE cart_lines SET quantity = 3 WHERE cart_id = 9002",
            &["acknowledged-carts-stored"],
        ),
        in_store(
            "a key was not claimed",
            "DELETE FROM idempotency_keys WHERE key = 'order-2'",
            &["acknowledged-keys-stored"],
        ),
        in_store(
            "a payment's key was not claimed",
            "DELETE FROM idempotency_keys WHERE key = 'pay-2';
             UPDATE payments SET idempotency_key = NULL WHERE attempt_id = 5002",
            &["acknowledged-keys-stored"],
        ),
        in_world(
            "two writes were answered with one order",
            |world| {
                let line = client(world, "user_id", "erin").clone();
                world.client.push(line);
            },
            &["one-answer-per-key"],
        ),
        in_world(
            "one key was answered with two orders",
            |world| {
                world
                    .order("42", &[(1, 2), (2, 1)], &Call::plain())
                    .unwrap();
                world.client.last_mut().unwrap()["key"] = json!("order-1");
            },
            &["one-answer-per-key", "acknowledged-keys-stored"],
        ),
    ]);
}

#[test]
fn explained() {
    check(&[
        in_world(
            "an order that nobody was told of",
            |world| {
                world.order("42", &[(1, 1)], &Call::plain()).unwrap();
                world.client.pop();
            },
            &["stored-orders-explained"],
        ),
        in_world(
            "a write of unknown outcome that was carried out twice",
            |world| {
                world.order("erin", &[(3, 2)], &Call::plain()).unwrap();
                world.client.pop();
            },
            &["stored-orders-explained"],
        ),
        in_world(
            "a payment that nobody was told of",
            |world| {
                world.pay(1_002, 100, Ending::Captured, &Call::plain());
                world.client.pop();
            },
            &["stored-payments-explained"],
        ),
        in_world(
            "a refused order that was placed",
            |world| {
                world.order("42", &[(1, 1)], &Call::keyed("k")).unwrap();
                let line = world.client.last_mut().unwrap();
                line["outcome"] = json!("refused");
                line["status"] = json!(503);
                line["code"] = json!("overloaded");
                line["answer"] = json!(null);
            },
            &["stored-orders-explained", "refused-writes-left-nothing"],
        ),
        in_world(
            "a refused payment that was captured",
            |world| {
                world.pay(1_002, 100, Ending::Captured, &Call::keyed("k"));
                let line = world.client.last_mut().unwrap();
                line["outcome"] = json!("refused");
                line["status"] = json!(503);
                line["code"] = json!("overloaded");
                line["answer"] = json!(null);
            },
            &["stored-payments-explained", "refused-writes-left-nothing"],
        ),
    ]);
}

fn double_charge(world: &mut World) {
    let again = event(world, "charge", "5001").clone();
    world.gateway.push(again);
}

fn event<'world>(world: &'world mut World, event: &str, attempt: &str) -> &'world mut Value {
    let found = |line: &&mut Value| line["event"] == event && line["attempt_id"] == attempt;
    world.gateway.iter_mut().find(found).unwrap()
}

fn remove_event(world: &mut World, event: &str, attempt: &str) {
    world
        .gateway
        .retain(|line| line["event"] != event || line["attempt_id"] != attempt);
}

/// The first line of the client's ledger with this key, or with this field of the request.
fn client<'world>(world: &'world mut World, field: &str, value: &str) -> &'world mut Value {
    let found = |line: &&mut Value| line[field] == value || line["request"][field] == value;
    world.client.iter_mut().find(found).unwrap()
}
