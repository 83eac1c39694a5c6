//! Another client of the database stands in the way: it holds rows that orders need, or takes them in
//! another order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::asking::{FAST, assert_refused, assert_shows_products, health};
use crate::fleet::{Fleet, SHOPS, Sale};
use crate::ground::Database;
use crate::harness::{eventually, pause, seeds};

const SALE: Sale = Sale {
    // So few that groups meet in the same rows.
    products: "10",
    stock: "1000000",
    // So long that no shop has to expire orders of the product that is held.
    payment_window: "10m",
    in_flight_max: "1024",
};
/// The product of which somebody else holds the stock.
const HELD: u32 = 3;
/// A wait for a lock is given up after 2 s; a group is tried again for 5 s.
const BOUNDED: Duration = Duration::from_secs(9);

/// The connection that sleeps, while there is one.
fn sleeper(database: &Database) -> Option<String> {
    let found = database
        .sql("SELECT id FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%'")
        .unwrap();
    (!found.is_empty()).then_some(found)
}

/// Runs `meanwhile` while another client is in a transaction that has the product's stock locked.
fn with_locked_stock(database: &Database, meanwhile: impl FnOnce()) {
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            database.sql(&format!(
                "USE shop; BEGIN; SELECT * FROM stock WHERE product_id = {HELD} FOR UPDATE; \
                 DO SLEEP(20)"
            ))
        });
        eventually("the lock", Duration::from_secs(10), || {
            sleeper(database).is_some()
        });
        meanwhile();
        let id = sleeper(database).unwrap();
        database.sql(&format!("KILL {id}")).unwrap();
        let ended = holder.join().unwrap();
        assert!(ended.is_err(), "the lock was held to the end: {ended:?}");
    });
}

#[test]
fn stock_that_another_client_has_locked() {
    let Some(fleet) = Fleet::start(SALE) else {
        return;
    };
    assert_eq!(fleet.order(0, HELD).status, 201);
    with_locked_stock(&fleet.database, || {
        std::thread::scope(|scope| {
            let refused = scope.spawn(|| fleet.order(0, HELD));
            // The other shops have nothing to do with it.
            while !refused.is_finished() {
                let other = fleet.order(1, HELD + 1);
                assert_eq!(other.status, 201, "{}", other.body);
                assert!(other.took < FAST, "{:?}", other.took);
                assert_shows_products(&fleet.target(0), "locked");
                assert_eq!(health(&fleet.target(0)), "UP");
                pause(Duration::from_millis(50));
            }
            let refused = refused.join().unwrap();
            assert_refused(&refused, "locked");
            assert!(refused.took < BOUNDED, "{:?}", refused.took);
        });
        // Nor has this one, once it is known that the lock does not come free.
        let other = fleet.order(0, HELD + 1);
        assert_eq!(other.status, 201, "{}", other.body);
        assert!(other.took < FAST, "{:?}", other.took);
    });
    for shop in 0..SHOPS {
        let again = fleet.order(shop, HELD);
        assert_eq!(again.status, 201, "{}", again.body);
        assert!(again.took < FAST, "{:?}", again.took);
    }
    fleet.calm(Vec::new());
    fleet.assert_clean("locked stock");
}

/// Locks stock from the last product to the first, which is the wrong way round, in a transaction that is
/// bigger than that of any shop, so that a shop is the one that has to give way.
fn lock_backwards(database: &Database) {
    let locked = database.sql(
        "USE shop; BEGIN; UPDATE products SET name_en = CONCAT(name_en, '!'); \
         UPDATE orders SET payment_method = payment_method ORDER BY order_id LIMIT 100; \
         SELECT * FROM stock WHERE product_id = 10 FOR UPDATE; DO SLEEP(0.05); \
         SELECT * FROM stock WHERE product_id = 1 FOR UPDATE; ROLLBACK",
    );
    // Where the database chose it after all, the other one went on.
    drop(locked);
}

fn deadlocks(database: &Database) -> u64 {
    let said = database.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
    let said = said.unwrap();
    said.split_whitespace().last().unwrap().parse().unwrap()
}

fn survives_deadlocks(seed: u64) -> Option<(u64, usize)> {
    let mut fleet = Fleet::start(SALE)?;
    let storms = fleet.storms(seed, &["orders", "--rate", "100", "--duration", "4s"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                lock_backwards(&fleet.database);
            }
        });
        pause(Duration::from_millis(3_000 + seed * 733 % 1_000));
        over.store(true, Ordering::Relaxed);
    });
    fleet.calm(storms);
    let (acknowledged, unknown) = fleet.assert_clean(&format!("deadlocks, seed {seed}"));
    assert_eq!(unknown, 0, "a deadlock leaves nothing unknown");
    Some((deadlocks(&fleet.database), acknowledged))
}

#[test]
fn another_client_locks_in_the_wrong_order() {
    let mut met = 0;
    let mut acknowledged = 0;
    let seeds = seeds(1, 20);
    for seed in seeds.clone() {
        let Some((deadlocks, written)) = survives_deadlocks(seed) else {
            return;
        };
        met += deadlocks;
        acknowledged += written;
    }
    assert!(met > 2, "only {met} deadlocks");
    assert!(acknowledged > 200, "only {acknowledged} writes");
    let count = seeds.clone().count();
    println!(
        "soak: deadlocks_with_another_client: {count} of {count} seeds ({}..={}): audit clean, {met} deadlocks, \
         {acknowledged} writes acknowledged",
        seeds.start(),
        seeds.end()
    );
}
