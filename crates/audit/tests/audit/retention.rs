//! What a shop may delete with time: its absence is a fault only while it must be kept.

use std::time::Duration;

use double11_units::UnixMicros;

use crate::assert_failed;
use crate::world::{Site, World};

/// The scene, audited this long after it ended.
fn later(span: Duration) -> Site {
    let mut site = World::scene().write();
    site.options.now = site.options.now.plus(span);
    site
}

const DAY: Duration = Duration::from_hours(24);

#[test]
fn keys_may_be_gone_after_a_day() {
    let site = later(DAY);
    assert!(site.corrupt("DELETE FROM idempotency_keys") > 0);
    assert_failed(&site.audit(), &[], "a day later");
    let mut site = later(Duration::ZERO);
    site.corrupt("DELETE FROM idempotency_keys");
    let expected = [
        "keys-name-their-writes",
        "acknowledged-keys-stored",
        "stored-orders-explained",
    ];
    assert_failed(&site.audit(), &expected, "at once");
    // A shop that keeps keys for a minute only.
    site.options.kept.keys = Duration::from_mins(1);
    site.options.now = site.options.now.plus(Duration::from_mins(2));
    assert_failed(&site.audit(), &[], "two minutes later");
}

#[test]
fn an_order_that_nobody_sent_stays_a_fault_after_its_key_is_gone() {
    let site = later(DAY);
    // The order of unknown outcome and known key explains one like it, not two.
    let copy = "INSERT INTO orders SELECT 1100, user_id, NULL, payment_method, 'cancelled', total, 0, 0,
                       created_at, expires_at, expires_at FROM orders WHERE order_id = 1005;
                INSERT INTO order_lines SELECT 1100, product_id, quantity, unit_price FROM order_lines
                WHERE order_id = 1005;
                DELETE FROM idempotency_keys;";
    site.corrupt(copy);
    assert_failed(&site.audit(), &["stored-orders-explained"], "one too many");
}

#[test]
fn carts_may_be_gone_after_a_week() {
    let purge = "DELETE FROM cart_lines; DELETE FROM carts";
    let site = later(7 * DAY);
    assert!(site.corrupt(purge) > 0);
    assert_failed(&site.audit(), &[], "a week later");
    let mut site = later(6 * DAY);
    site.corrupt(purge);
    assert_failed(
        &site.audit(),
        &["acknowledged-carts-stored"],
        "within the week",
    );
    site.options.kept.carts = DAY;
    assert_failed(&site.audit(), &[], "kept for a day");
    // Lines of a cart that is gone were left behind.
    let site = later(7 * DAY);
    site.corrupt("DELETE FROM carts");
    assert_failed(&site.audit(), &["carts-match-orders"], "lines left behind");
}

#[test]
fn the_instant_of_the_audit_decides_and_not_the_clock() {
    let mut site = later(DAY);
    site.corrupt("DELETE FROM idempotency_keys");
    site.options.now = UnixMicros::new(site.options.now.get() - 2 * 86_400_000_000);
    let report = site.audit();
    assert!(crate::failed(&report).contains("acknowledged-keys-stored"));
}
