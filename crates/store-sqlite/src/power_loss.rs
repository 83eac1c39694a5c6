//! The power fails under the store, at any point of what it asked of its disk.
//!
//! A test runs itself a second time, as a process under the preloaded library, and takes orders
//! there. Every acknowledgement is a line in a file beside the store, so that the trace knows which of
//! them came before a cut. One run gives as many cuts as wanted; each is a folder as a disk could
//! hold it, on which the store is opened again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use double11_power_loss::watch::{Call, Effect};
use double11_power_loss::{Disk, Fate, Image, Record, Watch, records};
use double11_store::conformance::{CURRENCY, Conditions, PAYMENT_WINDOW};
use double11_store::{
    OrderLines, PaymentMethod, PlaceOrder, PlaceOutcome, StockPolicy, Store, StoreError,
    StoreObserver, Variant,
};
use double11_units::{ProductId, Quantity, UserId};

use crate::{SqliteOptions, SqliteStore};

/// Tells a test that it is the process under the library, where its store is and what to do.
const FOLDER: &str = "POWER_LOSS_CHILD_FOLDER";
const NAME: &str = "POWER_LOSS_CHILD_NAME";
const VARIANT: &str = "POWER_LOSS_CHILD_VARIANT";
const ORDERS: &str = "POWER_LOSS_CHILD_ORDERS";
const SYNCHRONOUS: &str = "POWER_LOSS_CHILD_SYNCHRONOUS";

const STORE: &str = "shop.db";
const LOG: &str = "shop.db-wal";
const ACKNOWLEDGED: &str = "acknowledged";

/// Buyers who order at the same time.
const BUYERS: usize = 16;

static OFF: AtomicBool = AtomicBool::new(false);

/// What connections are told in these tests; the program has a constant instead.
pub(crate) fn synchronous() -> &'static str {
    if OFF.load(Ordering::Relaxed) {
        "OFF"
    } else {
        "FULL"
    }
}

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

fn options(path: &Path, conditions: &Conditions, variant: Variant) -> SqliteOptions {
    SqliteOptions {
        path: path.to_owned(),
        levers: variant.levers(),
        stock_policy: StockPolicy::Guarded,
        payment_window: PAYMENT_WINDOW,
        currency: CURRENCY,
        pool_size: 4,
        queue_max: 10_000,
        group_max: 64,
        clock: Arc::clone(&conditions.clock) as Arc<dyn double11_store::Clock>,
        observer: Arc::new(Unobserved),
    }
}

fn conditions() -> Conditions {
    Conditions::with_stock(&[1_000_000; 20])
}

fn order(number: usize) -> PlaceOrder {
    let product = i64::try_from(number % 20).unwrap() + 1;
    PlaceOrder {
        user_id: UserId::new(number.to_string()).unwrap(),
        lines: OrderLines::Items(vec![(
            ProductId::new(product).unwrap(),
            Quantity::new(1).unwrap(),
        )]),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test tells the process that it starts what to do"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn seeds(short: u64, soak: u64) -> std::ops::RangeInclusive<u64> {
    let long = variable("DOUBLE11_SOAK").is_some_and(|value| value == "1");
    1..=if long { soak } else { short }
}

/// The process under the library: takes orders until there were enough or the store stops, and ends
/// without closing anything.
#[expect(clippy::exit, reason = "as if killed: no connection is closed")]
fn take_orders_if_child() {
    let Some(folder) = variable(FOLDER) else {
        return;
    };
    let variant: Variant = variable(VARIANT).unwrap().parse().unwrap();
    let orders: usize = variable(ORDERS).unwrap().parse().unwrap();
    let conditions = conditions();
    let path = PathBuf::from(variable(NAME).unwrap());
    let open = || SqliteStore::open(options(&path, &conditions, variant)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut store = open();
    if store.catalogue_facts().unwrap().is_none() {
        store.seed(1, &conditions.catalogue()).unwrap();
        // The store itself is made with syncs; what is shown are lost orders.
        runtime.block_on(store.close()).unwrap();
        drop(store);
        let off = variable(SYNCHRONOUS).unwrap() == "OFF";
        OFF.store(off, Ordering::Relaxed);
        store = open();
    }
    let store = Arc::new(store);
    let acknowledged = OpenOptions::new()
        .create(true)
        .append(true)
        .open(Path::new(&folder).join(ACKNOWLEDGED))
        .unwrap();
    let acknowledged = Arc::new(acknowledged);
    runtime.block_on(async {
        let buyers: Vec<_> = (0..BUYERS)
            .map(|buyer| {
                let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    let mut numbers = (buyer..orders).step_by(BUYERS);
                    let mut wanted = numbers.next();
                    while let Some(number) = wanted {
                        match store.place_order(order(number)).await {
                            Ok(PlaceOutcome::Placed(receipt)) => {
                                let line = format!("{}\n", receipt.order_id);
                                (&*acknowledged).write_all(line.as_bytes()).unwrap();
                                wanted = numbers.next();
                            }
                            // A slow machine: the buyer asks again.
                            Err(StoreError::Busy) => {}
                            Err(StoreError::OutcomeUnknown | StoreError::Closed) => return,
                            other => unreachable!("neither placed nor stopped: {other:?}"),
                        }
                    }
                })
            })
            .collect();
        for buyer in buyers {
            buyer.await.unwrap();
        }
    });
    std::process::exit(0);
}

