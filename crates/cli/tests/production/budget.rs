//! How many statements and round trips to Redis each route costs, exactly; docs/SCALING.md shows the same
//! table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::traffic::{Sent, Traffic};
use crate::visits::{Measured, Shop, measure};

/// A route, and what one request may send: of the baseline connections and statements, each a round trip; of the
/// optimised shop statements, round trips to the database and round trips to Redis, when it meets products and
/// carts for the first time, and afterwards.
type Row = (&'static str, [usize; 2], [usize; 3], [usize; 3]);

const BUDGET: [Row; 27] = [
    ("GET /api/products/random", [1, 2], [0, 0, 0], [0, 0, 0]),
    (
        "GET /api/products/{product_id}",
        [1, 2],
        [0, 0, 0],
        [0, 0, 0],
    ),
    ("GET /api/products", [1, 2], [0, 0, 0], [0, 0, 0]),
    ("GET /api/products?category=", [1, 2], [0, 0, 0], [0, 0, 0]),
    ("GET /api/search", [1, 3], [0, 0, 0], [0, 0, 0]),
    ("POST /api/cart: a new one", [1, 6], [5, 2, 1], [5, 2, 1]),
    (
        "POST /api/cart: one more line",
        [1, 8],
        [7, 5, 1],
        [7, 5, 1],
    ),
    ("GET /api/cart/{cart_id}", [1, 2], [1, 1, 2], [0, 0, 1]),
    (
        "DELETE /api/cart/{cart_id}/items/{product_id}",
        [1, 8],
        [7, 5, 1],
        [7, 5, 1],
    ),
    (
        "POST /api/orders: one line, no key",
        [1, 8],
        [6, 2, 0],
        [6, 2, 0],
    ),
    (
        "POST /api/orders: three lines, a key",
        [1, 12],
        [7, 2, 0],
        [7, 2, 0],
    ),
    (
        "POST /api/orders: the same again",
        [1, 4],
        [10, 5, 0],
        [10, 5, 0],
    ),
    ("POST /api/orders: a cart", [1, 11], [9, 5, 1], [9, 5, 1]),
    (
        "POST /api/orders: sold out, a key",
        [1, 7],
        [4, 4, 0],
        [4, 4, 0],
    ),
    (
        "POST /api/orders: sold out, no key",
        [1, 5],
        [0, 0, 0],
        [0, 0, 0],
    ),
    ("GET /api/orders/{order_id}", [1, 2], [1, 1, 0], [1, 1, 0]),
    (
        "POST /api/orders/{order_id}/cancel",
        [1, 8],
        [8, 6, 0],
        [8, 6, 0],
    ),
    (
        "POST /api/orders/{order_id}/cancel: paid in part",
        [1, 10],
        [10, 7, 0],
        [10, 7, 0],
    ),
    (
        "POST /api/payments: the whole, a key",
        [2, 18],
        [17, 11, 0],
        [17, 11, 0],
    ),
    (
        "POST /api/payments: a part, no key",
        [2, 13],
        [13, 9, 0],
        [13, 9, 0],
    ),
    (
        "POST /api/payments: the same again",
        [1, 5],
        [4, 4, 0],
        [4, 4, 0],
    ),
    (
        "POST /api/payments: no answer of the gateway",
        [2, 10],
        [9, 6, 0],
        [9, 6, 0],
    ),
    (
        "POST /api/payments/callbacks/{gateway}: news",
        [2, 12],
        [10, 7, 0],
        [10, 7, 0],
    ),
    (
        "POST /api/payments/callbacks/{gateway}: again",
        [1, 2],
        [1, 1, 0],
        [1, 1, 0],
    ),
    ("GET /actuator/health", [1, 2], [1, 1, 0], [1, 1, 0]),
    ("GET /actuator/prometheus", [0, 0], [0, 0, 0], [0, 0, 0]),
    ("GET /openapi.json", [0, 0], [0, 0, 0], [0, 0, 0]),
];

/// What a round of the background sends: of the baseline connections and statements, of the optimised shop
/// statements.
type Round = (&'static str, Option<[usize; 2]>, usize);

const ROUNDS: [Round; 5] = [
    ("expiry", Some([1, 4]), 3),
    ("open payments", Some([1, 2]), 1),
    ("open refunds", Some([1, 2]), 1),
    ("a confirmed refund", Some([1, 4]), 4),
    ("sold out", None, 1),
];

/// What a row of the table allows each shop, and what it sent: cold and warm.
fn compared<'shops>(
    row: &Row,
    baseline: &'shops Shop,
    optimized: &'shops Shop,
) -> [(&'static str, Sent, Sent, &'shops str); 4] {
    let (name, [connections, statements], cold, warm) = *row;
    let of = |measured: &'shops [Measured]| {
        let found = measured.iter().find(|it| it.0 == name);
        let found = found.unwrap_or_else(|| panic!("{name} was not asked"));
        (found.1, &*found.2)
    };
    let plain = Sent {
        connections,
        statements,
        trips: statements,
        ..Sent::default()
    };
    let fast = |[statements, trips, cache]: [usize; 3]| Sent {
        statements,
        trips,
        cache,
        ..Sent::default()
    };
    let [(first, first_log), (again, again_log)] =
        [&baseline.cold, &baseline.warm].map(|it| of(it));
    let [(mut new, new_log), (mut known, known_log)] =
        [&optimized.cold, &optimized.warm].map(|it| of(it));
    // Which statements are there already depends on the rows before, and on which of the writers took them:
    // each has a connection of its own. That none is prepared twice is asked of all rows together.
    new.prepared = 0;
    known.prepared = 0;
    [
        ("the baseline", plain, first, first_log),
        ("the baseline, again", plain, again, again_log),
        ("the optimised shop, cold", fast(cold), new, new_log),
        ("the optimised shop, warm", fast(warm), known, known_log),
    ]
}

