//! What each place does: names, parameters, bodies, answers, and what can be called next.

use serde_json::{Value, json};

use super::Place;
use crate::http::reply::ContentType;
use crate::http::route::{Actuator, Reference, Route};

/// A described operation, its problems apart.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// Names among the parameters of the document.
    pub(super) parameters: &'static [&'static str],
    /// The schema of the request body.
    pub(super) request: Option<&'static str>,
    pub(super) successes: Vec<Success>,
}

/// An answer that is no problem.
pub(super) struct Success {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) body: Body,
    /// Header names with their names in the document.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Operations that take something from this answer.
    pub(super) links: Option<Value>,
}

/// What an answer carries.
pub(super) enum Body {
    /// JSON of the schema with this name.
    Json(&'static str),
    /// A whole description of an API.
    Document,
    /// Text of this media type.
    Text(&'static str),
    None,
}

const REPLAYED: &[(&str, &str)] = &[("Idempotent-Replayed", "IdempotentReplayed")];
const TAGGED: &[(&str, &str)] = &[("ETag", "ETag")];

pub(super) fn of(place: Place) -> Operation {
    match place {
        Place::Route(Route::RandomProduct) => random_product(),
        Place::Route(Route::Product) => product(),
        Place::Route(Route::Products) => products(),
        Place::Route(Route::Search) => search(),
        Place::Route(Route::AddToCart) => add_to_cart(),
        Place::Route(Route::Cart) => cart(),
        Place::Route(Route::RemoveFromCart) => remove_from_cart(),
        Place::Route(Route::PlaceOrder) => place_order(),
        Place::Route(Route::Order) => order(),
        Place::Route(Route::CancelOrder) => cancel_order(),
        Place::Route(Route::Pay) => pay(),
        Place::Route(Route::PaymentCallback) => payment_callback(),
        Place::Route(Route::Other) => {
            unreachable!("invariant: `Place::all` leaves out what no route answers")
        }
        Place::Actuator(page) => actuator(page),
        Place::Reference(file) => reference(file),
    }
}

fn ok(description: &'static str, schema: &'static str, links: Option<Value>) -> Success {
    Success {
        status: 200,
        description,
        body: Body::Json(schema),
        headers: &[],
        links,
    }
}

fn random_product() -> Operation {
    Operation {
        id: "getRandomProduct",
        tag: "products",
        summary: "A product, any",
        description: "Every product of the catalogue is as likely as any other.",
        parameters: &[],
        request: None,
        successes: vec![ok("The product.", "Product", Some(product_links()))],
    }
}

fn product() -> Operation {
    Operation {
        id: "getProduct",
        tag: "products",
        summary: "A product",
        description: "",
        parameters: &["product_id"],
        request: None,
        successes: vec![ok("The product.", "Product", Some(product_links()))],
    }
}

fn product_links() -> Value {
    json!({
        "putIntoCart": {
            "operationId": "addToCart",
            "description": "Put it into a cart.",
            "requestBody": {"product_id": "$response.body#/product_id", "quantity": 1},
        },
        "order": {
            "operationId": "placeOrder",
            "description": "Order it.",
            "requestBody": {
                "user_id": 42,
                "items": [{"product_id": "$response.body#/product_id", "quantity": 1}],
                "cart_id": null,
                "expected_total": null,
            },
        },
    })
}

fn products() -> Operation {
    Operation {
        id: "listProducts",
        tag: "products",
        summary: "A page of the catalogue",
        description: "Ascending by id.",
        parameters: &["category", "after", "limit"],
        request: None,
        successes: vec![ok(
            "The page.",
            "ProductPage",
            Some(json!({
                "next": {
                    "operationId": "listProducts",
                    "description": "Turn the page.",
                    "parameters": {"after": "$response.body#/next_after"},
                },
            })),
        )],
    }
}

fn search() -> Operation {
    Operation {
        id: "searchProducts",
        tag: "products",
        summary: "Search the catalogue",
        description: "By name, English name or category; ascending by id.",
        parameters: &["q", "limit"],
        request: None,
        successes: vec![ok("What was found.", "SearchResult", None)],
    }
}

fn add_to_cart() -> Operation {
    Operation {
        id: "addToCart",
        tag: "carts",
        summary: "Put a product into a cart",
        description: "Adds to the pieces already in the cart. Without `cart_id` a cart is made, \
            whose owner is `user_id` or nobody. Putting something into a cart holds no stock.",
        parameters: &[],
        request: Some("AddToCart"),
        successes: vec![Success {
            status: 201,
            description: "The cart.",
            body: Body::Json("Cart"),
            headers: &[],
            links: Some(json!({
                "read": {
                    "operationId": "getCart",
                    "description": "Read the cart.",
                    "parameters": {"cart_id": "$response.body#/cart_id"},
                },
                "remove": {
                    "operationId": "removeFromCart",
                    "description": "Take its first product out again.",
                    "parameters": {
                        "cart_id": "$response.body#/cart_id",
                        "product_id": "$response.body#/items/0/product_id",
                    },
                },
                "order": {
                    "operationId": "placeOrder",
                    "description": "Order what is in the cart.",
                    "requestBody": {"cart_id": "$response.body#/cart_id", "items": null},
                },
            })),
        }],
    }
}

fn cart() -> Operation {
    Operation {
        id: "getCart",
        tag: "carts",
        summary: "A cart",
        description: "Its items ascend by product. `order_id` is the order that it became, which \
            closes the cart.",
        parameters: &["cart_id"],
        request: None,
        successes: vec![ok("The cart.", "Cart", None)],
    }
}

fn remove_from_cart() -> Operation {
    Operation {
        id: "removeFromCart",
        tag: "carts",
        summary: "Take a product out of a cart",
        description: "All pieces of it.",
        parameters: &["cart_id", "product_id"],
        request: None,
        successes: vec![ok("The cart without it.", "Cart", None)],
    }
}

fn place_order() -> Operation {
    Operation {
        id: "placeOrder",
        tag: "orders",
        summary: "Place an order",
        description: "Of the given items or of a cart; all or nothing. Answered after order and \
            reservation are durable. The reservation ends when the order is paid, is cancelled, or \
            expires. Send an `Idempotency-Key`: without one a repeated order is a second order.",
        parameters: &["idempotency_key"],
        request: Some("PlaceOrder"),
        successes: vec![Success {
            status: 201,
            description: "The order, as it was when it was placed.",
            body: Body::Json("PlacedOrder"),
            headers: REPLAYED,
            links: Some(json!({
                "pay": {
                    "operationId": "pay",
                    "description": "Pay it in full.",
                    "requestBody": {
                        "order_id": "$response.body#/order_id",
                        "amount": "$response.body#/total",
                    },
                },
                "read": order_link("getOrder", "Read the order."),
                "cancel": order_link("cancelOrder", "Cancel the order."),
            })),
        }],
    }
}

fn order_link(operation: &str, description: &str) -> Value {
    json!({
        "operationId": operation,
        "description": description,
        "parameters": {"order_id": "$response.body#/order_id"},
    })
}

fn order() -> Operation {
    Operation {
        id: "getOrder",
        tag: "orders",
        summary: "An order with its items and payments",
        description: "Shows every write that was answered before.",
        parameters: &["order_id"],
        request: None,
        successes: vec![ok(
            "The order.",
            "FullOrder",
            Some(json!({"cancel": order_link("cancelOrder", "Cancel the order.")})),
        )],
    }
}

fn cancel_order() -> Operation {
    Operation {
        id: "cancelOrder",
        tag: "orders",
        summary: "Cancel an order",
        description: "Gives the stock back and refunds what was captured. Repeating it answers \
            200 again. Needs no body.",
        parameters: &["order_id"],
        request: None,
        successes: vec![ok(
            "The order, cancelled.",
            "Order",
            Some(json!({"read": order_link("getOrder", "Read the order.")})),
        )],
    }
}

fn pay() -> Operation {
    let links = || {
        Some(json!({
            "read": order_link("getOrder", "Read the order."),
            "cancel": order_link("cancelOrder", "Cancel the order."),
        }))
    };
    Operation {
        id: "pay",
        tag: "payments",
        summary: "Pay for an order",
        description: "In full or a part. Send an `Idempotency-Key`, and after a time-out or \
            `outcome_unknown` the same request with the same key again.",
        parameters: &["idempotency_key"],
        request: Some("Pay"),
        successes: vec![
            Success {
                status: 201,
                description: "The money was captured, durably.",
                body: Body::Json("CapturedPayment"),
                headers: REPLAYED,
                links: links(),
            },
            Success {
                status: 202,
                description: "The gateway's outcome is not known yet and will show in the order. \
                    The amount stays held.",
                body: Body::Json("ProcessingPayment"),
                headers: REPLAYED,
                links: links(),
            },
        ],
    }
}

fn payment_callback() -> Operation {
    Operation {
        id: "paymentCallback",
        tag: "payments",
        summary: "The gateway tells of an outcome",
        description: "For the gateway alone, which signs its body with the secret that it shares with \
            the shop. The outcome is stored as that of the payment's own request is, however often and \
            whenever it is told: a second time changes nothing, and a capture that comes too late is \
            refunded. `docs/PAYMENTS.md` says how to sign.",
        parameters: &["gateway", "signature"],
        request: Some("PaymentCallback"),
        successes: vec![ok(
            "It was heard. Not to be told again.",
            "HeardCallback",
            None,
        )],
    }
}

fn actuator(page: Actuator) -> Operation {
    let (id, summary, body) = match page {
        Actuator::Prometheus => (
            "getMetrics",
            "Metrics for Prometheus",
            Body::Text(ContentType::Metrics.text()),
        ),
        Actuator::Health => (
            "getHealth",
            "Health of store and process",
            Body::Json("Health"),
        ),
        Actuator::Liveness => (
            "getLiveness",
            "Whether the process answers",
            Body::Json("Status"),
        ),
        Actuator::Readiness => (
            "getReadiness",
            "Whether the process takes requests",
            Body::Json("Status"),
        ),
        Actuator::Info => (
            "getInfo",
            "Version, levers and settings",
            Body::Json("Info"),
        ),
    };
    let mut successes = vec![Success {
        status: 200,
        description: "All is well.",
        body,
        headers: &[],
        links: None,
    }];
    for status in page.statuses().iter().filter(|status| **status != 200) {
        successes.push(Success {
            status: *status,
            description: "Not now.",
            body: Body::Json(if page == Actuator::Health {
                "Health"
            } else {
                "Status"
            }),
            headers: &[],
            links: None,
        });
    }
    Operation {
        id,
        tag: "actuator",
        summary,
        description: "",
        parameters: &[],
        request: None,
        successes,
    }
}

fn reference(file: Reference) -> Operation {
    let (id, summary, body) = match file {
        Reference::Description => ("getDescription", "This description", Body::Document),
        Reference::Page => (
            "getReferencePage",
            "A page that shows this description and sends requests",
            Body::Text(ContentType::Html.text()),
        ),
        Reference::Script | Reference::Style => {
            unreachable!("invariant: `Place::all` leaves out the parts of the page")
        }
    };
    let not_modified = Success {
        status: 304,
        description: "The copy at hand is the same.",
        body: Body::None,
        headers: TAGGED,
        links: None,
    };
    let found = Success {
        status: 200,
        description: "The file.",
        body,
        headers: TAGGED,
        links: None,
    };
    Operation {
        id,
        tag: "reference",
        summary,
        description: "",
        parameters: &["if_none_match"],
        request: None,
        successes: vec![found, not_modified],
    }
}
