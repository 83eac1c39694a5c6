//! What a group of commands has read and locked, and what it has changed of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use double11_store::{AttemptState, CartLine, Order, OrderLine, OrderState};
use double11_units::{AttemptId, CartId, Money, OrderId, ProductId, UnixMicros, UserId};

use super::{WorkError, WorkResult};

/// Which writes a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    Order,
    Payment,
}

impl Operation {
    /// The name in the store.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }
}

/// The scope of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyScope {
    pub(crate) key: String,
    pub(crate) operation: Operation,
    pub(crate) user_id: String,
}

/// A key that a write claimed.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) fingerprint: [u8; 16],
    pub(crate) order_id: OrderId,
    /// Of a payment's key.
    pub(crate) attempt_id: Option<AttemptId>,
    /// Of an order's key: what the first answer said.
    pub(crate) receipt: Option<(Money, UnixMicros)>,
    /// Of a payment's key: the attempt as it stood when the key was read.
    pub(crate) attempt: Option<StoredAttempt>,
}

/// A locked order.
#[derive(Clone, Debug)]
pub(crate) struct LockedOrder {
    pub(crate) order: Order,
    pub(crate) closed_at: Option<UnixMicros>,
    /// State, captured and processing as they were read.
    before: (OrderState, Money, Money),
}

impl LockedOrder {
    /// An order as it was read.
    pub(crate) fn new(order: Order) -> Self {
        Self {
            before: (order.state, order.captured, order.processing),
            order,
            closed_at: None,
        }
    }

    /// Whether its row is to be written. What a group changed there and back again leaves the row as it is.
    pub(crate) fn is_changed(&self) -> bool {
        let order = &self.order;
        (order.state, order.captured, order.processing) != self.before
    }
}

/// A payment attempt as its row holds it.
#[derive(Clone, Debug)]
pub(crate) struct StoredAttempt {
    pub(crate) state: AttemptState,
    pub(crate) amount: Money,
    pub(crate) order_state: Option<OrderState>,
    pub(crate) key: Option<String>,
}

/// A locked cart with its lines, ascending by product, without prices.
#[derive(Clone, Debug)]
pub(crate) struct LockedCart {
    pub(crate) user_id: Option<UserId>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) version: u64,
    pub(crate) lines: Vec<CartLine>,
    pub(crate) is_new: bool,
    pub(crate) is_changed: bool,
}

/// What is known of the available pieces of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Nothing: none are taken, and nobody needs to know.
    #[default]
    Unknown,
    /// What the shop remembers.
    Hoped(i64),
    /// What was read.
    Read(i64),
}

impl Stored {
    /// The pieces, for an order that wants some.
    pub(crate) fn pieces(self) -> WorkResult<i64> {
        match self {
            Self::Hoped(pieces) | Self::Read(pieces) => Ok(pieces),
            Self::Unknown => Err(WorkError::Damaged(
                "the level of what is ordered is unknown",
            )),
        }
    }
}

/// A stock row and what the group moves of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// What was available before.
    pub(crate) stored: Stored,
    pub(crate) available: i64,
    pub(crate) reserved: i64,
    pub(crate) sold: i64,
}

impl Level {
    /// Whether anything is to be written.
    pub(crate) const fn is_moved(&self) -> bool {
        self.available != 0 || self.reserved != 0 || self.sold != 0
    }
}

/// An order that the group placed.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) order: Order,
    pub(crate) cart_id: Option<CartId>,
    pub(crate) lines: Vec<OrderLine>,
}

/// An attempt that the group prepared.
#[derive(Clone, Debug)]
pub(crate) struct NewAttempt {
    pub(crate) order_id: OrderId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) amount: Money,
    pub(crate) gateway: &'static str,
    pub(crate) key: Option<String>,
}

/// A refund that the group queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRefund {
    pub(crate) order_id: OrderId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) amount: Money,
}

/// Everything that a group may touch, as it was read, with the group's changes in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkingSet {
    pub(crate) keys: HashMap<KeyScope, Key>,
    /// Orders that seemed due when the group began, oldest first.
    pub(crate) due: Vec<OrderId>,
    pub(crate) orders: BTreeMap<OrderId, LockedOrder>,
    /// Lines of orders that may be closed or sold.
    pub(crate) order_lines: HashMap<OrderId, Vec<OrderLine>>,
    /// Attempts of orders that may be closed or whose payments end.
    pub(crate) attempts: BTreeMap<(OrderId, AttemptId), StoredAttempt>,
    pub(crate) carts: BTreeMap<CartId, LockedCart>,
    pub(crate) prices: HashMap<ProductId, Money>,
    pub(crate) stock: BTreeMap<ProductId, Level>,
    pub(crate) changes: Changes,
}

/// What is to be written beside the changed rows of the working set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) orders: Vec<NewOrder>,
    pub(crate) keys: BTreeMap<KeyScope, Key>,
    pub(crate) freed_keys: BTreeMap<KeyScope, AttemptId>,
    pub(crate) attempts: Vec<NewAttempt>,
    pub(crate) ended_attempts: BTreeSet<(OrderId, AttemptId)>,
    pub(crate) refunds: Vec<NewRefund>,
    pub(crate) finished_refunds: BTreeSet<(OrderId, AttemptId)>,
    /// Pieces of a product in a cart; none: the line goes.
    pub(crate) cart_lines: BTreeMap<(CartId, ProductId), Option<u32>>,
}

impl WorkingSet {
    /// Whether there is anything to write.
    pub(crate) fn is_changed(&self) -> bool {
        let changes = &self.changes;
        !changes.orders.is_empty()
            || !changes.attempts.is_empty()
            || !changes.ended_attempts.is_empty()
            || !changes.finished_refunds.is_empty()
            || self.orders.values().any(LockedOrder::is_changed)
            || self.carts.values().any(|cart| cart.is_changed)
    }
}
