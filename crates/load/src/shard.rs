//! Shards: parts of one run that several generators make at the same time.
//!
//! Every shard computes the whole schedule from the seed, as a run without shards does, and keeps the
//! shoppers whose number leaves the shard's index when it is divided by the count. Instants and choices
//! are functions of seed and number alone, so that all shards together are the run of one generator:
//! the same shoppers at the same instants, none twice and none left out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most shards of a run.
pub const SHARDS_MAX: u32 = 1_000;

/// One of the equal parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    count: u32,
}

/// Why a text is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is not of the form.
    #[error("`{0}` is no shard; write its number and how many there are: `0/4`, counted from 0")]
    Form(String),
    /// There are none or too many.
    #[error("{0} shards: from 1 to {SHARDS_MAX}")]
    Count(u32),
    /// There is no such shard.
    #[error("there is no shard {index} of {count}; they are counted from 0, up to `{}/{count}`", .count - 1)]
    Index {
        /// The number that was given.
        index: u32,
        /// How many there are.
        count: u32,
    },
}

impl Shard {
    /// The one shard of a run that is not divided.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Shard `index`, from 0, of `count`.
    ///
    /// # Errors
    /// [`ShardError::Count`] and [`ShardError::Index`].
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        if count == 0 || count > SHARDS_MAX {
            return Err(ShardError::Count(count));
        }
        if index >= count {
            return Err(ShardError::Index { index, count });
        }
        Ok(Self { index, count })
    }

    /// Its number, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many shards the run has.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether it is the whole run.
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// The shoppers or virtual users of worker thread `thread` of `threads` of this shard.
    pub fn thread(self, thread: u64, threads: u64) -> Stride {
        let (index, count) = (u64::from(self.index), u64::from(self.count));
        Stride {
            first: index + count * thread,
            step: count * threads.max(1),
        }
    }

    /// The shard's part of a limit of the whole run: as equal as can be, the first ones get the rest.
    pub(crate) fn part(self, whole: usize) -> usize {
        let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (index, count) = (wide(self.index), wide(self.count));
        whole / count + usize::from(index < whole % count)
    }

    /// The shard's part of a rate of the whole run.
    pub(crate) fn rate(self, whole: f64) -> f64 {
        whole / f64::from(self.count)
    }
}

/// Whole numbers that follow each other at equal distances: those of one worker thread of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    first: u64,
    step: u64,
}

impl Stride {
    /// Every number.
    pub const ALL: Self = Self { first: 0, step: 1 };

    /// Whether a number is one of them.
    pub fn has(self, number: u64) -> bool {
        number % self.step == self.first
    }

    /// The one at a place, from 0.
    pub fn at(self, place: u64) -> u64 {
        self.first.saturating_add(self.step.saturating_mul(place))
    }

    /// How many are below a bound.
    pub fn below(self, bound: u64) -> u64 {
        bound.saturating_sub(self.first).div_ceil(self.step)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u32>().ok();
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = numbers.ok_or_else(|| ShardError::Form(text.to_owned()))?;
        Self::new(index, count)
    }
}

/// As it is read: `0/4`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shards_are_read_as_they_are_written() {
        for text in ["0/1", "0/4", "3/4", "999/1000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        assert!("0/1".parse::<Shard>().unwrap().is_whole());
        for (text, said) in [
            ("", "write its number"),
            ("1", "write its number"),
            ("-1/4", "write its number"),
            ("1/4/2", "write its number"),
            ("a/b", "write its number"),
            ("0/0", "from 1 to 1000"),
            ("0/1001", "from 1 to 1000"),
            ("4/4", "up to `3/4`"),
        ] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_number_belongs_to_one_thread_of_one_shard(
            count in 1_u32..=7,
            threads in 1_u64..=5,
            bound in 0_u64..500,
        ) {
            let mut owners = vec![0; usize::try_from(bound).unwrap()];
            let mut parts = 0;
            for index in 0..count {
                let shard = Shard::new(index, count).unwrap();
                parts += shard.part(owners.len());
                for thread in 0..threads {
                    let own = shard.thread(thread, threads);
                    for place in 0..own.below(bound) {
                        let number = own.at(place);
                        prop_assert!(own.has(number));
                        prop_assert_eq!(number % u64::from(count), u64::from(index));
                        owners[usize::try_from(number).unwrap()] += 1;
                    }
                    prop_assert!(own.at(own.below(bound)) >= bound);
                }
            }
            prop_assert!(owners.iter().all(|owners| *owners == 1));
            prop_assert_eq!(parts, owners.len());
        }
    }
}
