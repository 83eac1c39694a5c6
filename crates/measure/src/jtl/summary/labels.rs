//! The labels of a file, as many as are told apart.

use std::collections::{BTreeMap, HashMap};

use super::sparse::SparseCounts;

/// Labels that are told apart; the rows of later ones are counted together. A file with a label per
/// request would otherwise be held whole.
pub(super) const LABELS_MAX: usize = 500;

/// Bytes of a label that are kept.
const LABEL_BYTES_MAX: usize = 1024;

/// Response codes of failures that are told apart in one label.
const CODES_MAX: usize = 50;

/// Bytes of a response code that are kept.
const CODE_BYTES_MAX: usize = 200;

/// What stands for labels or codes beyond the limit.
const OTHER: &str = "(other)";

/// What is counted of one label over the whole file.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) name: String,
    /// It sums up other rows.
    pub(super) is_controller: bool,
    pub(super) attempted: u64,
    pub(super) failed: u64,
    pub(super) failures: BTreeMap<Vec<u8>, u64>,
    /// Service times of the failed, so that the verdict percentile can leave them out.
    pub(super) failed_times: SparseCounts,
    pub(super) first_bytes: SparseCounts,
}

/// Labels by their name and kind.
#[derive(Debug, Default)]
pub(super) struct Labels {
    known: Vec<Label>,
    /// Samples and controllers, whose names may be the same.
    indexes: [HashMap<Vec<u8>, usize>; 2],
    /// Rows that were counted under [`OTHER`].
    merged_rows: u64,
}

impl Labels {
    /// The index of a label, which is new where it was not seen before.
    pub(super) fn index(&mut self, name: &[u8], is_controller: bool) -> usize {
        let name = name.get(..LABEL_BYTES_MAX).unwrap_or(name);
        let indexes = &mut self.indexes[usize::from(is_controller)];
        if let Some(&index) = indexes.get(name) {
            return index;
        }
        if indexes.len() < LABELS_MAX {
            let text = String::from_utf8_lossy(name).into_owned();
            indexes.insert(name.to_vec(), self.known.len());
            self.known.push(Label::new(text, is_controller));
            return self.known.len() - 1;
        }
        self.merged_rows += 1;
        let joint = |label: &Label| label.is_controller == is_controller && label.name == OTHER;
        self.known.iter().rposition(joint).unwrap_or_else(|| {
            self.known.push(Label::new(OTHER.to_owned(), is_controller));
            self.known.len() - 1
        })
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut Label {
        &mut self.known[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Label> {
        self.known.iter()
    }

    pub(super) fn merged_rows(&self) -> u64 {
        self.merged_rows
    }
}

impl Label {
    fn new(name: String, is_controller: bool) -> Self {
        Self {
            name,
            is_controller,
            attempted: 0,
            failed: 0,
            failures: BTreeMap::new(),
            failed_times: SparseCounts::default(),
            first_bytes: SparseCounts::default(),
        }
    }

    pub(super) fn record_failure(&mut self, code: &[u8]) {
        let code = code.get(..CODE_BYTES_MAX).unwrap_or(code);
        if let Some(count) = self.failures.get_mut(code) {
            *count += 1;
            return;
        }
        let name = match code {
            b"" => b"(no code)",
            _ if self.failures.len() < CODES_MAX => code,
            _ => OTHER.as_bytes(),
        };
        *self.failures.entry(name.to_vec()).or_default() += 1;
    }

    pub(super) fn failures(&self) -> BTreeMap<String, u64> {
        self.failures
            .iter()
            .map(|(code, &count)| (String::from_utf8_lossy(code).into_owned(), count))
            .collect()
    }
}
