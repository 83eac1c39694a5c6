//! The engine: worker threads that drive visits over connections, and the recorder of what happened.
//!
//! Each worker has its own event loop, connections, timers and share of the arrivals; workers share
//! nothing but counters and the flag to stop. They hand samples in batches through a bounded channel to
//! the calling thread, which keeps the figures and writes the files. An instant that was planned is
//! never moved: what begins late is measured from its planned instant, what cannot begin is dropped and
//! counted.

pub(crate) mod alarm;
mod error;
#[cfg(test)]
mod gate;
pub mod keeper;
mod lanes;
mod ledger;
mod observer;
mod options;
mod outbox;
mod recorder;
mod run;
mod sample_files;
mod shared;
mod stop;
mod worker;

pub use error::LoadError;
pub(crate) use ledger::FIRST_LINE as LEDGER_FIRST_LINE;
pub use observer::Observation;
pub(crate) use options::Limit;
pub use options::{LoadModel, RunAbout, RunOptions, SamplePolicy};
pub(crate) use run::write_files;
pub use run::{
    AskedPath, Ending, MergeFacts, PartFacts, PlanFacts, RunManifest, RunOutcome, read_manifest,
    run,
};
pub use stop::StopHandle;
