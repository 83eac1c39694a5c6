//! Counting rows, in memory that does not grow with their number.

use super::super::reader::Glance;
use super::labels::Labels;
use super::sparse::{SparseCounts, key_of};
use super::windows::Windows;
use crate::histogram::LONGEST;
use crate::run::{AVAILABLE_WITHIN, WindowCount};

/// Cells (one label in one window) that are held; windows are widened when there are more. At the
/// usual six labels these are two hours by the second. One takes about a kilobyte.
const CELLS_MAX: usize = 43_200;

/// Seconds of availability that are held; windows are widened when there are more.
const SECONDS_MAX: usize = 1 << 18;

/// Rows that are counted: no count overflows, and no file of this size is a file.
pub(super) const ROWS_MAX: u64 = u32::MAX as u64;

/// One label in one window.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) attempted: u64,
    pub(super) failed: u64,
    /// By the second of the end: complete answers, whatever they said.
    pub(super) completed: u64,
    pub(super) service_time: SparseCounts,
}

/// The cells of one window, by the index of the label.
pub(super) type Window = Vec<Cell>;

/// Requests by the second of their start: of samples, and of controllers.
pub(super) type Availabilities = [WindowCount; 2];

/// What was counted so far.
#[derive(Debug)]
pub(super) struct Accumulator {
    pub(super) rows: u64,
    pub(super) samples: u64,
    pub(super) dates: u64,
    /// Rows whose service time is beyond [`LONGEST`].
    pub(super) saturated: u64,
    /// First start and last end, of samples and of controllers.
    pub(super) spans: [Option<(i64, i64)>; 2],
    pub(super) labels: Labels,
    pub(super) windows: Windows<Window>,
    pub(super) seconds: Windows<Availabilities>,
    cells: usize,
}

impl Accumulator {
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            samples: 0,
            dates: 0,
            saturated: 0,
            spans: [None; 2],
            labels: Labels::default(),
            windows: Windows::new(),
            seconds: Windows::new(),
            cells: 0,
        }
    }

    pub(super) fn record(&mut self, row: &Glance<'_>) {
        let is_answered = row.success || row.response_code.first().is_some_and(u8::is_ascii_digit);
        let elapsed_ms = i64::try_from(row.elapsed_ms).unwrap_or(i64::MAX);
        let end_ms = row.start_ms.saturating_add(elapsed_ms);
        self.rows += 1;
        self.samples += u64::from(!row.is_controller);
        self.dates += u64::from(row.is_date);
        self.saturated += u64::from(u128::from(row.elapsed_ms) > LONGEST.as_millis());
        let span = &mut self.spans[usize::from(row.is_controller)];
        *span = Some(span.map_or((row.start_ms, end_ms), |(first, last)| {
            (first.min(row.start_ms), last.max(end_ms))
        }));

        let key = key_of(row.elapsed_ms);
        let index = self.labels.index(row.label, row.is_controller);
        let label = self.labels.get_mut(index);
        label.attempted += 1;
        if !row.success {
            label.failed += 1;
            label.failed_times.record(key);
            label.record_failure(row.response_code);
        }
        if let Some(latency_ms) = row.latency_ms.filter(|_| is_answered) {
            label.first_bytes.record(key_of(latency_ms));
        }

        let second = second_of(row.start_ms);
        let in_time = row.success && u128::from(row.elapsed_ms) <= AVAILABLE_WITHIN.as_millis();
        self.seconds.at(second)[usize::from(row.is_controller)].add(WindowCount {
            requests: 1,
            in_time: u64::from(in_time),
        });
        let cell = self.cell(second, index);
        cell.attempted += 1;
        cell.failed += u64::from(!row.success);
        cell.service_time.record(key);
        if is_answered {
            self.cell(second_of(end_ms), index).completed += 1;
        }
        self.keep_bounds();
    }

    fn cell(&mut self, second: u32, label: usize) -> &mut Cell {
        let window = self.windows.at(second);
        if window.len() <= label {
            self.cells += label + 1 - window.len();
            window.resize_with(label + 1, Cell::default);
        }
        &mut window[label]
    }

    fn keep_bounds(&mut self) {
        if self.cells > CELLS_MAX {
            // Well below the bound, so that widening stays rare.
            while self.cells > CELLS_MAX / 2 && self.windows.len() > 1 {
                self.windows.widen(join_windows);
                self.cells = self.windows.iter().map(Vec::len).sum();
            }
        }
        if self.seconds.len() > SECONDS_MAX {
            self.seconds.widen(|sum, other| {
                for (sum, other) in sum.iter_mut().zip(other) {
                    sum.add(other);
                }
            });
        }
    }
}

fn join_windows(sum: &mut Window, other: Window) {
    if sum.len() < other.len() {
        sum.resize_with(other.len(), Cell::default);
    }
    for (sum, cell) in sum.iter_mut().zip(other) {
        let Cell {
            attempted,
            failed,
            completed,
            service_time,
        } = cell;
        sum.attempted += attempted;
        sum.failed += failed;
        sum.completed += completed;
        sum.service_time.merge(service_time);
    }
}

/// The second since 1970; times are held to 32 bits of seconds where they are read.
pub(super) fn second_of(milliseconds: i64) -> u32 {
    u32::try_from(milliseconds / 1000).unwrap_or(u32::MAX)
}
