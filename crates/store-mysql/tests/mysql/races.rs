//! Several shops on one database.

use std::sync::Arc;
use std::time::Duration;

use double11_servers::{MariaDb, Tool};
use double11_store::conformance::{Conditions, PAYMENT_WINDOW};
use double11_store::{
    Clock as _, FinalizeOutcome, GatewayAnswer, Levers, OrderLines, OrderState, PayOutcome,
    PayRefusal, PlaceOutcome, PlaceRefusal, PreparePayment, Store, Variant,
};
use double11_store_mysql::MysqlStore;
use mysql::prelude::Queryable as _;
use tokio::task::JoinSet;

use crate::common::{
    Fresh, add, answered, assert_sound, beside, changed, connect, needs, number, open, order, pay,
    placed, server,
};

/// Three shops with these levers on one database.
fn shops(conditions: &Conditions, levers: [Levers; 3]) -> (Fresh, Vec<Arc<MysqlStore>>) {
    let first = open(server(), conditions, levers[0]);
    let shops = levers
        .iter()
        .map(|levers| Arc::new(beside(&first.url, conditions, *levers)))
        .collect();
    (first, shops)
}

fn mixed() -> [Levers; 3] {
    [
        Variant::Optimized.levers(),
        Variant::Optimized.levers(),
        Variant::Tuned.levers(),
    ]
}

/// All outcomes of orders that are asked for at once, each at the next shop.
async fn place_all(
    shops: &[Arc<MysqlStore>],
    commands: impl IntoIterator<Item = double11_store::PlaceOrder>,
) -> Vec<PlaceOutcome> {
    let mut tasks = JoinSet::new();
    for (number, command) in commands.into_iter().enumerate() {
        tasks.spawn(shops[number % shops.len()].place_order(command));
    }
    let outcomes = tasks.join_all().await;
    outcomes.into_iter().map(Result::unwrap).collect()
}

