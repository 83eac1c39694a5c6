//! Steps of a history: choices that become commands once it is known what there is to choose from.
//! A history stays meaningful when steps are left out.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use double11_units::{AttemptId, CartId, IdempotencyKey, Money, OrderId, Quantity, UserId};

use super::commands::{Answered, Command};
use crate::conformance::{CURRENCY, PAYMENT_WINDOW, product, user, yuan};
use crate::{
    AddToCart, CartOutcome, ClaimedKey, FinalizePayment, Fingerprint, GatewayAnswer, OrderLines,
    PayOutcome, PaymentMethod, PlaceOrder, PlaceOutcome, PreparePayment, RemoveFromCart,
};

/// A stream of random numbers (splitmix64), the same for a seed everywhere.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The increment of the stream must not be a factor here, or each stream would be a part of the
    /// next.
    pub(super) const fn new(seed: u64) -> Self {
        Self((seed ^ 0x5851_F42D_4C95_7F2D).wrapping_mul(0xD134_2543_DE82_EF95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("small").max(1);
        usize::try_from(self.next() % bound).expect("small")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AddToCart,
    RemoveFromCart,
    PlaceItems,
    PlaceCart,
    Cancel,
    Expire,
    /// A write with a key, sent once more.
    Again,
    Pay,
    Finalize,
    FinishRefund,
    Restock,
    Purge,
    Advance,
}

/// Each kind as often as it is to be chosen in a hundred.
const WEIGHTS: [(Kind, usize); 13] = [
    (Kind::AddToCart, 12),
    (Kind::RemoveFromCart, 8),
    (Kind::PlaceItems, 18),
    (Kind::Again, 7),
    (Kind::PlaceCart, 9),
    (Kind::Cancel, 7),
    (Kind::Expire, 5),
    (Kind::Pay, 16),
    (Kind::Finalize, 14),
    (Kind::FinishRefund, 3),
    (Kind::Restock, 3),
    (Kind::Purge, 2),
    (Kind::Advance, 5),
];

/// Most often little time passes, sometimes more than anything is kept.
const SPANS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(1),
    Duration::from_mins(5),
    Duration::from_mins(5),
    PAYMENT_WINDOW,
    PAYMENT_WINDOW,
    Duration::from_hours(25),
    Duration::from_hours(8 * 24),
];

/// What a history has made so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    carts: Vec<CartId>,
    pub(super) orders: Vec<(OrderId, Money)>,
    attempts: Vec<(OrderId, AttemptId)>,
    /// Writes that were sent with a key.
    keyed: Vec<Command>,
}

impl Book {
    /// Takes in what a command has made, and the command if it can be sent again.
    pub(super) fn note(&mut self, command: &Command, answered: &Answered) {
        match command {
            Command::Place(PlaceOrder { key: Some(_), .. })
            | Command::Prepare(PreparePayment { key: Some(_), .. }) => {
                self.keyed.push(command.clone());
            }
            _ => {}
        }
        match answered {
            Answered::Place(PlaceOutcome::Placed(receipt)) => {
                self.orders.push((receipt.order_id, receipt.total));
            }
            Answered::Prepare(PayOutcome::Prepared(attempt)) => {
                self.attempts.push((attempt.order_id, attempt.attempt_id));
            }
            Answered::Cart(CartOutcome::Changed {
                cart,
                created: true,
            }) => {
                self.carts.push(cart.cart_id);
            }
            _ => {}
        }
    }

    fn order(&self, pick: usize) -> (OrderId, Money) {
        let unknown = (OrderId::new(1).expect("positive"), yuan(1));
        if pick % 12 == 11 {
            return unknown;
        }
        of(&self.orders, pick).unwrap_or(unknown)
    }

    fn cart(&self, pick: usize) -> CartId {
        of(&self.carts, pick).unwrap_or_else(|| CartId::new(1).expect("positive"))
    }

    fn attempt(&self, pick: usize) -> (OrderId, AttemptId) {
        let nobody = AttemptId::new(1).expect("positive");
        of(&self.attempts, pick).unwrap_or_else(|| (self.order(pick).0, nobody))
    }
}

/// One of the latest few, now and then an older one; none when there is none.
fn of<T: Clone>(all: &[T], pick: usize) -> Option<T> {
    let reach = if pick.is_multiple_of(5) {
        all.len()
    } else {
        all.len().min(3)
    };
    let back = (pick / 5) % reach.max(1);
    all.len()
        .checked_sub(back + 1)
        .and_then(|index| all.get(index))
        .cloned()
}

/// A kind of command and four choices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    kind: Kind,
    picks: [usize; 4],
}

