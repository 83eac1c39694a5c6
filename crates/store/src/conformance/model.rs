//! The shop as plain data: what every command must answer, written down without a store.
//!
//! It has no locks, no transactions and no ids of its own. A command that makes something is told the
//! id that the store gave it, so that its answers can be compared with the store's as they are.

mod carts;
mod orders;
mod payments;

use std::collections::BTreeMap;
use std::time::Duration;

use double11_units::{AttemptId, CartId, Money, OrderId, ProductId, UnixMicros, UserId};

use crate::conformance::{CURRENCY, Conditions, GATEWAY, PAYMENT_WINDOW};
use crate::payment::RefundState;
use crate::{
    AttemptState, Cart, CartLine, Figures, Fingerprint, Order, OrderLine, OrderState, OrderView,
    PaymentReceipt, PaymentView, Store,
};

/// How long keys and carts are kept in histories.
pub const KEYS_KEPT: Duration = Duration::from_hours(24);
/// How long carts are kept in histories.
pub const CARTS_KEPT: Duration = Duration::from_hours(7 * 24);

/// The stock of one product.
#[derive(Clone, Copy, Debug)]
struct Level {
    price: Money,
    available: u64,
    reserved: u64,
}

#[derive(Clone, Debug)]
struct ModelCart {
    cart: Cart,
    updated_at: UnixMicros,
}

#[derive(Clone, Debug)]
struct ModelOrder {
    order: Order,
    lines: Vec<OrderLine>,
}

#[derive(Clone, Debug)]
struct ModelAttempt {
    order_id: OrderId,
    state: AttemptState,
    amount: Money,
    gateway: &'static str,
    created_at: UnixMicros,
    receipt: Option<PaymentReceipt>,
    claimed: Option<KeyScope>,
    refund: Option<RefundState>,
}

/// (key, operation, user).
type KeyScope = (String, Operation, UserId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Order,
    Payment,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    fingerprint: Fingerprint,
    order_id: OrderId,
    attempt_id: Option<AttemptId>,
    created_at: UnixMicros,
}

/// A shop in memory.
#[derive(Clone, Debug)]
pub struct Model {
    now: UnixMicros,
    stock: BTreeMap<ProductId, Level>,
    carts: BTreeMap<CartId, ModelCart>,
    orders: BTreeMap<OrderId, ModelOrder>,
    attempts: BTreeMap<AttemptId, ModelAttempt>,
    keys: BTreeMap<KeyScope, Claim>,
}

