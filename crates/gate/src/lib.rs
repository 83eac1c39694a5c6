//! Holds the work of one order and of one sample to what was recorded, in counts that noise cannot move:
//! instructions, which callgrind counts, and allocations, which are counted on the thread that makes
//! them.
//!
//! A test of the crate that owns the work does it in a function of its own, for as many units as
//! [`units`] says, and hands that test's name to [`check_instructions`]: the test program is then run
//! under callgrind twice, with few units and with many, and the difference is what a unit costs. The
//! figures stand in `limits.json`. A change that costs more than it may fails, and so does one that
//! costs less, so that the record stays true: `DOUBLE11_WRITE_GATE=1` writes what was measured.
//!
//! For tests only; no part of the program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// How much instructions may differ from the record: they vary by the seeds of hash tables and by what
/// the loader finds.
const TOLERANCE: f64 = 0.01;
/// Units of work in the shorter run; the longer one does twice as many.
const UNITS: u64 = 2_048;

const UNITS_VARIABLE: &str = "DOUBLE11_GATE_UNITS";
const WRITE_VARIABLE: &str = "DOUBLE11_WRITE_GATE";

/// Why a gate is shut.
#[derive(Debug, Clone, PartialEq)]
pub enum Shut {
    /// The work costs another count than was recorded.
    Moved {
        /// What was counted.
        what: String,
        /// What stands in the record, if anything does.
        recorded: Option<f64>,
        /// What was measured now.
        measured: f64,
    },
    /// There is no valgrind, or it did not count.
    NotCounted(String),
}

impl std::fmt::Display for Shut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Moved {
                what,
                recorded,
                measured,
            } => {
                let recorded =
                    recorded.map_or_else(|| "nothing".to_owned(), |count| format!("{count:.0}"));
                write!(
                    formatter,
                    "{what}: {measured:.1}, recorded {recorded}; if that is meant, run the test \
                     with {WRITE_VARIABLE}=1"
                )
            }
            Self::NotCounted(why) => write!(formatter, "not counted: {why}"),
        }
    }
}

/// How many units of work the test is to do, in the process that callgrind watches; none elsewhere.
pub fn units() -> Option<u64> {
    variable(UNITS_VARIABLE)?.parse().ok()
}

/// Allocations that `work` makes on this thread.
pub fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

/// Counts the instructions of one unit of the test of this full name, and holds them to the record. Where
/// valgrind is missing or fails it says so and lets pass, except with `CI=true`.
///
/// # Errors
/// [`Shut::Moved`] when they differ by more than one in a hundred; with `CI=true` [`Shut::NotCounted`]
/// when valgrind is missing or failed.
#[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
pub fn check_instructions(what: &str, test: &str) -> Result<(), Shut> {
    match held_instructions(what, test) {
        Err(shut @ Shut::NotCounted(_)) if variable("CI").is_none_or(|value| value != "true") => {
            eprintln!("skipped: {shut}");
            Ok(())
        }
        held => held,
    }
}

fn held_instructions(what: &str, test: &str) -> Result<(), Shut> {
    let few = counted(test, UNITS)?;
    let many = counted(test, 2 * UNITS)?;
    let unit = many.saturating_sub(few) as f64 / UNITS as f64;
    hold(what, unit, TOLERANCE)
}

/// Holds allocations to the record, which they have to equal.
///
/// # Errors
/// [`Shut::Moved`] when they do not.
pub fn check_allocations(what: &str, allocations: u64) -> Result<(), Shut> {
    check_count(what, allocations)
}

/// Holds a count of anything else that is the same each time to the record, which it has to equal.
///
/// # Errors
/// [`Shut::Moved`] when it does not.
pub fn check_count(what: &str, count: u64) -> Result<(), Shut> {
    hold(what, count as f64, 0.0)
}

/// Whether the gate lets this many allocations pass; records nothing.
pub fn lets_pass(what: &str, allocations: u64) -> bool {
    is_within(recorded_count(what), allocations as f64, 0.0)
}

/// What stands in the record, for a test that holds it to a limit of its own.
pub fn recorded_count(what: &str) -> Option<f64> {
    recorded().get(what).copied()
}

/// Instructions of this test program while it runs one test alone.
fn counted(test: &str, units: u64) -> Result<u64, Shut> {
    let failed = |why: String| Shut::NotCounted(why);
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--exact", test, "--test-threads=1"])
        .env(UNITS_VARIABLE, units.to_string())
        .output()
        .map_err(|error| failed(format!("valgrind: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok());
    match collected {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(failed(format!(
            "valgrind ended with {}: {said}",
            output.status
        ))),
    }
}

fn hold(what: &str, measured: f64, tolerance: f64) -> Result<(), Shut> {
    let mut limits = recorded();
    let recorded = limits.get(what).copied();
    if is_within(recorded, measured, tolerance) {
        return Ok(());
    }
    if variable(WRITE_VARIABLE).is_some_and(|value| value == "1") {
        limits.insert(what.to_owned(), measured.round());
        return write(&limits);
    }
    Err(Shut::Moved {
        what: what.to_owned(),
        recorded,
        measured,
    })
}

/// What was never recorded is never within it.
fn is_within(recorded: Option<f64>, measured: f64, tolerance: f64) -> bool {
    recorded.is_some_and(|count| (measured - count).abs() <= count * tolerance)
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("limits.json")
}

fn recorded() -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(limits: &BTreeMap<String, f64>) -> Result<(), Shut> {
    let text = serde_json::to_string_pretty(limits).map_err(|error| error.to_string());
    text.and_then(|text| std::fs::write(path(), text + "\n").map_err(|error| error.to_string()))
        .map_err(Shut::NotCounted)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by its environment what to do"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allocation_more_is_seen() {
        let plain = || drop(std::hint::black_box(vec![1_u8; 64]));
        let planted = || {
            plain();
            drop(std::hint::black_box(Box::new(7_u64)));
        };
        assert_eq!(allocations(plain), 1);
        assert_eq!(allocations(planted), 2);
    }

    #[test]
    fn more_and_less_than_recorded_is_seen() {
        assert!(is_within(Some(10_000.0), 10_100.0, TOLERANCE));
        assert!(!is_within(Some(10_000.0), 10_101.0, TOLERANCE));
        assert!(!is_within(Some(10_000.0), 9_899.0, TOLERANCE));
        assert!(!is_within(None, 0.0, TOLERANCE), "what was never recorded");
    }
}
