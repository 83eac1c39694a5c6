//! What the store does when its file, its disk or one of its commands is bad.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot set up its store has failed, or says why it was skipped"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use double11_store::conformance::{CURRENCY, Conditions, PAYMENT_WINDOW};
use double11_store::{
    Levers, OrderLines, PaymentMethod, PlaceOrder, PlaceOutcome, StockPolicy, Store, StoreError,
    StoreObserver, Variant,
};
use double11_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use double11_units::{ProductId, Quantity, UserId};
use rusqlite::config::DbConfig;

struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

fn options(path: &Path, conditions: &Conditions, levers: Levers) -> SqliteOptions {
    SqliteOptions {
        path: path.to_owned(),
        levers,
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

fn order(buyer: &str, pieces: u32) -> PlaceOrder {
    PlaceOrder {
        user_id: UserId::new(buyer).unwrap(),
        lines: OrderLines::Items(vec![(
            ProductId::new(1).unwrap(),
            Quantity::new(pieces).unwrap(),
        )]),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    }
}

/// Asks for all orders at once and collects the answers.
async fn place_all(
    store: &SqliteStore,
    orders: impl IntoIterator<Item = PlaceOrder>,
) -> Vec<Result<PlaceOutcome, StoreError>> {
    let tasks: Vec<_> = orders
        .into_iter()
        .map(|command| tokio::spawn(store.place_order(command)))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[test]
fn a_second_shop_is_kept_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = Conditions::with_stock(&[1]);
    let first = SqliteStore::open(options(&path, &conditions, Levers::NONE)).unwrap();
    let second = SqliteStore::open(options(&path, &conditions, Levers::NONE));
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(first);
    SqliteStore::open(options(&path, &conditions, Levers::NONE)).unwrap();
}

/// A shop that opens the file by a link works on the file, its log and its lock, not on files beside
/// the link.
#[test]
fn a_second_shop_by_another_name_is_kept_away() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let path = folder.path().join("shop.db");
    let link = other.join("link.db");
    std::os::unix::fs::symlink("../shop.db", &link).unwrap();
    let folder_link = folder.path().join("folder");
    std::os::unix::fs::symlink(folder.path(), &folder_link).unwrap();
    let names = [path.clone(), link.clone(), folder_link.join("shop.db")];
    let conditions = Conditions::with_stock(&[1]);
    // The first time round the link leads to a file that is not there yet.
    for first in [&link, &path, &names[2]] {
        let held = SqliteStore::open(options(first, &conditions, Levers::NONE)).unwrap();
        for second in &names {
            let second = SqliteStore::open(options(second, &conditions, Levers::NONE));
            assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
        }
        drop(held);
    }
    let mut beside: Vec<_> = std::fs::read_dir(&other)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    beside.sort();
    assert_eq!(beside, ["link.db"]);
}

/// A link that leads to itself is an error, not an endless search.
#[test]
fn a_link_to_itself_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("shop.db");
    std::os::unix::fs::symlink("shop.db", &link).unwrap();
    let conditions = Conditions::with_stock(&[1]);
    let opened = SqliteStore::open(options(&link, &conditions, Levers::NONE));
    assert!(matches!(opened, Err(OpenError::Lock { .. })), "{opened:?}");
}

#[test]
fn foreign_files_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let conditions = Conditions::with_stock(&[1]);
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but longer than the header of one ".repeat(9),
    )
    .unwrap();
    let database = folder.path().join("other.db");
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE notes (note TEXT); INSERT INTO notes VALUES ('mine');")
        .unwrap();
    for path in [&text, &database] {
        let before = std::fs::read(path).unwrap();
        let opened = SqliteStore::open(options(path, &conditions, Levers::NONE));
        assert!(
            matches!(opened, Err(OpenError::NotAStore { .. })),
            "{opened:?}"
        );
        assert_eq!(
            std::fs::read(path).unwrap(),
            before,
            "{} was changed",
            path.display()
        );
    }
}

#[test]
fn another_schema_version_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = Conditions::with_stock(&[1]);
    drop(SqliteStore::open(options(&path, &conditions, Levers::NONE)).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 7;")
        .unwrap();
    let opened = SqliteStore::open(options(&path, &conditions, Levers::NONE));
    assert!(
        matches!(opened, Err(OpenError::OtherVersion { found: 7, .. })),
        "{opened:?}"
    );
}

/// What an open refuses it leaves alone, the log too: nobody knows yet that it is on the disk, and
/// SQLite would move it into the file and delete it when its last connection closes.
#[test]
fn an_open_that_fails_leaves_the_log() {
    let conditions = Conditions::with_stock(&[1]);
    for change in ["PRAGMA user_version = 7;", "PRAGMA application_id = 7;"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        drop(SqliteStore::open(options(&path, &conditions, Levers::NONE)).unwrap());
        let killed = rusqlite::Connection::open(&path).unwrap();
        killed
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .unwrap();
        killed.execute_batch(change).unwrap();
        drop(killed);
        let content =
            || ["shop.db", "shop.db-wal"].map(|name| std::fs::read(folder.path().join(name)));
        let before = content().map(Result::unwrap);
        assert!(before[1].len() > 4_096, "the change is not in the log");
        let opened = SqliteStore::open(options(&path, &conditions, Levers::NONE));
        assert!(
            matches!(
                opened,
                Err(OpenError::OtherVersion { .. } | OpenError::NotAStore { .. })
            ),
            "{opened:?}"
        );
        assert!(before == content().map(Result::unwrap), "{change}");
    }
}

