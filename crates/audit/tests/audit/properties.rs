//! Random right histories pass; a random change of one column of one row is caught.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use rusqlite::Connection;

use crate::world::{Call, Ending, Site, World};
use crate::{assert_failed, failed};

#[derive(Clone, Debug)]
enum Action {
    Order {
        user: u8,
        lines: Vec<(i64, i64)>,
        keyed: bool,
        heard: bool,
    },
    OrderCart {
        cart: Index,
        keyed: bool,
    },
    Pay {
        order: Index,
        whole: bool,
        ending: Ending,
        keyed: bool,
        heard: bool,
    },
    Close {
        order: Index,
        expire: bool,
    },
    AddToCart {
        cart: Option<Index>,
        product: i64,
        pieces: i64,
    },
    Wait(i64),
}

fn action() -> impl Strategy<Value = Action> {
    let lines = prop::collection::vec((1_i64..=4, 1_i64..4), 1..4);
    let ending = prop_oneof![
        5 => Just(Ending::Captured),
        1 => Just(Ending::Declined),
        1 => Just(Ending::Processing),
        1 => Just(Ending::Late),
    ];
    let cart = prop::option::of(any::<Index>());
    prop_oneof![
        5 => (any::<u8>(), lines, any::<bool>(), prop::bool::weighted(0.8)).prop_map(
            |(user, lines, keyed, heard)| Action::Order { user: user % 5, lines, keyed, heard }
        ),
        1 => (any::<Index>(), any::<bool>()).prop_map(
            |(cart, keyed)| Action::OrderCart { cart, keyed }
        ),
        5 => (any::<Index>(), any::<bool>(), ending, any::<bool>(), prop::bool::weighted(0.8))
            .prop_map(|(order, whole, ending, keyed, heard)| Action::Pay {
                order, whole, ending, keyed, heard
            }),
        2 => (any::<Index>(), any::<bool>()).prop_map(
            |(order, expire)| Action::Close { order, expire }
        ),
        2 => (cart, 1_i64..=4, 1_i64..4).prop_map(
            |(cart, product, pieces)| Action::AddToCart { cart, product, pieces }
        ),
        2 => (0_i64..2_000_000).prop_map(Action::Wait),
    ]
}

fn history() -> impl Strategy<Value = World> {
    prop::collection::vec(action(), 1..60).prop_map(|actions| {
        let mut world = World::new(&[(8, 1_000), (3, 250), (20, 99), (1, 123_456)]);
        for (place, action) in actions.into_iter().enumerate() {
            act(&mut world, place, action);
        }
        world
    })
}

fn act(world: &mut World, place: usize, action: Action) {
    let call = |keyed: bool, heard: bool| {
        let call = if keyed {
            Call::keyed(&format!("key-{place}"))
        } else {
            Call::plain()
        };
        if heard { call } else { call.unheard() }
    };
    match action {
        Action::Order {
            user,
            mut lines,
            keyed,
            heard,
        } => {
            lines.sort_unstable();
            lines.dedup_by_key(|(product, _)| *product);
            world.order(&user.to_string(), &lines, &call(keyed, heard));
        }
        Action::OrderCart { cart, keyed } => {
            if let Some(cart) = pick(&open_carts(world), cart) {
                world.order_cart("cart user", cart, &call(keyed, true));
            }
        }
        Action::Pay {
            order,
            whole,
            ending,
            keyed,
            heard,
        } => {
            if let Some(order) = pick(&open_orders(world), order) {
                pay(world, order, whole, ending, &call(keyed, heard));
            }
        }
        Action::Close { order, expire } => {
            if let Some(order) = pick(&open_orders(world), order) {
                close(world, order, expire);
            }
        }
        Action::AddToCart {
            cart,
            product,
            pieces,
        } => {
            let cart = cart.and_then(|cart| pick(&open_carts(world), cart));
            world.add_to_cart(cart, product, pieces);
        }
        Action::Wait(micros) => world.now += micros,
    }
}

fn pay(world: &mut World, order: i64, whole: bool, ending: Ending, call: &Call) {
    let processing = world.processing(order);
    let balance = world.order_ref(order).total - world.captured(order) - processing;
    let amount = if whole { balance } else { balance / 2 };
    // A late capture closes the order, and an order with a payment in process is not closed.
    let closes = ending == Ending::Late;
    if amount > 0 && !(closes && processing > 0) {
        world.pay(order, amount, ending, call);
    }
}

fn close(world: &mut World, order: i64, expire: bool) {
    match (world.processing(order), expire) {
        (0, true) => world.expire(order),
        (0, false) => world.cancel(order),
        _ => {}
    }
}

fn open_orders(world: &World) -> Vec<i64> {
    let open = |state: &str| matches!(state, "pending_payment" | "partially_paid");
    world
        .orders
        .iter()
        .filter(|order| open(order.state))
        .map(|order| order.id)
        .collect()
}

fn open_carts(world: &World) -> Vec<i64> {
    world
        .carts
        .iter()
        .filter(|cart| cart.order.is_none())
        .map(|cart| cart.id)
        .collect()
}

fn pick(ids: &[i64], index: Index) -> Option<i64> {
    if ids.is_empty() {
        None
    } else {
        Some(*index.get(ids))
    }
}

/// Table, column, new value, and the rows it applies to.
type Change = (&'static str, &'static str, &'static str, &'static str);

