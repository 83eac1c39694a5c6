//! The conformance suite: right behaviour of a store, in one place.
//!
//! A store's tests call [`conformance_suite!`](crate::conformance_suite) with a function that makes an
//! empty store from [`Conditions`]; every case then becomes a test of its own. The cases use nothing
//! but the [`Store`] trait, so they say the same of every store.

pub mod carts;
pub mod data_life;
pub mod histories;
pub mod keys;
pub mod model;
pub mod payments;
pub mod races;
pub mod stock;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use double11_units::{
    Currency, IdempotencyKey, Money, OrderId, ProductId, Quantity, UnixMicros, UserId,
};

use crate::{
    Attempt, Category, ClaimedKey, Clock, FinalizeOutcome, FinalizePayment, Fingerprint,
    GatewayAnswer, NewProduct, OrderLines, OrderReceipt, OrderState, PayOutcome, PaymentMethod,
    PlaceOrder, PlaceOutcome, PlaceRefusal, PreparePayment, Product, Store,
};

/// A clock that only moves when a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows some fixed day.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000_000)))
    }

    /// Moves the clock on.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a test advances by little");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMicros {
        UnixMicros::new(self.0.load(Ordering::SeqCst))
    }
}

/// How long an unpaid order holds its stock in every case.
pub const PAYMENT_WINDOW: Duration = Duration::from_mins(15);
/// The currency of every case.
pub const CURRENCY: Currency = Currency::Cny;

/// What a case needs: a store with these products, this clock and [`PAYMENT_WINDOW`].
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The clock that the store must use.
    pub clock: Arc<ManualClock>,
    /// The catalogue: product `n` (from 1) costs `n` yuan and this many pieces of it are received.
    pub stock: Vec<u32>,
}

impl Conditions {
    /// Conditions with these pieces of products 1, 2, …
    pub fn with_stock(stock: &[u32]) -> Self {
        Self {
            clock: ManualClock::new(),
            stock: stock.to_vec(),
        }
    }

    /// The catalogue to seed the store with.
    pub fn catalogue(&self) -> Vec<NewProduct> {
        (1_i64..)
            .zip(&self.stock)
            .map(|(id, stock)| NewProduct {
                product: Product {
                    product_id: product(id),
                    name: format!("測試商品{id}"),
                    name_en: format!("Test product {id}"),
                    category: Category::ALL[usize::try_from(id).expect("positive") % 5],
                    price: yuan(id),
                },
                stock: *stock,
            })
            .collect()
    }
}

/// Makes a test of every case of the suite for the store that `$open` makes: an async function from
/// [`Conditions`] to something that derefs to the store.
#[macro_export]
macro_rules! conformance_suite {
    ($open:path) => {
        $crate::conformance_suite!(@cases $open, stock: sells_and_refuses
            all_or_nothing cancelling_gives_back expiry_gives_back refuses_unknown_products
            refuses_a_changed_total lists_what_is_sold_out finds_products);
        $crate::conformance_suite!(@cases $open, keys: replays_the_first_answer
            another_body_is_refused refusals_claim_nothing users_do_not_share_keys
            payment_keys_replay_join_and_release);
        $crate::conformance_suite!(@cases $open, payments: full_payment_sells
            deposit_and_balance amounts_are_bounded finalizing_twice_changes_nothing
            a_payment_in_process_holds_the_order closing_refunds_every_capture
            a_late_capture_is_refunded
            each_gateway_is_asked_for_its_own an_overdue_order_takes_no_payment);
        $crate::conformance_suite!(@cases $open, carts: grows_and_shrinks becomes_one_order
            belongs_to_its_owner limits_hold);
        $crate::conformance_suite!(@cases $open, data_life: restocked_pieces_are_sold
            old_keys_are_deleted old_carts_are_deleted);
        $crate::conformance_suite!(@cases $open, histories: sequential concurrent crowd);
        $crate::conformance_suite!(@cases $open, races: flash_sale_sells_exactly_the_stock
            one_caller_is_told_of_a_change one_order_per_key one_payment_for_the_balance payment_against_expiry
            orders_for_the_same_two_products);
    };
    (@cases $open:path, $module:ident: $($case:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::conformance::$module::$case(|conditions| $open(conditions)).await;
                }
            )+
        }
    };
}

