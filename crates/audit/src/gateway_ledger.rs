//! The gateway's ledger, loaded into scratch tables. Source of the form: `docs/SCHEMA.md`, section 2.

use std::path::Path;

use double11_units::{Currency, Money};
use rusqlite::{Statement, params};
use serde::Deserialize;

use crate::audited::AuditedStore;
use crate::error::AuditError;
use crate::ledger_lines::LedgerLines;
use crate::report::LedgerInput;

const TABLES: &str = "
CREATE TABLE gateway_charges (
  line INTEGER PRIMARY KEY, attempt_id INTEGER NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, result TEXT NOT NULL);
CREATE TABLE gateway_refunds (
  line INTEGER PRIMARY KEY, attempt_id INTEGER NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL);
CREATE TABLE gateway_voids (line INTEGER PRIMARY KEY, attempt_id INTEGER NOT NULL);";

const INDEXES: &str = "
CREATE INDEX gateway_charges_by_attempt ON gateway_charges (attempt_id);
CREATE INDEX gateway_refunds_by_attempt ON gateway_refunds (attempt_id);
CREATE INDEX gateway_voids_by_attempt ON gateway_voids (attempt_id);";

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Charge {
        attempt_id: String,
        amount: String,
        currency: String,
        result: ChargeResult,
    },
    Refund {
        attempt_id: String,
        amount: String,
        currency: String,
    },
    Void {
        attempt_id: String,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChargeResult {
    Captured,
    Declined,
}

impl ChargeResult {
    const fn name(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
        }
    }
}

/// Loads the ledger. Amounts of other currencies are read like the shop's, so that the checks can
/// name them.
pub(crate) fn load(
    store: &AuditedStore,
    path: &Path,
    currency: Currency,
) -> Result<LedgerInput, AuditError> {
    let connection = store.connection();
    let mut lines = LedgerLines::open(path, "double11_gateway_ledger")?;
    connection.execute_batch(TABLES)?;
    {
        let mut inserts = Inserts {
            charge: connection
                .prepare("INSERT INTO gateway_charges VALUES (?1, ?2, ?3, ?4, ?5)")?,
            refund: connection.prepare("INSERT INTO gateway_refunds VALUES (?1, ?2, ?3, ?4)")?,
            void: connection.prepare("INSERT INTO gateway_voids VALUES (?1, ?2)")?,
            currency,
        };
        while let Some(text) = lines.next_line()? {
            let parsed = serde_json::from_str(text).map_err(|error| error.to_string());
            let line = lines.line();
            let event = parsed.map_err(|reason| lines.malformed(reason))?;
            inserts
                .insert(line, &event)?
                .map_err(|reason| lines.malformed(reason))?;
        }
    }
    connection.execute_batch(INDEXES)?;
    Ok(lines.into_input())
}

struct Inserts<'connection> {
    charge: Statement<'connection>,
    refund: Statement<'connection>,
    void: Statement<'connection>,
    currency: Currency,
}

impl Inserts<'_> {
    /// The inner error says what is wrong with the line.
    fn insert(&mut self, line: u64, event: &Event) -> Result<Result<(), String>, AuditError> {
        let line = i64::try_from(line).unwrap_or(i64::MAX);
        let numbers = match event {
            Event::Charge {
                attempt_id, amount, ..
            }
            | Event::Refund {
                attempt_id, amount, ..
            } => parse_id(attempt_id).and_then(|id| Ok((id, self.parse_amount(amount)?))),
            Event::Void { attempt_id } => parse_id(attempt_id).map(|id| (id, 0)),
        };
        let (id, amount) = match numbers {
            Ok(numbers) => numbers,
            Err(reason) => return Ok(Err(reason)),
        };
        match event {
            Event::Charge {
                currency, result, ..
            } => self
                .charge
                .execute(params![line, id, amount, currency, result.name()])?,
            Event::Refund { currency, .. } => {
                self.refund.execute(params![line, id, amount, currency])?
            }
            Event::Void { .. } => self.void.execute(params![line, id])?,
        };
        Ok(Ok(()))
    }

    fn parse_amount(&self, text: &str) -> Result<i64, String> {
        Money::parse(text, self.currency)
            .map(Money::minor_units)
            .map_err(|error| format!("amount `{text}`: {error}"))
    }
}

fn parse_id(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("attempt_id `{text}` is not an integer"))
}