impl Step {
    /// Any step.
    pub(super) fn any(random: &mut Random) -> Self {
        let sum = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut place = random.below(sum);
        let mut kind = Kind::Advance;
        for (candidate, weight) in WEIGHTS {
            if place < weight {
                kind = candidate;
                break;
            }
            place -= weight;
        }
        let picks = [(); 4].map(|()| random.below(60));
        Self { kind, picks }
    }

    /// Any step that many may do at once, while the clock stands still.
    pub(super) fn at_once(random: &mut Random) -> Self {
        loop {
            let step = Self::any(random);
            if step.kind != Kind::Advance && step.kind != Kind::Purge {
                return step;
            }
        }
    }

    /// The kind, or what must come before it; now and then the kind all the same, so that what does
    /// not exist is asked for too.
    fn kind_for(&self, book: &Book) -> Kind {
        let asks_anyway = self.picks[0].is_multiple_of(4);
        match self.kind {
            kind if asks_anyway => kind,
            Kind::Finalize | Kind::FinishRefund
                if book.attempts.is_empty() && !book.orders.is_empty() =>
            {
                Kind::Pay
            }
            Kind::Cancel | Kind::Pay | Kind::Finalize | Kind::FinishRefund | Kind::Again
                if book.orders.is_empty() =>
            {
                Kind::PlaceItems
            }
            Kind::RemoveFromCart | Kind::PlaceCart if book.carts.is_empty() => Kind::AddToCart,
            kind => kind,
        }
    }

    /// The command, chosen from what there is.
    pub(super) fn command(&self, book: &Book) -> Command {
        let [first, second, third, fourth] = self.picks;
        let attempt = book.attempt(first);
        match self.kind_for(book) {
            Kind::AddToCart => Command::AddToCart(AddToCart {
                cart_id: (first % 3 > 0).then(|| book.cart(second)),
                user_id: (fourth % 2 > 0).then(|| buyer(fourth)),
                product_id: product(named(third)),
                quantity: pieces(fourth),
            }),
            Kind::RemoveFromCart => Command::RemoveFromCart(RemoveFromCart {
                cart_id: book.cart(first),
                product_id: product(small(second, 3)),
            }),
            Kind::PlaceItems => place(self.picks, items(first, second)),
            Kind::PlaceCart => place(self.picks, OrderLines::Cart(book.cart(first))),
            Kind::Cancel => Command::Cancel(book.order(first).0),
            Kind::Expire => Command::Expire,
            Kind::Again => of(&book.keyed, first).unwrap_or(Command::Expire),
            Kind::Pay => {
                let (order_id, total) = book.order(first);
                let amount = portion(total, second);
                let key = claim(third, &format!("{order_id} {amount:?}"));
                Command::Prepare(PreparePayment {
                    order_id,
                    amount,
                    gateway: "sandbox",
                    key,
                })
            }
            Kind::Finalize => Command::Finalize(FinalizePayment {
                order_id: attempt.0,
                attempt_id: attempt.1,
                answer: if second % 4 > 0 {
                    GatewayAnswer::Captured
                } else {
                    GatewayAnswer::Declined
                },
            }),
            Kind::FinishRefund => Command::FinishRefund(attempt.0, attempt.1),
            Kind::Restock => {
                let count = u32::try_from(second % 3).expect("small") + 1;
                Command::Restock(product(named(first)), count)
            }
            Kind::Purge => Command::Purge,
            Kind::Advance => Command::Advance(SPANS[first % SPANS.len()]),
        }
    }
}

/// A number from 1 to `most`.
fn small(pick: usize, most: usize) -> i64 {
    i64::try_from(pick % most).expect("small") + 1
}

/// One of the three products, now and then a fourth, which does not exist.
fn named(pick: usize) -> i64 {
    if pick % 10 == 9 { 4 } else { small(pick, 3) }
}

fn buyer(pick: usize) -> UserId {
    user(["a", "b", "c"][(pick / 2) % 3])
}

fn pieces(pick: usize) -> Quantity {
    Quantity::new(u32::try_from(pick % 3).expect("small") + 1).expect("positive")
}

/// One product or two, ascending.
fn items(first: usize, second: usize) -> OrderLines {
    let one = named(first);
    let mut items = vec![(product(one), pieces(second))];
    if second.is_multiple_of(4) && one < 3 {
        items.push((product(one + 1), pieces(first)));
    }
    OrderLines::Items(items)
}

fn place([first, second, third, fourth]: [usize; 4], lines: OrderLines) -> Command {
    let user_id = buyer(fourth);
    // Mostly not said, and then mostly wrong.
    let expected_total = (second % 9 == 8).then(|| yuan(small(first, 6)));
    let body = format!("{lines:?} {expected_total:?}");
    Command::Place(PlaceOrder {
        user_id,
        lines,
        payment_method: PaymentMethod::ALL[fourth % PaymentMethod::ALL.len()],
        expected_total,
        key: claim(third, &body),
    })
}

