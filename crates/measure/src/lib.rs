//! What was measured: latency histograms, request samples, the JTL codec, the accumulation of a
//! run into its summary and time series, and the comparison of paired runs.
//!
//! The crate is pure. It reads and writes only readers and writers that it is handed, and knows no
//! clock, no environment, no network and no thread. It must not know how load is made, what a shop
//! is or how a report looks: whoever makes requests describes each by a [`sample::Sample`], and
//! whoever draws or judges reads [`run::Summary`] and [`run::TimeSeries`].

pub mod histogram;
pub mod jtl;
pub mod run;
pub mod sample;
pub mod statistics;
