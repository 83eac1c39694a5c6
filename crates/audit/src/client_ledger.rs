//! The load generator's ledger of every write it sent, loaded into scratch tables. Source of the
//! form: `docs/SCHEMA.md`, section 3.
//!
//! `kind`, `outcome` and the instants must be right or the ledger is refused; the request is what a
//! client happened to send and is read leniently: a field of another form counts as absent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use double11_units::{Currency, Money};
use rusqlite::{Statement, params};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::audited::AuditedStore;
use crate::error::AuditError;
use crate::ledger_lines::LedgerLines;
use crate::report::LedgerInput;

/// `items` is the canonical text of an order's items, `7x2,9x1` ascending by product, which is
/// compared with the same text made of the stored lines. `wants` holds the items of orders that
/// were refused as sold out.
const TABLES: &str = "
CREATE TABLE entries (
  entry INTEGER PRIMARY KEY, ledger INTEGER NOT NULL, line INTEGER NOT NULL,
  kind TEXT NOT NULL, outcome TEXT NOT NULL, status INTEGER, code TEXT, key TEXT,
  sent INTEGER NOT NULL, ended INTEGER NOT NULL,
  user_id TEXT, items TEXT, cart_id INTEGER, order_id INTEGER, amount INTEGER,
  product_id INTEGER, quantity INTEGER, answer_id INTEGER, answer_total INTEGER);
CREATE TABLE wants (
  entry INTEGER NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (entry, product_id)) WITHOUT ROWID;";

const INDEXES: &str = "
CREATE INDEX entries_by_key ON entries (key, kind) WHERE key IS NOT NULL;
CREATE INDEX entries_by_answer ON entries (kind, answer_id) WHERE outcome = 'acknowledged';";

#[derive(Deserialize)]
struct Line<'line> {
    kind: Kind,
    key: Option<String>,
    sent: i64,
    end: i64,
    outcome: Outcome,
    status: Option<u16>,
    code: Option<String>,
    #[serde(borrow)]
    request: Option<&'line RawValue>,
    #[serde(borrow)]
    answer: Option<&'line RawValue>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Order,
    Payment,
    Cart,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Acknowledged,
    Refused,
    Unknown,
}

#[derive(Default, Deserialize)]
struct Request<'line> {
    #[serde(borrow)]
    user_id: Option<&'line RawValue>,
    #[serde(borrow)]
    items: Option<&'line RawValue>,
    #[serde(borrow)]
    cart_id: Option<&'line RawValue>,
    #[serde(borrow)]
    order_id: Option<&'line RawValue>,
    #[serde(borrow)]
    amount: Option<&'line RawValue>,
    #[serde(borrow)]
    product_id: Option<&'line RawValue>,
    #[serde(borrow)]
    quantity: Option<&'line RawValue>,
}

#[derive(Deserialize)]
struct Item {
    product_id: i64,
    quantity: i64,
}

#[derive(Default, Deserialize)]
struct Answer<'line> {
    #[serde(borrow)]
    order_id: Option<&'line RawValue>,
    #[serde(borrow)]
    payment_id: Option<&'line RawValue>,
    #[serde(borrow)]
    cart_id: Option<&'line RawValue>,
    #[serde(borrow)]
    total: Option<&'line RawValue>,
}

/// Loads any number of ledgers into one set of tables.
pub(crate) struct Loader<'store> {
    store: &'store AuditedStore,
    insert_entry: Statement<'store>,
    insert_want: Statement<'store>,
    currency: Currency,
    ledgers: i64,
    entries: i64,
}

impl<'store> Loader<'store> {
    pub(crate) fn new(store: &'store AuditedStore, currency: Currency) -> Result<Self, AuditError> {
        let connection = store.connection();
        connection.execute_batch(TABLES)?;
        Ok(Self {
            store,
            insert_entry: connection.prepare(
                "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
                 ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
            )?,
            insert_want: connection.prepare("INSERT INTO wants VALUES (?1, ?2, ?3)")?,
            currency,
            ledgers: 0,
            entries: 0,
        })
    }

