//! The decisions, on working sets that are made by hand.

use std::time::Duration;

use double11_store::{
    AddToCart, AttemptState, CancelOutcome, CancelRefusal, CartOutcome, ClaimedKey,
    FinalizeOutcome, FinalizePayment, Finalized, Fingerprint, GatewayAnswer, Order, OrderLine,
    OrderLines, OrderState, PayOutcome, PayRefusal, PaymentMethod, PlaceOrder, PlaceOutcome,
    PlaceRefusal, PreparePayment,
};
use double11_units::{
    AttemptId, CartId, Currency, IdempotencyKey, Money, OrderId, ProductId, Quantity, UnixMicros,
    UserId,
};

use super::{Decision, doubtful_keys};
use crate::ids::Layout;
use crate::work::set::{Level, LockedCart, LockedOrder, Stored, StoredAttempt, WorkingSet};
use crate::work::{Command, Outcome, ShopFacts, Task};

const NOW: UnixMicros = UnixMicros::new(1_000_000_000);
const WINDOW: Duration = Duration::from_mins(15);

fn product(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

fn order_id(id: i64) -> OrderId {
    OrderId::new(id).unwrap()
}

fn yuan(major: i64) -> Money {
    Money::from_minor(major * 100, Currency::Cny)
}

fn pieces(count: u32) -> Quantity {
    Quantity::new(count).unwrap()
}

fn key(name: &str, body: u8) -> ClaimedKey {
    ClaimedKey {
        key: IdempotencyKey::new(name).unwrap(),
        fingerprint: Fingerprint([body; 16]),
    }
}

/// Products 1, 2, …: product `n` costs `n` yuan, and this many pieces are available.
fn set(stock: &[i64]) -> WorkingSet {
    let mut set = WorkingSet::default();
    for (id, available) in (1_i64..).zip(stock) {
        set.prices.insert(product(id), yuan(id));
        let level = Level {
            stored: Stored::Read(*available),
            ..Level::default()
        };
        set.stock.insert(product(id), level);
    }
    set
}

fn place(user: &str, items: &[(i64, u32)], key: Option<ClaimedKey>) -> Command {
    let items = items
        .iter()
        .map(|(id, count)| (product(*id), pieces(*count)));
    Command::Place(PlaceOrder {
        user_id: UserId::new(user).unwrap(),
        lines: OrderLines::Items(items.collect()),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key,
    })
}

/// Decides commands whose fresh ids are 101, 102, …
fn decide(set: &mut WorkingSet, commands: &[Command]) -> Vec<Outcome> {
    let tasks: Vec<Task<'_>> = (101_i64..)
        .zip(commands)
        .map(|(fresh_id, command)| Task { command, fresh_id })
        .collect();
    let facts = ShopFacts {
        currency: Currency::Cny,
        payment_window: WINDOW,
        layout: Layout::Ordered,
        has_indexes: true,
    };
    let mut decision = Decision {
        set,
        facts,
        now: NOW,
    };
    decision.decide_all(&tasks).unwrap()
}

/// Adds an order of two pieces of product 1 that was read and locked.
fn lock_order(set: &mut WorkingSet, id: i64, expires_at: UnixMicros) {
    let order = Order {
        order_id: order_id(id),
        user_id: UserId::new("a").unwrap(),
        state: OrderState::PendingPayment,
        payment_method: PaymentMethod::Unspecified,
        total: yuan(2),
        captured: yuan(0),
        processing: yuan(0),
        created_at: NOW,
        expires_at,
    };
    set.orders.insert(order_id(id), LockedOrder::new(order));
    let line = OrderLine {
        product_id: product(1),
        quantity: pieces(2),
        unit_price: yuan(1),
    };
    set.order_lines.insert(order_id(id), vec![line]);
}

/// Adds an attempt of this many yuan that was read; those in process hold their amount.
fn read_attempt(set: &mut WorkingSet, id: (i64, i64), amount: i64, state: AttemptState) {
    let attempt = StoredAttempt {
        state,
        amount: yuan(amount),
        order_state: None,
        key: Some("p".to_owned()),
    };
    let attempt_id = AttemptId::new(id.1).unwrap();
    set.attempts.insert((order_id(id.0), attempt_id), attempt);
    if state == AttemptState::Processing {
        let order = &mut set.orders.get_mut(&order_id(id.0)).unwrap().order;
        order.processing = order.processing.checked_add(yuan(amount)).unwrap();
    }
}

fn finalize(id: (i64, i64), answer: GatewayAnswer) -> Command {
    Command::Finalize(FinalizePayment {
        order_id: order_id(id.0),
        attempt_id: AttemptId::new(id.1).unwrap(),
        answer,
    })
}

fn prepare(id: i64, amount: i64, key: Option<ClaimedKey>) -> Command {
    Command::Prepare(PreparePayment {
        order_id: order_id(id),
        amount: yuan(amount),
        gateway: "sandbox",
        key,
    })
}

#[test]
fn stock_goes_to_whoever_came_first_all_or_nothing() {
    let mut set = set(&[3, 1]);
    let outcomes = decide(
        &mut set,
        &[
            place("a", &[(1, 2)], None),
            place("b", &[(1, 1), (2, 2)], None),
            place("c", &[(1, 1), (2, 1)], None),
            place("d", &[(1, 1)], None),
        ],
    );
    assert!(matches!(
        outcomes.as_slice(),
        [
            Outcome::Place(PlaceOutcome::Placed(_)),
            Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::SoldOut(short))),
            Outcome::Place(PlaceOutcome::Placed(_)),
            Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::SoldOut(_))),
        ] if *short == product(2)
    ));
    let level = set.stock[&product(1)];
    assert_eq!(
        (level.stored, level.available, level.reserved),
        (Stored::Read(3), -3, 3)
    );
    assert_eq!(set.changes.orders.len(), 2);
}

