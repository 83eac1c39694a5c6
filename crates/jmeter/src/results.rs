//! What becomes of samples: rows of result files, lines of summarisers, figures by label.
//!
//! A [`Recorder`] has the files open and a thread that writes them. Each worker has a [`Reporter`] of
//! its own that makes rows of what it is told and hands them over in batches, so that no worker waits
//! for another. Nothing of a sample is kept beyond its row and its elapsed time.

mod csv;
mod file;
mod form;
mod labels;
mod listener;
mod recorder;
mod reporter;
mod sampled;
mod summariser;
mod tap;
mod timestamp;
mod xml;

pub use form::{Field, FormError, SaveForm};
pub use labels::{LABELS_MAX, LabelFigures, OTHER_LABELS};
pub use listener::{FileListener, Listener};
pub use recorder::{Outcome, Recorder, RecorderError, RecorderOptions};
pub use reporter::{Heard, ListenerId, Reporter};
pub use summariser::{Line, SummariserOptions};
pub use tap::{Tap, Taps};
pub use timestamp::TimestampFormat;

/// The character set of a body that states none, by `sampleresult.default.encoding`.
const DEFAULT_ENCODING: &str = "UTF-8";

/// What the message of a transaction's sample begins with.
pub const TRANSACTION_MESSAGE: &str = "Number of samples in transaction : ";

#[cfg(test)]
mod tests;