/// A folder on a watched disk, and the processes that use it.
struct Shop {
    outside: tempfile::TempDir,
    watch: Watch,
    test: &'static str,
    variant: Variant,
    /// The name by which the processes open the store.
    name: PathBuf,
}

impl Shop {
    fn new(test: &'static str, variant: Variant) -> Self {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("disk");
        std::fs::create_dir(&folder).unwrap();
        let watch = Watch::new(&folder, outside.path()).unwrap();
        let name = folder.canonicalize().unwrap().join(STORE);
        Self {
            outside,
            watch,
            test,
            variant,
            name,
        }
    }

    /// The same, with a store that is opened through a symbolic link in another folder.
    fn by_link(test: &'static str, variant: Variant) -> Self {
        let mut shop = Self::new(test, variant);
        let link = shop.outside.path().join("link.db");
        std::os::unix::fs::symlink(&shop.name, &link).unwrap();
        shop.name = link;
        shop
    }

    fn folder(&self) -> PathBuf {
        self.outside.path().canonicalize().unwrap().join("disk")
    }

    fn start(&self, orders: usize, synchronous: &str) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([self.test, "--exact", "--nocapture"])
            .env(FOLDER, self.folder())
            .env(NAME, &self.name)
            .env(VARIANT, self.variant.name())
            .env(ORDERS, orders.to_string())
            .env(SYNCHRONOUS, synchronous)
            .stdout(std::process::Stdio::null());
        self.watch.over(&mut command).spawn().unwrap()
    }

    fn run(&self, orders: usize, synchronous: &str) {
        ended(self.start(orders, synchronous).wait().unwrap());
    }

    fn acknowledged(&self) -> usize {
        let text = std::fs::read_to_string(self.folder().join(ACKNOWLEDGED)).unwrap_or_default();
        text.lines().count()
    }
}

fn ended(status: ExitStatus) {
    assert!(status.success(), "the process under the library: {status}");
}

/// What is wrong with a store after the power failed.
#[derive(Debug, Default)]
struct Damage {
    acknowledged: usize,
    lost: usize,
    /// What else is wrong, the store's refusal to open among it.
    broken: Option<String>,
}

impl Damage {
    fn none(&self) -> bool {
        self.lost == 0 && self.broken.is_none()
    }
}