#[test]
fn a_key_replays_within_a_group_and_counts_more_than_a_refusal() {
    let mut set = set(&[1]);
    let commands = [
        place("a", &[(1, 1)], Some(key("k", 1))),
        place("a", &[(1, 1)], Some(key("k", 1))),
        place("a", &[(9, 1)], Some(key("k", 2))),
        place("b", &[(1, 1)], Some(key("k", 1))),
    ];
    let outcomes = decide(&mut set, &commands);
    let Outcome::Place(PlaceOutcome::Placed(receipt)) = &outcomes[0] else {
        unreachable!("{outcomes:?}");
    };
    assert_eq!(
        outcomes[1..],
        [
            Outcome::Place(PlaceOutcome::Replayed(*receipt)),
            Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::KeyReused)),
            Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::SoldOut(product(1)))),
        ]
    );
    assert_eq!(set.changes.keys.len(), 1);
    let tasks: Vec<Task<'_>> = commands
        .iter()
        .map(|command| Task {
            command,
            fresh_id: 1,
        })
        .collect();
    let doubtful = doubtful_keys(&tasks, &outcomes, &set);
    assert_eq!(doubtful.len(), 1, "only the other user's key is not known");
    assert_eq!(doubtful[0].user_id, "b");
}

#[test]
fn a_capture_in_full_sells_and_a_decline_frees_the_key() {
    let mut set = set(&[0]);
    lock_order(&mut set, 1, NOW.plus(WINDOW));
    lock_order(&mut set, 2, NOW.plus(WINDOW));
    read_attempt(&mut set, (1, 11), 2, AttemptState::Processing);
    read_attempt(&mut set, (2, 12), 2, AttemptState::Processing);
    let outcomes = decide(
        &mut set,
        &[
            finalize((1, 11), GatewayAnswer::Captured),
            finalize((1, 11), GatewayAnswer::Declined),
            finalize((2, 12), GatewayAnswer::Declined),
            prepare(2, 2, Some(key("p", 1))),
            prepare(2, 1, None),
            finalize((2, 99), GatewayAnswer::Captured),
        ],
    );
    assert!(matches!(
        outcomes.as_slice(),
        [
            Outcome::Finalize(Finalized { outcome: FinalizeOutcome::Captured(first), changed: true }),
            Outcome::Finalize(Finalized { outcome: FinalizeOutcome::Captured(second), changed: false }),
            Outcome::Finalize(Finalized { outcome: FinalizeOutcome::Declined, changed: true }),
            Outcome::Prepare(PayOutcome::Prepared(_)),
            Outcome::Prepare(PayOutcome::Refused(PayRefusal::PaymentProcessing)),
            Outcome::Finalize(Finalized { outcome: FinalizeOutcome::UnknownAttempt, changed: false }),
        ] if first == second && first.order_state == OrderState::Paid
    ));
    let level = set.stock[&product(1)];
    assert_eq!((level.available, level.reserved, level.sold), (0, -2, 2));
    assert_eq!(set.changes.freed_keys.len(), 1);
    assert_eq!(set.changes.keys.len(), 1, "the freed key is claimed again");
    assert_eq!(set.changes.ended_attempts.len(), 2);
}

/// An update of many rows counts one that is what it was before as another row than the others.
#[test]
fn an_order_that_changes_there_and_back_is_not_written() {
    let mut set = set(&[5]);
    lock_order(&mut set, 1, NOW.plus(Duration::from_secs(9)));
    read_attempt(&mut set, (1, 11), 2, AttemptState::Processing);
    let read = set.orders[&order_id(1)].order.clone();
    set.orders.insert(order_id(1), LockedOrder::new(read));
    let outcomes = decide(
        &mut set,
        &[
            finalize((1, 11), GatewayAnswer::Declined),
            prepare(1, 2, None),
        ],
    );
    let last = outcomes.last();
    assert!(
        matches!(last, Some(Outcome::Prepare(PayOutcome::Prepared(_)))),
        "{last:?}"
    );
    let locked = &set.orders[&order_id(1)];
    assert!(!locked.is_changed());
}

