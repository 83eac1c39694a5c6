//! Payments in three phases: prepare, charge at the gateway outside any transaction, finalize.

use double11_units::{AttemptId, Money, OrderId, UnixMicros};

use crate::order::{ClaimedKey, OrderState};

/// Where an attempt to pay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// The gateway's answer is not known; the attempt holds its amount.
    Processing,
    /// The gateway took the money.
    Captured,
    /// The gateway refused.
    Declined,
    /// The gateway took the money when the order could no longer use it; it is refunded.
    Late,
}

impl AttemptState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Processing, Self::Captured, Self::Declined, Self::Late];

    /// The name in the store and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Late => "late",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Begins a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparePayment {
    /// The order to pay.
    pub order_id: OrderId,
    /// How much; a part is allowed.
    pub amount: Money,
    /// The gateway's name, a label of a metric.
    pub gateway: &'static str,
    /// The key to claim; its user is the order's.
    pub key: Option<ClaimedKey>,
}

/// An attempt without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The order to pay.
    pub order_id: OrderId,
    /// The attempt, and the key at the gateway.
    pub attempt_id: AttemptId,
    /// How much.
    pub amount: Money,
    /// When it was prepared.
    pub created_at: UnixMicros,
}

/// What the payer is told of a captured payment; the same for a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentReceipt {
    /// The order.
    pub order_id: OrderId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// How much was captured.
    pub amount: Money,
    /// Where the order stood right after the capture.
    pub order_state: OrderState,
}

/// What became of a payment to be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayOutcome {
    /// The attempt is stored: charge it now.
    Prepared(Attempt),
    /// An earlier attempt with the same key and body was captured.
    Replayed(PaymentReceipt),
    /// An earlier attempt with the same key and body has no outcome yet.
    InProcess(AttemptId),
    /// Nothing was stored.
    Refused(PayRefusal),
}

/// Why a payment was not prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayRefusal {
    /// No such order.
    UnknownOrder,
    /// The order is paid, cancelled or expired.
    OrderClosed(OrderState),
    /// The amount fits the balance only if an attempt without an outcome fails.
    PaymentProcessing,
    /// More than is outstanding.
    AmountExceedsBalance {
        /// What may still be paid.
        outstanding: Money,
    },
    /// The key was used before with another body.
    KeyReused,
}

/// What the gateway said of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayAnswer {
    /// It took the money.
    Captured,
    /// It refused, or it never heard of the attempt and never will.
    Declined,
}

/// Ends a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalizePayment {
    /// The order.
    pub order_id: OrderId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// What the gateway said.
    pub answer: GatewayAnswer,
}

/// What became of a payment that was finalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalizeOutcome {
    /// The money counts for the order.
    Captured(PaymentReceipt),
    /// Nothing was taken; the key is free again.
    Declined,
    /// The money came too late for the order and is being refunded.
    Late,
    /// No such attempt.
    UnknownAttempt,
}

/// The answer to [`FinalizePayment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalized {
    /// What holds now.
    pub outcome: FinalizeOutcome,
    /// Whether this call made it so. Of all calls for an attempt, by whichever shops and however
    /// often, one is told so for each state that the attempt enters: whoever counts outcomes counts
    /// those.
    pub changed: bool,
}

/// A payment attempt as an order shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// Where it stands.
    pub state: AttemptState,
    /// How much.
    pub amount: Money,
    /// The gateway's name.
    pub gateway: String,
    /// When it was prepared.
    pub created_at: UnixMicros,
    /// What was or is being refunded of it, if anything.
    pub refund: Option<RefundState>,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// The gateway has not confirmed it yet.
    Pending,
    /// The gateway confirmed it.
    Done,
}

/// A refund that the gateway has not confirmed yet; always of the whole attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRefund {
    /// The order.
    pub order_id: OrderId,
    /// The captured attempt.
    pub attempt_id: AttemptId,
    /// How much.
    pub amount: Money,
}
