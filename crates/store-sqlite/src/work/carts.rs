//! Carts.

use double11_store::cart::LINES_MAX;
use double11_store::{AddToCart, Cart, CartLine, CartOutcome, CartRefusal, RemoveFromCart};
use double11_units::{CartId, Money, OrderId, ProductId, Quantity, UserId};
use rusqlite::Connection;
use rusqlite::types::Type;

use crate::work::catalogue::{damaged, positive};
use crate::work::{ShopFacts, Work, WorkError, WorkResult, find, list, run};

/// The cart with its lines and current prices.
pub(crate) fn read(
    connection: &Connection,
    facts: &ShopFacts,
    cart_id: CartId,
) -> WorkResult<Option<Cart>> {
    let header = find(
        connection,
        "SELECT user_id, order_id, version FROM carts WHERE cart_id = ?1",
        [cart_id.get()],
        |row| {
            let user: Option<String> = row.get(0)?;
            let order: Option<i64> = row.get(1)?;
            let version: i64 = row.get(2)?;
            Ok((user, order, version))
        },
    )?;
    let Some((user, order, version)) = header else {
        return Ok(None);
    };
    let lines = list(
        connection,
        "SELECT l.product_id, l.quantity, p.price FROM cart_lines l \
         JOIN products p USING (product_id) WHERE l.cart_id = ?1 ORDER BY l.product_id",
        [cart_id.get()],
        |row| {
            Ok(CartLine {
                product_id: positive(row, 0, ProductId::new)?,
                quantity: quantity(row, 1)?,
                unit_price: facts.money(row.get(2)?),
            })
        },
    )?;
    let total = total(facts, &lines).ok_or(WorkError::Damaged("a cart's total does not fit"))?;
    let user_id = match user {
        Some(user) => {
            Some(UserId::new(user).map_err(|_| WorkError::Damaged("a cart's user is no text"))?)
        }
        None => None,
    };
    let order_id = order
        .map(OrderId::new)
        .transpose()
        .map_err(|_| WorkError::Damaged("a cart's order is no id"))?;
    let version = u64::try_from(version).map_err(|_| WorkError::Damaged("negative version"))?;
    Ok(Some(Cart {
        cart_id,
        user_id,
        order_id,
        version,
        lines,
        total,
    }))
}

