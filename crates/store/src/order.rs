//! Orders: commands, answers and what is stored.

use double11_units::{
    CartId, IdempotencyKey, Money, OrderId, ProductId, Quantity, UnixMicros, UserId,
};

use crate::payment::PaymentView;

/// How the buyer means to pay; a closed set, because it is a label of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaymentMethod {
    /// The order did not say.
    #[default]
    Unspecified,
    /// Alipay.
    Alipay,
    /// WeChat Pay.
    Wechat,
    /// A bank card.
    Card,
    /// Anything else.
    Other,
}

impl PaymentMethod {
    /// Every method, in the order in which metrics list them.
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::Alipay,
        Self::Wechat,
        Self::Card,
        Self::Other,
    ];

    /// The name in the store and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Alipay => "alipay",
            Self::Wechat => "wechat",
            Self::Card => "card",
            Self::Other => "other",
        }
    }

    /// The method with this name; every unknown name is [`PaymentMethod::Other`].
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .unwrap_or(Self::Other)
    }
}

/// Where an order stands. States move forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Stock is reserved, nothing is paid.
    PendingPayment,
    /// Stock is reserved, a part is paid.
    PartiallyPaid,
    /// Paid in full: the stock is sold.
    Paid,
    /// Closed by the buyer: the stock is given back.
    Cancelled,
    /// Closed by time: the stock is given back.
    Expired,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::PendingPayment,
        Self::PartiallyPaid,
        Self::Paid,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name in the store and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the order still holds its reservation.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::PendingPayment | Self::PartiallyPaid)
    }
}

/// A digest of a parsed request, by which a reused key with another body is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// An idempotency key that a successful write claims. Its scope is (user, operation, key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedKey {
    /// The key, made by the client.
    pub key: IdempotencyKey,
    /// What the client asked for with it.
    pub fingerprint: Fingerprint,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderLines {
    /// These products: 1..=100 distinct ones, ascending by id.
    Items(Vec<(ProductId, Quantity)>),
    /// What is in this cart.
    Cart(CartId),
}

/// Places an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The buyer.
    pub user_id: UserId,
    /// What is ordered.
    pub lines: OrderLines,
    /// How the buyer means to pay.
    pub payment_method: PaymentMethod,
    /// The total that the buyer saw; another one is refused.
    pub expected_total: Option<Money>,
    /// The key to claim.
    pub key: Option<ClaimedKey>,
}

/// What the buyer is told of a placed order; the same for a replay, whatever happened since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderReceipt {
    /// The order.
    pub order_id: OrderId,
    /// What it costs.
    pub total: Money,
    /// When the reservation ends unless the order is paid.
    pub expires_at: UnixMicros,
}

/// What became of an order to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceOutcome {
    /// Stored by this command.
    Placed(OrderReceipt),
    /// Stored by an earlier command with the same key and body.
    Replayed(OrderReceipt),
    /// Nothing was stored.
    Refused(PlaceRefusal),
}

/// Why an order was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRefusal {
    /// No such product.
    UnknownProduct(ProductId),
    /// No such cart.
    UnknownCart,
    /// The cart has no lines.
    EmptyCart,
    /// The cart has already become this order.
    CartAlreadyOrdered(OrderId),
    /// The cart belongs to another user.
    CartOfAnotherUser,
    /// Less of this product is available than was wanted.
    SoldOut(ProductId),
    /// The total is this one, not the expected one.
    TotalChanged(Money),
    /// The total does not fit.
    TotalOutOfRange,
    /// The key was used before with another body.
    KeyReused,
}

/// One product of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Pieces of it.
    pub quantity: Quantity,
    /// Price of one piece when the order was placed.
    pub unit_price: Money,
}

/// An order as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub order_id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// Where it stands.
    pub state: OrderState,
    /// How the buyer means to pay.
    pub payment_method: PaymentMethod,
    /// What it costs.
    pub total: Money,
    /// What was captured for it.
    pub captured: Money,
    /// What attempts without an outcome hold.
    pub processing: Money,
    /// When it was placed.
    pub created_at: UnixMicros,
    /// When its reservation ends unless it is paid.
    pub expires_at: UnixMicros,
}

/// An order with its lines and payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Its lines, ascending by product id.
    pub lines: Vec<OrderLine>,
    /// Its payment attempts, oldest first.
    pub payments: Vec<PaymentView>,
}

/// What became of a cancellation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The order is cancelled, by this command or an earlier one.
    Cancelled(Order),
    /// The order was not changed.
    Refused(CancelRefusal),
}

/// Why an order was not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRefusal {
    /// No such order.
    UnknownOrder,
    /// It is paid.
    Paid,
    /// It has expired.
    Expired,
    /// A payment of it has no outcome yet.
    PaymentProcessing,
}
