//! One request as the load engine saw it, from its planned start to its end.
//!
//! Every instant is a [`Duration`] since the start of the run on a steady clock, so that samples
//! compare without a clock and survive a change of the wall clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The index of a step in the run's list of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u16);

/// The index of a phase in the run's list of phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhaseId(pub u16);

/// How a planned request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered as the step wishes.
    Success,
    /// Answered with a refusal that the step expects, such as "sold out"; no error.
    ExpectedRefusal,
    /// Anything else.
    Failed(Failure),
}

/// Why a planned request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Never sent, because too many requests were waiting or running.
    Dropped,
    /// No complete answer within the request time-out.
    TimeOut,
    /// No connection could be made.
    Connect,
    /// The connection broke or the answer was no HTTP.
    Transport,
    /// A complete answer with a status that the step does not expect.
    Status,
    /// A complete answer that lacks something a later step needs.
    Extraction,
    /// The TLS handshake failed.
    Tls,
}

impl Failure {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 7] = [
        Self::Dropped,
        Self::TimeOut,
        Self::Connect,
        Self::Transport,
        Self::Status,
        Self::Extraction,
        Self::Tls,
    ];

    /// The name under which summaries count the kind. A [`Failure::Status`] with a known status is
    /// counted under the status code instead.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::TimeOut => "time-out",
            Self::Connect => "connect",
            Self::Transport => "transport",
            Self::Status => "status",
            Self::Extraction => "extraction",
            Self::Tls => "tls",
        }
    }
}

/// One planned request and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The step that was planned.
    pub step: StepId,
    /// The phase in which the planned start of this request lies.
    pub phase: PhaseId,
    /// The load thread, from 0.
    pub thread: u16,
    /// The shopper on whose behalf it was sent.
    pub shopper: u64,
    /// When it should have started.
    pub planned: Duration,
    /// When it was sent; the instant just before connecting where it had to connect. `None`: it was
    /// never sent (dropped, or no connection).
    pub sent: Option<Duration>,
    /// When the first byte of the answer came.
    pub first_byte: Option<Duration>,
    /// The time that connecting took for this request, where it had to connect.
    pub connect: Option<Duration>,
    /// When it was over: last byte, failure or the decision to drop it.
    pub end: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// The status code of the answer, if there was one.
    pub status: Option<u16>,
    /// Bytes received, headers included.
    pub bytes_received: u64,
    /// Bytes sent, headers included.
    pub bytes_sent: u64,
    /// It began more than 1 ms after its planned instant because no connection was free.
    pub late: bool,
    /// Requests in flight when it was sent; those of other load threads as they last published them.
    pub in_flight: u32,
}

impl Sample {
    /// From the planned start to the end: what a shopper waits, queueing included.
    pub fn response_time(&self) -> Duration {
        self.end.saturating_sub(self.planned)
    }

    /// From sending to the end, connecting included where it had to connect (as `JMeter`'s elapsed
    /// time). `None` when it was never sent.
    pub fn service_time(&self) -> Option<Duration> {
        self.sent.map(|sent| self.end.saturating_sub(sent))
    }

    /// From sending to the first byte of the answer (`JMeter`'s latency).
    pub fn time_to_first_byte(&self) -> Option<Duration> {
        Some(self.first_byte?.saturating_sub(self.sent?))
    }

    /// Whether it was dropped before sending.
    pub fn is_dropped(&self) -> bool {
        self.outcome == Outcome::Failed(Failure::Dropped)
    }

    /// Whether it failed in any way.
    pub fn is_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}