/// Statements that a connection prepared more than once, with the connection's number.
fn prepared_twice(shop: &Shop) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    let measured = shop.cold.iter().chain(&shop.warm);
    let lines = measured.flat_map(|it| it.2.lines());
    let prepared = lines
        .map(str::trim)
        .filter(|line| line.contains(" Prepare\t"));
    prepared.filter(|line| !seen.insert(*line)).collect()
}

#[test]
fn every_route_keeps_to_its_budget() {
    let Some(mut traffic) = Traffic::start() else {
        return;
    };
    let baseline = measure(&mut traffic, "baseline");
    let optimized = measure(&mut traffic, "optimized");
    let mut over = String::new();
    for row in &BUDGET {
        for (shop, expected, sent, log) in compared(row, &baseline, &optimized) {
            if sent != expected {
                let route = row.0;
                writeln!(
                    over,
                    "{route}, {shop}: expected {expected:?}, measured {sent:?}\n{log}"
                )
                .unwrap();
            }
        }
    }
    assert!(over.is_empty(), "{over}");
    assert_eq!(prepared_twice(&optimized), BTreeSet::new());
    for shop in [&baseline, &optimized] {
        assert_eq!(shop.cold.len(), BUDGET.len(), "every row is in the table");
    }
    for (purpose, plain, fast) in ROUNDS {
        let of = |shop: &Shop| shop.rounds.get(purpose).cloned().unwrap_or_default();
        let plain: BTreeSet<_> = plain.into_iter().collect();
        assert_eq!(of(&baseline), plain, "the baseline's rounds for {purpose}");
        let fast = BTreeSet::from([[0, fast]]);
        assert_eq!(
            of(&optimized),
            fast,
            "the optimised shop's rounds for {purpose}"
        );
    }
}

/// The table as docs/SCALING.md shows it.
fn table() -> String {
    let mut text = String::from(
        "| request | baseline: connections | statements | optimised, cold: statements | round trips | Redis | \
         warm: statements | round trips | Redis |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (route, [connections, statements], cold, warm) in BUDGET {
        let (route, case) = route.split_once(": ").unwrap_or((route, ""));
        let case = if case.is_empty() {
            String::new()
        } else {
            format!(": {case}")
        };
        writeln!(
            text,
            "| `{route}`{case} | {connections} | {statements} | {} | {} | {} | {} | {} | {} |",
            cold[0], cold[1], cold[2], warm[0], warm[1], warm[2]
        )
        .unwrap();
    }
    for (purpose, plain, fast) in ROUNDS {
        let [connections, statements] = plain.map_or(["-".to_owned(), "-".to_owned()], |it| {
            it.map(|count| count.to_string())
        });
        writeln!(
            text,
            "| background: {purpose} | {connections} | {statements} | {fast} | - | - | {fast} | - | - |"
        )
        .unwrap();
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment says whether the page is to be written"
)]
fn is_to_be_written() -> bool {
    std::env::var("DOUBLE11_WRITE_BUDGET").is_ok()
}

#[test]
fn the_page_shows_the_budget() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SCALING.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- budget -->\n").unwrap();
    let (shown, after) = rest.split_once("<!-- end of the budget -->\n").unwrap();
    let table = table();
    if is_to_be_written() {
        let page = format!("{before}<!-- budget -->\n{table}<!-- end of the budget -->\n{after}");
        std::fs::write(path, page).unwrap();
        return;
    }
    assert_eq!(
        shown, table,
        "hint: DOUBLE11_WRITE_BUDGET=1 cargo test --release -p double11 --test production budget"
    );
}
