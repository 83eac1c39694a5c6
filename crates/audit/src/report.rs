//! What an audit found, as data and as plain text.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Version of the JSON form of [`AuditReport`].
pub const SCHEMA_VERSION: u32 = 1;

/// Most example findings that one check carries.
pub(crate) const FINDINGS_MAX: usize = 10;

/// The outcome of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Version of this form: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The audited file, as it was named.
    pub store: String,
    /// When the audit was run, microseconds since the Unix epoch.
    pub audited_at_unix_micros: i64,
    /// ISO 4217 code of every amount in this report. Amounts are integer minor units.
    pub currency: String,
    /// Whether every check that applies passed.
    pub verdict: Verdict,
    /// The client ledgers that were read; findings name them by index from 1.
    pub client_ledgers: Vec<LedgerInput>,
    /// The gateway's ledger, if one was given.
    pub gateway_ledger: Option<LedgerInput>,
    /// What the store holds, so that a reader sees how much was judged; none when the store is too
    /// damaged to count.
    pub figures: Option<Figures>,
    /// Every check, in a fixed order.
    pub checks: Vec<CheckReport>,
    /// What the reader should know about the inputs.
    pub notes: Vec<String>,
}

impl AuditReport {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &CheckReport> {
        self.checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
    }
}

/// Whether the store kept its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No check that applies failed.
    Passed,
    /// At least one check failed.
    Failed,
}

impl Verdict {
    pub(crate) fn of(checks: &[CheckReport]) -> Self {
        if checks
            .iter()
            .any(|check| check.status == CheckStatus::Failed)
        {
            Self::Failed
        } else {
            Self::Passed
        }
    }
}

/// A ledger that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerInput {
    /// The file, as it was named.
    pub path: String,
    /// Lines read, without the first one that names the format.
    pub lines: u64,
    /// Whether the last line was cut off in the middle and therefore not read.
    pub torn_last_line: bool,
}

/// Sums of the store and of the gateway's ledger. Amounts are minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Products with stock.
    pub products: i64,
    /// Orders in any state.
    pub orders: i64,
    /// Orders paid in full.
    pub orders_paid: i64,
    /// Orders cancelled or expired.
    pub orders_closed: i64,
    /// Sum of the attempts in state `captured` or `late`.
    pub captured: i64,
    /// Sum of the refunds in state `done`.
    pub refunded: i64,
    /// Sum of the captured charges of the gateway; none without its ledger.
    pub gateway_captured: Option<i64>,
    /// Sum of the refunds of the gateway; none without its ledger.
    pub gateway_refunded: Option<i64>,
}

/// One check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Stable name in kebab case.
    pub id: String,
    /// A heading of a few words.
    pub title: String,
    /// What a pass proves, in one sentence.
    pub proves: String,
    /// Whether it passed.
    pub status: CheckStatus,
    /// Rows or ledger lines that were examined.
    pub examined: u64,
    /// Violations found; every one counts, also those that are not among the findings.
    pub violations: u64,
    /// Up to ten of the violations.
    pub findings: Vec<Finding>,
    /// What the check had to leave out, with counts.
    pub remarks: Vec<String>,
}

/// Whether a check passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Everything examined was right.
    Passed,
    /// At least one violation.
    Failed,
    /// The check was not carried out, for this reason.
    NotApplicable(String),
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule was broken, in words.
    pub rule: String,
    /// The ids and numbers that show it.
    pub values: Vec<NamedValue>,
}

/// An id or number of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedValue {
    /// The name of the column it came from.
    pub name: String,
    /// Its value.
    pub value: Scalar,
}

/// A value as SQLite gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// An integer: an id, a count, an amount in minor units or an instant in microseconds.
    Integer(i64),
    /// Any other value, written out.
    Text(String),
    /// Nothing.
    Null,
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Text(text) => write!(formatter, "`{text}`"),
            Self::Null => formatter.write_str("none"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, named) in self.values.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{} {}", named.name, named.value)?;
        }
        write!(formatter, ": {}", self.rule)
    }
}

/// The report as plain text of at most a few hundred lines, without colours.
pub fn render_text(report: &AuditReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    write_report(&mut text, report).unwrap_or_default();
    text
}

fn write_report(out: &mut String, report: &AuditReport) -> fmt::Result {
    writeln!(out, "Audit of {}", report.store)?;
    for (index, ledger) in report.client_ledgers.iter().enumerate() {
        writeln!(
            out,
            "  client ledger {}: {}, {} writes",
            index + 1,
            ledger.path,
            ledger.lines
        )?;
    }
    if let Some(ledger) = &report.gateway_ledger {
        writeln!(
            out,
            "  gateway ledger: {}, {} events",
            ledger.path, ledger.lines
        )?;
    }
    if let Some(figures) = &report.figures {
        let Figures {
            products,
            orders,
            orders_paid,
            orders_closed,
            ..
        } = figures;
        writeln!(
            out,
            "  {products} products, {orders} orders ({orders_paid} paid, {orders_closed} closed)"
        )?;
    }
    for note in &report.notes {
        writeln!(out, "  note: {note}")?;
    }
    writeln!(out)?;
    for check in &report.checks {
        write_check(out, check)?;
    }
    write_verdict(out, report)
}

fn write_check(out: &mut String, check: &CheckReport) -> fmt::Result {
    let CheckReport {
        id,
        title,
        examined,
        violations,
        ..
    } = check;
    match &check.status {
        CheckStatus::Passed => writeln!(out, "passed  {id}: {title} ({examined} examined)")?,
        CheckStatus::Failed => writeln!(
            out,
            "FAILED  {id}: {title} ({violations} violations, {examined} examined)"
        )?,
        CheckStatus::NotApplicable(reason) => writeln!(out, "-       {id}: {reason}")?,
    }
    for finding in &check.findings {
        writeln!(out, "          {finding}")?;
    }
    let shown = u64::try_from(check.findings.len()).unwrap_or(u64::MAX);
    if *violations > shown {
        writeln!(out, "          … and {} more", violations - shown)?;
    }
    for remark in &check.remarks {
        writeln!(out, "          remark: {remark}")?;
    }
    Ok(())
}

fn write_verdict(out: &mut String, report: &AuditReport) -> fmt::Result {
    let count = |wanted: fn(&CheckStatus) -> bool| {
        report
            .checks
            .iter()
            .filter(|check| wanted(&check.status))
            .count()
    };
    let passed = count(|status| *status == CheckStatus::Passed);
    let failed = count(|status| *status == CheckStatus::Failed);
    let not_applicable = count(|status| matches!(status, CheckStatus::NotApplicable(_)));
    let verdict = match report.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "FAILED",
    };
    writeln!(
        out,
        "\nAudit {verdict}: {passed} checks passed, {failed} failed, {not_applicable} not applicable"
    )
}