impl Model {
    /// The shop that a store made from these conditions is.
    pub fn new(conditions: &Conditions) -> Self {
        let stock = conditions
            .catalogue()
            .into_iter()
            .map(|new| {
                let level = Level {
                    price: new.product.price,
                    available: u64::from(new.stock),
                    reserved: 0,
                };
                (new.product.product_id, level)
            })
            .collect();
        Self {
            now: crate::Clock::now(&*conditions.clock),
            stock,
            carts: BTreeMap::new(),
            orders: BTreeMap::new(),
            attempts: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    /// Time passes.
    pub fn advance(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    /// What [`Store::restock`] must do.
    pub fn restock(&mut self, product_id: ProductId, pieces: u32) -> bool {
        let Some(level) = self.stock.get_mut(&product_id) else {
            return false;
        };
        level.available += u64::from(pieces);
        true
    }

    /// What [`Store::purge`] must do with a limit that is never reached.
    pub fn purge(&mut self) -> u32 {
        let before = self.keys.len() + self.carts.len();
        let (keys_before, carts_before) = (self.now.minus(KEYS_KEPT), self.now.minus(CARTS_KEPT));
        let attempts = &self.attempts;
        self.keys.retain(|_, claim| {
            let in_process = claim
                .attempt_id
                .and_then(|id| attempts.get(&id))
                .is_some_and(|attempt| attempt.state == AttemptState::Processing);
            claim.created_at >= keys_before || in_process
        });
        self.carts.retain(|_, cart| cart.updated_at >= carts_before);
        let deleted = before - self.keys.len() - self.carts.len();
        u32::try_from(deleted).expect("histories are short")
    }

    /// What is different between the store and this, after everything that was asked for; empty when
    /// nothing is.
    ///
    /// # Errors
    /// What the store answered instead of letting itself be read.
    pub async fn differences(&self, store: &dyn Store) -> Result<Vec<String>, crate::StoreError> {
        let mut found = Vec::new();
        let mut compare = |what: String, expected: String, seen: String| {
            if expected != seen {
                found.push(format!("{what}: expected {expected}, found {seen}"));
            }
        };
        for order_id in self.orders.keys() {
            let seen = store.order(*order_id).await?;
            let expected = self.view(*order_id);
            compare(
                format!("order {order_id}"),
                format!("{expected:?}"),
                format!("{:?}", seen.map(sorted)),
            );
        }
        for (cart_id, cart) in &self.carts {
            let seen = store.cart(*cart_id).await?.map(without_version);
            let expected = Some(without_version(cart.cart.clone()));
            compare(
                format!("cart {cart_id}"),
                format!("{expected:?}"),
                format!("{seen:?}"),
            );
        }
        let sold_out: Vec<ProductId> = self
            .stock
            .iter()
            .filter(|(_, level)| level.available == 0)
            .map(|(product_id, _)| *product_id)
            .collect();
        compare(
            "sold out".to_owned(),
            format!("{sold_out:?}"),
            format!("{:?}", store.sold_out_products().await?),
        );
        let figures = Figures {
            oversold_products: 0,
            reserved_units: self.stock.values().map(|level| level.reserved).sum(),
        };
        compare(
            "figures".to_owned(),
            format!("{figures:?}"),
            format!("{:?}", store.figures().await?),
        );
        compare(
            "unresolved payments".to_owned(),
            format!("{:?}", self.unresolved()),
            format!("{:?}", unresolved(store).await?),
        );
        compare(
            "pending refunds".to_owned(),
            format!("{:?}", self.pending_refunds()),
            format!("{:?}", pending_refunds(store).await?),
        );
        Ok(found)
    }

    fn view(&self, order_id: OrderId) -> Option<OrderView> {
        let ModelOrder { order, lines } = self.orders.get(&order_id)?;
        let payments = self
            .attempts
            .iter()
            .filter(|(_, attempt)| attempt.order_id == order_id)
            .map(|(attempt_id, attempt)| PaymentView {
                attempt_id: *attempt_id,
                state: attempt.state,
                amount: attempt.amount,
                gateway: attempt.gateway.to_owned(),
                created_at: attempt.created_at,
                refund: attempt.refund,
            })
            .collect();
        Some(OrderView {
            order: order.clone(),
            lines: lines.clone(),
            payments,
        })
    }

    fn unresolved(&self) -> Vec<AttemptId> {
        let open = self.attempts.iter();
        open.filter(|(_, attempt)| attempt.state == AttemptState::Processing)
            .map(|(attempt_id, _)| *attempt_id)
            .collect()
    }

    fn pending_refunds(&self) -> Vec<AttemptId> {
        let all = self.attempts.iter();
        all.filter(|(_, attempt)| attempt.refund == Some(RefundState::Pending))
            .map(|(attempt_id, _)| *attempt_id)
            .collect()
    }
}

/// More than any history makes.
const ALL: u32 = 10_000;

async fn unresolved(store: &dyn Store) -> Result<Vec<AttemptId>, crate::StoreError> {
    let attempts = store.unresolved_payments(GATEWAY, ALL).await?;
    let mut ids: Vec<AttemptId> = attempts.iter().map(|attempt| attempt.attempt_id).collect();
    ids.sort_unstable();
    Ok(ids)
}

async fn pending_refunds(store: &dyn Store) -> Result<Vec<AttemptId>, crate::StoreError> {
    let refunds = store.pending_refunds(GATEWAY, ALL).await?;
    let mut ids: Vec<AttemptId> = refunds.iter().map(|refund| refund.attempt_id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// The attempts by id: of those made at one instant no one is the older.
fn sorted(mut view: OrderView) -> OrderView {
    view.payments.sort_by_key(|payment| payment.attempt_id);
    view
}

/// A cart without its version, which may grow by any number.
pub fn without_version(mut cart: Cart) -> Cart {
    cart.version = 0;
    cart
}

fn total_of(lines: impl Iterator<Item = (Money, u32)>) -> Money {
    lines.fold(Money::zero(CURRENCY), |sum, (price, pieces)| {
        let price = price
            .checked_mul(i64::from(pieces))
            .expect("small histories");
        sum.checked_add(price).expect("small histories")
    })
}

fn cart_total(lines: &[CartLine]) -> Money {
    total_of(
        lines
            .iter()
            .map(|line| (line.unit_price, line.quantity.get())),
    )
}

fn new_order(
    order_id: OrderId,
    command: &crate::PlaceOrder,
    total: Money,
    now: UnixMicros,
) -> Order {
    Order {
        order_id,
        user_id: command.user_id.clone(),
        state: OrderState::PendingPayment,
        payment_method: command.payment_method,
        total,
        captured: Money::zero(CURRENCY),
        processing: Money::zero(CURRENCY),
        created_at: now,
        expires_at: now.plus(PAYMENT_WINDOW),
    }
}