/// Cuts the power after `position` records and looks at what the disk holds.
fn cut(trace: &[Record<'_>], position: usize, seed: u64, variant: Variant) -> Damage {
    let mut disk = Disk::new(Fate::of_seed(seed), seed);
    for record in &trace[..position] {
        disk.apply(record);
    }
    let mut seen = disk.seen();
    let acknowledged = seen.files.remove(ACKNOWLEDGED).unwrap_or_default();
    let acknowledged = String::from_utf8(acknowledged).unwrap();
    let mut image = disk.after_power_loss();
    image.files.remove(ACKNOWLEDGED);
    let orders: Vec<i64> = acknowledged
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let mut damage = Damage {
        acknowledged: orders.len(),
        ..Damage::default()
    };
    match missing(&image, variant, &orders) {
        Ok(lost) => damage.lost = lost,
        Err(reason) => damage.broken = Some(reason),
    }
    damage
}

/// How many of the orders are not in the store that the image holds.
fn missing(image: &Image, variant: Variant, orders: &[i64]) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    image.write_to(folder.path()).unwrap();
    let path = folder.path().join(STORE);
    let store = SqliteStore::open(options(&path, &conditions(), variant)).map_err(|error| {
        format!(
            "the store does not open: {error}: {:?}",
            std::error::Error::source(&error)
        )
    })?;
    let broken = |error: rusqlite::Error| format!("the store cannot be read: {error}");
    let connection = rusqlite::Connection::open(&path).map_err(broken)?;
    let integrity: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .map_err(broken)?;
    if integrity != "ok" {
        return Err(format!("integrity_check: {integrity}"));
    }
    let unbalanced: i64 = connection
        .query_row(
            "SELECT (SELECT COUNT(*) FROM stock WHERE received <> available + reserved + sold) \
             + ABS((SELECT COALESCE(SUM(quantity), 0) FROM order_lines) \
             - (SELECT COALESCE(SUM(reserved), 0) FROM stock))",
            [],
            |row| row.get(0),
        )
        .map_err(broken)?;
    if unbalanced != 0 {
        return Err(format!("stock and orders differ by {unbalanced}"));
    }
    let mut find = connection
        .prepare("SELECT EXISTS (SELECT 1 FROM orders WHERE order_id = ?1)")
        .map_err(broken)?;
    let mut lost = 0;
    for order in orders {
        let found: bool = find.query_row([order], |row| row.get(0)).map_err(broken)?;
        lost += usize::from(!found);
    }
    drop(store);
    Ok(lost)
}

/// Some position in a trace, not before `from`: the output function of `SplitMix64`, since the multiples of
/// one number alone lie in clusters for some lengths.
fn some_position(length: usize, from: usize, seed: u64) -> usize {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    from + usize::try_from(mixed >> 1).unwrap() % (length - from + 1)
}

/// The trace holds every byte that the process wrote: replayed in full it gives the very files.
fn assert_complete(trace: &[Record<'_>], folder: &Path) {
    let mut disk = Disk::new(Fate::ONLY_SYNCED, 0);
    for record in trace {
        disk.apply(record);
    }
    let seen = disk.seen();
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Memory that processes share; SQLite makes it anew after a failure.
        if name.ends_with("-shm") {
            continue;
        }
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        assert!(
            seen.files[&name] == bytes,
            "the trace does not give `{name}`"
        );
        compared += 1;
    }
    assert!(compared >= 3, "only {compared} files were compared");
}

/// Orders of a run, many enough that the log is moved into the file meanwhile.
const MANY: usize = 1_200;

fn survives(test: &'static str, variant: Variant) {
    take_orders_if_child();
    let shop = Shop::new(test, variant);
    shop.run(MANY, "FULL");
    let trace = shop.watch.trace().unwrap();
    let trace = records(&trace).unwrap();
    assert_complete(&trace, &shop.folder());
    assert_eq!(shop.acknowledged(), MANY);
    let seeds = seeds(12, 200);
    let mut acknowledged = 0;
    for seed in seeds.clone() {
        // From the very first record on: the store may also die while it is being made.
        let position = some_position(trace.len(), 0, seed);
        let damage = cut(&trace, position, seed, variant);
        assert!(
            damage.none(),
            "seed {seed}, after {position} of {} records: {damage:?}",
            trace.len()
        );
        acknowledged += damage.acknowledged;
    }
    assert!(acknowledged > MANY, "hardly an order came before a cut");
    let count = seeds.clone().count();
    println!(
        "soak: power_loss_store_{}: {count} of {count} seeds ({}..={}): {acknowledged} acknowledged \
         orders at the cuts, none lost",
        variant.name(),
        seeds.start(),
        seeds.end()
    );
}

#[test]
fn acknowledged_orders_survive_baseline() {
    survives(
        "power_loss::acknowledged_orders_survive_baseline",
        Variant::Baseline,
    );
}

#[test]
fn acknowledged_orders_survive_tuned() {
    survives(
        "power_loss::acknowledged_orders_survive_tuned",
        Variant::Tuned,
    );
}

#[test]
fn acknowledged_orders_survive_optimized() {
    survives(
        "power_loss::acknowledged_orders_survive_optimized",
        Variant::Optimized,
    );
}

