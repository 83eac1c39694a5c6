//! The load engine: plans, arrival schedules, virtual users, HTTP/1.1 transport, sampling and the run
//! directory.
//!
//! It sends what a plan says, at the instants that a seeded schedule says, and records what happened to
//! every start, the late and the dropped ones too. It works against any HTTP shop: it must not know the
//! shop of this workspace or its stores, since a tester that shares code with the tested cannot find
//! its faults. It prints nothing and reads no environment; progress goes to an observer.
//!
//! [`run`] is the entry point. [`plan`] and [`schedule`] say what is sent and when, [`shard`] which part
//! of it, [`journey`] is one shopper's walk, [`transport`] the client, [`engine`] the threads that drive
//! them, [`run_directory`] where the results are kept, [`merge`] how those of shards become one,
//! [`health`] whether they can be believed, [`threshold`] what they must not come to.

pub mod clock;
pub mod engine;
pub mod health;
pub mod host;
pub mod journey;
pub mod merge;
pub mod plan;
pub mod random;
pub mod run_directory;
pub mod schedule;
pub mod shard;
pub mod tasks;
pub mod threshold;
pub mod transport;

mod json;

pub use engine::{
    Ending, LoadError, LoadModel, Observation, RunAbout, RunManifest, RunOptions, RunOutcome,
    SamplePolicy, StopHandle, read_manifest, run,
};
