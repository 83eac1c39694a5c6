//! What one order costs the writer, in instructions and allocations, held to what was recorded.
//!
//! The writer's own thread is left out: groups are run as it runs them, one after the other, so that
//! every run does the same.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use double11_gate::{allocations, check_allocations, check_instructions, lets_pass, units};
use double11_store::FailureSignal;
use double11_store::conformance::Conditions;
use double11_store::{
    ClaimedKey, Clock, Fingerprint, OrderLines, PaymentMethod, PlaceOrder, PlaceOutcome,
    StockPolicy, StoreError, StoreObserver, Variant,
};
use double11_units::{Currency, IdempotencyKey, ProductId, Quantity, UserId};
use tokio::sync::oneshot;

use crate::checkpoint::Checkpointer;
use crate::work::stock::GroupedStock;
use crate::work::{Command, Outcome, ShopFacts};
use crate::writer::{Horizon, Job, Settler, WriterParts, log_path};
use crate::{SqliteOptions, SqliteStore, file};

/// Orders in a group.
const GROUP: usize = 64;
const PRODUCTS: i64 = 64;

#[derive(Debug)]
struct Unobserved;

impl StoreObserver for Unobserved {
    fn committed(&self, _writes: usize, _commit: Duration) {}
}

type Reply = oneshot::Receiver<Result<Outcome, StoreError>>;

/// A writer without its thread.
struct Rig {
    parts: WriterParts,
    orders: i64,
}

impl Rig {
    fn new(folder: &Path) -> Self {
        let conditions = Conditions::with_stock(&[1_000_000; 64]);
        let options = SqliteOptions {
            path: folder.join("shop.db"),
            levers: Variant::Optimized.levers(),
            stock_policy: StockPolicy::Guarded,
            payment_window: Duration::from_mins(15),
            currency: Currency::Cny,
            pool_size: 1,
            queue_max: GROUP,
            group_max: GROUP,
            clock: Arc::clone(&conditions.clock) as Arc<dyn Clock>,
            observer: Arc::new(Unobserved),
        };
        let path = options.path.clone();
        let store = SqliteStore::open(options).unwrap();
        store.seed(1, &conditions.catalogue()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let closing = double11_store::Store::close(&store);
        runtime.unwrap().block_on(closing).unwrap();
        drop(store);
        let mut connection = file::connect_writer(&path).unwrap();
        let checkpointer = Checkpointer::start(&mut connection, &path).unwrap();
        let failure = FailureSignal::new();
        Self {
            parts: WriterParts {
                connection,
                checkpointer,
                facts: ShopFacts {
                    currency: Currency::Cny,
                    payment_window: Duration::from_mins(15),
                },
                clock: conditions.clock,
                failure: failure.clone(),
                queue_max: GROUP,
                group_max: GROUP,
                stock: GroupedStock::new(true),
                settler: Settler {
                    log: file::open_log(&log_path(&path)).unwrap(),
                    horizon: Arc::new(Horizon::new(failure.clone())),
                    failure,
                    observer: Arc::new(Unobserved),
                },
                committed: Vec::new(),
            },
            orders: 0,
        }
    }

    /// A group of orders of two lines, each with a key.
    fn group(&mut self) -> (Vec<Job>, Vec<Reply>) {
        let jobs = (0..GROUP).map(|_| {
            self.orders += 1;
            let (reply, answer) = oneshot::channel();
            let job = Job {
                command: Command::Place(order(self.orders)),
                fresh_id: 1_000_000 + self.orders,
                reply,
            };
            (job, answer)
        });
        jobs.unzip()
    }

    /// Runs, syncs and answers a group.
    fn run(&mut self, jobs: Vec<Job>) {
        self.parts.run_group(jobs);
        let committed = std::mem::take(&mut self.parts.committed);
        self.parts.settler.settle(committed);
    }

    fn place(&mut self, orders: u64) {
        for _ in 0..orders / GROUP as u64 {
            let (jobs, answers) = self.group();
            self.run(jobs);
            assert_placed(answers);
        }
    }
}

fn assert_placed(answers: Vec<Reply>) {
    for mut answer in answers {
        let outcome = answer.try_recv().unwrap().unwrap();
        assert!(
            matches!(outcome, Outcome::Place(PlaceOutcome::Placed(_))),
            "{outcome:?}"
        );
    }
}

fn order(number: i64) -> PlaceOrder {
    let line = |step: i64| {
        let product = 1 + (number + step) % PRODUCTS;
        (ProductId::new(product).unwrap(), Quantity::new(1).unwrap())
    };
    let mut items = vec![line(0), line(7)];
    items.sort_unstable_by_key(|(product, _)| *product);
    PlaceOrder {
        user_id: UserId::new(format!("{:07}", number % 1_000_000)).unwrap(),
        lines: OrderLines::Items(items),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: Some(ClaimedKey {
            key: IdempotencyKey::new(format!("018f2b6e-7c1a-7000-8000-{number:012}")).unwrap(),
            fingerprint: Fingerprint(u128::from(number.unsigned_abs()).to_le_bytes()),
        }),
    }
}

/// What callgrind watches: does nothing in an ordinary run.
#[test]
fn orders_under_callgrind() {
    let Some(orders) = units() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    Rig::new(folder.path()).place(orders);
}

#[test]
fn instructions_of_an_order() {
    let what = "store-sqlite: instructions of an order of two lines in a group of 64";
    check_instructions(what, "gate::orders_under_callgrind")
        .unwrap_or_else(|shut| panic!("{shut}"));
}

#[test]
fn allocations_of_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(folder.path());
    // The first group makes what is kept: statements, prices, levels of stock.
    rig.place(4 * GROUP as u64);
    let (jobs, answers) = rig.group();
    let counted = allocations(|| rig.run(jobs));
    assert_placed(answers);
    let what = "store-sqlite: allocations of a group of 64 orders";
    check_allocations(what, counted).unwrap_or_else(|shut| panic!("{shut}"));
    let (jobs, answers) = rig.group();
    let planted = allocations(|| {
        for _ in &jobs {
            drop(std::hint::black_box(Box::new(7_u64)));
        }
        rig.run(jobs);
    });
    assert_placed(answers);
    assert_eq!(planted, counted + GROUP as u64);
    assert!(!lets_pass(what, planted), "one an order more");
}