/// The same with `PRAGMA synchronous = OFF`: acknowledged orders are lost, with every seed.
#[test]
fn without_syncs_acknowledged_orders_are_lost() {
    take_orders_if_child();
    let seeds = seeds(8, 50);
    for variant in [Variant::Baseline, Variant::Optimized] {
        let shop = Shop::new(
            "power_loss::without_syncs_acknowledged_orders_are_lost",
            variant,
        );
        shop.run(MANY, "OFF");
        let trace = shop.watch.trace().unwrap();
        let trace = records(&trace).unwrap();
        assert_complete(&trace, &shop.folder());
        let (mut lost, mut broken) = (0, 0);
        for seed in seeds.clone() {
            let position = some_position(trace.len(), trace.len() / 2, seed);
            let damage = cut(&trace, position, seed, variant);
            assert!(!damage.none(), "seed {seed}: nothing was lost: {damage:?}");
            lost += damage.lost;
            broken += usize::from(damage.broken.is_some());
        }
        assert!(lost > 0, "no seed lost an order without breaking the store");
        let count = seeds.clone().count();
        println!(
            "soak: power_loss_store_without_sync_{}: {count} of {count} seeds ({}..={}): caught; {lost} \
             acknowledged orders lost, {broken} stores broken",
            variant.name(),
            seeds.start(),
            seeds.end()
        );
    }
}

/// A failed sync leaves pages in memory that the disk never got and that the kernel calls clean. The
/// next start reads them as committed; what it then appends must not hang on them.
fn survives_a_failed_sync(shop: &Shop) {
    let mut first = shop.start(usize::MAX, "FULL");
    while shop.acknowledged() < 40 {
        assert!(first.try_wait().unwrap().is_none(), "the process ended");
        std::thread::yield_now();
    }
    shop.watch.fail(Call::Sync, &[LOG], Effect::Broken).unwrap();
    ended(first.wait().unwrap());
    let before = shop.acknowledged();
    shop.watch.mend().unwrap();
    shop.run(BUYERS * 2, "FULL");
    assert_eq!(shop.acknowledged(), before + BUYERS * 2);
    let trace = shop.watch.trace().unwrap();
    let trace = records(&trace).unwrap();
    assert_complete(&trace, &shop.folder());
    let failed =
        |record: &Record<'_>| matches!(record, Record::SyncEnd { succeeded, .. } if !succeeded);
    assert!(trace.iter().any(failed), "no sync failed");
    for seed in 1..=8 {
        let damage = cut(&trace, trace.len(), seed, shop.variant);
        let variant = shop.variant.name();
        assert!(damage.none(), "{variant}, seed {seed}: {damage:?}");
    }
}

#[test]
fn orders_after_a_failed_sync_survive() {
    take_orders_if_child();
    let test = "power_loss::orders_after_a_failed_sync_survive";
    for variant in [Variant::Baseline, Variant::Optimized] {
        survives_a_failed_sync(&Shop::new(test, variant));
    }
}

/// SQLite keeps the log beside the file, not beside the link: that one must be written again.
#[test]
fn orders_after_a_failed_sync_survive_by_a_link() {
    take_orders_if_child();
    let test = "power_loss::orders_after_a_failed_sync_survive_by_a_link";
    for variant in [Variant::Baseline, Variant::Optimized] {
        survives_a_failed_sync(&Shop::by_link(test, variant));
    }
}

/// A log that cannot be written again stays for the next start; it is neither moved nor deleted.
#[test]
fn a_log_that_cannot_be_renewed_is_left() {
    take_orders_if_child();
    let test = "power_loss::a_log_that_cannot_be_renewed_is_left";
    let shop = Shop::new(test, Variant::Baseline);
    shop.run(BUYERS * 2, "FULL");
    let content = || [STORE, LOG].map(|name| std::fs::read(shop.folder().join(name)));
    let before = content().map(Result::unwrap);
    assert!(!before[1].is_empty(), "there is no log");
    let acknowledged = shop.acknowledged();
    shop.watch
        .fail(Call::Write, &[LOG], Effect::Broken)
        .unwrap();
    let refused = shop.start(BUYERS, "FULL").wait().unwrap();
    assert!(!refused.success(), "the store was opened");
    assert!(before == content().map(Result::unwrap), "not left alone");
    shop.watch.mend().unwrap();
    shop.run(BUYERS, "FULL");
    assert_eq!(shop.acknowledged(), acknowledged + BUYERS);
}
