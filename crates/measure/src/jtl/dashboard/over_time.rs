//! A run in stretches of equal length, few enough to be drawn.

use std::collections::BTreeMap;

use super::Row;

/// Stretches that are held; when there are more, two become one.
const INTERVALS_MAX: usize = 900;

/// A stretch of the run; a sample belongs to the one that it ended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Seconds from the first end to the beginning of the stretch.
    pub start_s: u64,
    /// Samples.
    pub samples: u64,
    /// Samples that failed.
    pub errors: u64,
    /// The median elapsed time in milliseconds, by nearest rank.
    pub median_ms: Option<u64>,
    /// The 95th percentile, likewise.
    pub p95_ms: Option<u64>,
    /// The most users that a row of the stretch tells of.
    pub threads: u32,
}

#[derive(Debug, Default)]
pub(super) struct OverTime {
    /// Second of the wall clock that the first stretch begins with; a multiple of the width.
    cells: BTreeMap<i64, Cell>,
    /// Seconds of a stretch as a power of two.
    width_log2: u32,
}

#[derive(Debug, Default)]
struct Cell {
    samples: u64,
    errors: u64,
    elapsed_ms: BTreeMap<u64, u64>,
    threads: u32,
}

impl OverTime {
    pub(super) fn add(&mut self, row: &Row<'_>, end_ms: i64) {
        let key = end_ms.div_euclid(1_000) >> self.width_log2;
        let cell = self.cells.entry(key).or_default();
        cell.samples += 1;
        cell.errors += u64::from(!row.success);
        *cell.elapsed_ms.entry(row.elapsed_ms).or_default() += 1;
        cell.threads = cell.threads.max(row.all_threads);
        while self.cells.len() > INTERVALS_MAX {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width_log2 += 1;
        for (key, cell) in std::mem::take(&mut self.cells) {
            let wide = self.cells.entry(key >> 1).or_default();
            wide.samples += cell.samples;
            wide.errors += cell.errors;
            wide.threads = wide.threads.max(cell.threads);
            for (elapsed_ms, count) in cell.elapsed_ms {
                *wide.elapsed_ms.entry(elapsed_ms).or_default() += count;
            }
        }
    }

    /// All stretches from the first to the last, those without a sample too, and their width in
    /// seconds.
    pub(super) fn finish(mut self) -> (Vec<Interval>, u32) {
        let bounds = |cells: &BTreeMap<i64, Cell>| {
            let first = cells.keys().next().copied()?;
            Some((first, cells.keys().next_back().copied()?))
        };
        // A few samples far apart would make many empty stretches.
        let most = i64::try_from(INTERVALS_MAX).unwrap_or(i64::MAX);
        while bounds(&self.cells).is_some_and(|(first, last)| last - first >= most) {
            self.widen();
        }
        let width = 1_u32.checked_shl(self.width_log2).unwrap_or(u32::MAX);
        let Some((first, last)) = bounds(&self.cells) else {
            return (Vec::new(), width);
        };
        let keys = first..=last;
        let intervals = keys.map(|key| {
            let start_s = u64::try_from(key - first).unwrap_or(0) * u64::from(width);
            match self.cells.get(&key) {
                Some(cell) => cell.interval(start_s),
                None => Cell::default().interval(start_s),
            }
        });
        (intervals.collect(), width)
    }
}

impl Cell {
    fn interval(&self, start_s: u64) -> Interval {
        Interval {
            start_s,
            samples: self.samples,
            errors: self.errors,
            median_ms: self.percentile(50.0),
            p95_ms: self.percentile(95.0),
            threads: self.threads,
        }
    }

    fn percentile(&self, percentile: f64) -> Option<u64> {
        let rank = crate::histogram::nearest_rank(percentile, self.samples)?;
        let mut seen = 0;
        let mut times = self.elapsed_ms.iter();
        let found = times.find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        found.map(|(elapsed_ms, _)| *elapsed_ms)
    }
}
