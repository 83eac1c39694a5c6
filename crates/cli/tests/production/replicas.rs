//! Three shops on one store, whole and while something is killed or cut: nothing is oversold, nothing lost,
//! nothing charged twice, and of what is short exactly what there was is sold.

use std::time::Duration;

use double11_servers::{CutPoint, Proxy};
use serde_json::json;

use crate::asking::{FAST, post};
use crate::fleet::{Fleet, SHOPS, Sale};
use crate::ground::{CacheKind, DatabaseKind, Ground, USUAL};
use crate::harness::{eventually, now, pause, seeds, soak};

const FUNNEL: Sale = Sale {
    products: "2000",
    stock: "1000000",
    // So short that expiry races payment.
    payment_window: "3s",
    in_flight_max: "1024",
};
const FLASH_SALE: Sale = Sale {
    products: "10",
    stock: "12",
    // So long that nothing comes back.
    payment_window: "10m",
    in_flight_max: "1024",
};
const PEAK: [&str; 6] = ["funnel", "--peak", "--rate", "150", "--duration", "5s"];
const RUSH: [&str; 5] = ["flash-sale", "--rate", "300", "--time-scale", "6"];
/// A client's `COMMIT` as the protocol sends it: length and number of the packet, kind of command, statement. The
/// word alone also stands in `READ-COMMITTED`.
const COMMIT: &[u8] = b"\x07\0\0\0\x03COMMIT";
/// How long connections are cut.
const CUTTING: Duration = Duration::from_secs(3);
const CUTS_MIN: u64 = 20;

/// What befalls a fleet in the middle of a storm.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Shop,
    Cache,
    /// One of a cluster's masters, which does not come back.
    CacheMaster,
    Database,
    /// Connections at `COMMIT`, before and after it is heard.
    Commit,
    /// The gateway stops answering for longer than shops wait.
    Gateway,
}

/// Storms at the same time, each at a fleet of its own.
struct Trial {
    name: &'static str,
    ground: Ground,
    storms: &'static [Storm],
}

type Storm = (Fault, Sale, &'static [&'static str]);

/// The same at a peak and at a flash sale.
const fn both(fault: Fault) -> [Storm; 2] {
    [(fault, FUNNEL, &PEAK), (fault, FLASH_SALE, &RUSH)]
}

fn strike(fleet: &mut Fleet, fault: Fault, seed: u64) {
    // Somewhere between 1.2 and 2.2 s, another instant for every seed.
    pause(Duration::from_millis(1_200 + seed * 733 % 1_000));
    let chosen = usize::try_from(seed).unwrap();
    match fault {
        Fault::None => {}
        Fault::Shop => {
            let shop = chosen % SHOPS;
            fleet.kill_shop(shop);
            fleet.open_shop(shop);
        }
        Fault::Cache => {
            let cache = fleet.cache.single();
            cache.kill();
            pause(Duration::from_secs(1));
            cache.restart().unwrap();
        }
        Fault::CacheMaster => {
            let cluster = fleet.cache.cluster();
            cluster.nodes()[chosen % 3].kill();
            go_on(fleet, chosen % SHOPS);
            cluster.wait_until_served().unwrap();
        }
        Fault::Database => {
            fleet.database.kill();
            fleet.database.restart();
        }
        Fault::Gateway => {
            fleet.pause_gateway();
            go_on(fleet, chosen % SHOPS);
            pause(Duration::from_secs(2));
            fleet.resume_gateway();
        }
        Fault::Commit => cut_at_commit(fleet.database.proxy(), seed),
    }
}

/// Carts and orders at this shop.
fn go_on(fleet: &Fleet, shop: usize) {
    let line = json!({"product_id": 5, "quantity": 1});
    eventually("a cart and an order", Duration::from_secs(2), || {
        let cart = post(&fleet.target(shop), "/api/cart", &line);
        let order = fleet.order(shop, 5);
        let is_fast = cart.took < FAST && order.took < FAST;
        cart.status == 201 && matches!(order.status, 201 | 409) && is_fast
    });
}

/// Cuts connections of all shops as they commit, in turn before and after the server hears of it.
fn cut_at_commit(proxy: &Proxy, seed: u64) {
    let begun = now();
    let mut points = [CutPoint::Before, CutPoint::After].into_iter().cycle();
    let mut number = proxy.cuts();
    while begun.elapsed() < CUTTING {
        number += 1;
        proxy.cut_when(COMMIT, points.next().unwrap());
        eventually("a commit", Duration::from_secs(5), || {
            proxy.cuts() >= number
        });
        pause(Duration::from_millis((seed * 97 + number * 31) % 60));
    }
    assert!(number >= CUTS_MIN, "only {number} commits were cut");
}

