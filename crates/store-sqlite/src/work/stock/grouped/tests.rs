//! Groups against a plain model, with rows that are folded whenever they are due.

use std::collections::BTreeMap;

use double11_store::OrderLine;
use double11_units::{Currency, Money, ProductId, Quantity};
use proptest::prelude::*;
use rusqlite::Connection;

use super::super::changes;
use super::{FEW, GroupedStock, StockMoves as _};

const PRODUCTS: i64 = 24;
const RECEIVED: i64 = 6;

fn product(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

fn line(id: i64, quantity: i64) -> OrderLine {
    OrderLine {
        product_id: product(id),
        quantity: Quantity::new(u32::try_from(quantity).unwrap()).unwrap(),
        unit_price: Money::from_minor(100, Currency::Cny),
    }
}

fn store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let tables = include_str!("../../../tables.sql");
    connection.execute_batch(tables).unwrap();
    for id in 1..=PRODUCTS {
        connection
            .execute(
                "INSERT INTO stock VALUES (?1, ?2, ?2, 0, 0)",
                [id, RECEIVED],
            )
            .unwrap();
    }
    connection
}

/// Received, available, reserved, sold.
type Levels = BTreeMap<i64, [i64; 4]>;

fn rows(connection: &Connection) -> Levels {
    let sql = "SELECT product_id, received, available, reserved, sold FROM stock";
    let mut statement = connection.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        let numbers = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get(0)?, numbers))
    };
    let rows = statement.query_map([], read).unwrap();
    rows.map(Result::unwrap).collect()
}

/// As `docs/SCHEMA.md` defines them.
fn levels(connection: &Connection) -> Levels {
    let mut levels = rows(connection);
    for (id, change) in changes::unfolded(connection).unwrap() {
        let [_, available, reserved, sold] = levels.get_mut(&id).unwrap();
        *available += change.available();
        *reserved += change.reserved;
        *sold += change.sold;
    }
    levels
}

