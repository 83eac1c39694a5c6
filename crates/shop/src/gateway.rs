//! The payment gateway: who takes the money. Called outside any transaction of the store.
//!
//! The attempt id is the gateway's key: whatever is asked twice for one attempt is answered as it
//! was the first time. The built-in [`SandboxGateway`] keeps a durable ledger of its own, so that it
//! survives the shop's crash and an audit can read it.

mod ledger;
mod sandbox;
mod writer;

use std::future::Future;
use std::pin::Pin;

use double11_units::{AttemptId, Money};

pub use ledger::LedgerError;
pub use sandbox::{SandboxGateway, SandboxSettings};

/// The name of the built-in gateway, a label of metrics and a column of the store.
pub const SANDBOX: &str = "sandbox";

/// The future answer of a gateway. Boxed, so that the gateway can be chosen at run time.
pub type GatewayReply<T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'static>>;

/// Takes money, says whether it did, and gives it back.
///
/// An answer is given only when it can no longer change. Dropping a future means not knowing.
pub trait Gateway: Send + Sync + 'static {
    /// The gateway's name, a label of metrics and a column of the store.
    fn name(&self) -> &'static str;

    /// Takes the amount, once, however often it is asked for this attempt.
    fn charge(&self, attempt_id: AttemptId, amount: Money) -> GatewayReply<ChargeResult>;

    /// What the gateway knows of an attempt.
    fn status(&self, attempt_id: AttemptId) -> GatewayReply<AttemptStatus>;

    /// Makes sure that an attempt it never heard of is never charged; answers what holds then.
    fn void(&self, attempt_id: AttemptId) -> GatewayReply<AttemptStatus>;

    /// Gives the whole amount of a captured attempt back, once.
    fn refund(&self, attempt_id: AttemptId, amount: Money) -> GatewayReply<()>;
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeResult {
    /// The money was taken.
    Captured,
    /// Nothing was taken and nothing will be.
    Declined,
}

/// What the gateway knows of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptStatus {
    /// The money was taken (and perhaps given back since).
    Captured,
    /// The charge was refused.
    Declined,
    /// It was never charged and never will be.
    Voided,
    /// The gateway never heard of it.
    NeverHeard,
}

/// Why a gateway gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It may or may not have happened; ask for the status.
    #[error("the gateway's outcome is not known")]
    OutcomeUnknown,
    /// A refund was asked for an attempt that was not captured.
    #[error("the attempt was not captured")]
    NotCaptured,
}

/// The ledger of this file over a descriptor that takes no writes: a disk that failed.
#[cfg(test)]
pub(crate) fn broken_ledger(path: &std::path::Path) -> BrokenLedger {
    let mut ledger = ledger::Ledger::open(path).expect("a good ledger");
    ledger.file = std::fs::File::open(path).expect("the same file, to be read only");
    BrokenLedger(ledger)
}

#[cfg(test)]
pub(crate) struct BrokenLedger(ledger::Ledger);
