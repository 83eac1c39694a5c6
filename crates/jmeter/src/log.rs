//! Where messages of a run go: what `JMeter` writes to its log file, and what functions print.
//!
//! The crate writes nothing itself; whoever starts a run hands in what takes the lines.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How grave a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Steps within a step.
    Trace,
    /// Steps.
    Debug,
    /// What is to be known.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
    /// No message of the log: a line for standard output.
    Out,
    /// No message of the log: a line for standard error.
    Err,
}

/// Takes the lines of a run; nobody, at first.
#[derive(Default)]
pub struct Log(Mutex<Option<Box<Sink>>>);

/// Takes level, short name of the class that speaks in `JMeter`, and text.
pub type Sink = dyn FnMut(Level, &str, &str) + Send;

impl Log {
    /// Sends lines to `sink` from now on.
    pub fn to(&self, sink: Box<Sink>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
    }

    /// Hands a line on.
    pub fn line(&self, level: Level, class: &str, text: &str) {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sink) = sink.as_mut() {
            sink(level, class, text);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Log")
    }
}