/// One storm at three shops; tells how many writes were acknowledged and how many remained unknown.
fn survives(trial: &Trial, (fault, sale, plan): Storm, seed: u64) -> Option<(usize, usize)> {
    let mut fleet = Fleet::start_on(trial.ground, sale)?;
    let storms = fleet.storms(seed, plan);
    strike(&mut fleet, fault, seed);
    fleet.calm(storms);
    if plan == RUSH {
        sold_out_exactly(&fleet, fault);
    }
    let written = fleet.assert_clean(&format!("{}, {fault:?}, seed {seed}", trial.name));
    if matches!(fault, Fault::Commit) {
        let unknown = written.1;
        assert!(
            unknown < 10,
            "{unknown} writers of more than {CUTS_MIN} groups were not told"
        );
    }
    Some(written)
}

/// All that there was is reserved or sold, since more was wanted of every product and nothing came back. What
/// nobody wanted any more when a fault was over is still to be had.
fn sold_out_exactly(fleet: &Fleet, fault: Fault) {
    if !matches!(fault, Fault::None) {
        for product in 1..=10 {
            eventually("nothing left", Duration::from_secs(10), || {
                fleet.order(0, product).body["code"] == "sold_out"
            });
        }
    }
    let pieces = |column: &str| fleet.count(&format!("SELECT SUM({column}) FROM stock"));
    assert_eq!(pieces("available"), 0);
    assert_eq!(pieces("reserved") + pieces("sold"), 10 * 12);
}

/// All storms of a trial at the same time, since most of each is waiting; the sums of their writes.
fn survives_together(trial: &Trial, seed: u64) -> Option<(usize, usize)> {
    std::thread::scope(|scope| {
        let begin = |storm: &Storm| {
            let storm = *storm;
            scope.spawn(move || survives(trial, storm, seed))
        };
        let begun: Vec<_> = trial.storms.iter().map(begin).collect();
        let mut ended = begun.into_iter().map(|storm| storm.join().unwrap());
        ended.try_fold((0, 0), |sum, written| {
            written.map(|written| (sum.0 + written.0, sum.1 + written.1))
        })
    })
}

fn survives_all(trial: &Trial) {
    let mut acknowledged = 0;
    let mut unknown = 0;
    let seeds = seeds(1, 20);
    for seed in seeds.clone() {
        let Some(written) = survives_together(trial, seed) else {
            return;
        };
        acknowledged += written.0;
        unknown += written.1;
    }
    assert!(
        acknowledged > 100 * trial.storms.len(),
        "only {acknowledged} writes were acknowledged"
    );
    let count = seeds.clone().count();
    println!(
        "soak: three_shops_{}: {count} of {count} seeds ({}..={}), {}: \
         audit clean, {acknowledged} writes acknowledged, {unknown} of unknown outcome",
        trial.name,
        seeds.start(),
        seeds.end(),
        trial.plans(),
    );
}

impl Trial {
    /// What the shoppers did.
    fn plans(&self) -> String {
        let plans: Vec<&str> = self.storms.iter().map(|storm| storm.2[0]).collect();
        plans.join(" and ")
    }
}

#[test]
fn three_shops_sell_exactly_what_there_is() {
    survives_all(&Trial {
        name: "None",
        ground: USUAL,
        storms: &const { both(Fault::None) },
    });
}

#[test]
fn a_shop_is_killed() {
    survives_all(&Trial {
        name: "Shop",
        ground: USUAL,
        storms: &const { both(Fault::Shop) },
    });
}

#[test]
fn redis_is_killed() {
    survives_all(&Trial {
        name: "Cache",
        ground: USUAL,
        storms: &const { both(Fault::Cache) },
    });
}

#[test]
fn a_master_of_a_redis_cluster_is_killed() {
    survives_all(&Trial {
        name: "CacheMaster",
        ground: Ground {
            cache: CacheKind::Cluster,
            ..USUAL
        },
        storms: &[(Fault::CacheMaster, FUNNEL, &PEAK)],
    });
}

#[test]
fn the_database_is_killed_and_comes_back() {
    survives_all(&Trial {
        name: "Database",
        ground: USUAL,
        storms: &const { both(Fault::Database) },
    });
}

#[test]
fn connections_are_cut_at_commit() {
    survives_all(&Trial {
        name: "Commit",
        ground: Ground {
            database: DatabaseKind::ProxiedMariaDb,
            ..USUAL
        },
        storms: &[(Fault::Commit, FUNNEL, &PEAK)],
    });
}

#[test]
fn the_gateway_does_not_answer_in_time() {
    survives_all(&Trial {
        name: "Gateway",
        ground: USUAL,
        storms: &[(Fault::Gateway, FUNNEL, &PEAK)],
    });
}

#[test]
fn seekdb_is_killed_and_sells_exactly_what_there_is() {
    let storms: &[Storm] = &[
        (Fault::Database, FLASH_SALE, &RUSH),
        (Fault::None, FLASH_SALE, &RUSH),
        (Fault::Database, FUNNEL, &PEAK),
    ];
    survives_all(&Trial {
        name: "SeekDb",
        ground: Ground {
            database: DatabaseKind::SeekDb,
            ..USUAL
        },
        storms: if soak() { storms } else { &storms[..1] },
    });
}
