//! Carts of the model.

use double11_units::{CartId, Quantity};

use super::{Model, ModelCart, cart_total};
use crate::cart::LINES_MAX;
use crate::{AddToCart, Cart, CartLine, CartOutcome, CartRefusal, RemoveFromCart};

impl Model {
    /// What [`crate::Store::add_to_cart`] must answer, given the id of a cart that it makes.
    pub fn add_to_cart(&mut self, command: &AddToCart, fresh: CartId) -> CartOutcome {
        match self.try_add(command, fresh) {
            Ok((cart, created)) => CartOutcome::Changed { cart, created },
            Err(refusal) => CartOutcome::Refused(refusal),
        }
    }

    fn try_add(&mut self, command: &AddToCart, fresh: CartId) -> Result<(Cart, bool), CartRefusal> {
        let product_id = command.product_id;
        let unit_price = self
            .stock
            .get(&product_id)
            .map(|level| level.price)
            .ok_or(CartRefusal::UnknownProduct(product_id))?;
        let mut cart = match command.cart_id {
            None => Cart {
                cart_id: fresh,
                user_id: None,
                order_id: None,
                version: 0,
                lines: Vec::new(),
                total: cart_total(&[]),
            },
            Some(cart_id) => self.open_cart(cart_id, command)?,
        };
        let is_full = cart.lines.len() == LINES_MAX;
        match cart
            .lines
            .iter_mut()
            .find(|line| line.product_id == product_id)
        {
            Some(line) => {
                line.quantity = Quantity::new(line.quantity.get() + command.quantity.get())
                    .map_err(|_| CartRefusal::LimitExceeded)?;
            }
            None if is_full => return Err(CartRefusal::LimitExceeded),
            None => cart.lines.push(CartLine {
                product_id,
                quantity: command.quantity,
                unit_price,
            }),
        }
        if cart.user_id.is_none() {
            cart.user_id.clone_from(&command.user_id);
        }
        Ok((self.keep(cart), command.cart_id.is_none()))
    }

    fn open_cart(&self, cart_id: CartId, command: &AddToCart) -> Result<Cart, CartRefusal> {
        let known = self.carts.get(&cart_id).ok_or(CartRefusal::UnknownCart)?;
        let cart = known.cart.clone();
        if let (Some(owner), Some(user)) = (&cart.user_id, &command.user_id)
            && owner != user
        {
            return Err(CartRefusal::UnknownCart);
        }
        match cart.order_id {
            Some(order_id) => Err(CartRefusal::AlreadyOrdered(order_id)),
            None => Ok(cart),
        }
    }

    /// What [`crate::Store::remove_from_cart`] must answer.
    pub fn remove_from_cart(&mut self, command: RemoveFromCart) -> CartOutcome {
        let Some(known) = self.carts.get(&command.cart_id) else {
            return CartOutcome::Refused(CartRefusal::UnknownCart);
        };
        let mut cart = known.cart.clone();
        if let Some(order_id) = cart.order_id {
            return CartOutcome::Refused(CartRefusal::AlreadyOrdered(order_id));
        }
        let before = cart.lines.len();
        cart.lines
            .retain(|line| line.product_id != command.product_id);
        if cart.lines.len() == before {
            return CartOutcome::Refused(CartRefusal::UnknownCart);
        }
        CartOutcome::Changed {
            cart: self.keep(cart),
            created: false,
        }
    }

    pub(super) fn keep(&mut self, mut cart: Cart) -> Cart {
        cart.lines.sort_by_key(|line| line.product_id);
        cart.total = cart_total(&cart.lines);
        let kept = ModelCart {
            cart: cart.clone(),
            updated_at: self.now,
        };
        self.carts.insert(cart.cart_id, kept);
        cart
    }
}
