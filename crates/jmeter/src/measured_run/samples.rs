//! From the samples of users to those that are counted.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use double11_load::engine::keeper::{KeptWrite, WorkerUse, WorkerWatch};
use double11_measure::sample::{Failure, Outcome, PhaseId, Sample, StepId};

use crate::results::{TRANSACTION_MESSAGE, Tap, Taps};
use crate::run::Run;
use crate::sample::{Code, SampleResult};

/// Samples that are handed over together at most.
const BATCH_SAMPLES: usize = 512;

/// What a worker tells.
#[derive(Debug)]
pub(super) enum Told {
    /// Samples that are over.
    Samples(Vec<Taken>),
    /// A write that is over.
    Write(KeptWrite),
    /// What the worker used.
    Use(WorkerUse),
}

/// A sample and its label.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) label: Arc<str>,
    pub(super) sample: Sample,
}

/// Makes the taps of workers.
#[derive(Debug)]
pub(super) struct SampleTaps {
    run: Arc<Run>,
    sender: SyncSender<Told>,
}

#[derive(Debug)]
struct SampleTap {
    worker: u32,
    run: Arc<Run>,
    sender: SyncSender<Told>,
    taken: Vec<Taken>,
    /// Begun on the worker's own thread.
    watch: Option<WorkerWatch>,
}

impl SampleTaps {
    pub(super) fn new(run: &Arc<Run>, sender: SyncSender<Told>) -> Self {
        Self {
            run: Arc::clone(run),
            sender,
        }
    }
}

impl Taps for SampleTaps {
    fn tap(&self, worker: u32) -> Box<dyn Tap> {
        Box::new(SampleTap {
            worker,
            run: Arc::clone(&self.run),
            sender: self.sender.clone(),
            taken: Vec::new(),
            watch: None,
        })
    }
}

impl Tap for SampleTap {
    fn sample(&mut self, result: &SampleResult) {
        let worker = u16::try_from(self.worker).unwrap_or(u16::MAX);
        if self.counts() {
            take(result, worker, &mut self.taken);
        }
        if self.taken.len() >= BATCH_SAMPLES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let now = self.run.clock.now();
        let worker = self.worker as usize;
        let watch = self
            .watch
            .get_or_insert_with(|| WorkerWatch::start(worker, now));
        // Who counts goes away only when the run is over.
        if let Some(told) = watch.report(now) {
            drop(self.sender.send(Told::Use(told)));
        }
        if !self.taken.is_empty() {
            let taken = std::mem::take(&mut self.taken);
            drop(self.sender.send(Told::Samples(taken)));
        }
    }
}

impl SampleTap {
    /// Whether the users run that neither set up nor tear down.
    fn counts(&self) -> bool {
        self.run.main_began.get().is_some() && self.run.main_ended.get().is_none()
    }
}

/// Takes a sample, or those that a transaction holds.
fn take(result: &SampleResult, worker: u16, taken: &mut Vec<Taken>) {
    if result.is_transaction || result.message.starts_with(TRANSACTION_MESSAGE) {
        for part in &result.sub_results {
            take(part, worker, taken);
        }
        return;
    }
    if result.url.is_none() && result.success {
        return;
    }
    let status = match &result.code {
        Code::Status(status) => Some(*status),
        Code::Text(_) => None,
    };
    let some = |span: Duration| (span > Duration::ZERO).then_some(span);
    taken.push(Taken {
        label: Arc::clone(&result.label),
        sample: Sample {
            // Who counts gives them their numbers.
            step: StepId(0),
            phase: PhaseId(0),
            thread: worker,
            shopper: 0,
            planned: result.start,
            sent: Some(result.start),
            first_byte: some(result.latency).map(|latency| result.start + latency),
            connect: some(result.connect),
            end: result.end,
            outcome: outcome(result),
            status,
            bytes_received: result.bytes,
            bytes_sent: result.sent_bytes,
            late: false,
            in_flight: result.all_threads,
        },
    });
}

fn outcome(result: &SampleResult) -> Outcome {
    if result.success {
        return Outcome::Success;
    }
    Outcome::Failed(match &result.code {
        // An assertion found something else in the answer than it wanted.
        Code::Status(200..400) => Failure::Extraction,
        Code::Status(_) => Failure::Status,
        Code::Text(text) => {
            let is = |class: &str| text.ends_with(class);
            if is("SocketTimeoutException") {
                Failure::TimeOut
            } else if is("HttpHostConnectException")
                || is("ConnectTimeoutException")
                || is("UnknownHostException")
            {
                Failure::Connect
            } else if is("SSLHandshakeException") {
                Failure::Tls
            } else {
                Failure::Transport
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(label: &str, code: Code, success: bool) -> SampleResult {
        SampleResult {
            label: label.into(),
            end: Duration::from_millis(7),
            latency: Duration::from_millis(5),
            code,
            success,
            url: Some("http://127.0.0.1/".into()),
            ..SampleResult::default()
        }
    }

    #[test]
    fn what_a_transaction_holds_counts_and_not_the_transaction() {
        let part = |label| result(label, Code::Status(200), true);
        let debug = SampleResult {
            url: None,
            ..part("debug")
        };
        let inner = SampleResult {
            is_transaction: true,
            sub_results: vec![part("B"), debug],
            ..part("inner")
        };
        let outer = SampleResult {
            is_transaction: true,
            sub_results: vec![part("A"), inner],
            ..part("outer")
        };
        let mut taken = Vec::new();
        take(&outer, 3, &mut taken);
        let labels: Vec<&str> = taken.iter().map(|taken| &*taken.label).collect();
        assert_eq!(labels, ["A", "B"]);
        let sample = &taken[0].sample;
        assert_eq!((sample.thread, sample.status), (3, Some(200)));
        assert_eq!(sample.response_time(), Duration::from_millis(7));
        assert_eq!(sample.time_to_first_byte(), Some(Duration::from_millis(5)));
    }

    #[test]
    fn failures_are_told_apart() {
        let text = |class: &str| Code::Text(format!("Non HTTP response code: {class}").into());
        for (code, expected) in [
            (Code::Status(200), Failure::Extraction),
            (Code::Status(409), Failure::Status),
            (text("java.net.SocketTimeoutException"), Failure::TimeOut),
            (
                text("org.apache.http.conn.HttpHostConnectException"),
                Failure::Connect,
            ),
            (text("javax.net.ssl.SSLHandshakeException"), Failure::Tls),
            (text("java.net.SocketException"), Failure::Transport),
        ] {
            let result = result("A", code.clone(), false);
            assert_eq!(outcome(&result), Outcome::Failed(expected), "{code:?}");
        }
        assert_eq!(
            outcome(&result("A", Code::Status(500), true)),
            Outcome::Success,
            "the plan says what success is"
        );
    }
}
