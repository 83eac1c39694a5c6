//! Schemas of what is sent and answered. Enumerations and bounds are those of the code.

use double11_store::cart::LINES_MAX;
use double11_store::payment::RefundState;
use double11_store::{AttemptState, Category, OrderState, PaymentMethod};
use double11_units::{Currency, Quantity, UserId};
use serde_json::{Map, Value, json};

use super::Facts;
use crate::http::handlers::refund_name;

/// A reference to the schema with this name.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The id of a cart, order or payment.
pub(super) fn id() -> Value {
    json!({"type": "string", "pattern": "^[1-9][0-9]{0,18}$"})
}

pub(super) fn all(facts: &Facts<'_>) -> Value {
    let mut schemas = basics(facts);
    for more in [
        catalogue(facts),
        carts(facts),
        orders(facts),
        payments(facts),
        problems(),
        actuator(facts),
    ] {
        schemas.extend(more);
    }
    schemas.into()
}

/// An object that has exactly the members that are listed as needed, and maybe the others.
fn object(needed: Value, others: Value) -> Value {
    let required: Vec<String> = members(&needed).cloned().collect();
    let mut properties = needed;
    if let (Value::Object(properties), Value::Object(others)) = (&mut properties, others) {
        properties.extend(others);
    }
    json!({"type": "object", "required": required, "properties": properties})
}

/// An object all of whose members are always there.
fn answer(members: Value) -> Value {
    object(members, json!({}))
}

fn members(object: &Value) -> impl Iterator<Item = &String> {
    object.as_object().into_iter().flat_map(Map::keys)
}

fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn quantity() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": Quantity::MAX})
}

fn product_id(facts: &Facts<'_>) -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": facts.products})
}

fn currency(currency: Currency) -> Value {
    json!({"const": currency.code()})
}

fn named(schemas: Value) -> Map<String, Value> {
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

fn basics(facts: &Facts<'_>) -> Map<String, Value> {
    // The largest whole number of major units whose minor units are still counted.
    let amount_max = i64::MAX / 100;
    named(json!({
        "Money": {
            "type": "number",
            "format": "decimal",
            "minimum": 0,
            "description": "Major units with two places. There is no `multipleOf`, because \
                validators compute it in binary fractions and would refuse right amounts.",
        },
        "Amount": {
            "type": "number",
            "format": "decimal",
            "minimum": 0.005,
            "maximum": amount_max,
            "description": "Major units, above zero after rounding to two places.",
        },
        "Id": {
            "description": "As it was given out, or as a number.",
            "anyOf": [id(), {"type": "integer", "minimum": 1, "maximum": i64::MAX}],
        },
        "UserId": {
            "description": "The integer 7 and the string `7` are the same user. A string has at \
                most 64 bytes in UTF-8, and no control characters.",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": UserId::MAX_BYTES,
                    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
                },
            ],
        },
        "Time": {
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
            "description": "RFC 3339 in UTC, to the microsecond.",
        },
        "Line": answer(json!({
            "product_id": product_id(facts),
            "quantity": quantity(),
            "unit_price": reference("Money"),
        })),
    }))
}

fn catalogue(facts: &Facts<'_>) -> Map<String, Value> {
    let items = json!({"type": "array", "items": reference("Product")});
    named(json!({
        "Product": answer(json!({
            "product_id": product_id(facts),
            "name": {"type": "string", "minLength": 1, "description": "In Traditional Chinese."},
            "name_en": {"type": "string", "minLength": 1, "description": "In English."},
            "category": {"enum": Category::ALL.map(Category::name)},
            "price": reference("Money"),
            "currency": currency(facts.currency),
            "in_stock": {
                "type": "boolean",
                "description": "Whether a piece was available, at most one second ago.",
            },
        })),
        "ProductPage": answer(json!({
            "items": items,
            "next_after": {
                "type": ["integer", "null"],
                "description": "Give it as `after` to turn the page; null on the last.",
            },
        })),
        "SearchResult": answer(json!({
            "query": {"type": "string"},
            "total": {"type": "integer", "minimum": 0, "description": "All matches, exactly."},
            "items": items,
        })),
    }))
}

fn carts(facts: &Facts<'_>) -> Map<String, Value> {
    named(json!({
        "AddToCart": object(
            json!({
                "product_id": product_id(facts),
                "quantity": quantity(),
            }),
            json!({
                "cart_id": or_null(&reference("Id")),
                "user_id": or_null(&reference("UserId")),
            }),
        ),
        "Cart": answer(json!({
            "cart_id": id(),
            "user_id": {"type": ["string", "null"]},
            "order_id": or_null(&id()),
            "items": {"type": "array", "items": reference("Line")},
            "total": reference("Money"),
            "currency": currency(facts.currency),
        })),
    }))
}

fn orders(facts: &Facts<'_>) -> Map<String, Value> {
    let order = json!({
        "order_id": id(),
        "user_id": {"type": "string"},
        "status": {"enum": OrderState::ALL.map(OrderState::name)},
        "payment_method": {"enum": PaymentMethod::ALL.map(PaymentMethod::name)},
        "total": reference("Money"),
        "captured": reference("Money"),
        "processing": reference("Money"),
        "currency": currency(facts.currency),
        "created_at": reference("Time"),
        "expires_at": reference("Time"),
    });
    let mut full = named(order.clone());
    full.insert(
        "items".to_owned(),
        json!({"type": "array", "items": reference("Line")}),
    );
    full.insert(
        "payments".to_owned(),
        json!({"type": "array", "items": reference("PaymentOfOrder")}),
    );
    named(json!({
        "PlaceOrder": place_order(facts),
        "PlacedOrder": answer(json!({
            "order_id": id(),
            "status": {"const": OrderState::PendingPayment.name()},
            "total": reference("Money"),
            "currency": currency(facts.currency),
            "expires_at": reference("Time"),
        })),
        "Order": answer(order),
        "FullOrder": answer(full.into()),
    }))
}

