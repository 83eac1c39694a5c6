//! What a ledger is cut off at, and what it is refused for.

use std::fs;
use std::path::PathBuf;

use double11_units::{AttemptId, Currency, Money, UnixMicros};

use super::{Entry, Event, FIRST_LINE, Ledger, LedgerError};

/// A ledger file of the given bytes in a folder of its own.
struct Given {
    _folder: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Given {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.gateway");
        fs::write(&path, bytes).unwrap();
        Self {
            _folder: folder,
            path,
            bytes: bytes.to_owned(),
        }
    }

    fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.path)
    }

    /// The ledger is refused for this line, and nothing of it is touched.
    fn assert_refused(&self, bad: u64) {
        let text = String::from_utf8_lossy(&self.bytes);
        let opened = self.open();
        assert!(
            matches!(opened, Err(LedgerError::BadLine { line, .. }) if line == bad),
            "{opened:?} for {text}"
        );
        assert_eq!(fs::read(&self.path).unwrap(), self.bytes, "changed: {text}");
    }
}

fn id(number: i64) -> AttemptId {
    AttemptId::new(number).unwrap()
}

/// Appends a captured attempt that says that `synced` bytes were durable before it.
fn capture(attempt: i64, synced: u64, lines: &mut Vec<u8>) {
    let event = Event::Charge {
        attempt_id: id(attempt),
        amount: Money::from_minor(100, Currency::Cny),
        captured: true,
    };
    event.write(UnixMicros::new(1), synced, lines);
}

/// A ledger of attempts that were each synced before the next.
fn ledger_of(attempts: i64) -> Vec<u8> {
    let mut bytes = FIRST_LINE.as_bytes().to_owned();
    for attempt in 1..=attempts {
        capture(attempt, bytes.len() as u64, &mut bytes);
    }
    bytes
}

/// Its answer may have been given: no power failure leaves a line with its end and without zeros.
#[test]
fn a_whole_last_line_that_cannot_be_read_is_refused() {
    let whole = ledger_of(3);
    let last = ledger_of(2).len();
    for position in last..whole.len() - 1 {
        let mut damaged = whole.clone();
        // JSON allows it nowhere, whatever stood there.
        damaged[position] = 1;
        Given::new(&damaged).assert_refused(4);
    }
    let rubbish = [&ledger_of(2), b"rubbish\n".as_slice()].concat();
    Given::new(&rubbish).assert_refused(4);
    let empty = [&ledger_of(2), b"\n".as_slice()].concat();
    Given::new(&empty).assert_refused(4);
}

/// The same line without its end, or with zeros in it, is what a power failure leaves.
#[test]
fn a_last_line_without_its_end_or_with_zeros_is_cut_off() {
    let whole = ledger_of(3);
    let last = ledger_of(2).len();
    for position in last..whole.len() {
        let mut zeros = whole.clone();
        zeros[position..].fill(0);
        let mut hole = whole.clone();
        hole[position] = 0;
        for torn in [zeros.as_slice(), &hole, &whole[..position]] {
            let given = Given::new(torn);
            let ledger = given.open().unwrap();
            assert_eq!(ledger.synced, last as u64);
            assert_eq!(ledger.entries.len(), 2);
            let second = ledger.entries.get(&id(2));
            assert_eq!(second, Some(&Entry::Captured { refunded: false }));
            assert_eq!(fs::read(&given.path).unwrap(), whole[..last]);
        }
    }
}
