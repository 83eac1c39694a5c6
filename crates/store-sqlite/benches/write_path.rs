//! Orders through the store alone, without HTTP: the cost of the write path by its parts.
//!
//! `cargo bench -p double11-store-sqlite --bench write_path -- [ORDERS [IN_FLIGHT]] [random]`
//! places orders of one to three lines, drawn by Zipf's law over 100,000 products, each with an
//! idempotency key, on a fresh store in the folder for temporary files, and prints what an order costs.
//! Keys ascend as UUIDs of version 7 do; with `random` they do not.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot set itself up has failed, and prints"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use double11_store::conformance::Conditions;
use double11_store::{
    ClaimedKey, Fingerprint, OrderLines, PaymentMethod, PlaceOrder, PlaceOutcome, StockPolicy,
    Stopwatch, Store, StoreObserver, SystemClock, Variant,
};
use double11_store_sqlite::{SqliteOptions, SqliteStore};
use double11_units::{Currency, IdempotencyKey, ProductId, Quantity, UserId};

const PRODUCTS: usize = 100_000;
const ROUNDS: u64 = 4;

/// Orders drawn so far, by all who draw.
static ORDERS: AtomicU64 = AtomicU64::new(1);

/// Counts the groups.
#[derive(Default)]
struct Groups(AtomicU64);

impl StoreObserver for Groups {
    fn committed(&self, _commands: usize, _sync: Duration) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A small generator of its own (`SplitMix64`), so that every run draws the same orders.
struct Draws {
    state: u64,
    keys: Keys,
}

/// In which order the keys of successive orders are.
#[derive(Clone, Copy)]
enum Keys {
    Ascending,
    Random,
}

impl Draws {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A rank by Zipf's law with the exponent 1, as the logarithm gives it.
    #[expect(clippy::cast_possible_truncation, reason = "a rank is below 100,001")]
    fn product(&mut self) -> ProductId {
        let rank = (self.share() * (PRODUCTS as f64 + 1.0).ln()).exp() as i64;
        ProductId::new(rank.clamp(1, 100_000)).unwrap()
    }

    fn order(&mut self) -> PlaceOrder {
        let mut items: Vec<(ProductId, Quantity)> = Vec::new();
        for _ in 0..=self.next() % 3 {
            let product = self.product();
            if items.iter().all(|(other, _)| *other != product) {
                items.push((product, Quantity::new(1).unwrap()));
            }
        }
        items.sort_unstable_by_key(|(product, _)| *product);
        let (high, low) = (self.next(), self.next());
        // The first bits of a UUID of version 7 are the time; of version 4 they are random as well.
        let first = match self.keys {
            Keys::Ascending => ORDERS.fetch_add(1, Ordering::Relaxed),
            Keys::Random => high >> 16,
        };
        let key = format!("{first:012x}-7{:03x}-8{:015x}", high & 0xFFF, low >> 4);
        PlaceOrder {
            user_id: UserId::new((1 + self.next() % 1_000_000).to_string()).unwrap(),
            lines: OrderLines::Items(items),
            payment_method: PaymentMethod::Unspecified,
            expected_total: None,
            key: Some(ClaimedKey {
                key: IdempotencyKey::new(key).unwrap(),
                fingerprint: Fingerprint(u128::from(high).to_le_bytes()),
            }),
        }
    }
}

/// Processor time of this process in seconds, and bytes it gave to the disk.
fn used() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = [fields[11], fields[12]]
        .map(|field| field.parse::<f64>().unwrap())
        .iter()
        .sum();
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    (ticks / 100.0, written.unwrap().parse().unwrap())
}

fn open(path: &Path, groups: &Arc<Groups>) -> SqliteStore {
    SqliteStore::open(SqliteOptions {
        path: path.to_owned(),
        levers: Variant::Optimized.levers(),
        stock_policy: StockPolicy::Guarded,
        payment_window: Duration::from_mins(15),
        currency: Currency::Cny,
        pool_size: 2,
        queue_max: 10_000,
        group_max: 512,
        clock: Arc::new(SystemClock),
        observer: Arc::clone(groups) as Arc<dyn StoreObserver>,
    })
    .unwrap()
}

async fn place(store: Arc<SqliteStore>, keys: Keys, seed: u64, orders: u64) {
    let mut draws = Draws {
        state: seed << 32,
        keys,
    };
    for _ in 0..orders {
        let outcome = store.place_order(draws.order()).await.unwrap();
        assert!(matches!(outcome, PlaceOutcome::Placed(_)), "{outcome:?}");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let orders = numbers.first().copied().unwrap_or(200_000);
    let in_flight = numbers.get(1).copied().unwrap_or(256);
    let keys = if words.iter().any(|word| word == "random") {
        Keys::Random
    } else {
        Keys::Ascending
    };
    let folder = tempfile::tempdir().unwrap();
    let groups = Arc::new(Groups::default());
    let store = Arc::new(open(&folder.path().join("store.db"), &groups));
    let stock = vec![10_000_000; PRODUCTS];
    store
        .seed(1, &Conditions::with_stock(&stock).catalogue())
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for round in 0..ROUNDS {
        let (before, stopwatch) = (used(), Stopwatch::start());
        groups.0.store(0, Ordering::Relaxed);
        let each = orders / ROUNDS / in_flight;
        runtime.block_on(async {
            let tasks: Vec<_> = (0..in_flight)
                .map(|task| {
                    let seed = 1 + round * in_flight + task;
                    tokio::spawn(place(Arc::clone(&store), keys, seed, each))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let (after, took) = (used(), stopwatch.elapsed().as_secs_f64());
        let placed = (each * in_flight) as f64;
        println!(
            "{placed:.0} orders: {:.0}/s, {:.2} us of processor an order, {:.0} bytes written an \
             order, {:.0} orders a group",
            placed / took,
            (after.0 - before.0) * 1e6 / placed,
            (after.1 - before.1) as f64 / placed,
            placed / groups.0.load(Ordering::Relaxed) as f64,
        );
    }
    runtime.block_on(store.close()).unwrap();
}