    /// Loads one ledger.
    pub(crate) fn load(&mut self, path: &Path) -> Result<LedgerInput, AuditError> {
        let mut lines = LedgerLines::open(path, "double11_client_ledger")?;
        self.ledgers += 1;
        let mut line_number: i64 = 1;
        while let Some(text) = lines.next_line()? {
            line_number += 1;
            let inserted = match serde_json::from_str::<Line<'_>>(text) {
                Ok(line) => {
                    self.insert(line_number, &line)?;
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            };
            inserted.map_err(|reason| lines.malformed(reason))?;
        }
        Ok(lines.into_input())
    }

    /// Builds the indexes, once everything is loaded.
    pub(crate) fn finish(self) -> Result<(), AuditError> {
        Ok(self.store.connection().execute_batch(INDEXES)?)
    }

    fn insert(&mut self, line_number: i64, line: &Line<'_>) -> Result<(), AuditError> {
        self.entries += 1;
        let request: Request<'_> = parse_or_default(line.request);
        let answer: Answer<'_> = parse_or_default(line.answer);
        let items = if line.kind == Kind::Order {
            parse_items(request.items)
        } else {
            None
        };
        let answer_id = match line.kind {
            Kind::Order => answer.order_id,
            Kind::Payment => answer.payment_id,
            Kind::Cart => answer.cart_id,
        };
        self.insert_entry.execute(params![
            self.entries,
            self.ledgers,
            line_number,
            line.kind.name(),
            line.outcome.name(),
            line.status,
            line.code,
            line.key,
            line.sent,
            line.end,
            request.user_id.and_then(text_of),
            items.as_ref().map(items_text),
            request.cart_id.and_then(integer_of),
            request.order_id.and_then(integer_of),
            request.amount.and_then(|raw| self.amount_of(raw)),
            request.product_id.and_then(integer_of),
            request.quantity.and_then(integer_of),
            answer_id.and_then(integer_of),
            answer.total.and_then(|raw| self.amount_of(raw)),
        ])?;
        if line.is_sold_out() {
            for (product_id, quantity) in items.unwrap_or_default() {
                self.insert_want
                    .execute(params![self.entries, product_id, quantity])?;
            }
        }
        Ok(())
    }

    fn amount_of(&self, raw: &RawValue) -> Option<i64> {
        let text = text_of(raw)?;
        Money::parse(&text, self.currency)
            .ok()
            .map(Money::minor_units)
    }
}

impl Line<'_> {
    fn is_sold_out(&self) -> bool {
        self.kind == Kind::Order
            && self.outcome == Outcome::Refused
            && self.code.as_deref() == Some("sold_out")
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Cart => "cart",
        }
    }
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

fn parse_or_default<'line, T: Default + Deserialize<'line>>(raw: Option<&'line RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// Pieces per product; a product that is named twice counts with the sum.
fn parse_items(raw: Option<&RawValue>) -> Option<BTreeMap<i64, i64>> {
    let items: Vec<Item> = serde_json::from_str(raw?.get()).ok()?;
    let mut pieces = BTreeMap::new();
    for Item {
        product_id,
        quantity,
    } in items
    {
        let sum: &mut i64 = pieces.entry(product_id).or_default();
        *sum = sum.saturating_add(quantity);
    }
    Some(pieces)
}

fn items_text(items: &BTreeMap<i64, i64>) -> String {
    let mut text = String::new();
    for (product_id, quantity) in items {
        let separator = if text.is_empty() { "" } else { "," };
        write!(text, "{separator}{product_id}x{quantity}")
            .expect("writing to a string cannot fail");
    }
    text
}

/// The text of a JSON string, or the decimal text of a JSON number, as the API compares user ids.
fn text_of(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'-' | b'0'..=b'9' => Some(text.to_owned()),
        _ => None,
    }
}

fn integer_of(raw: &RawValue) -> Option<i64> {
    text_of(raw)?.parse().ok()
}
