//! A model of a shop that keeps every promise, written out as a store and two ledgers.
//!
//! It is the tests' own: the tables are those of `docs/SCHEMA.md`, whose SQL is executed as it
//! stands on the page.

mod scene;
mod site;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use site::Site;
pub(crate) use tables::schema_index_sql;

/// The payment window of the model, in microseconds.
pub(crate) const WINDOW: i64 = 20_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) received: i64,
    pub(crate) price: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) user: String,
    pub(crate) cart: Option<i64>,
    pub(crate) items: BTreeMap<i64, i64>,
    pub(crate) state: &'static str,
    pub(crate) total: i64,
    pub(crate) created: i64,
    pub(crate) closed: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: i64,
    pub(crate) order: i64,
    pub(crate) state: &'static str,
    pub(crate) amount: i64,
    pub(crate) order_state: Option<&'static str>,
    pub(crate) key: Option<String>,
    pub(crate) created: i64,
    pub(crate) finished: Option<i64>,
    pub(crate) refund: Option<Refund>,
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) created: i64,
    pub(crate) finished: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ClaimedKey {
    pub(crate) text: String,
    pub(crate) user: String,
    pub(crate) order: i64,
    pub(crate) attempt: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cart {
    pub(crate) id: i64,
    pub(crate) order: Option<i64>,
    pub(crate) items: BTreeMap<i64, i64>,
    pub(crate) updated: i64,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Captured,
    Declined,
    Processing,
    /// The order expires first; the money is refunded.
    Late,
}

/// Who learns of a write, and under which key it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) key: Option<String>,
    pub(crate) heard: bool,
}

impl Call {
    pub(crate) fn keyed(key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            heard: true,
        }
    }

    pub(crate) fn plain() -> Self {
        Self {
            key: None,
            heard: true,
        }
    }

    pub(crate) fn unheard(mut self) -> Self {
        self.heard = false;
        self
    }
}

/// An order to be placed, and the request that asks for it.
pub(crate) struct Wish {
    pub(crate) user: String,
    pub(crate) cart: Option<i64>,
    pub(crate) items: BTreeMap<i64, i64>,
    pub(crate) request: Value,
}

impl Wish {
    pub(crate) fn of_items(user: &str, items: &[(i64, i64)]) -> Self {
        let item =
            |(product, quantity): &(i64, i64)| json!({"product_id": product, "quantity": quantity});
        let lines: Vec<Value> = items.iter().map(item).collect();
        let request = json!({"user_id": user, "items": lines});
        Self {
            user: user.to_owned(),
            cart: None,
            items: items.iter().copied().collect(),
            request,
        }
    }
}

/// What a request was answered.
struct Reply {
    status: u16,
    code: Option<&'static str>,
    request: Value,
    answer: Value,
}

impl Reply {
    fn acknowledged(status: u16, request: Value, answer: Value) -> Self {
        Self {
            status,
            code: None,
            request,
            answer,
        }
    }

    fn refused(status: u16, code: &'static str, request: Value) -> Self {
        Self {
            status,
            code: Some(code),
            request,
            answer: Value::Null,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) products: BTreeMap<i64, Product>,
    pub(crate) orders: Vec<Order>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) keys: Vec<ClaimedKey>,
    pub(crate) carts: Vec<Cart>,
    pub(crate) gateway: Vec<Value>,
    pub(crate) client: Vec<Value>,
    pub(crate) currency: &'static str,
}

impl World {
    pub(crate) fn new(products: &[(i64, i64)]) -> Self {
        let product = |(received, price): &(i64, i64)| Product {
            received: *received,
            price: *price,
        };
        Self {
            now: 1_760_000_000_000_000,
            products: (1..).zip(products.iter().map(product)).collect(),
            orders: Vec::new(),
            attempts: Vec::new(),
            keys: Vec::new(),
            carts: Vec::new(),
            gateway: Vec::new(),
            client: Vec::new(),
            currency: "CNY",
        }
    }

    pub(crate) fn order(&mut self, user: &str, items: &[(i64, i64)], call: &Call) -> Option<i64> {
        self.place(Wish::of_items(user, items), call)
    }

    pub(crate) fn order_cart(&mut self, user: &str, cart: i64, call: &Call) -> Option<i64> {
        let items = self
            .carts
            .iter()
            .find(|one| one.id == cart)
            .unwrap()
            .items
            .clone();
        let request = json!({"user_id": user, "cart_id": cart.to_string()});
        self.place(
            Wish {
                user: user.to_owned(),
                cart: Some(cart),
                items,
                request,
            },
            call,
        )
    }

    fn place(&mut self, wish: Wish, call: &Call) -> Option<i64> {
        if wish
            .items
            .iter()
            .any(|(product, quantity)| self.available(*product) < *quantity)
        {
            self.tell(
                "order",
                call,
                &Reply::refused(409, "sold_out", wish.request),
            );
            return None;
        }
        Some(self.place_unchecked(wish, call))
    }

