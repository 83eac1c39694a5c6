//! Orders: what a buyer asks for becomes one command to the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use double11_store::{
    CancelOutcome, Fingerprint, OrderLines, OrderView, PaymentMethod, PlaceOrder, PlaceOutcome,
    PlaceRefusal, Stopwatch, Store, StoreError,
};
use double11_units::{CartId, Money, OrderId, ProductId, Quantity, UserId};
use xxhash_rust::xxh3::xxh3_128;

use crate::activity::Activity;
use crate::cart_memory::CartMemory;
use crate::sold_out::SoldOut;

/// The orders of the shop.
#[derive(Clone)]
pub(crate) struct Orders {
    store: Arc<dyn Store>,
    memory: CartMemory,
    /// What was seen sold out a moment ago, on a store that is shared.
    sold_out: Option<Arc<SoldOut>>,
    activity: Arc<Activity>,
}

impl Orders {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        memory: CartMemory,
        sold_out: Option<Arc<SoldOut>>,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            store,
            memory,
            sold_out,
            activity,
        }
    }

    pub(crate) async fn place(&self, command: PlaceOrder) -> Result<PlaceOutcome, StoreError> {
        self.activity.saw_user(&command.user_id);
        match (&command.lines, &self.sold_out) {
            (OrderLines::Cart(cart_id), _) => self.place_from_cart(*cart_id, command).await,
            (OrderLines::Items(_), None) => self.store.place_order(command).await,
            (OrderLines::Items(_), Some(sold_out)) => {
                self.place_unless_sold_out(sold_out, command).await
            }
        }
    }

    /// Refuses what was seen sold out a moment ago, and remembers what the store refuses.
    async fn place_unless_sold_out(
        &self,
        sold_out: &SoldOut,
        command: PlaceOrder,
    ) -> Result<PlaceOutcome, StoreError> {
        if let Some(product_id) = sold_out.refuses(&command) {
            return Ok(PlaceOutcome::Refused(PlaceRefusal::SoldOut(product_id)));
        }
        // Only of a single piece it is known that nothing at all was available.
        let singles: Vec<ProductId> = match &command.lines {
            OrderLines::Items(lines) => lines
                .iter()
                .filter(|(_, quantity)| quantity.get() == 1)
                .map(|(product_id, _)| *product_id)
                .collect(),
            OrderLines::Cart(_) => Vec::new(),
        };
        let asked = Stopwatch::start();
        let outcome = self.store.place_order(command).await;
        if let Ok(PlaceOutcome::Refused(PlaceRefusal::SoldOut(product_id))) = outcome
            && singles.contains(&product_id)
        {
            sold_out.saw(product_id, asked);
        }
        outcome
    }

    async fn place_from_cart(
        &self,
        cart_id: CartId,
        command: PlaceOrder,
    ) -> Result<PlaceOutcome, StoreError> {
        let changing = self.memory.changing(cart_id);
        let outcome = self.store.place_order(command).await;
        if may_have_changed(&outcome) {
            self.memory.forget(cart_id).await;
        }
        changing.told();
        if let Ok(PlaceOutcome::Placed(_)) = outcome {
            self.activity.cart_ordered(cart_id);
        }
        outcome
    }

    pub(crate) async fn read(&self, order_id: OrderId) -> Result<Option<OrderView>, StoreError> {
        self.store.order(order_id).await
    }

    pub(crate) async fn cancel(&self, order_id: OrderId) -> Result<CancelOutcome, StoreError> {
        self.store.cancel_order(order_id).await
    }
}

/// Whether the cart is not, or may not be, what was remembered: closed by this order or one before, or gone.
fn may_have_changed(outcome: &Result<PlaceOutcome, StoreError>) -> bool {
    match outcome {
        Ok(PlaceOutcome::Refused(refusal)) => matches!(
            refusal,
            PlaceRefusal::CartAlreadyOrdered(_)
                | PlaceRefusal::UnknownCart
                | PlaceRefusal::EmptyCart
        ),
        Ok(PlaceOutcome::Placed(_) | PlaceOutcome::Replayed(_)) | Err(_) => true,
    }
}

/// Why a list of items cannot be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemsError {
    Empty,
    TooMany,
    TooManyPieces(ProductId),
}

/// One line for each product, ascending by id, quantities of the same product summed.
pub(crate) fn merge_items(
    items: Vec<(ProductId, Quantity)>,
) -> Result<Vec<(ProductId, Quantity)>, ItemsError> {
    let ascending = items.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let merged = if ascending {
        items
    } else {
        sum_by_product(&items)?
    };
    match merged.len() {
        0 => Err(ItemsError::Empty),
        lines if lines > double11_store::cart::LINES_MAX => Err(ItemsError::TooMany),
        _ => Ok(merged),
    }
}

