//! How fast orders are placed, for whoever wants to know: `cargo test --release -p
//! double11-store-mysql --test mysql -- --ignored --nocapture orders_placed`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use double11_servers::{MariaDb, Tool};
use double11_store::conformance::Conditions;
use double11_store::{Levers, Stopwatch, Store, Variant};
use double11_store_mysql::MysqlStore;

use crate::common::{Commits, database, needs, options, order, placed};

const PRODUCTS: u32 = 1_000;
const SPAN: Duration = Duration::from_secs(8);

/// Processor time that a process has used, in microseconds; ticks are hundredths of a second.
fn cpu_micros(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap());
    ticks.sum::<u64>() * 10_000
}

async fn orders_a_second(server: &MariaDb, levers: Levers, buyers: u64) -> String {
    let url = database(server);
    let pid = server.pid().unwrap().to_string();
    let conditions = Conditions::with_stock(&[100_000_000; PRODUCTS as usize]);
    let commits = Arc::new(Commits::default());
    let clock = Arc::clone(&conditions.clock);
    let mut options = options(&url, levers, clock);
    options.group_max = 512;
    options.pool_size = 16;
    options.observer = Arc::clone(&commits) as Arc<dyn double11_store::StoreObserver>;
    let store = Arc::new(MysqlStore::open(options).unwrap());
    store.seed(1, &conditions.catalogue()).unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let before = (cpu_micros("self"), cpu_micros(&pid));
    let since = Stopwatch::start();
    let mut tasks = tokio::task::JoinSet::new();
    for buyer in 0..buyers {
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        tasks.spawn(async move {
            let mut number = buyer;
            while since.elapsed() < SPAN {
                let first = 1 + i64::try_from(number * 7919 % 999).unwrap();
                let items = [(first, 1), (first + 1, 1)];
                let key = format!("018f2b6e-7c1a-7000-8000-{number:012}");
                placed(
                    &*store,
                    order("0000017", &items[(number % 2) as usize..], Some(&key)),
                )
                .await;
                done.fetch_add(1, Ordering::Relaxed);
                number += buyers;
            }
        });
    }
    tasks.join_all().await;
    let orders = done.load(Ordering::Relaxed);
    let groups = u64::from(commits.0.load(Ordering::Relaxed));
    let took = since.elapsed();
    let rate = orders * 1_000 / u64::try_from(took.as_millis()).unwrap();
    let shop = (cpu_micros("self") - before.0) / orders;
    let database = (cpu_micros(&pid) - before.1) / orders;
    let told = format!(
        "{buyers} buyers: {rate} orders/s, {} a group, {} round trips a group; an order costs {shop} us \
         of processor for shop and load and {database} us for the database",
        orders / groups.max(1),
        store.round_trips() / groups.max(1)
    );
    let figures = store.figures().await.unwrap();
    assert_eq!(figures.oversold_products, 0);
    store.close().await.unwrap();
    told
}

#[ignore = "a measurement: needs an idle machine and a minute"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_placed_a_second() {
    needs(Tool::MariaDb);
    let server =
        MariaDb::start_with(&["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G"])
            .unwrap();
    for buyers in [64, 256, 1_024] {
        let told = orders_a_second(&server, Variant::Optimized.levers(), buyers).await;
        println!("optimized, {told}");
    }
    for (name, levers) in [
        ("tuned", Variant::Tuned.levers()),
        ("baseline", Variant::Baseline.levers()),
    ] {
        let told = orders_a_second(&server, levers, 64).await;
        println!("{name}, {told}");
    }
}
