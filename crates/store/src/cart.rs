//! Carts: commands, answers and what is stored.

use double11_units::{CartId, Money, OrderId, ProductId, Quantity, UserId};

/// Most distinct products in one cart or order.
pub const LINES_MAX: usize = 100;

/// Adds pieces of a product to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddToCart {
    /// The cart, or none to make one.
    pub cart_id: Option<CartId>,
    /// Its owner, if the client named one.
    pub user_id: Option<UserId>,
    /// What to add.
    pub product_id: ProductId,
    /// How many pieces to add to those already there.
    pub quantity: Quantity,
}

/// Takes one product out of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoveFromCart {
    /// The cart.
    pub cart_id: CartId,
    /// The product to take out.
    pub product_id: ProductId,
}

/// One product in a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// Pieces of it.
    pub quantity: Quantity,
    /// Price of one piece.
    pub unit_price: Money,
}

/// A cart as it was read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its id.
    pub cart_id: CartId,
    /// Its owner, if one was named.
    pub user_id: Option<UserId>,
    /// The order it became, which closes the cart.
    pub order_id: Option<OrderId>,
    /// Grows with every change, so that a cache never goes back in time.
    pub version: u64,
    /// Its lines, ascending by product id.
    pub lines: Vec<CartLine>,
    /// Sum of price times quantity.
    pub total: Money,
}

/// What became of a change to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CartOutcome {
    /// The change is durable; the cart after it, and whether this change made the cart.
    Changed {
        /// The cart after the change.
        cart: Cart,
        /// Whether the cart did not exist before.
        created: bool,
    },
    /// Nothing was changed.
    Refused(CartRefusal),
}

/// Why a cart was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartRefusal {
    /// No such product.
    UnknownProduct(ProductId),
    /// No such cart, or the product is not in it.
    UnknownCart,
    /// The cart has become an order.
    AlreadyOrdered(OrderId),
    /// More lines, pieces or money than a cart may hold.
    LimitExceeded,
}