fn count(connection: &Connection) -> i64 {
    let sql = "SELECT COUNT(*) FROM stock_changes";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[derive(Clone, Debug)]
enum Move {
    Reserve(Vec<(i64, i64)>),
    /// Of what is reserved of a product, one piece.
    Release(i64),
    Sell(i64),
    Receive(i64, u32),
}

fn a_move() -> impl Strategy<Value = Move> {
    let id = 1..=PRODUCTS;
    prop_oneof![
        6 => prop::collection::btree_map(id.clone(), 1_i64..4, 1..9)
            .prop_map(|items| Move::Reserve(items.into_iter().collect())),
        2 => id.clone().prop_map(Move::Release),
        2 => id.clone().prop_map(Move::Sell),
        1 => (id, 1_u32..4).prop_map(|(id, pieces)| Move::Receive(id, pieces)),
    ]
}

/// Does a move to the stock and to the model.
fn carry_out(stock: &mut GroupedStock, connection: &Connection, model: &mut Levels, step: &Move) {
    match step {
        Move::Reserve(items) => {
            let lines: Vec<OrderLine> = items
                .iter()
                .map(|(id, pieces)| line(*id, *pieces))
                .collect();
            let short = items.iter().find(|(id, pieces)| model[id][1] < *pieces);
            let found = stock.reserve(connection, &lines).unwrap();
            assert_eq!(found, short.map(|(id, _)| product(*id)));
            if short.is_none() {
                for (id, pieces) in items {
                    let level = model.get_mut(id).unwrap();
                    level[1] -= pieces;
                    level[2] += pieces;
                }
            }
        }
        Move::Release(id) | Move::Sell(id) if model[id][2] == 0 => {}
        Move::Release(id) => {
            stock.release(connection, &line(*id, 1)).unwrap();
            let level = model.get_mut(id).unwrap();
            level[1] += 1;
            level[2] -= 1;
        }
        Move::Sell(id) => {
            stock.sell(connection, &line(*id, 1)).unwrap();
            let level = model.get_mut(id).unwrap();
            level[2] -= 1;
            level[3] += 1;
        }
        Move::Receive(id, pieces) => {
            assert!(stock.receive(connection, product(*id), *pieces).unwrap());
            let level = model.get_mut(id).unwrap();
            level[0] += i64::from(*pieces);
            level[1] += i64::from(*pieces);
        }
    }
}

/// Runs a group; rolls back what is not to be stored.
fn group(
    stock: &mut GroupedStock,
    connection: &Connection,
    model: &mut Levels,
    moves: &[Move],
    is_stored: bool,
) {
    let before = model.clone();
    connection.execute_batch("BEGIN").unwrap();
    for step in moves {
        carry_out(stock, connection, model, step);
    }
    stock.flush(connection).unwrap();
    connection
        .execute_batch(if is_stored { "COMMIT" } else { "ROLLBACK" })
        .unwrap();
    stock.end(is_stored);
    if !is_stored {
        *model = before;
    }
}

proptest! {
    #[test]
    fn levels_are_those_of_a_plain_model(
        groups in prop::collection::vec(
            (prop::collection::vec(a_move(), 0..8), prop::bool::weighted(0.85)), 1..40),
        defers in prop::bool::weighted(0.9),
    ) {
        let connection = store();
        let mut stock = GroupedStock::new(defers);
        let mut model = levels(&connection);
        for (moves, is_stored) in &groups {
            group(&mut stock, &connection, &mut model, moves, *is_stored);
            prop_assert_eq!(&levels(&connection), &model);
            for (id, row) in rows(&connection) {
                // What readers ask for, and the rule of the table.
                prop_assert_eq!(row[1] > 0, model[&id][1] > 0, "product {}", id);
                prop_assert_eq!(row[0], row[1] + row[2] + row[3]);
            }
            prop_assert!(defers || count(&connection) == 0);
        }
        changes::fold_everything(&connection).unwrap();
        prop_assert_eq!(rows(&connection), model);
        prop_assert_eq!(count(&connection), 0);
    }
}

fn reserve(ids: std::ops::RangeInclusive<i64>) -> Vec<Move> {
    vec![Move::Reserve(ids.map(|id| (id, 1)).collect())]
}

#[test]
fn a_large_group_appends_one_row_and_no_update() {
    let connection = store();
    let mut stock = GroupedStock::new(true);
    let mut model = levels(&connection);
    let before = rows(&connection);
    group(
        &mut stock,
        &connection,
        &mut model,
        &reserve(1..=PRODUCTS),
        true,
    );
    assert_eq!(rows(&connection), before);
    assert_eq!(count(&connection), 1);
    assert_eq!(levels(&connection), model);
}

#[test]
fn a_small_group_needs_no_row() {
    let connection = store();
    let mut stock = GroupedStock::new(true);
    let mut model = levels(&connection);
    let few = i64::try_from(FEW).unwrap();
    group(&mut stock, &connection, &mut model, &reserve(1..=few), true);
    assert_eq!(rows(&connection), model);
    assert_eq!(count(&connection), 0);
}

#[test]
fn rows_of_changes_are_deleted_as_the_sweep_goes_on() {
    let connection = store();
    let mut stock = GroupedStock::new(true);
    let mut model = levels(&connection);
    let mut most = 0;
    for turn in 0..400 {
        let ids = 1 + turn % 3..=PRODUCTS;
        let (pieces, back) = (reserve(ids.clone()), ids.map(Move::Release).collect());
        let moves: Vec<Move> = if turn % 2 == 0 { pieces } else { back };
        group(&mut stock, &connection, &mut model, &moves, true);
        most = most.max(count(&connection));
    }
    // A sweep over 24 products takes 6 to 7 groups, and rows live through two of them.
    assert!((2..=16).contains(&most), "{most} rows");
    for _ in 0..20 {
        // Groups that move little, or nothing, fold what is left.
        group(
            &mut stock,
            &connection,
            &mut model,
            &[Move::Receive(1, 1)],
            true,
        );
    }
    assert_eq!(rows(&connection), model);
    assert_eq!(count(&connection), 0);
}
