//! Faults: connections killed and cut, deadlocks, locks that are not free, a server that dies or hangs.

use std::sync::Arc;
use std::time::Duration;

use double11_servers::{CutPoint, MariaDb, Proxy, Tool};
use double11_store::conformance::Conditions;
use double11_store::{Levers, PlaceOutcome, Stopwatch, Store, StoreError, Variant};
use double11_store_mysql::MysqlStore;
use mysql::Conn;
use mysql::prelude::Queryable;

use crate::common::{
    Fresh, assert_sound, beside, connect, database, needs, number, open, open_at, order, pay,
    placed, server,
};

/// How long a fast answer may take on a busy machine.
const FAST: Duration = Duration::from_millis(500);

fn orders_in(conn: &mut Conn) -> i64 {
    number(conn, "SELECT COUNT(*) FROM orders")
}

/// A shop behind a proxy, and a connection that goes around it.
fn behind_proxy(levers: Levers) -> (Fresh, Proxy, Conn) {
    let url = database(server());
    let direct = connect(&url);
    let proxy = Proxy::start(server().port()).unwrap();
    let conditions = Conditions::with_stock(&[1_000]);
    let fresh = open_at(proxy.through(&url), &conditions, levers);
    (fresh, proxy, direct)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_heard_and_not_answered_is_answered_once_it_is_known() {
    let (fresh, proxy, mut direct) = behind_proxy(Variant::Optimized.levers());
    placed(&*fresh, order("w", &[(1, 1)], None)).await;
    for (number, point) in [CutPoint::After, CutPoint::Before]
        .into_iter()
        .cycle()
        .take(6)
        .enumerate()
    {
        proxy.cut_when(b"COMMIT", point);
        let key = number.to_string();
        let receipt = placed(&*fresh, order("a", &[(1, 1)], Some(&key))).await;
        assert_eq!(proxy.cuts(), number as u64 + 1, "the connection was cut");
        let again = fresh.place_order(order("a", &[(1, 1)], Some(&key))).await;
        assert_eq!(again.unwrap(), PlaceOutcome::Replayed(receipt));
    }
    assert_eq!(orders_in(&mut direct), 7);
    assert_sound(&fresh.url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_groups_a_lost_commit_is_an_unknown_outcome_that_the_key_resolves() {
    let (fresh, proxy, mut direct) = behind_proxy(Variant::Tuned.levers());
    // A new connection asks for READ-COMMITTED, which holds the word that is waited for.
    placed(&*fresh, order("w", &[(1, 1)], None)).await;
    for (key, point, is_stored) in [("1", CutPoint::After, true), ("2", CutPoint::Before, false)] {
        proxy.cut_when(b"COMMIT", point);
        let command = order("a", &[(1, 1)], Some(key));
        let lost = fresh.place_order(command.clone()).await;
        assert!(matches!(lost, Err(StoreError::OutcomeUnknown)), "{lost:?}");
        match fresh.place_order(command).await.unwrap() {
            PlaceOutcome::Replayed(_) => assert!(is_stored),
            PlaceOutcome::Placed(_) => assert!(!is_stored),
            PlaceOutcome::Refused(refusal) => unreachable!("{refusal:?}"),
        }
    }
    assert_eq!(orders_in(&mut direct), 3);
    assert_sound(&fresh.url);
}

/// Waits until some connection of the store waits for a lock; tells which.
fn waiting_for_lock(conn: &mut Conn) -> u64 {
    let since = Stopwatch::start();
    loop {
        let found: Option<u64> = conn
            .query_first(
                "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx \
                 WHERE trx_state = 'LOCK WAIT'",
            )
            .unwrap();
        if let Some(id) = found {
            return id;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "nobody waits");
        // The table is renewed only when nobody has read it for 100 ms.
        std::thread::park_timeout(Duration::from_millis(120));
    }
}

/// A database of its own server, because other tests wait for locks as well.
struct Alone {
    server: MariaDb,
    fresh: Fresh,
    root: Conn,
}

fn alone(stock: &[u32], levers: Levers) -> Alone {
    needs(Tool::MariaDb);
    let server = MariaDb::start().unwrap();
    let fresh = open(&server, &Conditions::with_stock(stock), levers);
    let name = fresh.url.rsplit('/').next().unwrap();
    let root = connect(&server.root_url(name));
    Alone {
        server,
        fresh,
        root,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_killed_deadlocks_and_locks_that_are_not_free() {
    for levers in [Variant::Optimized.levers(), Variant::Tuned.levers()] {
        let mut alone = alone(&[100, 100, 100], levers);
        let store = &*alone.fresh;
        let root = &mut alone.root;
        let mut holder = connect(&alone.fresh.url);
        placed(store, order("w", &[(1, 1), (2, 1)], None)).await;
        // The connection is killed in the middle of a group.
        holder.query_drop("BEGIN").unwrap();
        holder
            .query_drop("SELECT * FROM stock WHERE product_id = 1 FOR UPDATE")
            .unwrap();
        let answer = tokio::spawn(store.place_order(order("a", &[(1, 1)], Some("k"))));
        let waiting = tokio::task::block_in_place(|| waiting_for_lock(root));
        root.query_drop(format!("KILL CONNECTION {waiting}"))
            .unwrap();
        holder.query_drop("COMMIT").unwrap();
        let outcome = answer.await.unwrap().unwrap();
        assert!(matches!(outcome, PlaceOutcome::Placed(_)), "{outcome:?}");

        // A deadlock, in which the store's transaction is the smaller one and therefore the victim.
        holder.query_drop("BEGIN").unwrap();
        holder
            .query_drop("UPDATE products SET name_en = CONCAT(name_en, '!')")
            .unwrap();
        holder
            .query_drop("UPDATE stock SET received = received + 1, available = available + 1 WHERE product_id = 2")
            .unwrap();
        let answer = tokio::spawn(store.place_order(order("b", &[(1, 1), (2, 1)], None)));
        tokio::task::block_in_place(|| waiting_for_lock(root));
        holder
            .query_drop("UPDATE stock SET received = received + 1, available = available + 1 WHERE product_id = 1")
            .unwrap();
        holder.query_drop("COMMIT").unwrap();
        let outcome = answer.await.unwrap().unwrap();
        assert!(matches!(outcome, PlaceOutcome::Placed(_)), "{outcome:?}");

        // A lock that comes free after the first wait has run out.
        holder.query_drop("BEGIN").unwrap();
        holder
            .query_drop("SELECT * FROM stock WHERE product_id = 1 FOR UPDATE")
            .unwrap();
        let answer = tokio::spawn(store.place_order(order("c", &[(1, 1)], None)));
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        holder.query_drop("COMMIT").unwrap();
        let outcome = answer.await.unwrap().unwrap();
        assert!(matches!(outcome, PlaceOutcome::Placed(_)), "{outcome:?}");
        assert_eq!(orders_in(root), 4);
        assert_sound(&alone.fresh.url);
        drop(alone.server);
    }
}

/// A lock that does not come free: the store says that it is busy, and goes on afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_never_comes_free_makes_busy() {
    let fresh = open(
        server(),
        &Conditions::with_stock(&[9, 9]),
        Variant::Optimized.levers(),
    );
    let mut holder = connect(&fresh.url);
    holder.query_drop("BEGIN").unwrap();
    holder
        .query_drop("SELECT * FROM stock WHERE product_id = 1 FOR UPDATE")
        .unwrap();
    let since = Stopwatch::start();
    let held = fresh.place_order(order("a", &[(1, 1)], None)).await;
    assert!(matches!(held, Err(StoreError::Busy)), "{held:?}");
    assert!(since.elapsed() < Duration::from_secs(9), "{since:?}");
    placed(&*fresh, order("a", &[(2, 1)], None)).await;
    holder.query_drop("COMMIT").unwrap();
    placed(&*fresh, order("a", &[(1, 1)], None)).await;
}

/// What the database cannot take fails alone; the others of its group are stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisonous_command_fails_alone() {
    let fresh = open(
        server(),
        &Conditions::with_stock(&[99, 9]),
        Variant::Optimized.levers(),
    );
    let paid = placed(&*fresh, order("p", &[(2, 1)], None)).await;
    let mut holder = connect(&fresh.url);
    holder.query_drop("BEGIN").unwrap();
    holder
        .query_drop("SELECT * FROM stock WHERE product_id = 1 FOR UPDATE")
        .unwrap();
    let mut answers = Vec::new();
    for number in 0..20 {
        answers.push(fresh.place_order(order("a", &[(1, 1)], Some(&number.to_string()))));
    }
    let mut poison = pay(paid.order_id, 2);
    poison.gateway = "a name that is longer than the sixty-four letters that the column may hold";
    let poisoned = fresh.prepare_payment(poison);
    for number in 20..40 {
        answers.push(fresh.place_order(order("a", &[(1, 1)], Some(&number.to_string()))));
    }
    holder.query_drop("COMMIT").unwrap();
    for answer in answers {
        let outcome = answer.await;
        assert!(
            matches!(outcome, Ok(PlaceOutcome::Placed(_))),
            "{outcome:?}"
        );
    }
    let refused = poisoned.await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(fresh.figures().await.unwrap().reserved_units, 41);
    assert_sound(&fresh.url);
}

/// Asks until the store answers again.
async fn recovered(store: &dyn Store) {
    let since = Stopwatch::start();
    while let Err(error) = store.ping().await {
        assert!(
            since.elapsed() < Duration::from_secs(20),
            "the store did not come back: {error}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every request fails at once.
async fn fails_fast(store: &MysqlStore) {
    for _ in 0..3 {
        let since = Stopwatch::start();
        let refused = store.place_order(order("x", &[(1, 1)], None)).await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
        let read = store.catalogue().await;
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        assert!(since.elapsed() < FAST, "{since:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_takes_no_acknowledged_order_with_it() {
    for levers in [Variant::Optimized.levers(), Variant::Baseline.levers()] {
        let alone = alone(&[100_000], levers);
        let store = Arc::new(beside(
            &alone.fresh.url,
            &Conditions::with_stock(&[]),
            levers,
        ));
        let mut buyers = tokio::task::JoinSet::new();
        for buyer in 0..8 {
            let store = Arc::clone(&store);
            buyers.spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    let command = order(&buyer.to_string(), &[(1, 1)], Some(&number.to_string()));
                    match store.place_order(command).await {
                        Ok(PlaceOutcome::Placed(receipt)) => acknowledged.push(receipt.order_id),
                        Ok(other) => unreachable!("{other:?}"),
                        Err(_) => break,
                    }
                }
                acknowledged
            });
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::task::block_in_place(|| alone.server.kill());
        let acknowledged: Vec<_> = buyers.join_all().await.into_iter().flatten().collect();
        assert!(!acknowledged.is_empty());
        fails_fast(&store).await;
        tokio::task::block_in_place(|| alone.server.restart()).unwrap();
        recovered(&*store).await;
        for order_id in &acknowledged {
            assert!(store.order(*order_id).await.unwrap().is_some());
        }
        placed(&*store, order("after", &[(1, 1)], Some("k"))).await;
        assert_sound(&alone.fresh.url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_noticed_and_left_alone_until_it_answers() {
    let alone = alone(&[100], Variant::Optimized.levers());
    let store = &alone.fresh.store;
    placed(store, order("a", &[(1, 1)], None)).await;
    alone.server.pause();
    let since = Stopwatch::start();
    let hung = store.place_order(order("b", &[(1, 1)], Some("k"))).await;
    assert!(hung.is_err(), "{hung:?}");
    assert!(since.elapsed() < Duration::from_secs(8), "{since:?}");
    // It may only have been slow: a ping of 2 s tells, for which the next one waits.
    let next = Stopwatch::start();
    let waited = store.place_order(order("c", &[(1, 1)], None)).await;
    assert!(
        matches!(waited, Err(StoreError::Unavailable(_))),
        "{waited:?}"
    );
    assert!(next.elapsed() < Duration::from_secs(4), "{next:?}");
    fails_fast(store).await;
    alone.server.resume();
    recovered(store).await;
    let outcome = store.place_order(order("b", &[(1, 1)], Some("k"))).await;
    assert!(
        matches!(
            outcome,
            Ok(PlaceOutcome::Placed(_) | PlaceOutcome::Replayed(_))
        ),
        "{outcome:?}"
    );
    assert_sound(&alone.fresh.url);
}