#[test]
fn money_that_comes_late_is_refunded() {
    let mut set = set(&[0]);
    lock_order(&mut set, 1, NOW);
    read_attempt(&mut set, (1, 11), 2, AttemptState::Declined);
    let late = finalize((1, 11), GatewayAnswer::Captured);
    let outcomes = decide(&mut set, &[late.clone(), late]);
    let told = [true, false].map(|changed| {
        Outcome::Finalize(Finalized {
            outcome: FinalizeOutcome::Late,
            changed,
        })
    });
    assert_eq!(outcomes, told);
    assert_eq!(set.changes.refunds.len(), 1);
    assert!(!set.orders[&order_id(1)].is_changed());
}

#[test]
fn only_due_orders_without_a_payment_in_process_expire() {
    let mut set = set(&[0]);
    lock_order(&mut set, 1, NOW);
    lock_order(&mut set, 2, NOW);
    lock_order(&mut set, 3, NOW.plus(Duration::from_micros(1)));
    read_attempt(&mut set, (2, 12), 1, AttemptState::Processing);
    // Another shop has closed 4 between the reading and the locking, or it never was there.
    set.due = [2, 1, 3, 4].map(order_id).to_vec();
    let outcomes = decide(
        &mut set,
        &[
            Command::Expire { limit: 9 },
            Command::Cancel(order_id(1)),
            Command::Cancel(order_id(2)),
            Command::Cancel(order_id(3)),
            Command::Cancel(order_id(4)),
            prepare(3, 1, None),
        ],
    );
    assert_eq!(outcomes[0], Outcome::Expire(1));
    let refused = |refusal| Outcome::Cancel(CancelOutcome::Refused(refusal));
    assert_eq!(outcomes[1], refused(CancelRefusal::Expired));
    assert_eq!(outcomes[2], refused(CancelRefusal::PaymentProcessing));
    assert!(matches!(
        &outcomes[3],
        Outcome::Cancel(CancelOutcome::Cancelled(order)) if order.state == OrderState::Cancelled
    ));
    assert_eq!(outcomes[4], refused(CancelRefusal::UnknownOrder));
    assert_eq!(
        outcomes[5],
        Outcome::Prepare(PayOutcome::Refused(PayRefusal::OrderClosed(
            OrderState::Cancelled
        )))
    );
    let level = set.stock[&product(1)];
    assert_eq!((level.available, level.reserved), (4, -4));
}

#[test]
fn closing_refunds_what_was_captured_in_the_same_group() {
    let mut set = set(&[0]);
    lock_order(&mut set, 1, NOW.plus(WINDOW));
    read_attempt(&mut set, (1, 11), 1, AttemptState::Processing);
    decide(
        &mut set,
        &[
            finalize((1, 11), GatewayAnswer::Captured),
            Command::Cancel(order_id(1)),
        ],
    );
    assert_eq!(set.changes.refunds.len(), 1);
    assert_eq!(set.changes.refunds[0].amount, yuan(1));
}

#[test]
fn a_cart_that_grows_in_a_group_is_ordered_with_what_it_holds() {
    let mut set = set(&[5, 5]);
    let cart_id = CartId::new(7).unwrap();
    let cart = LockedCart {
        user_id: None,
        order_id: None,
        version: 3,
        lines: Vec::new(),
        is_new: false,
        is_changed: false,
    };
    set.carts.insert(cart_id, cart);
    let order = Command::Place(PlaceOrder {
        user_id: UserId::new("a").unwrap(),
        lines: OrderLines::Cart(cart_id),
        payment_method: PaymentMethod::Unspecified,
        expected_total: None,
        key: None,
    });
    let add = Command::AddToCart(AddToCart {
        cart_id: Some(cart_id),
        user_id: Some(UserId::new("a").unwrap()),
        product_id: product(2),
        quantity: pieces(2),
    });
    let outcomes = decide(&mut set, &[order.clone(), add.clone(), order.clone(), add]);
    assert!(matches!(
        outcomes.as_slice(),
        [
            Outcome::Place(PlaceOutcome::Refused(PlaceRefusal::EmptyCart)),
            Outcome::Cart(CartOutcome::Changed { cart, created: false }),
            Outcome::Place(PlaceOutcome::Placed(receipt)),
            Outcome::Cart(CartOutcome::Refused(_)),
        ] if cart.version == 4 && cart.total == yuan(4) && receipt.total == yuan(4)
    ));
    let cart = &set.carts[&cart_id];
    assert_eq!(cart.version, 5);
    assert!(cart.order_id.is_some());
}

#[test]
fn refusals_leave_nothing_to_write() {
    let mut set = set(&[0]);
    lock_order(&mut set, 1, NOW.plus(WINDOW));
    decide(
        &mut set,
        &[
            place("a", &[(1, 1)], Some(key("k", 1))),
            place("a", &[(3, 1)], None),
            prepare(1, 3, None),
            prepare(2, 1, None),
            finalize((1, 5), GatewayAnswer::Captured),
            Command::Expire { limit: 1 },
        ],
    );
    assert!(!set.is_changed());
}