/// One of few keys, or none; the fingerprint follows from the body.
fn claim(pick: usize, body: &str) -> Option<ClaimedKey> {
    if pick % 5 > 2 {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let digest = u128::from(hasher.finish());
    Some(ClaimedKey {
        key: IdempotencyKey::new(format!("k{}", pick % 5)).expect("short"),
        fingerprint: Fingerprint(digest.to_le_bytes()),
    })
}

/// All of it, a part, or more than that.
fn portion(total: Money, pick: usize) -> Money {
    let minor = total.minor_units();
    let amount = match pick % 6 {
        0..=2 => minor,
        3 => (minor / 2).max(1),
        4 => 1,
        _ => minor + 1,
    };
    Money::from_minor(amount, CURRENCY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use double11_units::{AttemptId, CartId, OrderId, UnixMicros};

    use super::{Book, Random, Step};
    use crate::conformance::histories::commands::{Answered, Command, apply};
    use crate::conformance::histories::{STEPS, STOCK};
    use crate::conformance::model::Model;
    use crate::conformance::{Conditions, yuan};
    use crate::{Attempt, Cart, CartOutcome, OrderReceipt, PayOutcome, PlaceOutcome};

    /// An answer from which the model learns the id of what it makes.
    fn with_id(command: &Command, id: i64) -> Answered {
        match command {
            Command::Place(_) => Answered::Place(PlaceOutcome::Placed(OrderReceipt {
                order_id: OrderId::new(id).unwrap(),
                total: yuan(0),
                expires_at: UnixMicros::new(0),
            })),
            Command::Prepare(prepare) => Answered::Prepare(PayOutcome::Prepared(Attempt {
                order_id: prepare.order_id,
                attempt_id: AttemptId::new(id).unwrap(),
                amount: prepare.amount,
                created_at: UnixMicros::new(0),
            })),
            _ => Answered::Cart(CartOutcome::Changed {
                cart: Cart {
                    cart_id: CartId::new(id).unwrap(),
                    user_id: None,
                    order_id: None,
                    version: 0,
                    lines: Vec::new(),
                    total: yuan(0),
                },
                created: true,
            }),
        }
    }

    /// The words of an answer without its numbers, such as `Place(Refused(SoldOut`.
    fn kind_of(answered: &Answered) -> String {
        let text = format!("{answered:?}");
        let words = text.split(|c: char| !c.is_ascii_alphabetic());
        words
            .filter(|word| !["", "Finalized", "outcome"].contains(word))
            .take(3)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn short_runs_meet_every_answer_there_is() {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for seed in 1..=64 {
            let conditions = Conditions::with_stock(&STOCK);
            let mut model = Model::new(&conditions);
            let mut book = Book::default();
            let mut random = Random::new(seed);
            for id in 1_000..1_000 + i64::try_from(STEPS).unwrap() {
                let command = Step::any(&mut random).command(&book);
                let answered = apply(&mut model, &command, &with_id(&command, id));
                book.note(&command, &answered);
                *counts.entry(kind_of(&answered)).or_default() += 1;
            }
        }
        let expected = [
            "Place Placed",
            "Place Replayed",
            "Place Refused UnknownProduct",
            "Place Refused UnknownCart",
            "Place Refused EmptyCart",
            "Place Refused CartAlreadyOrdered",
            "Place Refused CartOfAnotherUser",
            "Place Refused SoldOut",
            "Place Refused TotalChanged",
            "Place Refused KeyReused",
            "Cancel Cancelled",
            "Cancel Refused UnknownOrder",
            "Cancel Refused Paid",
            "Cancel Refused Expired",
            "Cancel Refused PaymentProcessing",
            "Prepare Prepared",
            "Prepare Replayed",
            "Prepare InProcess",
            "Prepare Refused UnknownOrder",
            "Prepare Refused OrderClosed",
            "Prepare Refused PaymentProcessing",
            "Prepare Refused AmountExceedsBalance",
            "Prepare Refused KeyReused",
            "Finalize Captured",
            "Finalize Declined",
            "Finalize Late",
            "Finalize UnknownAttempt",
            "Cart Changed",
            "Cart Refused UnknownProduct",
            "Cart Refused UnknownCart",
            "Cart Refused AlreadyOrdered",
            "Known true",
            "Known false",
            "Rows",
            "Done",
        ];
        for kind in expected {
            let met = counts.iter().any(|(seen, _)| seen.starts_with(kind));
            assert!(met, "`{kind}` was never met: {counts:#?}");
        }
    }
}