    /// Places an order without looking at the stock, as the deliberately wrong policy does.
    pub(crate) fn place_unchecked(&mut self, wish: Wish, call: &Call) -> i64 {
        let Wish {
            user,
            cart,
            items,
            request,
        } = wish;
        self.now += 10;
        let id = 1_001 + i64::try_from(self.orders.len()).unwrap();
        let total = items
            .iter()
            .map(|(product, pieces)| self.products[product].price * pieces)
            .sum();
        if let Some(cart) = self.carts.iter_mut().find(|one| Some(one.id) == cart) {
            cart.order = Some(id);
            cart.updated = self.now;
        }
        if let Some(key) = &call.key {
            let (key, user) = (key.clone(), user.clone());
            self.keys.push(ClaimedKey {
                text: key,
                user,
                order: id,
                attempt: None,
            });
        }
        let (state, created) = ("pending_payment", self.now);
        self.orders.push(Order {
            id,
            user,
            cart,
            items,
            state,
            total,
            created,
            closed: None,
        });
        let answer = json!({"order_id": id.to_string(), "total": major(total)});
        self.tell("order", call, &Reply::acknowledged(201, request, answer));
        id
    }

    pub(crate) fn pay(&mut self, order: i64, amount: i64, ending: Ending, call: &Call) -> i64 {
        let id = 5_001 + i64::try_from(self.attempts.len()).unwrap();
        let user = self.order_ref(order).user.clone();
        self.now += 10;
        self.attempts.push(Attempt {
            id,
            order,
            state: "processing",
            amount,
            order_state: None,
            key: call.key.clone(),
            created: self.now,
            finished: None,
            refund: None,
        });
        if let (Some(key), true) = (&call.key, ending != Ending::Declined) {
            self.keys.push(ClaimedKey {
                text: key.clone(),
                user,
                order,
                attempt: Some(id),
            });
        }
        let request = json!({"order_id": order.to_string(), "gateway": "sandbox",
            "amount": serde_json::from_str::<Value>(&major(amount)).unwrap()});
        let answer = json!({"payment_id": id.to_string(), "status": "captured"});
        match ending {
            Ending::Processing => {
                self.tell("payment", call, &Reply::acknowledged(202, request, answer));
            }
            Ending::Declined => {
                self.charge(id, amount, "declined");
                self.finish(id, "declined", None);
                self.tell("payment", call, &Reply::refused(402, "declined", request));
            }
            Ending::Captured => {
                self.charge(id, amount, "captured");
                self.capture(id);
                self.tell("payment", call, &Reply::acknowledged(201, request, answer));
            }
            Ending::Late => {
                self.expire(order);
                self.charge(id, amount, "captured");
                self.finish(id, "late", None);
                self.refund(id);
                self.tell(
                    "payment",
                    call,
                    &Reply::refused(409, "order_closed", request),
                );
            }
        }
        id
    }

    /// Resolves everything that is in process.
    pub(crate) fn settle(&mut self) {
        let processing = |attempt: &&Attempt| attempt.state == "processing";
        let ids: Vec<_> = self
            .attempts
            .iter()
            .filter(processing)
            .map(|one| one.id)
            .collect();
        for id in ids {
            let amount = self.attempt(id).amount;
            self.charge(id, amount, "captured");
            self.capture(id);
        }
    }

    fn capture(&mut self, id: i64) {
        let order = self.attempt(id).order;
        let captured = self.captured(order) + self.attempt(id).amount;
        let total = self.order_ref(order).total;
        let state = if captured == total {
            "paid"
        } else {
            "partially_paid"
        };
        self.order_mut(order).state = state;
        self.finish(id, "captured", Some(state));
    }

    fn finish(&mut self, id: i64, state: &'static str, order_state: Option<&'static str>) {
        self.now += 10;
        let now = self.now;
        let attempt = self.attempt_mut(id);
        attempt.state = state;
        attempt.order_state = order_state;
        attempt.finished = Some(now);
    }

    fn charge(&mut self, attempt: i64, amount: i64, result: &str) {
        self.now += 10;
        self.gateway
            .push(json!({"event": "charge", "attempt_id": attempt.to_string(),
            "amount": major(amount), "currency": self.currency, "result": result, "at": self.now}));
    }

    fn refund(&mut self, attempt: i64) {
        let created = self.now;
        self.now += 10;
        let amount = self.attempt(attempt).amount;
        self.gateway
            .push(json!({"event": "refund", "attempt_id": attempt.to_string(),
            "amount": major(amount), "currency": self.currency, "at": self.now}));
        let finished = Some(self.now);
        self.attempt_mut(attempt).refund = Some(Refund { created, finished });
    }

