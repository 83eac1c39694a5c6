//! A worker's end: rows are made where samples are made.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use double11_load::clock::RunClock;

use crate::sample::SampleResult;
use crate::user::Variables;

use super::form::{Field, SaveForm};
use super::labels::LABELS_MAX;
use super::listener::Wanted;
use super::sampled::Sampled;
use super::tap::Tap;
use super::{TRANSACTION_MESSAGE, csv, xml};

/// A batch is handed over when its rows have this many bytes,
const BATCH_BYTES: usize = 64 << 10;
/// or this many samples,
const BATCH_SAMPLES: usize = 4_096;
/// or when a sample ends this long after the one before was handed over.
const BATCH_SPAN: Duration = Duration::from_millis(200);

/// A listener of the plan, by its place among those the recorder was started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u16);

/// Who made a sample, and who hears of it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The name of the user.
    pub thread_name: &'a str,
    /// The user's variables, for `sample_variables`.
    pub variables: &'a Variables,
    /// The listeners in scope.
    pub listeners: &'a [ListenerId],
    /// Whether the file and the summariser of the command line hear of it: everything but the parts of
    /// transactions that are samples themselves.
    pub everywhere: bool,
}

/// What all reporters share.
#[derive(Debug)]
pub(super) struct Ears {
    pub(super) clock: RunClock,
    pub(super) hostname: String,
    pub(super) variable_names: Vec<Box<str>>,
    /// What the listeners of the plan do, by their numbers.
    pub(super) listeners: Vec<Ear>,
    /// What hears everything.
    pub(super) everywhere: Vec<Ear>,
    pub(super) files: usize,
}

/// What one listener does with a sample.
#[derive(Debug)]
pub(super) enum Ear {
    File {
        file: usize,
        form: SaveForm,
        wanted: Wanted,
    },
    /// Adds it up; a bit for each summariser.
    Summariser(u32),
    Deaf,
}

/// A sample as far as figures are concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Its label, by its place in the order in which this reporter met them; past the labels that are
    /// told apart for any other.
    pub(super) label: u32,
    /// The summarisers that hear of it.
    pub(super) summarisers: u32,
    /// Whether it counts in the figures of the run; parts of transactions do not.
    pub(super) counted: bool,
    pub(super) success: bool,
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) elapsed: Duration,
    pub(super) elapsed_ms: u64,
}

/// What a reporter hands over.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) reporter: u32,
    /// Rows by file.
    pub(super) rows: Vec<Vec<u8>>,
    pub(super) seen: Vec<Seen>,
    /// Labels that were not met before, and whether they are those of transactions.
    pub(super) new_labels: Vec<(Arc<str>, bool)>,
}

/// Takes a worker's samples.
#[derive(Debug)]
pub struct Reporter {
    ears: Arc<Ears>,
    sender: SyncSender<Batch>,
    batch: Batch,
    /// Those of samplers and those of transactions, which may share a name.
    labels: [HashMap<Arc<str>, u32>; 2],
    /// The label of the sample before, and its number.
    last_label: Option<(Arc<str>, u32)>,
    bytes: usize,
    handed_over: Duration,
    /// Counts samples, so that no file has one twice.
    count: u64,
    /// By file, the last sample it has.
    written: Vec<u64>,
    /// Who takes samples besides.
    tap: Option<Box<dyn Tap>>,
}

impl Reporter {
    pub(super) fn new(
        number: u32,
        ears: Arc<Ears>,
        sender: SyncSender<Batch>,
        tap: Option<Box<dyn Tap>>,
    ) -> Self {
        let files = ears.files;
        Self {
            ears,
            sender,
            batch: Batch {
                reporter: number,
                rows: vec![Vec::new(); files],
                ..Batch::default()
            },
            labels: [HashMap::new(), HashMap::new()],
            last_label: None,
            bytes: 0,
            handed_over: Duration::ZERO,
            count: 0,
            written: vec![0; files],
            tap,
        }
    }

