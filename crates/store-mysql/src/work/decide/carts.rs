//! Carts: adding and removing.

use double11_store::cart::LINES_MAX;
use double11_store::{AddToCart, Cart, CartLine, CartOutcome, CartRefusal, RemoveFromCart};
use double11_units::{CartId, Quantity};

use super::Decision;
use crate::work::set::LockedCart;
use crate::work::{WorkError, WorkResult};

const UNFIT: WorkError = WorkError::Damaged("a cart's total does not fit");

impl Decision<'_> {
    pub(super) fn add_to_cart(
        &mut self,
        command: &AddToCart,
        fresh_id: i64,
    ) -> WorkResult<CartOutcome> {
        let refused = |refusal| Ok(CartOutcome::Refused(refusal));
        let Some(unit_price) = self.set.prices.get(&command.product_id).copied() else {
            return refused(CartRefusal::UnknownProduct(command.product_id));
        };
        let (cart_id, mut cart, created) = match command.cart_id {
            None => {
                let cart_id =
                    CartId::new(fresh_id).map_err(|_| WorkError::Damaged("no more ids"))?;
                (cart_id, new_cart(), true)
            }
            Some(cart_id) => match self.set.carts.get(&cart_id) {
                None => return refused(CartRefusal::UnknownCart),
                Some(cart) => match refusal(cart, command) {
                    Some(refusal) => return refused(refusal),
                    None => (cart_id, cart.clone(), false),
                },
            },
        };
        let line = CartLine {
            product_id: command.product_id,
            quantity: command.quantity,
            unit_price,
        };
        let Some(quantity) = put(&mut cart, line) else {
            return refused(CartRefusal::LimitExceeded);
        };
        let Some(total) = self.total_of(&cart) else {
            return refused(CartRefusal::LimitExceeded);
        };
        cart.user_id = cart.user_id.or_else(|| command.user_id.clone());
        cart.version += 1;
        cart.is_changed = true;
        let answer = Cart {
            cart_id,
            user_id: cart.user_id.clone(),
            order_id: None,
            version: cart.version,
            lines: cart.lines.clone(),
            total,
        };
        self.set.carts.insert(cart_id, cart);
        let line = (cart_id, line.product_id);
        let pieces = Some(quantity.get());
        self.set.changes.cart_lines.insert(line, pieces);
        Ok(CartOutcome::Changed {
            cart: answer,
            created,
        })
    }

    pub(super) fn remove_from_cart(&mut self, command: RemoveFromCart) -> WorkResult<CartOutcome> {
        let refused = |refusal| Ok(CartOutcome::Refused(refusal));
        let cart_id = command.cart_id;
        let Some(mut cart) = self.set.carts.get(&cart_id).cloned() else {
            return refused(CartRefusal::UnknownCart);
        };
        if let Some(order_id) = cart.order_id {
            return refused(CartRefusal::AlreadyOrdered(order_id));
        }
        let Ok(place) = cart
            .lines
            .binary_search_by_key(&command.product_id, |line| line.product_id)
        else {
            return refused(CartRefusal::UnknownCart);
        };
        cart.lines.remove(place);
        cart.version += 1;
        cart.is_changed = true;
        let answer = Cart {
            cart_id,
            user_id: cart.user_id.clone(),
            order_id: None,
            version: cart.version,
            lines: cart.lines.clone(),
            total: self.total_of(&cart).ok_or(UNFIT)?,
        };
        self.set.carts.insert(cart_id, cart);
        let line = (cart_id, command.product_id);
        self.set.changes.cart_lines.insert(line, None);
        Ok(CartOutcome::Changed {
            cart: answer,
            created: false,
        })
    }

    fn total_of(&self, cart: &LockedCart) -> Option<double11_units::Money> {
        self.total(
            cart.lines
                .iter()
                .map(|line| (line.unit_price, line.quantity)),
        )
    }
}

fn new_cart() -> LockedCart {
    LockedCart {
        user_id: None,
        order_id: None,
        version: 0,
        lines: Vec::new(),
        is_new: true,
        is_changed: false,
    }
}

/// Why this cart takes no more of anything from this user.
fn refusal(cart: &LockedCart, command: &AddToCart) -> Option<CartRefusal> {
    let is_foreign = match (&cart.user_id, &command.user_id) {
        (Some(owner), Some(user)) => owner != user,
        _ => false,
    };
    if is_foreign {
        return Some(CartRefusal::UnknownCart);
    }
    cart.order_id.map(CartRefusal::AlreadyOrdered)
}

/// Adds the line to those of the cart and tells the pieces of it now; none when over a limit.
fn put(cart: &mut LockedCart, line: CartLine) -> Option<Quantity> {
    match cart
        .lines
        .binary_search_by_key(&line.product_id, |line| line.product_id)
    {
        Ok(place) => {
            let there = cart.lines.get_mut(place)?;
            there.quantity = Quantity::new(there.quantity.get() + line.quantity.get()).ok()?;
            Some(there.quantity)
        }
        Err(_) if cart.lines.len() >= LINES_MAX => None,
        Err(place) => {
            cart.lines.insert(place, line);
            Some(line.quantity)
        }
    }
}