    pub(crate) fn cancel(&mut self, order: i64) {
        self.now += 10;
        self.close(order, "cancelled");
    }

    pub(crate) fn expire(&mut self, order: i64) {
        self.now = self.now.max(self.order_ref(order).created + WINDOW);
        self.close(order, "expired");
    }

    fn close(&mut self, order: i64, state: &'static str) {
        let now = self.now;
        let closed = self.order_mut(order);
        closed.state = state;
        closed.closed = Some(now);
        let owed = |attempt: &&Attempt| attempt.order == order && attempt.state == "captured";
        let ids: Vec<_> = self
            .attempts
            .iter()
            .filter(owed)
            .map(|attempt| attempt.id)
            .collect();
        for id in ids {
            self.refund(id);
        }
    }

    pub(crate) fn add_to_cart(&mut self, cart: Option<i64>, product: i64, pieces: i64) -> i64 {
        self.now += 10;
        let id = cart.unwrap_or(9_001 + i64::try_from(self.carts.len()).unwrap());
        let mut request = json!({"product_id": product, "quantity": pieces});
        if let Some(found) = self.carts.iter_mut().find(|one| one.id == id) {
            *found.items.entry(product).or_default() += pieces;
            found.updated = self.now;
            request["cart_id"] = json!(id.to_string());
        } else {
            let items = [(product, pieces)].into();
            self.carts.push(Cart {
                id,
                order: None,
                items,
                updated: self.now,
            });
        }
        let answer = json!({"cart_id": id.to_string()});
        self.tell(
            "cart",
            &Call::plain(),
            &Reply::acknowledged(201, request, answer),
        );
        id
    }

    /// Appends a line to the client's ledger.
    fn tell(&mut self, kind: &str, call: &Call, reply: &Reply) {
        self.now += 10;
        let outcome = match (call.heard, reply.code) {
            (false, _) => "unknown",
            (true, None) => "acknowledged",
            (true, Some(_)) => "refused",
        };
        let answer = if outcome == "acknowledged" {
            &reply.answer
        } else {
            &Value::Null
        };
        let status = call.heard.then_some(reply.status);
        self.client.push(
            json!({"kind": kind, "step": kind, "key": call.key, "attempt": 1,
            "phase": "peak_20x", "planned": self.now - 100, "sent": self.now - 50, "end": self.now,
            "outcome": outcome, "status": status, "code": reply.code, "request": reply.request,
            "answer": answer}),
        );
    }

    pub(crate) fn available(&self, product: i64) -> i64 {
        let open = |order: &&Order| order.closed.is_none();
        let held: i64 = self
            .orders
            .iter()
            .filter(open)
            .filter_map(|order| order.items.get(&product))
            .sum();
        self.products[&product].received - held
    }

    pub(crate) fn captured(&self, order: i64) -> i64 {
        self.sum_of(order, "captured")
    }

    pub(crate) fn processing(&self, order: i64) -> i64 {
        self.sum_of(order, "processing")
    }

    fn sum_of(&self, order: i64, state: &str) -> i64 {
        let counts = |attempt: &&Attempt| attempt.order == order && attempt.state == state;
        self.attempts
            .iter()
            .filter(counts)
            .map(|attempt| attempt.amount)
            .sum()
    }

    pub(crate) fn order_ref(&self, id: i64) -> &Order {
        self.orders.iter().find(|order| order.id == id).unwrap()
    }

    fn order_mut(&mut self, id: i64) -> &mut Order {
        self.orders.iter_mut().find(|order| order.id == id).unwrap()
    }

    pub(crate) fn attempt(&self, id: i64) -> &Attempt {
        self.attempts
            .iter()
            .find(|attempt| attempt.id == id)
            .unwrap()
    }

    pub(crate) fn attempt_mut(&mut self, id: i64) -> &mut Attempt {
        self.attempts
            .iter_mut()
            .find(|attempt| attempt.id == id)
            .unwrap()
    }

    /// Writes the store and both ledgers into a new folder.
    pub(crate) fn write(&self) -> Site {
        let folder = TempDir::new().unwrap();
        let site = Site::new(folder, self.now + 1_000_000);
        tables::write(self, &mut Connection::open(site.store()).unwrap());
        write_ledger(
            &site.client_ledger(),
            "double11_client_ledger",
            &self.client,
        );
        write_ledger(
            &site.gateway_ledger(),
            "double11_gateway_ledger",
            &self.gateway,
        );
        site
    }
}

fn write_ledger(path: &Path, format: &str, lines: &[Value]) {
    let mut text = format!("{{\"{format}\":1}}\n");
    for line in lines {
        text += &line.to_string();
        text.push('\n');
    }
    std::fs::write(path, text).unwrap();
}

/// Minor units as the decimal text of the wire.
pub(crate) fn major(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
