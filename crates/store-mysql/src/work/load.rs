//! Fetches and locks what a group of commands may touch and what is not hoped for, a whole set with each
//! statement.
//!
//! Locks are taken in one order that all shops share: orders, carts, stock, each ascending by id, stock
//! last. Rows that belong to a locked order or cart (lines, attempts) need no locks of their own: whoever
//! changes them holds that lock. Keys are read without a lock; two shops that claim the same one at the
//! same time meet at its primary key.

use std::collections::{BTreeSet, HashMap};

use double11_store::{
    AttemptState, CartLine, GatewayAnswer, Order, OrderLine, OrderLines, OrderState, PaymentMethod,
    StockPolicy,
};
use double11_units::{AttemptId, CartId, Money, OrderId, ProductId, Quantity, UnixMicros, UserId};
use mysql::{Row, Value};

use super::decide::order_scope;
use super::set::{
    Key, KeyScope, Level, LockedCart, LockedOrder, Operation, Stored, StoredAttempt, WorkingSet,
};
use super::{Command, ShopFacts, Task, WorkError, WorkResult};
use crate::memory::Memory;
use crate::session::{Session, bytes, id, int, maybe_int, maybe_string, string, text};

/// Sizes of the lists in `IN (…)`: a list is filled up with its last value, so that few statements serve
/// lists of every length. Far below the length from which MariaDB turns a list into a join.
const LIST_SIZES: [usize; 5] = [1, 4, 16, 64, 256];
const LIST_MAX: usize = 256;

/// How much is taken as the shop remembers or hopes it to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Keys of orders are taken for new.
    pub(crate) keys: bool,
    /// Stock of which there was plenty is taken for enough.
    pub(crate) stock: bool,
}

/// Loads the working set of a group.
#[derive(Debug)]
pub(crate) struct Loader<'work> {
    pub(crate) session: &'work mut Session,
    pub(crate) facts: ShopFacts,
    pub(crate) now: UnixMicros,
    /// What was read before, where the shop keeps it.
    pub(crate) memory: Option<&'work Memory>,
    pub(crate) trust: Trust,
    /// Whether stock is locked until the transaction ends.
    pub(crate) policy: StockPolicy,
}

/// What the commands of a group name.
#[derive(Debug, Default)]
struct Wanted {
    order_keys: BTreeSet<KeyScope>,
    /// Most orders to expire.
    expire: u32,
    orders: BTreeSet<OrderId>,
    closing: BTreeSet<OrderId>,
    capturing: BTreeSet<OrderId>,
    ending: BTreeSet<OrderId>,
    carts: BTreeSet<CartId>,
    ordered_carts: BTreeSet<CartId>,
    priced: BTreeSet<ProductId>,
    /// Products of which something may be taken.
    taken: BTreeSet<ProductId>,
    /// Products of which something may be given back. They are locked, since the instant of the giving back is
    /// read under that lock: by the audit no stock may seem to be there before it is.
    returned: BTreeSet<ProductId>,
    /// Products of which something may be sold, which needs no knowledge of their level.
    sold: BTreeSet<ProductId>,
}

