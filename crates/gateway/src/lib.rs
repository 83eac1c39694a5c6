//! The payment gateway: who takes the money. Called outside any transaction of the store.
//!
//! The attempt id is the gateway's key: whatever is asked twice for one attempt is answered as it
//! was the first time. The built-in [`SandboxGateway`] keeps a durable ledger of its own, so that it
//! survives the shop's crash and an audit can read it. This crate must not know the shop, its store or
//! its metrics: a gateway runs without them.

pub mod client;
pub mod sandbox;
pub mod service;
pub mod signature;

mod transport;
mod wire;

use std::future::Future;
use std::pin::Pin;

use double11_units::{AttemptId, Money, OrderId};

pub use sandbox::{LedgerError, SandboxGateway, SandboxSettings};
pub use transport::AddressError;

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

    /// Whether the gateway can do its work, as far as it is known without asking it.
    fn health(&self) -> Health;

    /// Takes the amount, once, however often it is asked for this attempt. One that is known for another order or
    /// amount is [`GatewayError::OtherCharge`].
    fn charge(&self, charge: Charge) -> GatewayReply<ChargeResult>;

    /// What the gateway knows of an attempt.
    fn status(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt>;

    /// Makes sure that an attempt it never heard of is never charged; answers what holds then.
    fn void(&self, attempt_id: AttemptId) -> GatewayReply<KnownAttempt>;

    /// Gives the whole amount of a captured attempt back, once.
    fn refund(&self, attempt_id: AttemptId, amount: Money) -> GatewayReply<()>;
}

/// Money to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The attempt: the key under which the gateway takes it once.
    pub attempt_id: AttemptId,
    /// The order that is paid. Only a reference, which the gateway names when it calls back.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeResult {
    /// The money was taken.
    Captured,
    /// Nothing was taken and nothing will be.
    Declined,
}

impl ChargeResult {
    /// The name on the wire and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
        }
    }

    /// The result with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Captured, Self::Declined];
        all.into_iter().find(|result| result.name() == name)
    }
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

/// An attempt as the gateway knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAttempt {
    /// What became of it.
    pub status: AttemptStatus,
    /// The order that was named when it was charged, where the gateway tells.
    pub order_id: Option<OrderId>,
    /// The amount that was asked for, where the gateway tells.
    pub amount: Option<Money>,
}

impl KnownAttempt {
    /// An attempt of which only the status is known.
    pub const fn only(status: AttemptStatus) -> Self {
        Self {
            status,
            order_id: None,
            amount: None,
        }
    }

    /// Its status, if it is this charge. An id comes again after a database was restored from a backup, or
    /// with another database on the same gateway: what became of that charge says nothing of this one.
    ///
    /// # Errors
    /// [`GatewayError::OtherCharge`] where order or amount are others.
    pub fn status_of(self, charge: Charge) -> Result<AttemptStatus, GatewayError> {
        let is_other = self.order_id.is_some_and(|known| known != charge.order_id)
            || self.amount.is_some_and(|known| known != charge.amount);
        if is_other {
            Err(GatewayError::OtherCharge)
        } else {
            Ok(self.status)
        }
    }
}

/// Whether a gateway can do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// As far as is known.
    Up,
    /// It cannot, for this reason: outcomes are unknown until that is mended.
    Down(&'static str),
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
    /// The gateway knows the attempt for another order or amount: nothing was taken for this one, and nothing
    /// will be.
    #[error("the gateway knows the attempt for another order or amount")]
    OtherCharge,
}
