//! Ids: blocks of numbers that each shop takes for itself from one row of the database.
//!
//! One update reserves a block, so that ids are unique among all shops without clocks and an id is
//! fixed before its transaction begins. InnoDB gets them in order, so that rows are appended; a
//! distributed database gets them scattered, so that no single node takes all new rows.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use mysql::Value;

use crate::session::{Session, int};
use crate::work::{WorkError, WorkResult};

/// Ids of one block.
const BLOCK: i64 = 65_536;
/// Ids are below 2 to this power, scattered or not.
const BITS: u32 = 62;

/// How numbers become ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Ordered,
    Scattered,
}

/// Hands out ids from blocks that were reserved before.
#[derive(Debug)]
pub(crate) struct IdSource {
    blocks: Mutex<Blocks>,
    layout: Layout,
}

#[derive(Debug)]
struct Blocks {
    current: Range<i64>,
    next: Option<Range<i64>>,
}

/// An id, if there was one left, and whether another block should be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) id: Option<i64>,
    pub(crate) wants_block: bool,
}

impl IdSource {
    pub(crate) const fn new(first: Range<i64>, layout: Layout) -> Self {
        Self {
            blocks: Mutex::new(Blocks {
                current: first,
                next: None,
            }),
            layout,
        }
    }

    /// The next id. Never waits for the database.
    pub(crate) fn draw(&self) -> Drawn {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.current.is_empty()
            && let Some(next) = blocks.next.take()
        {
            blocks.current = next;
        }
        let number = blocks.current.next();
        let left = blocks.current.end - blocks.current.start;
        Drawn {
            id: number.map(|number| self.layout.id(number)),
            wants_block: blocks.next.is_none() && left < BLOCK / 2,
        }
    }

    /// Adds a reserved block. One that comes too many is left unused.
    pub(crate) fn add(&self, block: Range<i64>) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.next.get_or_insert(block);
    }
}

/// Reserves a block for this shop.
pub(crate) fn reserve(session: &mut Session) -> WorkResult<Range<i64>> {
    session.begin()?;
    let reserved = take(session).and_then(|block| {
        session.commit()?;
        Ok(block)
    });
    if reserved.is_err() {
        session.roll_back();
    }
    reserved
}

fn take(session: &mut Session) -> WorkResult<Range<i64>> {
    let first = session
        .find(
            "SELECT next_id FROM id_blocks WHERE name = 'ids' FOR UPDATE",
            Vec::new(),
            |row| int(row, 0),
        )?
        .ok_or(WorkError::Damaged(
            "the row that ids are taken from is gone",
        ))?;
    let end = first
        .checked_add(BLOCK)
        .filter(|end| *end < 1 << BITS)
        .ok_or(WorkError::Damaged("ids have run out"))?;
    session.put(
        "UPDATE id_blocks SET next_id = ? WHERE name = 'ids'",
        vec![Value::Int(end)],
        Some(1),
    )?;
    session.flush()?;
    Ok(first..end)
}

impl Layout {
    /// The id of a number: itself, or its image under a bijection of the numbers below 2^62.
    fn id(self, number: i64) -> i64 {
        match self {
            Self::Ordered => number,
            Self::Scattered => scatter(number),
        }
    }

    /// The number of an id, by which ids that one shop drew are in order.
    pub(crate) const fn number(self, id: i64) -> i64 {
        match self {
            Self::Ordered => id,
            Self::Scattered => gather(id),
        }
    }
}

const MASK: u64 = (1 << BITS) - 1;
const FIRST_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND_FACTOR: u64 = 0xd1b5_4a32_d192_ed03;

/// Odd factors and folds of the upper half onto the lower one can be undone, so that no two numbers
/// meet; 0 alone stays 0.
const fn scatter(number: i64) -> i64 {
    let mut mixed = number.unsigned_abs() & MASK;
    mixed = mixed.wrapping_mul(FIRST_FACTOR) & MASK;
    mixed ^= mixed >> (BITS / 2);
    mixed = mixed.wrapping_mul(SECOND_FACTOR) & MASK;
    mixed ^= mixed >> (BITS / 2);
    mixed.cast_signed()
}

/// Undoes [`scatter`]: a fold onto the lower half undoes itself.
const fn gather(id: i64) -> i64 {
    let mut mixed = id.unsigned_abs() & MASK;
    mixed ^= mixed >> (BITS / 2);
    mixed = mixed.wrapping_mul(inverse(SECOND_FACTOR)) & MASK;
    mixed ^= mixed >> (BITS / 2);
    mixed = mixed.wrapping_mul(inverse(FIRST_FACTOR)) & MASK;
    mixed.cast_signed()
}

/// The number that an odd factor makes 1 of, modulo 2^64. Every step doubles the bits that are right, of
/// which an odd number has three as its own inverse.
const fn inverse(factor: u64) -> u64 {
    let mut inverse = factor;
    let mut right_bits = 3;
    while right_bits < u64::BITS {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(factor.wrapping_mul(inverse)));
        right_bits *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BLOCK, IdSource, Layout, gather, scatter};

    #[test]
    fn blocks_follow_each_other_and_run_out() {
        let ids = IdSource::new(10..12, Layout::Ordered);
        let first = ids.draw();
        assert_eq!((first.id, first.wants_block), (Some(10), true));
        ids.add(100..100 + BLOCK);
        ids.add(900..901);
        assert_eq!(ids.draw().id, Some(11));
        let next = ids.draw();
        assert_eq!((next.id, next.wants_block), (Some(100), false));
        for number in 101..100 + BLOCK {
            assert_eq!(ids.draw().id, Some(number));
        }
        assert_eq!(ids.draw().id, None);
    }

    #[test]
    fn scattered_ids_are_distinct_positive_and_far_apart() {
        let ids: BTreeSet<i64> = (1..=200_000).map(scatter).collect();
        assert_eq!(ids.len(), 200_000);
        assert!(ids.iter().all(|id| (1..1 << 62).contains(id)));
        let in_lower_half = ids.iter().filter(|id| **id < 1 << 61).count();
        assert!(
            (90_000..110_000).contains(&in_lower_half),
            "{in_lower_half}"
        );
        let last = (1 << 62) - 1;
        assert!((1..1 << 62).contains(&scatter(last)));
        for number in [1, 2, 65_536, 65_537, 1 << 40, last] {
            assert_eq!(gather(scatter(number)), number);
        }
    }
}
