//! A check as data: what it proves and the queries that return its violations.

use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row, Statement};

use crate::AuditOptions;
use crate::audited::AuditedStore;
use crate::error::AuditError;
use crate::report::{CheckReport, CheckStatus, FINDINGS_MAX, Finding, NamedValue, Scalar};

/// A named promise of the shop and how it is examined.
///
/// Every query may use the one row of the scratch table `instants`, in microseconds: `now` is the
/// instant of the audit; keys claimed and carts changed after `keys_since` and `carts_since` must
/// still be stored.
pub(crate) struct Check {
    /// Stable name in kebab case.
    pub(crate) id: &'static str,
    /// A heading of a few words.
    pub(crate) title: &'static str,
    /// What a pass proves.
    pub(crate) proves: &'static str,
    /// What must be given for it to be carried out.
    pub(crate) needs: Needs,
    /// Builds the scratch tables that the queries use. Called more than once when checks share them.
    pub(crate) prepare: fn(&Connection) -> rusqlite::Result<()>,
    /// Returns one number: the rows examined.
    pub(crate) examined: &'static str,
    /// What must not be found.
    pub(crate) rules: &'static [Rule],
    /// What had to be left out.
    pub(crate) remarks: &'static [Rule],
}

/// A query and what it means that it returns something.
pub(crate) struct Rule {
    /// Of a rule: what is wrong with each row. Of a remark: what the counted rows are.
    pub(crate) says: &'static str,
    /// Of a rule: returns one row for each violation, the columns being the ids and numbers that
    /// show it. Of a remark: returns one count.
    pub(crate) sql: &'static str,
}

/// What a check needs beside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    GatewayLedger,
    ClientLedger,
    CompleteClientLedger,
    SettledStore,
}

/// What the caller gave.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent facts about the input"
)]
pub(crate) struct Given {
    pub(crate) gateway_ledger: bool,
    pub(crate) client_ledger: bool,
    pub(crate) complete_ledger: bool,
    pub(crate) torn_client_ledger: bool,
    pub(crate) settled: bool,
}

/// For checks that need no scratch table.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands in for functions that can fail"
)]
pub(crate) fn nothing_to_prepare(_: &Connection) -> rusqlite::Result<()> {
    Ok(())
}

impl Needs {
    /// Why the check cannot be carried out, if it cannot.
    fn missing(self, given: Given) -> Option<&'static str> {
        match self {
            Self::GatewayLedger if !given.gateway_ledger => Some("no gateway ledger was given"),
            Self::ClientLedger | Self::CompleteClientLedger if !given.client_ledger => {
                Some("no client ledger was given")
            }
            Self::CompleteClientLedger if !given.complete_ledger => {
                Some("the client ledgers are not known to hold every write to this store")
            }
            Self::CompleteClientLedger if given.torn_client_ledger => {
                Some("the last line of a client ledger is torn, so a write may be missing from it")
            }
            Self::SettledStore if !given.settled => {
                Some("the store was not required to be settled")
            }
            _ => None,
        }
    }
}

/// An audit in progress.
pub(crate) struct Run<'store> {
    store: &'store AuditedStore,
    given: Given,
}

impl<'store> Run<'store> {
    /// Writes down the instants that the checks ask for.
    pub(crate) fn begin(
        store: &'store AuditedStore,
        given: Given,
        options: &AuditOptions,
    ) -> Result<Self, AuditError> {
        let now = options.now.get();
        let before = |span: Duration| {
            let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            now.saturating_sub(micros)
        };
        let connection = store.connection();
        connection.execute_batch(
            "CREATE TABLE instants (
               now INTEGER NOT NULL, keys_since INTEGER NOT NULL, carts_since INTEGER NOT NULL)",
        )?;
        connection.execute(
            "INSERT INTO instants VALUES (?1, ?2, ?3)",
            [now, before(options.kept.keys), before(options.kept.carts)],
        )?;
        Ok(Self { store, given })
    }

    /// Carries out one check.
    pub(crate) fn judge(&self, check: &Check) -> Result<CheckReport, AuditError> {
        let mut report = CheckReport {
            id: check.id.to_owned(),
            title: check.title.to_owned(),
            proves: check.proves.to_owned(),
            status: CheckStatus::Passed,
            examined: 0,
            violations: 0,
            findings: Vec::new(),
            remarks: Vec::new(),
        };
        if let Some(reason) = check.needs.missing(self.given) {
            report.status = CheckStatus::NotApplicable(reason.to_owned());
            return Ok(report);
        }
        if let Err(error) = self.examine(check, &mut report) {
            let Some(rule) = fault_of_the_store(&error) else {
                return Err(AuditError::Query(error));
            };
            report.violations += 1;
            let values = vec![NamedValue {
                name: "error".to_owned(),
                value: Scalar::Text(error.to_string()),
            }];
            report.findings.truncate(FINDINGS_MAX - 1);
            report.findings.push(Finding {
                rule: rule.to_owned(),
                values,
            });
        }
        if report.violations > 0 {
            report.status = CheckStatus::Failed;
        }
        Ok(report)
    }

    fn examine(&self, check: &Check, report: &mut CheckReport) -> rusqlite::Result<()> {
        (check.prepare)(self.store.connection())?;
        report.examined = self.count(check.examined)?;
        for rule in check.rules {
            self.collect(rule, report)?;
        }
        for remark in check.remarks {
            match self.count(remark.sql)? {
                0 => {}
                count => report.remarks.push(format!("{count} {}", remark.says)),
            }
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> rusqlite::Result<u64> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.raw_query();
        let count: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn collect(&self, rule: &Rule, report: &mut CheckReport) -> rusqlite::Result<()> {
        let mut statement = self.statement(rule.sql)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            report.violations += 1;
            if report.findings.len() < FINDINGS_MAX {
                let values = read_values(&names, row)?;
                report.findings.push(Finding {
                    rule: rule.says.to_owned(),
                    values,
                });
            }
        }
        Ok(())
    }

    fn statement(&self, sql: &str) -> rusqlite::Result<Statement<'_>> {
        self.store.connection().prepare(sql)
    }
}

fn read_values(names: &[String], row: &Row<'_>) -> rusqlite::Result<Vec<NamedValue>> {
    let mut values = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Null => Scalar::Null,
            ValueRef::Integer(value) => Scalar::Integer(value),
            ValueRef::Real(value) => Scalar::Text(value.to_string()),
            ValueRef::Text(text) => Scalar::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Scalar::Text(format!("{} bytes", bytes.len())),
        };
        values.push(NamedValue {
            name: name.clone(),
            value,
        });
    }
    Ok(values)
}

/// What is wrong with the store when it makes a query fail; none when the store is not to blame.
pub(crate) fn fault_of_the_store(error: &rusqlite::Error) -> Option<&'static str> {
    match error {
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == ErrorCode::DatabaseCorrupt =>
        {
            Some("the file is damaged, so that this check could not be finished")
        }
        rusqlite::Error::SqliteFailure(_, Some(message)) if message == "integer overflow" => {
            Some("a sum exceeds 64 bits")
        }
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..) => {
            Some("a column does not hold an integer")
        }
        _ => None,
    }
}