/// Every column whose change the audit is sure to catch, with the change. `docs/AUDIT.md` lists the columns that are not here and why.
const COVERED: &[Change] = &[
    ("shop", "products", "products + 1", "1"),
    ("stock", "product_id", "product_id + 1000000", "1"),
    ("stock", "received", "received + 1", "1"),
    ("stock", "available", "available - 1", "1"),
    ("stock", "reserved", "reserved + 1", "1"),
    ("stock", "sold", "sold + 1", "1"),
    ("products", "product_id", "product_id + 1000000", "1"),
    ("carts", "cart_id", "cart_id + 1000000", "1"),
    ("carts", "order_id", "COALESCE(order_id, 0) + 1000000", "1"),
    ("carts", "order_id", "NULL", "order_id IS NOT NULL"),
    ("cart_lines", "cart_id", "cart_id + 1000000", "1"),
    ("cart_lines", "product_id", "product_id + 1000000", "1"),
    ("cart_lines", "quantity", "quantity - 1", "1"),
    ("orders", "order_id", "order_id + 1000000", "1"),
    ("orders", "user_id", "'mallory'", "1"),
    (
        "orders",
        "cart_id",
        "COALESCE(cart_id, 0) + 1",
        "cart_id IS NOT NULL",
    ),
    ("orders", "cart_id", "NULL", "cart_id IS NOT NULL"),
    (
        "orders",
        "state",
        "CASE state WHEN 'paid' THEN 'partially_paid' ELSE 'paid' END",
        "1",
    ),
    ("orders", "state", "'returned'", "1"),
    ("orders", "total", "total + 1", "1"),
    ("orders", "captured", "captured + 1", "1"),
    ("orders", "processing", "processing + 1", "1"),
    ("orders", "expires_at", "created_at", "1"),
    (
        "orders",
        "closed_at",
        "CASE WHEN closed_at IS NULL THEN expires_at END",
        "1",
    ),
    ("order_lines", "order_id", "order_id + 1000000", "1"),
    ("order_lines", "product_id", "product_id + 1000000", "1"),
    ("order_lines", "quantity", "quantity + 1", "1"),
    ("order_lines", "unit_price", "unit_price + 1", "1"),
    ("payments", "order_id", "order_id + 1000000", "1"),
    (
        "payments",
        "attempt_id",
        "attempt_id + 1000000",
        "state <> 'processing'",
    ),
    (
        "payments",
        "state",
        "CASE state WHEN 'captured' THEN 'late' ELSE 'captured' END",
        "1",
    ),
    ("payments", "state", "'processing'", "state <> 'processing'"),
    ("payments", "amount", "amount + 1", "1"),
    ("payments", "order_state", "NULL", "state = 'captured'"),
    (
        "payments",
        "idempotency_key",
        "'another'",
        "state IN ('captured', 'processing')",
    ),
    (
        "payments",
        "finished_at",
        "CASE WHEN finished_at IS NULL THEN created_at END",
        "1",
    ),
    ("refunds", "order_id", "order_id + 1000000", "1"),
    ("refunds", "attempt_id", "attempt_id + 1000000", "1"),
    ("refunds", "state", "'pending'", "1"),
    ("refunds", "amount", "amount + 1", "1"),
    ("refunds", "finished_at", "NULL", "1"),
    (
        "idempotency_keys",
        "key",
        "'another'",
        "attempt_id IS NULL OR attempt_id NOT IN
      (SELECT attempt_id FROM payments WHERE state = 'late')",
    ),
    (
        "idempotency_keys",
        "operation",
        "CASE operation WHEN 'order' THEN 'payment' ELSE 'order' END",
        "1",
    ),
    ("idempotency_keys", "user_id", "'mallory'", "1"),
    ("idempotency_keys", "fingerprint", "x'00'", "1"),
    ("idempotency_keys", "order_id", "order_id + 1000000", "1"),
    (
        "idempotency_keys",
        "attempt_id",
        "COALESCE(attempt_id, 0) + 1000000",
        "1",
    ),
];

/// Changes one row; false when the table has none to change.
fn corrupt_one(site: &Site, change: &Change, row: usize) -> bool {
    let (table, column, value, rows) = *change;
    let connection = Connection::open(site.store()).unwrap();
    let count = format!("SELECT COUNT(*) FROM {table} WHERE {rows}");
    let count: i64 = connection.query_row(&count, (), |row| row.get(0)).unwrap();
    drop(connection);
    if count == 0 {
        return false;
    }
    let key = match table {
        "cart_lines" => "cart_id, product_id",
        "order_lines" => "order_id, product_id",
        "payments" | "refunds" => "order_id, attempt_id",
        "idempotency_keys" => "key, operation, user_id",
        _ => "rowid",
    };
    let offset = row % usize::try_from(count).unwrap();
    let sql = format!(
        "UPDATE {table} SET {column} = {value} WHERE ({key}) IN (
           SELECT {key} FROM {table} WHERE {rows} ORDER BY {key} LIMIT 1 OFFSET {offset})"
    );
    assert_eq!(site.corrupt(&sql), 1, "{sql}");
    true
}

#[test]
fn every_covered_column_of_the_scene_is_caught() {
    for change in COVERED {
        let site = World::scene().write();
        assert!(corrupt_one(&site, change, 0), "{change:?}");
        assert!(
            !failed(&site.audit()).is_empty(),
            "{change:?} was not caught"
        );
    }
}

/// The same cases in every run, unless the environment names a seed; `PROPTEST_CASES` runs more.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(11);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn right_histories_pass(world in history(), settle: bool) {
        let mut world = world;
        if settle {
            world.settle();
        }
        let mut site = world.write();
        site.options.settled_required = settle;
        assert_failed(&site.audit(), &[], "a right history");
    }

    #[test]
    fn a_change_of_one_row_is_caught(
        world in history(),
        change in prop::sample::select(COVERED),
        row in 0_usize..1_000,
    ) {
        let mut world = world;
        world.settle();
        let site = world.write();
        if corrupt_one(&site, &change, row) {
            prop_assert!(!failed(&site.audit()).is_empty(), "{:?} was not caught", change);
        }
    }
}