    /// Takes a sample: a sampler's, or a transaction's. Parts of a sample come within it.
    pub fn record(&mut self, result: &SampleResult, heard: Heard<'_>) {
        self.count += 1;
        let ears = Arc::clone(&self.ears);
        let mut summarisers = 0;
        let in_scope = heard.listeners.iter();
        let in_scope = in_scope.filter_map(|id| ears.listeners.get(usize::from(id.0)));
        let everywhere = if heard.everywhere {
            ears.everywhere.as_slice()
        } else {
            &[]
        };
        for ear in in_scope.chain(everywhere) {
            match ear {
                Ear::File { file, form, wanted } => {
                    if wanted.has(result.success) && self.written[*file] != self.count {
                        self.written[*file] = self.count;
                        self.write(*file, form, result, &heard);
                    }
                }
                Ear::Summariser(bits) => summarisers |= bits,
                Ear::Deaf => {}
            }
        }
        if let Some(tap) = &mut self.tap
            && heard.everywhere
        {
            tap.sample(result);
        }
        let counted = heard.everywhere;
        if counted || summarisers != 0 {
            self.count_in(result, summarisers, counted);
        }
        if self.bytes >= BATCH_BYTES
            || self.batch.seen.len() >= BATCH_SAMPLES
            || result.end.saturating_sub(self.handed_over) >= BATCH_SPAN
        {
            self.handed_over = result.end;
            self.flush();
        }
    }

    /// Hands a sample to those who add up.
    fn count_in(&mut self, result: &SampleResult, summarisers: u32, counted: bool) {
        let clock = self.ears.clock;
        let is_transaction = result.message.starts_with(TRANSACTION_MESSAGE);
        let label = self.label(&result.label, is_transaction);
        let wall_ms = |at| clock.wall(at).millis();
        let span_ms = wall_ms(result.end) - wall_ms(result.start);
        let idle_ms = u64::try_from(result.idle.as_millis()).unwrap_or(u64::MAX);
        self.batch.seen.push(Seen {
            label,
            summarisers,
            counted,
            success: result.success,
            start: result.start,
            end: result.end,
            elapsed: result.elapsed(),
            elapsed_ms: u64::try_from(span_ms).unwrap_or(0).saturating_sub(idle_ms),
        });
    }

    /// Hands over what is there. A worker with nothing to do may call it, so that what it did is seen.
    pub fn flush(&mut self) {
        if let Some(tap) = &mut self.tap {
            tap.flush();
        }
        if self.batch.seen.is_empty() && self.bytes == 0 {
            return;
        }
        self.bytes = 0;
        let fresh = Batch {
            reporter: self.batch.reporter,
            rows: vec![Vec::new(); self.ears.files],
            ..Batch::default()
        };
        // The recorder is gone only when it has panicked, which its owner learns.
        drop(self.sender.send(mem::replace(&mut self.batch, fresh)));
    }

    fn write(&mut self, file: usize, form: &SaveForm, result: &SampleResult, heard: &Heard<'_>) {
        let Some(rows) = self.batch.rows.get_mut(file) else {
            return;
        };
        let sampled = Sampled {
            result,
            form,
            clock: &self.ears.clock,
            thread_name: heard.thread_name,
            hostname: &self.ears.hostname,
            variables: heard.variables,
            variable_names: &self.ears.variable_names,
        };
        let before = rows.len();
        if form.has(Field::Xml) {
            xml::write_sample(rows, &sampled);
        } else {
            csv::write_rows(rows, &sampled);
        }
        self.bytes += rows.len() - before;
    }

    fn label(&mut self, label: &Arc<str>, is_transaction: bool) -> u32 {
        if let Some((last, number)) = &self.last_label
            && Arc::ptr_eq(last, label)
        {
            return *number;
        }
        let [of_samplers, of_transactions] = &mut self.labels;
        let count = of_samplers.len() + of_transactions.len();
        let labels = if is_transaction {
            of_transactions
        } else {
            of_samplers
        };
        let next = u32::try_from(count).unwrap_or(u32::MAX);
        let number = match labels.get(label) {
            Some(number) => *number,
            None if count < LABELS_MAX => {
                labels.insert(Arc::clone(label), next);
                let new = (Arc::clone(label), is_transaction);
                self.batch.new_labels.push(new);
                next
            }
            None => next,
        };
        self.last_label = Some((Arc::clone(label), number));
        number
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.flush();
    }
}