impl Loader<'_> {
    /// Loads everything that these commands may touch.
    pub(crate) fn load(&mut self, tasks: &[Task<'_>]) -> WorkResult<WorkingSet> {
        let mut set = WorkingSet::default();
        let mut wanted = Wanted::of(tasks);
        let order_keys = std::mem::take(&mut wanted.order_keys);
        if !self.trust.keys {
            set.keys = order_keys_of(self.session, &self.facts, order_keys)?;
        }
        if wanted.expire > 0 {
            set.due = self.due(wanted.expire)?;
            wanted.orders.extend(&set.due);
            wanted.closing.extend(&set.due);
        }
        self.lock_orders(&wanted, &mut set)?;
        self.payment_keys(tasks, &mut set)?;
        self.attempts(&wanted, &mut set)?;
        self.lines_of_orders(&wanted, &mut set)?;
        self.lock_carts(&wanted, &mut set)?;
        wanted.add_products(tasks, &set);
        self.price(&wanted, &mut set)?;
        self.lock_stock(&wanted, &mut set)?;
        Ok(set)
    }

    /// Orders that seem due; they are looked at again once they are locked.
    fn due(&mut self, limit: u32) -> WorkResult<Vec<OrderId>> {
        let hint = self.facts.index("orders_open_by_expiry");
        self.session.list(
            &format!(
                "SELECT order_id FROM orders{hint} \
                 WHERE state IN ('pending_payment', 'partially_paid') AND expires_at <= ? \
                 AND processing = 0 ORDER BY expires_at LIMIT ?"
            ),
            vec![Value::Int(self.now.get()), Value::Int(i64::from(limit))],
            |row| id(row, 0, OrderId::new),
        )
    }

    fn lock_orders(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        let facts = self.facts;
        let ids = values(wanted.orders.iter().map(|order_id| order_id.get()));
        let query = Query {
            head: "SELECT order_id, user_id, state, payment_method, total, captured, processing, \
                   created_at, expires_at FROM orders FORCE INDEX (PRIMARY) WHERE order_id",
            tail: "ORDER BY order_id FOR UPDATE",
        };
        query.each(self.session, &ids, |row| {
            let locked = LockedOrder::new(order(row, &facts)?);
            set.orders.insert(locked.order.order_id, locked);
            Ok(())
        })
    }

    /// Keys of payments, whose user is the order's and therefore known only now.
    fn payment_keys(&mut self, tasks: &[Task<'_>], set: &mut WorkingSet) -> WorkResult<()> {
        let scopes: BTreeSet<KeyScope> = tasks
            .iter()
            .filter_map(|task| {
                let Command::Prepare(prepare) = task.command else {
                    return None;
                };
                let order = set.orders.get(&prepare.order_id)?;
                Some(KeyScope {
                    key: prepare.key.as_ref()?.key.as_str().to_owned(),
                    operation: Operation::Payment,
                    user_id: order.order.user_id.as_str().to_owned(),
                })
            })
            .collect();
        let facts = self.facts;
        let query = Query {
            head: "SELECT k.`key`, k.user_id, k.fingerprint, k.order_id, k.attempt_id, p.state, \
                   p.amount, p.order_state, p.idempotency_key FROM idempotency_keys k \
                   LEFT JOIN payments p ON p.order_id = k.order_id AND p.attempt_id = k.attempt_id \
                   WHERE k.operation = 'payment' AND k.`key`",
            tail: "",
        };
        query.each(self.session, &key_values(&scopes), |row| {
            let (scope, mut key) = stored_key(row, Operation::Payment)?;
            if maybe_string(row, 5)?.is_some() {
                key.attempt = Some(attempt(row, 5, &facts)?);
            }
            if scopes.contains(&scope) {
                set.keys.insert(scope, key);
            }
            Ok(())
        })
    }

    fn attempts(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        let facts = self.facts;
        let orders: BTreeSet<i64> = wanted
            .closing
            .iter()
            .filter(|order_id| {
                set.orders
                    .get(order_id)
                    .is_some_and(|locked| locked.order.captured.minor_units() > 0)
            })
            .chain(&wanted.ending)
            .filter(|order_id| set.orders.contains_key(order_id))
            .map(|order_id| order_id.get())
            .collect();
        let query = Query {
            head: "SELECT order_id, attempt_id, state, amount, order_state, idempotency_key \
                   FROM payments WHERE order_id",
            tail: "",
        };
        query.each(self.session, &values(orders), |row| {
            let id = (id(row, 0, OrderId::new)?, id(row, 1, AttemptId::new)?);
            set.attempts.insert(id, attempt(row, 2, &facts)?);
            Ok(())
        })
    }

    /// Lines of orders that may give their stock back, or that may be paid in full by this group.
    fn lines_of_orders(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        let is_open = |order_id: &&OrderId| {
            set.orders
                .get(order_id)
                .is_some_and(|locked| locked.order.state.is_open())
        };
        let may_be_paid = |order_id: &&OrderId| {
            set.orders.get(order_id).is_some_and(|locked| {
                let order = &locked.order;
                order.captured.minor_units() + order.processing.minor_units()
                    >= order.total.minor_units()
            })
        };
        let closing = wanted.closing.iter().filter(is_open);
        let paid = wanted.capturing.iter().filter(is_open).filter(may_be_paid);
        let orders: BTreeSet<OrderId> = closing.chain(paid).copied().collect();
        let ids = values(orders.iter().map(|order_id| order_id.get()));
        let facts = self.facts;
        let query = Query {
            head: "SELECT order_id, product_id, quantity, unit_price FROM order_lines \
                   WHERE order_id",
            tail: "ORDER BY order_id, product_id",
        };
        let lines = &mut set.order_lines;
        query.each(self.session, &ids, |row| {
            let line = OrderLine {
                product_id: id(row, 1, ProductId::new)?,
                quantity: quantity(row, 2)?,
                unit_price: facts.money(int(row, 3)?),
            };
            lines
                .entry(id(row, 0, OrderId::new)?)
                .or_default()
                .push(line);
            Ok(())
        })
    }

    fn lock_carts(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        let ids = values(wanted.carts.iter().map(|cart_id| cart_id.get()));
        let query = Query {
            head: "SELECT cart_id, user_id, order_id, version FROM carts FORCE INDEX (PRIMARY) \
                   WHERE cart_id",
            tail: "ORDER BY cart_id FOR UPDATE",
        };
        query.each(self.session, &ids, |row| {
            let cart = LockedCart {
                user_id: maybe_string(row, 1)?.map(user).transpose()?,
                order_id: maybe_int(row, 2)?
                    .map(OrderId::new)
                    .transpose()
                    .map_err(|_| BAD_ID)?,
                version: version(row, 3)?,
                lines: Vec::new(),
                is_new: false,
                is_changed: false,
            };
            set.carts.insert(id(row, 0, CartId::new)?, cart);
            Ok(())
        })?;
        let zero = Money::zero(self.facts.currency);
        let query = Query {
            head: "SELECT cart_id, product_id, quantity FROM cart_lines WHERE cart_id",
            tail: "ORDER BY cart_id, product_id",
        };
        let ids = values(set.carts.keys().map(|cart_id| cart_id.get()));
        query.each(self.session, &ids, |row| {
            let line = CartLine {
                product_id: id(row, 1, ProductId::new)?,
                quantity: quantity(row, 2)?,
                unit_price: zero,
            };
            if let Some(cart) = set.carts.get_mut(&id(row, 0, CartId::new)?) {
                cart.lines.push(line);
            }
            Ok(())
        })
    }

    /// Prices of what is ordered or lies in a cart.
    fn price(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        if let Some(memory) = self.memory {
            set.prices.extend(memory.prices(wanted.priced.iter()));
        }
        let unknown = wanted
            .priced
            .iter()
            .filter(|product_id| !set.prices.contains_key(product_id))
            .map(|product_id| product_id.get());
        let facts = self.facts;
        let mut read = HashMap::new();
        let query = Query {
            head: "SELECT product_id, price FROM products WHERE product_id",
            tail: "",
        };
        query.each(self.session, &values(unknown), |row| {
            read.insert(id(row, 0, ProductId::new)?, facts.money(int(row, 1)?));
            Ok(())
        })?;
        if let Some(memory) = self.memory {
            memory.learn_prices(&read);
        }
        set.prices.extend(read);
        for line in set.carts.values_mut().flat_map(|cart| &mut cart.lines) {
            line.unit_price =
                set.prices
                    .get(&line.product_id)
                    .copied()
                    .ok_or(WorkError::Damaged(
                        "a cart holds a product that does not exist",
                    ))?;
        }
        Ok(())
    }

    /// Levels of what may move: read and locked, or hoped where there was plenty, or not known where it is
    /// only sold. What is not locked here is locked by the update at the end, in the same ascending order:
    /// therefore only products behind the last one that is locked here may be left to it.
    fn lock_stock(&mut self, wanted: &Wanted, set: &mut WorkingSet) -> WorkResult<()> {
        // Nothing is locked for products that do not exist.
        let exists = |product_id: &&ProductId| set.prices.contains_key(product_id);
        let taken: BTreeSet<ProductId> = wanted.taken.iter().filter(exists).copied().collect();
        let memory = self.memory.filter(|_| self.trust.stock);
        let plenty = memory.map(|memory| memory.plenty(taken.difference(&wanted.returned)));
        let mut plenty = plenty.unwrap_or_default();
        let scarce = taken.iter().filter(|id| !plenty.contains_key(id));
        let last = scarce.chain(&wanted.returned).max().copied();
        plenty.retain(|product_id, _| Some(*product_id) > last);
        let is_left = |product_id: &&ProductId| self.trust.stock && Some(**product_id) > last;
        let left = wanted.sold.iter().filter(is_left);
        set.stock.extend(left.map(|id| (*id, Level::default())));
        for (product_id, available) in plenty {
            set.stock.entry(product_id).or_default().stored = Stored::Hoped(available);
        }
        let mut locked = taken;
        locked.extend(wanted.returned.iter().chain(&wanted.sold));
        locked.retain(|product_id| !set.stock.contains_key(product_id));
        let ids = values(locked.iter().map(|product_id| product_id.get()));
        let query = Query {
            head: "SELECT product_id, available FROM stock FORCE INDEX (PRIMARY) WHERE product_id",
            tail: match self.policy {
                StockPolicy::Guarded => "ORDER BY product_id FOR UPDATE",
                StockPolicy::ReadThenWrite => "",
            },
        };
        let stock = &mut set.stock;
        query.each(self.session, &ids, |row| {
            let level = stock.entry(id(row, 0, ProductId::new)?).or_default();
            level.stored = Stored::Read(int(row, 1)?);
            Ok(())
        })
    }
}

impl Wanted {
    fn of(tasks: &[Task<'_>]) -> Self {
        let mut wanted = Self::default();
        for task in tasks {
            match task.command {
                Command::Place(place) => {
                    wanted.order_keys.extend(order_scope(task.command));
                    if let OrderLines::Cart(cart_id) = &place.lines {
                        wanted.carts.insert(*cart_id);
                        wanted.ordered_carts.insert(*cart_id);
                    }
                }
                Command::Cancel(order_id) => {
                    wanted.orders.insert(*order_id);
                    wanted.closing.insert(*order_id);
                }
                Command::Expire { limit } => wanted.expire = wanted.expire.saturating_add(*limit),
                Command::Prepare(prepare) => {
                    wanted.orders.insert(prepare.order_id);
                }
                Command::Finalize(finalize) => {
                    wanted.orders.insert(finalize.order_id);
                    wanted.ending.insert(finalize.order_id);
                    if finalize.answer == GatewayAnswer::Captured {
                        wanted.capturing.insert(finalize.order_id);
                    }
                }
                Command::FinishRefund { .. } => {}
                Command::AddToCart(add) => {
                    wanted.carts.extend(add.cart_id);
                    wanted.priced.insert(add.product_id);
                }
                Command::RemoveFromCart(remove) => {
                    wanted.carts.insert(remove.cart_id);
                }
            }
        }
        wanted
    }

    /// Adds the products of orders and carts, as far as they are known only once those are read.
    fn add_products(&mut self, tasks: &[Task<'_>], set: &WorkingSet) {
        for task in tasks {
            match task.command {
                Command::Place(place) => {
                    let is_answered = order_scope(task.command)
                        .is_some_and(|scope| set.keys.contains_key(&scope));
                    if let OrderLines::Items(items) = &place.lines
                        && !is_answered
                    {
                        let products = items.iter().map(|(product_id, _)| *product_id);
                        self.priced.extend(products.clone());
                        self.taken.extend(products);
                    }
                }
                // The line may be ordered by a later command of the same group.
                Command::AddToCart(add)
                    if add
                        .cart_id
                        .is_some_and(|cart_id| self.ordered_carts.contains(&cart_id)) =>
                {
                    self.taken.insert(add.product_id);
                }
                _ => {}
            }
        }
        for (cart_id, cart) in &set.carts {
            let products = cart.lines.iter().map(|line| line.product_id);
            self.priced.extend(products.clone());
            if self.ordered_carts.contains(cart_id) && cart.order_id.is_none() {
                self.taken.extend(products);
            }
        }
        for (order_id, lines) in &set.order_lines {
            let products = lines.iter().map(|line| line.product_id);
            if self.closing.contains(order_id) {
                self.returned.extend(products);
            } else {
                self.sold.extend(products);
            }
        }
    }
}

/// What is known of these keys of orders. Also asked once more before a refusal is answered.
pub(crate) fn order_keys_of(
    session: &mut Session,
    facts: &ShopFacts,
    scopes: impl IntoIterator<Item = KeyScope>,
) -> WorkResult<HashMap<KeyScope, Key>> {
    let scopes: BTreeSet<KeyScope> = scopes.into_iter().collect();
    let mut found = HashMap::new();
    let query = Query {
        head: "SELECT k.`key`, k.user_id, k.fingerprint, k.order_id, k.attempt_id, o.total, \
               o.expires_at FROM idempotency_keys k LEFT JOIN orders o ON o.order_id = k.order_id \
               WHERE k.operation = 'order' AND k.`key`",
        tail: "",
    };
    query.each(session, &key_values(&scopes), |row| {
        let (scope, mut key) = stored_key(row, Operation::Order)?;
        let receipt = maybe_int(row, 5)?.zip(maybe_int(row, 6)?);
        key.receipt =
            receipt.map(|(total, expires_at)| (facts.money(total), UnixMicros::new(expires_at)));
        if scopes.contains(&scope) {
            found.insert(scope, key);
        }
        Ok(())
    })?;
    Ok(found)
}

const BAD_ID: WorkError = WorkError::Damaged("not a positive id");

/// A statement that reads the rows of many ids.
#[derive(Clone, Copy, Debug)]
struct Query {
    /// Up to the column that is compared with the ids.
    head: &'static str,
    /// What follows the list.
    tail: &'static str,
}

impl Query {
    /// Hands every row to `read`; sends nothing when there are no values.
    fn each(
        self,
        session: &mut Session,
        values: &[Value],
        mut read: impl FnMut(&Row) -> WorkResult<()>,
    ) -> WorkResult<()> {
        for chunk in values.chunks(LIST_MAX) {
            let size = LIST_SIZES
                .into_iter()
                .find(|size| *size >= chunk.len())
                .unwrap_or(LIST_MAX);
            let last = chunk.last().cloned().unwrap_or(Value::NULL);
            let mut list = chunk.to_vec();
            list.resize(size, last);
            let sql = format!(
                "{} IN ({}) {}",
                self.head,
                vec!["?"; size].join(","),
                self.tail
            );
            session.each(&sql, list, &mut read)?;
        }
        Ok(())
    }
}

fn values(ids: impl IntoIterator<Item = i64>) -> Vec<Value> {
    ids.into_iter().map(Value::Int).collect()
}

/// The keys of these scopes, each once.
fn key_values(scopes: &BTreeSet<KeyScope>) -> Vec<Value> {
    let mut keys: Vec<&str> = scopes.iter().map(|scope| scope.key.as_str()).collect();
    keys.dedup();
    keys.into_iter().map(text).collect()
}

fn stored_key(row: &Row, operation: Operation) -> WorkResult<(KeyScope, Key)> {
    let scope = KeyScope {
        key: string(row, 0)?.to_owned(),
        operation,
        user_id: string(row, 1)?.to_owned(),
    };
    let key = Key {
        fingerprint: bytes(row, 2)?
            .try_into()
            .map_err(|_| WorkError::Damaged("a fingerprint has not 16 bytes"))?,
        order_id: id(row, 3, OrderId::new)?,
        attempt_id: maybe_int(row, 4)?
            .map(AttemptId::new)
            .transpose()
            .map_err(|_| BAD_ID)?,
        receipt: None,
        attempt: None,
    };
    Ok((scope, key))
}

/// Reads an attempt whose first column is this one: state, amount, order's state, key.
fn attempt(row: &Row, first: usize, facts: &ShopFacts) -> WorkResult<StoredAttempt> {
    Ok(StoredAttempt {
        state: AttemptState::from_name(string(row, first)?)
            .ok_or(WorkError::Damaged("unknown state of an attempt"))?,
        amount: facts.money(int(row, first + 1)?),
        order_state: maybe_string(row, first + 2)?.and_then(OrderState::from_name),
        key: maybe_string(row, first + 3)?.map(str::to_owned),
    })
}

/// Reads an order: id, user, state, method, total, captured, processing, created, expires.
pub(crate) fn order(row: &Row, facts: &ShopFacts) -> WorkResult<Order> {
    Ok(Order {
        order_id: id(row, 0, OrderId::new)?,
        user_id: user(string(row, 1)?)?,
        state: OrderState::from_name(string(row, 2)?)
            .ok_or(WorkError::Damaged("unknown state of an order"))?,
        payment_method: PaymentMethod::from_name(string(row, 3)?),
        total: facts.money(int(row, 4)?),
        captured: facts.money(int(row, 5)?),
        processing: facts.money(int(row, 6)?),
        created_at: UnixMicros::new(int(row, 7)?),
        expires_at: UnixMicros::new(int(row, 8)?),
    })
}

/// A user's id as a row holds it.
pub(crate) fn user(text: &str) -> WorkResult<UserId> {
    UserId::new(text).map_err(|_| WorkError::Damaged("a user is no text"))
}

/// Reads a quantity column.
pub(crate) fn quantity(row: &Row, column: usize) -> WorkResult<Quantity> {
    u32::try_from(int(row, column)?)
        .ok()
        .and_then(|pieces| Quantity::new(pieces).ok())
        .ok_or(WorkError::Damaged("not a quantity"))
}

/// Reads a cart's version.
pub(crate) fn version(row: &Row, column: usize) -> WorkResult<u64> {
    u64::try_from(int(row, column)?).map_err(|_| WorkError::Damaged("negative version"))
}
