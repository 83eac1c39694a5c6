//! Stores whose rows of stock do not hold everything yet.

use crate::assert_failed;
use crate::world::{Call, Site, World};

/// Product 2 of the scene as its row was before the last group, and the change that the row lacks: two
/// pieces more are reserved, one is sold less. 2 × 2, then 2 and −1 in zigzag.
const DEFERRED: &str = "
UPDATE stock SET available = available + 1, reserved = reserved - 2, sold = sold + 1
WHERE product_id = 2;
INSERT INTO stock_changes VALUES (7, x'040401');";

fn site(sql: &str) -> Site {
    let site = World::scene().write();
    site.corrupt(sql);
    site
}

fn check(case: &str, sql: &str, expected: &[&str]) {
    let report = site(sql).audit();
    assert_failed(&report, expected, case);
}

#[test]
fn levels_are_judged_and_not_rows() {
    check("a change that the row lacks", DEFERRED, &[]);
    check(
        "the same change, lost",
        &format!("{DEFERRED} DELETE FROM stock_changes"),
        &["reserved-matches-orders", "sold-matches-orders"],
    );
    check(
        "the same change, twice",
        &format!("{DEFERRED} INSERT INTO stock_changes VALUES (8, x'040401')"),
        &["reserved-matches-orders", "sold-matches-orders"],
    );
    check(
        "older changes of a product that was folded since",
        &format!(
            "{DEFERRED} INSERT INTO stock_changes VALUES (5, x'040201');
             INSERT INTO stock_changes VALUES (6, x'05');"
        ),
        &[],
    );
}

#[test]
fn rows_of_changes_that_cannot_be_are_named() {
    check(
        "a row that ends within an entry",
        "INSERT INTO stock_changes VALUES (1, x'0404')",
        &["stock-changes"],
    );
    check(
        "a row that is no blob",
        "INSERT INTO stock_changes VALUES (1, 'text')",
        &["stock-changes"],
    );
    check(
        "a product that there is not",
        "INSERT INTO stock_changes VALUES (1, x'7E0200')",
        &["stock-changes"],
    );
    let report = site("INSERT INTO stock_changes VALUES (1, x'0404'), (2, x'')").audit();
    let changes = report
        .checks
        .iter()
        .find(|check| check.id == "stock-changes");
    let changes = changes.unwrap();
    assert_eq!(changes.violations, 2);
}

/// A reader of the row would sell, or refuse, what the level has or lacks.
#[test]
fn a_row_that_misleads_readers_is_named() {
    let mut world = World::scene();
    world.order("eve", &[(2, 2)], &Call::plain()).unwrap();
    let site = world.write();
    assert_failed(&site.audit(), &[], "the last two pieces were sold");
    site.corrupt(
        "UPDATE stock SET available = 2, reserved = reserved - 2 WHERE product_id = 2;
         INSERT INTO stock_changes VALUES (1, x'040400');",
    );
    assert_failed(&site.audit(), &["stock-changes"], "and the row was left");
}

#[test]
fn a_store_of_the_version_before_is_judged_by_its_rows() {
    let old = "DROP TABLE stock_changes; PRAGMA user_version = 1";
    check("version 1", old, &[]);
    check(
        "version 1 with a lost update",
        &format!(
            "{old}; UPDATE stock SET reserved = reserved - 1, available = available + 1 WHERE product_id = 2"
        ),
        &["reserved-matches-orders"],
    );
}
