//! Examples of bodies; each is checked against its schema by the test over a running shop.

use serde_json::{Value, json};

/// Named examples of a request body.
pub(super) fn of_request(schema: &str) -> Value {
    match schema {
        "AddToCart" => json!({
            "new cart": {"value": {"product_id": 7, "quantity": 2, "user_id": 42}},
        }),
        "PlaceOrder" => json!({
            "of items": {"value": {
                "user_id": 42,
                "items": [{"product_id": 7, "quantity": 2}],
                "payment_method": "alipay",
            }},
            "of a cart": {"value": {"user_id": 42, "cart_id": "123"}},
        }),
        "Pay" => json!({
            "a part": {"value": {"order_id": "123", "amount": 99.50}},
        }),
        "PaymentCallback" => json!({
            "a capture": {"value": {
                "attempt_id": "456", "order_id": "123", "result": "captured", "amount": "99.50",
                "currency": "CNY", "at": 1_794_325_826_000_007_i64,
            }},
        }),
        _ => json!({}),
    }
}

/// An example of an answer.
pub(super) fn of_answer(schema: &str) -> Option<Value> {
    let product = json!({
        "product_id": 7, "name": "藍牙耳機", "name_en": "Bluetooth earphones", "category": "數碼",
        "price": 199.00, "currency": "CNY", "in_stock": true,
    });
    let line = json!({"product_id": 7, "quantity": 2, "unit_price": 199.00});
    let example = match schema {
        "Product" => product,
        "ProductPage" => json!({"items": [product], "next_after": null}),
        "SearchResult" => json!({"query": "耳機", "total": 1, "items": [product]}),
        "Cart" => json!({
            "cart_id": "123", "user_id": "42", "order_id": null, "items": [line],
            "total": 398.00, "currency": "CNY",
        }),
        "PlacedOrder" => json!({
            "order_id": "123", "status": "pending_payment", "total": 398.00, "currency": "CNY",
            "expires_at": "2026-11-11T00:15:26.000007Z",
        }),
        "CapturedPayment" => json!({
            "payment_id": "456", "order_id": "123", "status": "captured", "amount": 99.50,
            "currency": "CNY", "gateway": "sandbox", "order_status": "partially_paid",
        }),
        "HeardCallback" => json!({
            "payment_id": "456", "order_id": "123", "status": "captured",
        }),
        _ => return None,
    };
    Some(example)
}