fn count(outcomes: &[PlaceOutcome], is: impl Fn(&PlaceOutcome) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(outcome)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flash_sale_at_three_shops_sells_exactly_the_stock() {
    let conditions = Conditions::with_stock(&[50, 300]);
    let (fresh, shops) = shops(&conditions, mixed());
    let buyers = (0..300).map(|buyer| order(&buyer.to_string(), &[(1, 1), (2, 1)], None));
    let outcomes = place_all(&shops, buyers).await;
    assert_eq!(
        count(&outcomes, |outcome| matches!(
            outcome,
            PlaceOutcome::Placed(_)
        )),
        50
    );
    assert_eq!(
        count(&outcomes, |outcome| matches!(
            outcome,
            PlaceOutcome::Refused(PlaceRefusal::SoldOut(_))
        )),
        250
    );
    assert_eq!(fresh.figures().await.unwrap().reserved_units, 100);
    assert_sound(&fresh.url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_at_three_shops_is_one_order_even_of_the_last_piece() {
    // One piece: whoever comes second finds nothing left and must still tell the first answer.
    for pieces in [1, 50] {
        let conditions = Conditions::with_stock(&[pieces]);
        let (fresh, shops) = shops(&conditions, mixed());
        let command = order("a", &[(1, 1)], Some("k"));
        let outcomes = place_all(&shops, std::iter::repeat_n(command, 48)).await;
        let placed = count(&outcomes, |outcome| {
            matches!(outcome, PlaceOutcome::Placed(_))
        });
        let replayed = count(&outcomes, |outcome| {
            matches!(outcome, PlaceOutcome::Replayed(_))
        });
        assert_eq!((placed, replayed), (1, 47), "{outcomes:?}");
        assert_eq!(fresh.figures().await.unwrap().reserved_units, 1);
        assert_sound(&fresh.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shops_that_sweep_expire_each_order_once_and_never_a_paid_one() {
    let conditions = Conditions::with_stock(&[60]);
    let (fresh, shops) = shops(&conditions, mixed());
    let mut orders = Vec::new();
    for buyer in 0..60 {
        orders.push(placed(&*fresh, order(&buyer.to_string(), &[(1, 1)], None)).await);
    }
    conditions
        .clock
        .advance(PAYMENT_WINDOW.saturating_sub(Duration::from_millis(1)));
    // A third is being paid when the window ends; the payments of the others come too late.
    let mut attempts = Vec::new();
    for receipt in orders.iter().step_by(3) {
        attempts.push(crate::common::prepared(&*fresh, pay(receipt.order_id, 1)).await);
    }
    conditions.clock.advance(Duration::from_millis(1));
    let mut payments = JoinSet::new();
    for (number, receipt) in orders.iter().enumerate() {
        payments.spawn(shops[number % 3].prepare_payment(pay(receipt.order_id, 1)));
    }
    let mut captures = JoinSet::new();
    for (number, attempt) in attempts.iter().enumerate() {
        let captured = answered(attempt, GatewayAnswer::Captured);
        captures.spawn(shops[number % 3].finalize_payment(captured));
    }
    let mut sweeps = JoinSet::new();
    for number in 0..9 {
        sweeps.spawn(shops[number % 3].expire_due(10));
    }
    let swept: u32 = sweeps
        .join_all()
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    for outcome in payments.join_all().await {
        let PayOutcome::Refused(PayRefusal::OrderClosed(_)) = outcome.unwrap() else {
            unreachable!("no payment is taken after the window");
        };
    }
    for outcome in captures.join_all().await {
        assert!(matches!(
            outcome.map(|ended| ended.outcome),
            Ok(FinalizeOutcome::Captured(_))
        ));
    }
    let rest = shops[0].expire_due(100).await.unwrap();
    assert_eq!(swept + rest, 40, "each order expires once");
    for (number, receipt) in orders.iter().enumerate() {
        let view = fresh.order(receipt.order_id).await.unwrap().unwrap();
        let expected = if number % 3 == 0 {
            OrderState::Paid
        } else {
            OrderState::Expired
        };
        assert_eq!(view.order.state, expected);
    }
    assert_sound(&fresh.url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cart_that_shops_share_loses_nothing_and_becomes_one_order() {
    let conditions = Conditions::with_stock(&[900, 900]);
    let (fresh, shops) = shops(&conditions, mixed());
    let cart = changed(&*fresh, add(None, 1, 1)).await;
    let mut changes = JoinSet::new();
    for number in 0..60 {
        let product = 1 + i64::from(number % 2 == 0);
        let shop = &shops[number % 3];
        changes.spawn(shop.add_to_cart(add(Some(cart.cart_id), product, 1)));
    }
    for outcome in changes.join_all().await {
        outcome.unwrap();
    }
    let full = fresh.cart(cart.cart_id).await.unwrap().unwrap();
    let pieces: Vec<u32> = full.lines.iter().map(|line| line.quantity.get()).collect();
    assert_eq!((pieces, full.version), (vec![31, 30], 61));
    let mut command = order("a", &[], None);
    command.lines = OrderLines::Cart(cart.cart_id);
    let outcomes = place_all(&shops, std::iter::repeat_n(command, 12)).await;
    let placed = count(&outcomes, |outcome| {
        matches!(outcome, PlaceOutcome::Placed(_))
    });
    let refused = count(&outcomes, |outcome| {
        matches!(
            outcome,
            PlaceOutcome::Refused(PlaceRefusal::CartAlreadyOrdered(_))
        )
    });
    assert_eq!((placed, refused), (1, 11));
    assert_sound(&fresh.url);
}

/// Whoever waited for a lock writes when it had it, not when it asked: else what was written meanwhile
/// would seem to be of later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_for_a_lock_is_of_the_time_after_it() {
    for variant in [Variant::Baseline, Variant::Optimized] {
        let conditions = Conditions::with_stock(&[9]);
        let fresh = open(server(), &conditions, variant.levers());
        let first = placed(&*fresh, order("a", &[(1, 1)], None)).await;
        let lock = &mut connect(&fresh.url);
        for (held, written) in [
            ("stock", "SELECT MAX(created_at) FROM orders"),
            ("orders", "SELECT MAX(closed_at) FROM orders"),
        ] {
            lock.query_drop("BEGIN").unwrap();
            lock.query_drop(format!("SELECT * FROM {held} FOR UPDATE"))
                .unwrap();
            let before = fresh.store.round_trips();
            let waiting = if held == "stock" {
                let placing = fresh.place_order(order("b", &[(1, 1)], None));
                tokio::spawn(async move { placing.await.map(drop) })
            } else {
                let cancelling = fresh.cancel_order(first.order_id);
                tokio::spawn(async move { cancelling.await.map(drop) })
            };
            // It has begun, and cannot get further than to the lock.
            while fresh.store.round_trips() < before + 2 {
                tokio::task::yield_now().await;
            }
            conditions.clock.advance(Duration::from_secs(1));
            lock.query_drop("COMMIT").unwrap();
            waiting.await.unwrap().unwrap();
            let now = conditions.clock.now().get();
            assert_eq!(number(lock, written), now, "{variant:?}, {held}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_policy_oversells() {
    let conditions = Conditions::with_stock(&[20]);
    let fresh = open(server(), &conditions, Variant::Tuned.levers());
    let clock = Arc::clone(&conditions.clock) as Arc<dyn double11_store::Clock>;
    let mut options = crate::common::options(&fresh.url, Variant::Optimized.levers(), clock);
    options.stock_policy = double11_store::StockPolicy::ReadThenWrite;
    let shop = Arc::new(MysqlStore::open(options).unwrap());
    let buyers = (0..200).map(|buyer| order(&buyer.to_string(), &[(1, 1)], None));
    let outcomes = place_all(&[shop], buyers).await;
    let placed = count(&outcomes, |outcome| {
        matches!(outcome, PlaceOutcome::Placed(_))
    });
    assert!(placed > 20, "only {placed} orders for 20 pieces");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hope_that_fails_is_an_exact_answer() {
    crate::hopes::fail(crate::common::database(server())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shops_sell_out_what_they_hoped_for_exactly() {
    crate::hopes::end(crate::common::database(server())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_because_of_what_is_remembered() {
    crate::hopes::low(crate::common::database(server())).await;
}

/// Everybody locks in one order, also what is locked only by the update at the end of a group.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_of_several_shops_meet_no_deadlock() {
    const PRODUCTS: i64 = 12;
    needs(Tool::MariaDb);
    let server = MariaDb::start_unsynced(&[]).unwrap();
    // Every third product is scarce, and is locked when it is ordered.
    let stock: Vec<u32> = (0..PRODUCTS)
        .map(|id| if id % 3 == 0 { 99 } else { 1_000_000 })
        .collect();
    let conditions = Conditions::with_stock(&stock);
    let first = open(&server, &conditions, Variant::Optimized.levers());
    let shops: Vec<Arc<MysqlStore>> = (0..3)
        .map(|_| Arc::new(beside(&first.url, &conditions, Variant::Optimized.levers())))
        .collect();
    for shop in &shops {
        shop.catalogue().await.unwrap();
    }
    let mut buyers = JoinSet::new();
    for buyer in 0..24_i64 {
        let shop = Arc::clone(&shops[usize::try_from(buyer).unwrap() % 3]);
        buyers.spawn(async move {
            for round in 0..40 {
                let number = buyer * 40 + round;
                let (one, other) = (number * 7 % PRODUCTS, number * 5 % (PRODUCTS - 1));
                let other = if other == one { PRODUCTS - 1 } else { other };
                let items = [(1 + one, 1), (1 + other, 1)];
                let command = order(&buyer.to_string(), &items, Some(&round.to_string()));
                let PlaceOutcome::Placed(receipt) = shop.place_order(command).await.unwrap() else {
                    continue;
                };
                if number % 2 == 0 {
                    shop.cancel_order(receipt.order_id).await.unwrap();
                } else {
                    let whole = PreparePayment {
                        amount: receipt.total,
                        ..pay(receipt.order_id, 1)
                    };
                    let attempt = crate::common::prepared(&*shop, whole).await;
                    let captured = answered(&attempt, GatewayAnswer::Captured);
                    shop.finalize_payment(captured).await.unwrap();
                }
            }
        });
    }
    buyers.join_all().await;
    let met = server
        .sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
        .unwrap();
    assert_eq!(met.split_whitespace().last(), Some("0"), "deadlocks");
    assert_sound(&first.url);
}