fn sum_by_product(
    items: &[(ProductId, Quantity)],
) -> Result<Vec<(ProductId, Quantity)>, ItemsError> {
    let mut sums: BTreeMap<ProductId, u32> = BTreeMap::new();
    for (product_id, quantity) in items {
        let sum = sums.entry(*product_id).or_default();
        *sum = sum.saturating_add(quantity.get());
    }
    sums.into_iter()
        .map(|(product_id, sum)| {
            let quantity = Quantity::new(sum).map_err(|_| ItemsError::TooManyPieces(product_id))?;
            Ok((product_id, quantity))
        })
        .collect()
}

/// The digest of an order as it was parsed, so that the same wish in other words is the same.
pub(crate) fn order_fingerprint(
    user_id: &UserId,
    lines: &OrderLines,
    payment_method: PaymentMethod,
    expected_total: Option<Money>,
) -> Fingerprint {
    let mut canonical = Vec::with_capacity(128);
    canonical.extend_from_slice(b"order/1\0");
    canonical.extend_from_slice(user_id.as_str().as_bytes());
    canonical.push(0);
    canonical.extend_from_slice(payment_method.name().as_bytes());
    canonical.push(0);
    canonical.push(u8::from(expected_total.is_some()));
    if let Some(total) = expected_total {
        canonical.extend_from_slice(&total.minor_units().to_le_bytes());
    }
    match lines {
        OrderLines::Items(items) => {
            canonical.push(1);
            for (product_id, quantity) in items {
                canonical.extend_from_slice(&product_id.get().to_le_bytes());
                canonical.extend_from_slice(&quantity.get().to_le_bytes());
            }
        }
        OrderLines::Cart(cart_id) => {
            canonical.push(2);
            canonical.extend_from_slice(&cart_id.get().to_le_bytes());
        }
    }
    Fingerprint(xxh3_128(&canonical).to_le_bytes())
}

/// The digest of a payment as it was parsed.
pub(crate) fn payment_fingerprint(order_id: OrderId, amount: Money, gateway: &str) -> Fingerprint {
    let mut canonical = Vec::with_capacity(64);
    canonical.extend_from_slice(b"payment/1\0");
    canonical.extend_from_slice(&order_id.get().to_le_bytes());
    canonical.extend_from_slice(&amount.minor_units().to_le_bytes());
    canonical.extend_from_slice(amount.currency().code().as_bytes());
    canonical.extend_from_slice(gateway.as_bytes());
    Fingerprint(xxh3_128(&canonical).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use double11_store::{OrderLines, PaymentMethod};
    use double11_units::{Currency, Money, ProductId, Quantity, UserId};

    use super::{ItemsError, merge_items, order_fingerprint};

    fn items(pairs: &[(i64, u32)]) -> Vec<(ProductId, Quantity)> {
        pairs
            .iter()
            .map(|(id, pieces)| {
                (
                    ProductId::new(*id).unwrap(),
                    Quantity::new(*pieces).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn items_are_merged_sorted_and_bounded() {
        let many: Vec<(i64, u32)> = (1..=101).map(|id| (id, 1)).collect();
        let repeated: Vec<(i64, u32)> = (0..500).map(|step| (1 + step % 100, 1)).collect();
        assert_eq!(
            merge_items(items(&[(7, 1), (3, 2), (7, 4)])),
            Ok(items(&[(3, 2), (7, 5)]))
        );
        assert_eq!(merge_items(items(&[])), Err(ItemsError::Empty));
        assert_eq!(merge_items(items(&many)), Err(ItemsError::TooMany));
        assert_eq!(merge_items(items(&repeated)).unwrap().len(), 100);
        let product = ProductId::new(1).unwrap();
        assert_eq!(
            merge_items(items(&[(1, 100_000), (1, 1)])),
            Err(ItemsError::TooManyPieces(product))
        );
    }

    #[test]
    fn fingerprints_tell_every_field_apart() {
        let user = UserId::new("7").unwrap();
        let total = Some(Money::from_minor(100, Currency::Cny));
        let lines = OrderLines::Items(items(&[(1, 2)]));
        let base = order_fingerprint(&user, &lines, PaymentMethod::Card, None);
        let other_user = UserId::new("8").unwrap();
        let other_lines = OrderLines::Items(items(&[(1, 3)]));
        assert_eq!(
            base,
            order_fingerprint(&user, &lines.clone(), PaymentMethod::Card, None)
        );
        for other in [
            order_fingerprint(&other_user, &lines, PaymentMethod::Card, None),
            order_fingerprint(&user, &other_lines, PaymentMethod::Card, None),
            order_fingerprint(&user, &lines, PaymentMethod::Alipay, None),
            order_fingerprint(&user, &lines, PaymentMethod::Card, total),
        ] {
            assert_ne!(base, other);
        }
    }
}
