//! The world's rows, in tables made by the SQL of `docs/SCHEMA.md`.

use rusqlite::{Connection, Transaction, params};

use super::{WINDOW, World};

const SCHEMA_PAGE: &str = include_str!("../../../../../docs/SCHEMA.md");

fn sql_block(place: usize) -> &'static str {
    let block = SCHEMA_PAGE
        .split("```sql\n")
        .nth(place + 1)
        .expect("the page has two SQL blocks");
    block.split("```").next().unwrap()
}

fn schema_table_sql() -> &'static str {
    sql_block(0)
}

pub(crate) fn schema_index_sql() -> &'static str {
    sql_block(1)
}

pub(super) fn write(world: &World, connection: &mut Connection) {
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             PRAGMA application_id = 0x44313131; PRAGMA user_version = 2;",
        )
        .unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch(schema_table_sql()).unwrap();
    let count = i64::try_from(world.products.len()).unwrap();
    transaction
        .execute(
            "INSERT INTO shop VALUES (1, ?1, 7, ?2, 0)",
            params![world.currency, count],
        )
        .unwrap();
    write_products(world, &transaction);
    write_orders(world, &transaction);
    write_payments(world, &transaction);
    write_carts(world, &transaction);
    transaction.commit().unwrap();
}

fn write_products(world: &World, transaction: &Transaction<'_>) {
    let held = |id: i64, paid: bool| -> i64 {
        world
            .orders
            .iter()
            .filter(|order| order.closed.is_none() && (order.state == "paid") == paid)
            .filter_map(|order| order.items.get(&id))
            .sum()
    };
    for (id, product) in &world.products {
        transaction
            .execute(
                "INSERT INTO products VALUES (?1, '手機', 'phone', '手機', ?2)",
                [*id, product.price],
            )
            .unwrap();
        let (reserved, sold) = (held(*id, false), held(*id, true));
        let available = product.received - reserved - sold;
        transaction
            .execute(
                "INSERT INTO stock VALUES (?1, ?2, ?3, ?4, ?5)",
                [*id, product.received, available, reserved, sold],
            )
            .unwrap();
    }
}

fn write_orders(world: &World, transaction: &Transaction<'_>) {
    for order in &world.orders {
        transaction
            .execute(
                "INSERT INTO orders VALUES (?1, ?2, ?3, 'card', ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    order.id,
                    order.user,
                    order.cart,
                    order.state,
                    order.total,
                    world.captured(order.id),
                    world.processing(order.id),
                    order.created,
                    order.created + WINDOW,
                    order.closed,
                ],
            )
            .unwrap();
        for (product, quantity) in &order.items {
            transaction
                .execute(
                    "INSERT INTO order_lines VALUES (?1, ?2, ?3, ?4)",
                    [order.id, *product, *quantity, world.products[product].price],
                )
                .unwrap();
        }
    }
    for key in &world.keys {
        let operation = if key.attempt.is_some() {
            "payment"
        } else {
            "order"
        };
        transaction
            .execute(
                "INSERT INTO idempotency_keys VALUES (?1, ?2, ?3, zeroblob(16), ?4, ?5, ?6)",
                params![
                    key.text,
                    operation,
                    key.user,
                    key.order,
                    key.attempt,
                    world.now
                ],
            )
            .unwrap();
    }
}

fn write_payments(world: &World, transaction: &Transaction<'_>) {
    for attempt in &world.attempts {
        transaction
            .execute(
                "INSERT INTO payments VALUES (?1, ?2, ?3, 'sandbox', ?4, ?5, ?6, ?7, ?8)",
                params![
                    attempt.order,
                    attempt.id,
                    attempt.state,
                    attempt.amount,
                    attempt.order_state,
                    attempt.key,
                    attempt.created,
                    attempt.finished,
                ],
            )
            .unwrap();
        if let Some(refund) = &attempt.refund {
            let state = if refund.finished.is_some() {
                "done"
            } else {
                "pending"
            };
            transaction
                .execute(
                    "INSERT INTO refunds VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        attempt.order,
                        attempt.id,
                        state,
                        attempt.amount,
                        refund.created,
                        refund.finished,
                    ],
                )
                .unwrap();
        }
    }
}

fn write_carts(world: &World, transaction: &Transaction<'_>) {
    for cart in &world.carts {
        transaction
            .execute(
                "INSERT INTO carts VALUES (?1, NULL, ?2, 1, 0, ?3)",
                params![cart.id, cart.order, cart.updated],
            )
            .unwrap();
        for (product, quantity) in &cart.items {
            transaction
                .execute(
                    "INSERT INTO cart_lines VALUES (?1, ?2, ?3)",
                    [cart.id, *product, *quantity],
                )
                .unwrap();
        }
    }
}
