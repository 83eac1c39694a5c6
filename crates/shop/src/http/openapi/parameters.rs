//! Parameters of path, query and header, with the bounds that the handlers hold them to.

use double11_store::Category;
use double11_units::IdempotencyKey;
use serde_json::{Value, json};

use super::Facts;
use super::schemas;
use crate::http::handlers::{LIMIT_DEFAULT, LIMIT_MAX, SEARCH_MAX};

pub(super) fn all(facts: &Facts<'_>) -> Value {
    let product = json!({"type": "integer", "minimum": 1, "maximum": facts.products});
    let categories = Category::ALL.map(Category::name);
    json!({
        "product_id": path("product_id", "A product.", &product, &json!(7)),
        "cart_id": path("cart_id", "A cart.", &schemas::id(), &json!("123")),
        "order_id": path("order_id", "An order.", &schemas::id(), &json!("123")),
        "gateway": path(
            "gateway",
            "The gateway that calls.",
            &json!({"const": facts.gateway}),
            &json!(facts.gateway),
        ),
        "signature": signature(),
        "category": query(
            "category",
            "Only products of this category; all when left out.",
            &json!({"type": "string", "enum": categories}),
            &json!(categories[0]),
        ),
        "after": query(
            "after",
            "Only ids above this one; give `next_after` of a page to get the next.",
            &json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX}),
            &json!(20),
        ),
        "limit": query(
            "limit",
            "The most products to answer.",
            &json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}),
            &json!(5),
        ),
        "q": {
            "name": "q",
            "in": "query",
            "required": true,
            "description": "What to look for, not only spaces. With the lever `search-index` whole \
                words are matched, otherwise any part of a name.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": SEARCH_MAX,
                "pattern": "\\S",
            },
            "example": "手機",
        },
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Made by the client, best a UUIDv7. The same key with the same request \
                is answered as the first time; with another request it is 422 `key_reused`. Its \
                scope is user and operation.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": IdempotencyKey::MAX_BYTES,
                "pattern": "^[!-~]([ -~]*[!-~])?$",
            },
            "example": "01981c2e-7f3a-7cc0-8a55-5f2b3c4d5e6f",
        },
        "if_none_match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of a copy at hand, which spares sending it again.",
            "schema": {"type": "string"},
        },
    })
}

fn signature() -> Value {
    json!({
        "name": "Double11-Signature",
        "in": "header",
        "required": true,
        "description": "`t=SECONDS,v1=HEX`: the time of signing in seconds of the Unix epoch, and the \
            HMAC-SHA256 of `SECONDS.BODY`. At most five minutes old.",
        "schema": {"type": "string", "pattern": "^t=[0-9]{1,12},v1=[0-9a-f]{64}$"},
        "example": format!("t=1700000000,v1={}", "0".repeat(64)),
    })
}

fn path(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": schema,
        "example": example,
    })
}

fn query(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({
        "name": name,
        "in": "query",
        "description": description,
        "schema": schema,
        "example": example,
    })
}