/// Either `items` or `cart_id`; null counts as absent.
fn place_order(facts: &Facts<'_>) -> Value {
    let item = answer(json!({"product_id": product_id(facts), "quantity": quantity()}));
    let items = json!({
        "type": "array",
        "minItems": 1,
        "items": item,
        "description": format!(
            "At most {LINES_MAX} different products; the quantities of one that is named twice are \
             summed, to no more than {}.",
            Quantity::MAX
        ),
    });
    let absent = json!({"type": "null"});
    let mut schema = object(
        json!({"user_id": reference("UserId")}),
        json!({
            "payment_method": {
                "type": ["string", "null"],
                "description": "`alipay`, `wechat` or `card`; any other text counts as `other`.",
            },
            "expected_total": or_null(&reference("Amount")),
        }),
    );
    schema["oneOf"] = json!([
        {
            "title": "of these items",
            "required": ["items"],
            "properties": {"items": items, "cart_id": absent},
        },
        {
            "title": "of a cart",
            "required": ["cart_id"],
            "properties": {"cart_id": reference("Id"), "items": absent},
        },
    ]);
    schema
}

fn payments(facts: &Facts<'_>) -> Map<String, Value> {
    let code = facts.currency.code();
    let any_case: String = code
        .chars()
        .flat_map(|letter| ['[', letter, letter.to_ascii_lowercase(), ']'])
        .collect();
    let payment = |status: AttemptState| {
        json!({
            "payment_id": id(),
            "order_id": id(),
            "status": {"const": status.name()},
            "amount": reference("Money"),
            "currency": currency(facts.currency),
            "gateway": {"const": facts.gateway},
        })
    };
    let mut captured = named(payment(AttemptState::Captured));
    captured.insert(
        "order_status".to_owned(),
        json!({"enum": OrderState::ALL.map(OrderState::name)}),
    );
    let refunds = [RefundState::Pending, RefundState::Done].map(refund_name);
    named(json!({
        "Pay": object(
            json!({"order_id": reference("Id"), "amount": reference("Amount")}),
            json!({
                "gateway": {"enum": [facts.gateway, null]},
                "currency": {"type": ["string", "null"], "pattern": format!("^{any_case}$")},
            }),
        ),
        "CapturedPayment": answer(captured.into()),
        "ProcessingPayment": answer(payment(AttemptState::Processing)),
        "PaymentCallback": answer(json!({
            "attempt_id": reference("Id"),
            "order_id": reference("Id"),
            "result": {"enum": [AttemptState::Captured.name(), AttemptState::Declined.name()]},
            "amount": {
                "type": "string",
                "pattern": "^[0-9]{1,15}\\.[0-9]{2}$",
                "description": "In major units, that of the payment.",
            },
            "currency": currency(facts.currency),
        })),
        "HeardCallback": answer(json!({
            "payment_id": id(),
            "order_id": id(),
            "status": {"enum": [
                AttemptState::Captured.name(),
                AttemptState::Declined.name(),
                AttemptState::Late.name(),
            ]},
        })),
        "PaymentOfOrder": answer(json!({
            "payment_id": id(),
            "status": {"enum": AttemptState::ALL.map(AttemptState::name)},
            "amount": reference("Money"),
            "gateway": {"type": "string"},
            "created_at": reference("Time"),
            "refund": {"enum": [null, refunds[0], refunds[1]]},
        })),
    }))
}

fn problems() -> Map<String, Value> {
    named(json!({
        "Problem": object(
            json!({
                "type": {"const": "about:blank"},
                "title": {"type": "string", "description": "For people; may change."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "code": {"type": "string", "description": "For programs; does not change."},
            }),
            json!({
                "detail": {"type": "string", "description": "What is special about this case."},
                "product_id": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The product that stood in the way.",
                },
                "order_id": {
                    "type": "string",
                    "description": "With `cart_already_ordered`: what the cart has become.",
                },
                "total": {"type": "number", "description": "With `total_changed`: the true total."},
                "outstanding": {
                    "type": "number",
                    "description": "With `amount_exceeds_balance`: what may still be paid.",
                },
            }),
        ),
    }))
}

fn actuator(facts: &Facts<'_>) -> Map<String, Value> {
    if !facts.with_actuator {
        return Map::new();
    }
    let status = json!({"enum": ["UP", "DOWN", "OUT_OF_SERVICE"]});
    let count = json!({"type": "integer", "minimum": 0});
    let text = json!({"type": "string"});
    named(json!({
        "Status": answer(json!({"status": status})),
        "Health": answer(json!({
            "status": status,
            "components": answer(json!({
                "store": answer(json!({
                    "status": status,
                    "details": answer(json!({"kind": text})),
                })),
                "gateway": answer(json!({
                    "status": status,
                    "details": object(json!({"name": text}), json!({"reason": text})),
                })),
                "readinessState": answer(json!({"status": status})),
            })),
        })),
        "Info": answer(json!({
            "build": answer(json!({"name": text, "version": text})),
            "shop": answer(json!({
                "variant": text,
                "levers": {"type": "array", "items": text},
                "store": text,
                "gateway": text,
                "currency": text,
                "products": count,
                "seed": count,
                "payment_window_ms": count,
                "sale": {"type": "boolean"},
            })),
        })),
    }))
}
