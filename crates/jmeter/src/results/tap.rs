//! Somebody who takes samples besides result files and summarisers: whoever draws a run up.

use std::fmt::Debug;

use crate::sample::SampleResult;

/// Makes a [`Tap`] for each worker.
pub trait Taps: Debug + Send + Sync {
    /// The tap of one more worker, from 0. Called where the workers are started from.
    fn tap(&self, worker: u32) -> Box<dyn Tap>;
}

/// Takes the samples of one worker, on its thread.
pub trait Tap: Debug + Send {
    /// Takes a sampler's sample, or that of a transaction with its parts; parts that were recorded by
    /// themselves as well come once.
    fn sample(&mut self, result: &SampleResult);

    /// Hands over what was taken. Called about once a second, and at the end.
    fn flush(&mut self);
}