#[test]
fn a_path_that_cannot_be_written_is_an_error() {
    let conditions = Conditions::with_stock(&[1]);
    let path = Path::new("/nonexistent-folder/shop.db");
    let opened = SqliteStore::open(options(path, &conditions, Levers::NONE));
    assert!(matches!(opened, Err(OpenError::Lock { .. })), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_survive_a_store_that_was_never_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = Conditions::with_stock(&[5]);
    for levers in [Variant::Baseline.levers(), Variant::Optimized.levers()] {
        let store = SqliteStore::open(options(&path, &conditions, levers)).unwrap();
        if store.catalogue_facts().unwrap().is_none() {
            store.seed(1, &conditions.catalogue()).unwrap();
        }
        let placed = store.place_order(order("a", 1)).await.unwrap();
        assert!(matches!(placed, PlaceOutcome::Placed(_)), "{placed:?}");
        drop(store);
    }
    let store = SqliteStore::open(options(&path, &conditions, Levers::NONE)).unwrap();
    assert_eq!(store.figures().await.unwrap().reserved_units, 2);
}

/// One command of a group that the store cannot take fails alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisonous_command_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = Conditions::with_stock(&[1_000]);
    let store =
        SqliteStore::open(options(&path, &conditions, Variant::Optimized.levers())).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON orders WHEN NEW.user_id = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'planted by the test'); END;",
        )
        .unwrap();
    let buyers = (0..200).map(|buyer| if buyer % 50 == 7 { "poison" } else { "buyer" });
    let answers = place_all(&store, buyers.map(|buyer| order(buyer, 1))).await;
    for (buyer, answer) in answers.iter().enumerate() {
        if buyer % 50 == 7 {
            assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            );
        } else {
            assert!(matches!(answer, Ok(PlaceOutcome::Placed(_))), "{answer:?}");
        }
    }
    assert_eq!(store.figures().await.unwrap().reserved_units, 196);
}

/// Over the limit of the queue a write is refused at once, and nothing of it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let conditions = Conditions::with_stock(&[100_000]);
    let mut options = options(&path, &conditions, Variant::Optimized.levers());
    options.queue_max = 3;
    let store = SqliteStore::open(options).unwrap();
    store.seed(1, &conditions.catalogue()).unwrap();
    let answers = place_all(&store, (0..2_000).map(|_| order("a", 1))).await;
    let placed = answers
        .iter()
        .filter(|a| matches!(a, Ok(PlaceOutcome::Placed(_))))
        .count();
    let refused = answers
        .iter()
        .filter(|a| matches!(a, Err(StoreError::QueueFull)))
        .count();
    assert_eq!(placed + refused, 2_000);
    assert!(refused > 0, "three places cannot hold 2,000 commands");
    assert_eq!(store.figures().await.unwrap().reserved_units, placed as u64);
}

/// On a full disk a write is refused and the store lives on; with room again it works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    for levers in [Variant::Baseline.levers(), Variant::Optimized.levers()] {
        let path = folder.path().join(format!("{}.db", levers.iter().count()));
        let conditions = Conditions::with_stock(&[100_000]);
        let store = SqliteStore::open(options(&path, &conditions, levers)).unwrap();
        store.seed(1, &conditions.catalogue()).unwrap();
        let ballast = folder.path().join("ballast");
        std::fs::write(&ballast, vec![1_u8; 1 << 20]).unwrap();
        let mut placed = 0_u64;
        let mut refused = 0_u64;
        for _ in 0..200 {
            let buyers = (0..50).map(|_| order("a", 1));
            for answer in place_all(&store, buyers).await {
                match answer {
                    Ok(PlaceOutcome::Placed(_)) => placed += 1,
                    Err(StoreError::Unavailable(_)) => refused += 1,
                    other => unreachable!("neither placed nor unavailable: {other:?}"),
                }
            }
            if refused > 0 {
                break;
            }
        }
        assert!(
            placed > 0 && refused > 0,
            "placed {placed}, refused {refused}"
        );
        std::fs::remove_file(&ballast).unwrap();
        let after = store.place_order(order("a", 1)).await;
        assert!(matches!(after, Ok(PlaceOutcome::Placed(_))), "{after:?}");
        let figures = store.figures().await.unwrap();
        assert_eq!(
            (figures.oversold_products, figures.reserved_units),
            (0, placed + 1)
        );
        store.close().await.unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    drop(disk);
}

/// A file system of 3 MiB in memory; needs the right to mount.
struct SmallDisk<'folder>(&'folder Path);

impl<'folder> SmallDisk<'folder> {
    fn mount(folder: &'folder Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(folder)
            .status()
            .is_ok_and(|status| status.success());
        if mounted {
            return Some(Self(folder));
        }
        #[expect(clippy::disallowed_methods, reason = "CI says so by the environment")]
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !in_ci,
            "a full disk cannot be tested: mounting a tmpfs is not allowed"
        );
        eprintln!("skipped: a full disk cannot be tested without the right to mount a tmpfs");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "the test disk stays mounted"
        );
    }
}
