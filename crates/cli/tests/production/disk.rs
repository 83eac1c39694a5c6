//! The database's disk is full, or slow: what needs it is refused, the rest goes on, and the shops recover by
//! themselves.

use std::time::Duration;

use double11_power_loss::{Condition, Full};

use crate::asking::{FAST, assert_refused, assert_shows_products, health};
use crate::fleet::{Fleet, SHOPS, Sale};
use crate::ground::{DatabaseKind, Ground, USUAL};
use crate::harness::{eventually, pause, seeds};

const SALE: Sale = Sale {
    products: "500",
    stock: "1000000",
    payment_window: "3s",
    // So few that a slow disk makes work pile up.
    in_flight_max: "40",
};
const ON_FAULTY_DISK: Ground = Ground {
    database: DatabaseKind::MariaDbOnFaultyDisk,
    ..USUAL
};
const FUNNEL: [&str; 6] = ["funnel", "--peak", "--rate", "60", "--duration", "5s"];
const ORDERS: [&str; 5] = ["orders", "--rate", "250", "--duration", "6s"];
/// What a sync takes on the slow disk beside its usual time.
const SLOW: Duration = Duration::from_millis(150);
/// A group waits for locks of the other shops' commits, for 7 s at most, and there may be one before it.
const BOUNDED: Duration = Duration::from_secs(15);
/// How long the first ones may wait: 5 s for a database that is silent while it dies, 6 s until it is given up to find
/// out what became of a commit, and 4 s for a ping.
const FINDING_OUT: Duration = Duration::from_secs(15);

/// Orders from every shop until each has refused one; what is asked for until then may find out the hard
/// way. Then what else there is of 30 is answered fast. Tells how many were refused.
fn refuses(fleet: &Fleet, what: &str) -> usize {
    let mut refused = 0;
    for shop in 0..SHOPS {
        eventually("a refusal", Duration::from_secs(20), || {
            let answer = fleet.order(shop, 3);
            assert!(answer.took < FINDING_OUT, "{what}: {:?}", answer.took);
            answer.status == 503
        });
    }
    for number in 0..30 {
        let shop = number % SHOPS;
        let answer = fleet.order(shop, 3);
        assert!(answer.took < FAST, "{what}: {:?}", answer.took);
        if answer.status != 201 {
            assert_refused(&answer, what);
            refused += 1;
        }
        assert_shows_products(&fleet.target(shop), what);
        pause(Duration::from_millis(10));
    }
    refused
}

/// Every shop takes orders again, and says so.
fn recovers(fleet: &Fleet) {
    for shop in 0..SHOPS {
        eventually("orders again", Duration::from_secs(15), || {
            (0..5).all(|_| fleet.order(shop, 3).status == 201)
        });
        eventually("health again", Duration::from_secs(15), || {
            health(&fleet.target(shop)) == "UP"
        });
    }
}

fn survives_a_full_disk(full: Full, seed: u64) -> Option<usize> {
    let mut fleet = Fleet::start_on(ON_FAULTY_DISK, SALE)?;
    let storms = fleet.storms(seed, &FUNNEL);
    let disk = fleet.database.disk();
    pause(Duration::from_millis(500 + seed * 733 % 1_500));
    disk.fall_into(Condition::Full(full)).unwrap();
    let what = format!("{full:?}, seed {seed}");
    let refused = refuses(&fleet, &what);
    assert!(refused > 0, "{what}: nothing was refused");
    disk.mend().unwrap();
    match full {
        Full::Growth => assert!(fleet.database.is_running(), "{what}: the database ended"),
        // It cannot write its log and ends.
        Full::Everything if !fleet.database.is_running() => fleet.database.restart(),
        Full::Everything => {}
    }
    recovers(&fleet);
    fleet.calm(storms);
    Some(fleet.assert_clean(&what).0)
}

fn survives_full_disks(full: Full) {
    let mut acknowledged = 0;
    let seeds = seeds(1, 20);
    for seed in seeds.clone() {
        let Some(written) = survives_a_full_disk(full, seed) else {
            return;
        };
        acknowledged += written;
    }
    let count = seeds.clone().count();
    println!(
        "soak: full_disk_of_the_database_{full:?}: {count} of {count} seeds ({}..={}): audit clean, \
         {acknowledged} writes acknowledged",
        seeds.start(),
        seeds.end()
    );
}

#[test]
fn no_file_of_the_database_can_grow() {
    survives_full_disks(Full::Growth);
}

#[test]
fn the_database_can_write_nothing() {
    survives_full_disks(Full::Everything);
}

/// Orders that are stored in two seconds.
fn stored_meanwhile(fleet: &Fleet) -> i64 {
    let stored = || fleet.count("SELECT COUNT(*) FROM orders");
    let before = stored();
    pause(Duration::from_secs(2));
    stored() - before
}

/// Tells how many writes were acknowledged, shed and of unknown outcome.
fn survives_a_slow_disk(seed: u64) -> Option<[usize; 3]> {
    let mut fleet = Fleet::start_on(ON_FAULTY_DISK, SALE)?;
    let storms = fleet.storms(seed, &ORDERS);
    pause(Duration::from_millis(500));
    let disk = fleet.database.disk();
    let whole = stored_meanwhile(&fleet);
    disk.fall_into(Condition::Slow(SLOW)).unwrap();
    let slow = stored_meanwhile(&fleet);
    assert!(slow < whole / 2, "{slow} orders in place of {whole}");
    for number in 0..15 {
        let shop = number % SHOPS;
        let answer = fleet.order(shop, 3);
        assert!(answer.took < BOUNDED, "{:?}", answer.took);
        if answer.status != 201 {
            assert_refused(&answer, "slow");
        }
    }
    fleet.calm(storms);
    eventually("an order", Duration::from_secs(10), || {
        let answer = fleet.order(0, 3);
        let is_on_disk = answer.status != 201 || answer.took >= SLOW;
        assert!(is_on_disk, "answered after {:?}", answer.took);
        answer.status == 201
    });
    assert_shows_products(&fleet.target(0), "slow");
    disk.mend().unwrap();
    recovers(&fleet);
    eventually("a fast order", Duration::from_secs(5), || {
        fleet.order(0, 3).took < SLOW
    });
    let (acknowledged, unknown) = fleet.assert_clean(&format!("slow, seed {seed}"));
    let shed = fleet.told(r#""code":"overloaded""#);
    assert!(shed > 0, "nothing was shed");
    Some([acknowledged, shed, unknown])
}

#[test]
fn a_slow_disk_sheds_and_loses_nothing() {
    let mut all = [0; 3];
    let seeds = seeds(1, 20);
    for seed in seeds.clone() {
        let Some(counts) = survives_a_slow_disk(seed) else {
            return;
        };
        for (sum, count) in all.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    let [acknowledged, shed, unknown] = all;
    let count = seeds.clone().count();
    println!(
        "soak: slow_disk_of_the_database: {count} of {count} seeds ({}..={}): audit clean, \
         {acknowledged} writes acknowledged, {shed} shed, {unknown} of unknown outcome",
        seeds.start(),
        seeds.end()
    );
}
