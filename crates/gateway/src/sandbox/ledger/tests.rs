//! What a ledger is cut off at, and what it is refused for.

use std::fs;
use std::path::PathBuf;

use double11_units::{AttemptId, Currency, Money, OrderId, UnixMicros};

use super::{Event, FIRST_LINE, Fate, Ledger, LedgerError, read};
use crate::Charge;

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
        charge: Charge {
            attempt_id: id(attempt),
            order_id: OrderId::new(7).unwrap(),
            amount: Money::from_minor(100, Currency::Cny),
        },
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
            let second = ledger.entries.get(&id(2)).map(|entry| entry.fate);
            assert_eq!(second, Some(Fate::Captured { refunded: false }));
            assert_eq!(fs::read(&given.path).unwrap(), whole[..last]);
        }
    }
}

/// What is durable only grows, covers the first line and ends before the line that says so.
#[test]
fn an_impossible_synced_length_is_refused() {
    let whole = ledger_of(2);
    let (first, start) = (FIRST_LINE.len() as u64, whole.len() as u64);
    let before = ledger_of(1).len() as u64;
    let with = |synced| {
        let mut bytes = whole.clone();
        capture(3, synced, &mut bytes);
        bytes
    };
    for impossible in [
        0,
        first - 1,
        first,
        before - 1,
        start + 1,
        start + 200,
        u64::MAX,
    ] {
        Given::new(&with(impossible)).assert_refused(4);
        // Also when it is not the last line.
        let mut longer = with(impossible);
        capture(4, start, &mut longer);
        Given::new(&longer).assert_refused(4);
    }
    for possible in [before, start] {
        assert_eq!(Given::new(&with(possible)).open().unwrap().entries.len(), 3);
    }
    // The first attempt has nothing but the first line before it.
    let mut short = FIRST_LINE.as_bytes().to_owned();
    capture(1, first - 1, &mut short);
    Given::new(&short).assert_refused(2);
}

/// Otherwise a line that is damaged itself could let acknowledged lines before it be cut off.
#[test]
fn an_impossible_synced_length_does_not_excuse_damage() {
    let whole = ledger_of(2);
    let mut damaged = whole.clone();
    damaged[whole.len() - 30] = 0;
    capture(3, 0, &mut damaged);
    Given::new(&damaged).assert_refused(4);
}

/// Lines without the length may stand before and behind lines with it.
#[test]
fn lines_of_an_older_version_are_read_among_others() {
    let old = "{\"event\":\"void\",\"attempt_id\":\"7\",\"at\":1}\n";
    let mut bytes = [FIRST_LINE, old].concat().into_bytes();
    capture(1, bytes.len() as u64, &mut bytes);
    bytes.extend_from_slice(old.replace('7', "8").as_bytes());
    capture(2, bytes.len() as u64, &mut bytes);
    let given = Given::new(&bytes);
    assert_eq!(given.open().unwrap().entries.len(), 4);
    assert_eq!(fs::read(&given.path).unwrap(), bytes);
}

/// A status tells what was asked for with the charge, whatever came back of it later.
#[test]
fn a_refund_does_not_change_what_was_charged() {
    let mut bytes = ledger_of(1);
    let refund = Event::Refund {
        attempt_id: id(1),
        amount: Money::from_minor(40, Currency::Cny),
    };
    refund.write(UnixMicros::new(2), bytes.len() as u64, &mut bytes);
    let ledger = Given::new(&bytes).open().unwrap();
    let entry = &ledger.entries[&id(1)];
    assert_eq!(entry.fate, Fate::Captured { refunded: true });
    assert_eq!(entry.order_id, OrderId::new(7).ok());
    assert_eq!(entry.amount, Some(Money::from_minor(100, Currency::Cny)));
}

/// What is written again is what was understood: the bytes of no line's `synced`, and no second look.
#[test]
fn what_may_not_be_durable_is_kept_while_it_is_read() {
    let old = "{\"event\":\"void\",\"attempt_id\":\"7\",\"at\":1}\n";
    let only_old = [FIRST_LINE, old].concat().into_bytes();
    let single = ledger_of(3);
    let mut group = ledger_of(2);
    let before = group.len() as u64;
    for attempt in 3..6 {
        capture(attempt, before, &mut group);
    }
    let mut mixed = only_old.clone();
    capture(1, only_old.len() as u64, &mut mixed);
    mixed.extend_from_slice(old.replace('7', "8").as_bytes());
    // Of a torn group, a line behind the torn one says how much was durable.
    let mut torn = group.clone();
    torn[group.len() - 200] = 0;
    let third = ledger_of(3).len() as u64;
    for (bytes, synced, good) in [
        (FIRST_LINE.as_bytes().to_owned(), 0, 30),
        (only_old.clone(), 0, only_old.len() as u64),
        (single, before, third),
        (group.clone(), before, group.len() as u64),
        (mixed.clone(), only_old.len() as u64, mixed.len() as u64),
        (torn, before, third),
    ] {
        let given = Given::new(&bytes);
        let content = read(&fs::File::open(&given.path).unwrap(), &given.path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            (content.synced_bytes, content.good_bytes),
            (synced, good),
            "{text}"
        );
        let [from, to] = [synced, good].map(|length| usize::try_from(length).unwrap());
        assert_eq!(content.unsynced, bytes[from..to], "{text}");
        given.open().unwrap();
        assert_eq!(fs::read(&given.path).unwrap(), bytes[..to], "{text}");
    }
}
