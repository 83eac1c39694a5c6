//! Problems as RFC 9457 describes them, each with a stable `code`. The table is in `docs/API.md`.

use double11_store::StoreError;
use double11_units::{Money, OrderId, ProductId};

use super::json::Object;
use super::reply::{ContentType, Reply};

/// A kind of problem: the same code always has the same status and title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind { status: $status, code: $code, title: $title };)*

        /// Every kind, so that documentation and description can be checked for completeness.
        #[cfg(test)]
        pub(crate) const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    MALFORMED_JSON = 400 "malformed_json" "The body is not JSON";
    INVALID_REQUEST = 400 "invalid_request" "The body does not have the form that is asked for";
    INVALID_PRODUCT_ID = 400 "invalid_product_id" "A product id is not an integer";
    INVALID_QUANTITY = 400 "invalid_quantity" "A quantity is not an integer from 1 to 100000";
    INVALID_ITEMS = 400 "invalid_items" "The order names no items";
    TOO_MANY_LINES = 400 "too_many_lines" "More than 100 different products";
    INVALID_CART_ID = 400 "invalid_cart_id" "The cart id is not an id";
    INVALID_ORDER_ID = 400 "invalid_order_id" "The order id is not an id";
    INVALID_USER_ID = 400 "invalid_user_id" "The user id is neither an integer from 0 nor a text";
    INVALID_AMOUNT = 400 "invalid_amount" "An amount is not a number above zero and in range";
    INVALID_PAYMENT_METHOD = 400 "invalid_payment_method" "The payment method is not a text";
    INVALID_GATEWAY = 400 "invalid_gateway" "The gateway is not a text";
    INVALID_CURRENCY = 400 "invalid_currency" "The currency is not a text";
    INVALID_IDEMPOTENCY_KEY = 400 "invalid_idempotency_key" "The Idempotency-Key cannot be used";
    INVALID_QUERY = 400 "invalid_query" "A parameter of the query cannot be used";
    INVALID_SIGNATURE = 401 "invalid_signature" "The callback is not signed with the shared secret, or not now";
    DECLINED = 402 "declined" "The gateway declined the payment";
    MALFORMED_HTTP = 400 "malformed_http" "The request is not HTTP/1.1";
    NOT_FOUND = 404 "not_found" "There is nothing at this path";
    UNKNOWN_PRODUCT = 404 "unknown_product" "There is no such product";
    UNKNOWN_CART = 404 "unknown_cart" "There is no such cart, or the product is not in it";
    UNKNOWN_ORDER = 404 "unknown_order" "There is no such order";
    UNKNOWN_ATTEMPT = 404 "unknown_attempt" "There is no such payment of this order and gateway";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "The path does not have this method";
    REQUEST_TIMEOUT = 408 "request_timeout" "The request did not arrive in time";
    SOLD_OUT = 409 "sold_out" "Less is left of a product than was wanted";
    TOTAL_CHANGED = 409 "total_changed" "The total is not the expected one";
    CART_ALREADY_ORDERED = 409 "cart_already_ordered" "The cart has become an order";
    ORDER_PAID = 409 "order_paid" "The order is paid";
    ORDER_CLOSED = 409 "order_closed" "The order takes no more payments";
    PAYMENT_PROCESSING = 409 "payment_processing" "A payment of the order has no outcome yet";
    BODY_TOO_LARGE = 413 "body_too_large" "The body is larger than allowed";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "The body must be application/json";
    URI_TOO_LONG = 414 "uri_too_long" "The path is longer than allowed";
    HEAD_TOO_LARGE = 431 "head_too_large" "The headers are larger than allowed";
    CART_EMPTY = 422 "cart_empty" "The cart has no items";
    CART_OF_ANOTHER_USER = 422 "cart_of_another_user" "The cart belongs to another user";
    LIMIT_EXCEEDED = 422 "limit_exceeded" "More lines, pieces or money than a cart may hold";
    TOTAL_OUT_OF_RANGE = 422 "total_out_of_range" "The total is too large";
    KEY_REUSED = 422 "key_reused" "The Idempotency-Key was used with another request";
    AMOUNT_EXCEEDS_BALANCE = 422 "amount_exceeds_balance" "More than is outstanding";
    AMOUNT_MISMATCH = 422 "amount_mismatch" "The payment is of another amount";
    UNKNOWN_GATEWAY = 422 "unknown_gateway" "The shop does not have this gateway";
    CURRENCY_MISMATCH = 422 "currency_mismatch" "The shop sells in another currency";
    INTERNAL = 500 "internal" "The shop has a defect";
    OVERLOADED = 503 "overloaded" "Too busy: nothing was done";
    STORE_BUSY = 503 "overloaded" "The store was locked for too long: nothing was done";
    STORE_UNAVAILABLE = 503 "store_unavailable" "The store does not answer: nothing was done";
    OUTCOME_UNKNOWN = 503 "outcome_unknown" "It is not known whether the write was stored";
}

/// A problem to be told to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: Option<String>,
    extra: Extra,
}

/// A member that goes with some problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extra {
    None,
    Product(ProductId),
    Order(OrderId),
    Total(Money),
    Outstanding(Money),
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            extra: Extra::None,
        }
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        let kind = match error {
            StoreError::QueueFull => OVERLOADED,
            StoreError::Busy => STORE_BUSY,
            StoreError::Unavailable(_) | StoreError::Closed => STORE_UNAVAILABLE,
            StoreError::OutcomeUnknown => OUTCOME_UNKNOWN,
        };
        kind.into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl Problem {
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub(crate) fn product(mut self, product_id: ProductId) -> Self {
        self.extra = Extra::Product(product_id);
        self
    }

    #[must_use]
    pub(crate) fn order(mut self, order_id: OrderId) -> Self {
        self.extra = Extra::Order(order_id);
        self
    }

    #[must_use]
    pub(crate) fn total(mut self, total: Money) -> Self {
        self.extra = Extra::Total(total);
        self
    }

    #[must_use]
    pub(crate) fn outstanding(mut self, outstanding: Money) -> Self {
        self.extra = Extra::Outstanding(outstanding);
        self
    }

    pub(crate) fn reply(&self) -> Reply {
        let mut body = Vec::with_capacity(192);
        let mut object = Object::begin(&mut body);
        object
            .text("type", "about:blank")
            .text("title", self.kind.title)
            .integer("status", self.kind.status)
            .text("code", self.kind.code);
        if let Some(detail) = &self.detail {
            object.text("detail", detail);
        }
        match self.extra {
            Extra::None => {}
            Extra::Product(product_id) => {
                object.integer("product_id", product_id.get());
            }
            Extra::Order(order_id) => {
                object.id("order_id", order_id.get());
            }
            Extra::Total(total) => {
                object.money("total", total);
            }
            Extra::Outstanding(outstanding) => {
                object.money("outstanding", outstanding);
            }
        }
        object.end();
        let mut reply = Reply::new(self.kind.status, ContentType::Problem, body);
        reply.retry_after = self.kind.status == 503;
        reply
    }
}