/// Reads a quantity column.
pub(crate) fn quantity(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Quantity> {
    let pieces: u32 = row.get(column)?;
    Quantity::new(pieces).map_err(|_| damaged(column, Type::Integer, "not a quantity"))
}

fn total(facts: &ShopFacts, lines: &[CartLine]) -> Option<Money> {
    lines
        .iter()
        .try_fold(Money::zero(facts.currency), |sum, line| {
            let price = line
                .unit_price
                .checked_mul(i64::from(line.quantity.get()))
                .ok()?;
            sum.checked_add(price).ok()
        })
}

pub(crate) fn add(work: &Work<'_>, command: &AddToCart, fresh_id: i64) -> WorkResult<CartOutcome> {
    let connection = work.connection;
    let price: Option<i64> = find(
        connection,
        "SELECT price FROM products WHERE product_id = ?1",
        [command.product_id.get()],
        |row| row.get(0),
    )?;
    let Some(price) = price else {
        return Ok(CartOutcome::Refused(CartRefusal::UnknownProduct(
            command.product_id,
        )));
    };
    let before = match command.cart_id {
        None => None,
        Some(cart_id) => match read(connection, &work.facts, cart_id)? {
            None => return Ok(CartOutcome::Refused(CartRefusal::UnknownCart)),
            Some(cart) => match refusal(&cart, command) {
                Some(refusal) => return Ok(CartOutcome::Refused(refusal)),
                None => Some(cart),
            },
        },
    };
    let created = before.is_none();
    let cart_id = CartId::new(fresh_id).map_err(|_| WorkError::Damaged("ids have run out"))?;
    let mut cart = before.unwrap_or_else(|| Cart {
        cart_id,
        user_id: None,
        order_id: None,
        version: 0,
        lines: Vec::new(),
        total: Money::zero(work.facts.currency),
    });
    let line = CartLine {
        product_id: command.product_id,
        quantity: command.quantity,
        unit_price: work.facts.money(price),
    };
    let Some(quantity) = put(&mut cart, line, &work.facts) else {
        return Ok(CartOutcome::Refused(CartRefusal::LimitExceeded));
    };
    cart.user_id = cart.user_id.or_else(|| command.user_id.clone());
    cart.version += 1;
    write_header(work, &cart, created)?;
    run(
        connection,
        "INSERT INTO cart_lines (cart_id, product_id, quantity) VALUES (?1, ?2, ?3) \
         ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = excluded.quantity",
        (cart.cart_id.get(), line.product_id.get(), quantity.get()),
    )?;
    Ok(CartOutcome::Changed { cart, created })
}

/// Why this cart takes no more of anything from this user.
fn refusal(cart: &Cart, command: &AddToCart) -> Option<CartRefusal> {
    let foreign = match (&cart.user_id, &command.user_id) {
        (Some(owner), Some(user)) => owner != user,
        _ => false,
    };
    if foreign {
        return Some(CartRefusal::UnknownCart);
    }
    cart.order_id.map(CartRefusal::AlreadyOrdered)
}

/// Adds the line to those of the cart and tells the pieces of it now; none when over a limit.
fn put(cart: &mut Cart, line: CartLine, facts: &ShopFacts) -> Option<Quantity> {
    let quantity = match cart
        .lines
        .binary_search_by_key(&line.product_id, |line| line.product_id)
    {
        Ok(place) => {
            let there = cart.lines.get_mut(place)?;
            there.quantity = Quantity::new(there.quantity.get() + line.quantity.get()).ok()?;
            there.quantity
        }
        Err(_) if cart.lines.len() >= LINES_MAX => return None,
        Err(place) => {
            cart.lines.insert(place, line);
            line.quantity
        }
    };
    cart.total = total(facts, &cart.lines)?;
    Some(quantity)
}

fn write_header(work: &Work<'_>, cart: &Cart, created: bool) -> WorkResult<()> {
    let version = i64::try_from(cart.version).map_err(|_| WorkError::Damaged("version"))?;
    let user = cart.user_id.as_ref().map(UserId::as_str);
    let (cart_id, now) = (cart.cart_id.get(), work.now.get());
    if created {
        run(
            work.connection,
            "INSERT INTO carts (cart_id, user_id, order_id, version, created_at, updated_at) \
             VALUES (?1, ?2, NULL, ?3, ?4, ?4)",
            (cart_id, user, version, now),
        )?;
    } else {
        run(
            work.connection,
            "UPDATE carts SET user_id = ?2, version = ?3, updated_at = ?4 WHERE cart_id = ?1",
            (cart_id, user, version, now),
        )?;
    }
    Ok(())
}

pub(crate) fn remove(work: &Work<'_>, command: RemoveFromCart) -> WorkResult<CartOutcome> {
    let Some(mut cart) = read(work.connection, &work.facts, command.cart_id)? else {
        return Ok(CartOutcome::Refused(CartRefusal::UnknownCart));
    };
    if let Some(order_id) = cart.order_id {
        return Ok(CartOutcome::Refused(CartRefusal::AlreadyOrdered(order_id)));
    }
    let lines_before = cart.lines.len();
    cart.lines
        .retain(|line| line.product_id != command.product_id);
    if cart.lines.len() == lines_before {
        return Ok(CartOutcome::Refused(CartRefusal::UnknownCart));
    }
    cart.total =
        total(&work.facts, &cart.lines).ok_or(WorkError::Damaged("a cart's total does not fit"))?;
    cart.version += 1;
    write_header(work, &cart, false)?;
    run(
        work.connection,
        "DELETE FROM cart_lines WHERE cart_id = ?1 AND product_id = ?2",
        (cart.cart_id.get(), command.product_id.get()),
    )?;
    Ok(CartOutcome::Changed {
        cart,
        created: false,
    })
}

/// Closes a cart: it has become this order.
pub(crate) fn become_order(work: &Work<'_>, cart_id: CartId, order_id: OrderId) -> WorkResult<()> {
    run(
        work.connection,
        "UPDATE carts SET order_id = ?2, version = version + 1, updated_at = ?3 \
         WHERE cart_id = ?1",
        (cart_id.get(), order_id.get(), work.now.get()),
    )?;
    Ok(())
}