/// A product id from a small number.
pub(crate) fn product(id: i64) -> ProductId {
    ProductId::new(id).expect("tests use positive ids")
}

/// An amount in major units.
pub(crate) fn yuan(major: i64) -> Money {
    Money::from_minor(major * 100, CURRENCY)
}

/// Some user.
pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("tests use short names")
}

/// A key with the digest of a body.
pub(crate) fn key(name: &str, body: u8) -> ClaimedKey {
    ClaimedKey {
        key: IdempotencyKey::new(name).expect("tests use short keys"),
        fingerprint: Fingerprint([body; 16]),
    }
}

/// An order of `user` for these (product, pieces).
pub(crate) fn order(buyer: &str, items: &[(i64, u32)]) -> PlaceOrder {
    let items = items
        .iter()
        .map(|(id, pieces)| {
            (
                product(*id),
                Quantity::new(*pieces).expect("tests order pieces"),
            )
        })
        .collect();
    PlaceOrder {
        user_id: user(buyer),
        lines: OrderLines::Items(items),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    }
}

/// Where payments are made.
pub(crate) const GATEWAY: &str = "sandbox";

/// A payment of this many yuan.
pub(crate) fn pay(order_id: OrderId, major: i64) -> PreparePayment {
    PreparePayment {
        order_id,
        amount: yuan(major),
        gateway: GATEWAY,
        key: None,
    }
}

/// Places an order that must succeed.
pub(crate) async fn placed(store: &dyn Store, command: PlaceOrder) -> OrderReceipt {
    match store.place_order(command).await {
        Ok(PlaceOutcome::Placed(receipt)) => receipt,
        other => unreachable!("the order should have been placed: {other:?}"),
    }
}

/// Tries an order that must be refused.
pub(crate) async fn refused(store: &dyn Store, command: PlaceOrder) -> PlaceRefusal {
    match store.place_order(command).await {
        Ok(PlaceOutcome::Refused(refusal)) => refusal,
        other => unreachable!("the order should have been refused: {other:?}"),
    }
}

/// Prepares a payment that must be accepted.
pub(crate) async fn prepared(store: &dyn Store, command: PreparePayment) -> Attempt {
    match store.prepare_payment(command).await {
        Ok(PayOutcome::Prepared(attempt)) => attempt,
        other => unreachable!("the payment should have been prepared: {other:?}"),
    }
}

/// Gives an attempt the gateway's answer.
pub(crate) async fn finalized(
    store: &dyn Store,
    attempt: &Attempt,
    answer: GatewayAnswer,
) -> FinalizeOutcome {
    let (order_id, attempt_id) = (attempt.order_id, attempt.attempt_id);
    store
        .finalize_payment(FinalizePayment {
            order_id,
            attempt_id,
            answer,
        })
        .await
        .expect("finalizing works")
        .outcome
}

/// Pays a part or all of an order.
pub(crate) async fn captured(store: &dyn Store, order_id: OrderId, major: i64) -> OrderState {
    let attempt = prepared(store, pay(order_id, major)).await;
    match finalized(store, &attempt, GatewayAnswer::Captured).await {
        FinalizeOutcome::Captured(receipt) => receipt.order_state,
        other => unreachable!("the money should count: {other:?}"),
    }
}

/// Where an order stands.
pub(crate) async fn state(store: &dyn Store, order_id: OrderId) -> OrderState {
    let view = store
        .order(order_id)
        .await
        .expect("reading works")
        .expect("the order exists");
    view.order.state
}

/// Pieces that unpaid orders hold; also checks that no product is oversold.
pub(crate) async fn reserved(store: &dyn Store) -> u64 {
    let figures = store.figures().await.expect("figures work");
    assert_eq!(figures.oversold_products, 0, "no product may be oversold");
    figures.reserved_units
}
