//! Every `sold_out` against the history of the stock, as the orders tell it.
//!
//! The available quantity of a product at instant `t` is what was received less the lines of the
//! orders with `created_at` ≤ `t` and no `closed_at` ≤ `t`. A refusal is justified when, at some
//! instant of the second before the answer, fewer pieces of at least one wanted product were
//! available than were wanted. The client knows of the answer only that it was given between `sent`
//! and `ended`, so the instants that justify reach from one second before `sent` to `ended`; nothing
//! is added to that for clocks, because shop and client run on one machine.

mod availability;

use rusqlite::{Connection, Rows, Statement};

use crate::check::{Check, Needs, Rule};
use availability::Availability;

/// How long before the answer the shortage may have ended, in microseconds.
const STALE_MICROS_MAX: i64 = 1_000_000;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "sold-out-justified",
    title: "Sold out was only said when it was true",
    proves: "At some instant between one second before a refused order was sent and its answer, the \
             store had less of a wanted product than was wanted: nothing was undersold.",
    needs: Needs::ClientLedger,
    prepare: judge_refusals,
    examined: "SELECT COUNT(DISTINCT entry) FROM wants",
    rules: &[Rule {
        says: "sold out was answered while every wanted product was available throughout",
        sql: "SELECT e.user_id, e.key, e.sent, e.ended, e.ledger, e.line,
                     GROUP_CONCAT(j.product_id || ': wanted ' || j.wanted
                                  || ', never fewer than ' || j.least_available, '; '
                                  ORDER BY j.product_id) AS products
              FROM judged_wants j JOIN entries e ON e.entry = j.entry
              GROUP BY j.entry HAVING MIN(j.least_available - j.wanted) >= 0",
    }],
    remarks: &[Rule {
        says: "refusals were left out: what they wanted is not known, because the cart was changed \
               later or the request could not be read",
        sql: "SELECT COUNT(*) FROM entries WHERE kind = 'order' AND outcome = 'refused'
              AND code = 'sold_out' AND entry NOT IN (SELECT entry FROM wants)",
    }],
}];

const EVENTS: &str = "
SELECT product_id, at, SUM(taken) FROM (
  SELECT l.product_id, o.created_at AS at, l.quantity AS taken
  FROM store.orders o CROSS JOIN store.order_lines l ON l.order_id = o.order_id
  WHERE l.product_id IN (SELECT product_id FROM wanted_products)
  UNION ALL
  SELECT l.product_id, o.closed_at, -l.quantity
  FROM store.orders o CROSS JOIN store.order_lines l ON l.order_id = o.order_id
  WHERE o.closed_at IS NOT NULL
    AND l.product_id IN (SELECT product_id FROM wanted_products))
GROUP BY product_id, at ORDER BY product_id, at";

const QUESTIONS: &str = "
SELECT w.product_id, e.ended, e.sent, w.quantity, w.entry,
       COALESCE((SELECT received FROM store.stock s WHERE s.product_id = w.product_id), 0)
FROM wants w JOIN entries e ON e.entry = w.entry
ORDER BY w.product_id, e.ended";

/// Pieces of a product that were taken (or, negative, given back) at an instant.
#[derive(Clone, Copy)]
struct Event {
    product_id: i64,
    at: i64,
    taken: i64,
}

/// A wanted product of a refused order.
#[derive(Clone, Copy)]
struct Question {
    product_id: i64,
    ended: i64,
    sent: i64,
    wanted: i64,
    entry: i64,
    received: i64,
}

/// Fills `judged_wants` with the least quantity that was available for each wanted product.
fn judge_refusals(connection: &Connection) -> rusqlite::Result<()> {
    // An order by cart wanted what is in the cart still, if nobody has changed it since.
    connection.execute_batch(
        "INSERT INTO wants
         SELECT e.entry, l.product_id, l.quantity
         FROM entries e JOIN store.carts c ON c.cart_id = e.cart_id
         JOIN store.cart_lines l ON l.cart_id = c.cart_id
         WHERE e.kind = 'order' AND e.outcome = 'refused' AND e.code = 'sold_out'
           AND e.items IS NULL AND c.order_id IS NULL AND c.updated_at < e.sent;
         CREATE TABLE wanted_products AS SELECT DISTINCT product_id FROM wants;
         CREATE UNIQUE INDEX wanted_products_by_id ON wanted_products (product_id);
         CREATE TABLE judged_wants (
           entry INTEGER, product_id INTEGER, wanted INTEGER, least_available INTEGER,
           PRIMARY KEY (entry, product_id)) WITHOUT ROWID;",
    )?;
    let longest_request: Option<i64> = connection.query_row(
        "SELECT MAX(ended - sent) FROM entries WHERE entry IN (SELECT entry FROM wants)",
        (),
        |row| row.get(0),
    )?;
    let Some(longest_request) = longest_request else {
        return Ok(());
    };
    let window_max = longest_request.max(0).saturating_add(STALE_MICROS_MAX);
    sweep(connection, window_max)
}

/// Walks through events and questions together, both ordered by product and time.
fn sweep(connection: &Connection, window_max: i64) -> rusqlite::Result<()> {
    let mut event_statement = connection.prepare(EVENTS)?;
    let mut events = Events {
        rows: event_statement.raw_query(),
        next: None,
    };
    events.advance()?;
    let mut question_statement = connection.prepare(QUESTIONS)?;
    let mut questions = question_statement.raw_query();
    let mut insert = connection.prepare("INSERT INTO judged_wants VALUES (?1, ?2, ?3, ?4)")?;
    let mut current: Option<(i64, Availability)> = None;
    while let Some(question) = next_question(&mut questions)? {
        let availability = match &mut current {
            Some((product_id, availability)) if *product_id == question.product_id => availability,
            _ => {
                let fresh = Availability::new(question.received, window_max);
                &mut current.insert((question.product_id, fresh)).1
            }
        };
        while let Some(event) = events.next {
            let place = (event.product_id, event.at);
            if place > (question.product_id, question.ended) {
                break;
            }
            if event.product_id == question.product_id {
                availability.take(event.at, event.taken);
            }
            events.advance()?;
        }
        let from = question.sent.saturating_sub(STALE_MICROS_MAX);
        let least = availability.least_since(from);
        store_judgement(&mut insert, question, least)?;
    }
    Ok(())
}

struct Events<'statement> {
    rows: Rows<'statement>,
    next: Option<Event>,
}

impl Events<'_> {
    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => Some(Event {
                product_id: row.get(0)?,
                at: row.get(1)?,
                taken: row.get(2)?,
            }),
            None => None,
        };
        Ok(())
    }
}

fn next_question(rows: &mut Rows<'_>) -> rusqlite::Result<Option<Question>> {
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Question {
        product_id: row.get(0)?,
        ended: row.get(1)?,
        sent: row.get(2)?,
        wanted: row.get(3)?,
        entry: row.get(4)?,
        received: row.get(5)?,
    }))
}

fn store_judgement(
    insert: &mut Statement<'_>,
    question: Question,
    least_available: i64,
) -> rusqlite::Result<()> {
    let Question {
        entry,
        product_id,
        wanted,
        ..
    } = question;
    insert.execute([entry, product_id, wanted, least_available])?;
    Ok(())
}
