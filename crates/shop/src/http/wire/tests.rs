use double11_store::{OrderLines, PaymentMethod};
use double11_units::{Currency, IdempotencyKey};

use super::{add_to_cart, payment, place_order};

fn order_code(body: &str) -> &'static str {
    match place_order(body.as_bytes(), None, Currency::Cny) {
        Ok(_) => "ok",
        Err(refused) => refused.problem.kind.code,
    }
}

fn cart_code(body: &[u8]) -> &'static str {
    match add_to_cart(body) {
        Ok(_) => "ok",
        Err(problem) => problem.kind.code,
    }
}

fn payment_code(body: &str) -> &'static str {
    match payment(body.as_bytes(), None, Currency::Cny, "sandbox") {
        Ok(_) => "ok",
        Err(problem) => problem.kind.code,
    }
}

#[test]
fn carts_are_read_field_by_field() {
    let cases: [(&str, &str); 23] = [
        (r#"{"product_id":1,"quantity":2}"#, "ok"),
        (
            r#"{"product_id":1,"quantity":2,"cart_id":null,"user_id":null,"more":[{}]}"#,
            "ok",
        ),
        (
            r#"{"product_id":1,"quantity":2,"cart_id":"7","user_id":0}"#,
            "ok",
        ),
        (
            r#"{"product_id":1,"quantity":2,"cart_id":7,"user_id":"\u9867\u5ba2"}"#,
            "ok",
        ),
        ("", "malformed_json"),
        ("{", "malformed_json"),
        (r#"{"product_id":1,"quantity":2}x"#, "malformed_json"),
        ("[]", "invalid_request"),
        ("7", "invalid_request"),
        (
            r#"{"product_id":1,"product_id":1,"quantity":2}"#,
            "invalid_request",
        ),
        (r#"{"quantity":2}"#, "invalid_request"),
        (r#"{"product_id":1}"#, "invalid_request"),
        (r#"{"product_id":"1","quantity":2}"#, "invalid_product_id"),
        (r#"{"product_id":1.5,"quantity":2}"#, "invalid_product_id"),
        (r#"{"product_id":0,"quantity":2}"#, "unknown_product"),
        (r#"{"product_id":-1,"quantity":2}"#, "unknown_product"),
        (
            r#"{"product_id":99999999999999999999,"quantity":2}"#,
            "unknown_product",
        ),
        (r#"{"product_id":1,"quantity":0}"#, "invalid_quantity"),
        (r#"{"product_id":1,"quantity":-3}"#, "invalid_quantity"),
        (r#"{"product_id":1,"quantity":100001}"#, "invalid_quantity"),
        (
            r#"{"product_id":1,"quantity":2,"cart_id":{}}"#,
            "invalid_cart_id",
        ),
        (
            r#"{"product_id":1,"quantity":2,"cart_id":"x"}"#,
            "unknown_cart",
        ),
        (
            r#"{"product_id":1,"quantity":2,"user_id":-1}"#,
            "invalid_user_id",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(cart_code(body.as_bytes()), expected, "{body}");
    }
    assert_eq!(cart_code(b"{\"user_id\":\"\xff\"}"), "malformed_json");
    let long = format!(
        r#"{{"product_id":1,"quantity":1,"user_id":"{}"}}"#,
        "x".repeat(65)
    );
    assert_eq!(cart_code(long.as_bytes()), "invalid_user_id");
    let lone = br#"{"product_id":1,"quantity":1,"user_id":"\ud800"}"#;
    assert_eq!(cart_code(lone), "invalid_user_id");
    let deep = format!(
        r#"{{"more":{}1{}}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    assert_ne!(cart_code(deep.as_bytes()), "ok");
}

/// Schemathesis found integers refused that were written with a fraction of zero, which JSON Schema
/// and many languages do not tell from others.
#[test]
fn regression_integers_may_have_a_fraction_of_zero() {
    let quantity = |text: &str| {
        let body = format!(r#"{{"product_id":1,"quantity":{text},"user_id":{text}}}"#);
        let command = add_to_cart(body.as_bytes());
        command.map(|command| (command.quantity.get(), command.user_id.unwrap().to_string()))
    };
    for (text, pieces) in [
        ("1.0", 1),
        ("21666.0", 21_666),
        ("1e2", 100),
        ("1.5E+1", 15),
        ("200e-1", 20),
        ("0.07e3", 70),
    ] {
        assert_eq!(quantity(text), Ok((pieces, pieces.to_string())), "{text}");
    }
    for text in [
        "1.5",
        "1e-1",
        "0.0",
        "-0",
        "-1.0",
        "1e99",
        "1e999999999999999999999",
        "true",
        "\"1e2\"",
    ] {
        assert!(quantity(text).is_err(), "{text}");
    }
    let zero = r#"{"product_id":1,"quantity":1,"user_id":-0.0}"#;
    let user = add_to_cart(zero.as_bytes()).unwrap().user_id.unwrap();
    assert_eq!(user.as_str(), "0");
    assert_eq!(
        order_code(r#"{"user_id":42,"cart_id":38.0}"#),
        "ok",
        "ids of carts too"
    );
}

#[test]
fn orders_are_read_field_by_field() {
    let item = r#"{"product_id":1,"quantity":1}"#;
    let cases = [
        (format!(r#"{{"user_id":7,"items":[{item}]}}"#), "ok"),
        (format!(r#"{{"user_id":7,"items":[{item},{item}],"expected_total":1.5e2}}"#), "ok"),
        (r#"{"user_id":"7","cart_id":"9","payment_method":"gold"}"#.to_owned(), "ok"),
        (format!(r#"{{"items":[{item}]}}"#), "invalid_request"),
        (r#"{"user_id":7}"#.to_owned(), "invalid_items"),
        (r#"{"user_id":7,"items":[]}"#.to_owned(), "invalid_items"),
        (r#"{"user_id":7,"items":null}"#.to_owned(), "invalid_items"),
        (r#"{"user_id":7,"items":{}}"#.to_owned(), "invalid_request"),
        (r#"{"user_id":7,"items":[7]}"#.to_owned(), "invalid_request"),
        (format!(r#"{{"user_id":7,"items":[{item}],"cart_id":"9"}}"#), "invalid_items"),
        (format!(r#"{{"user_id":1.5,"items":[{item}]}}"#), "invalid_user_id"),
        (format!(r#"{{"user_id":true,"items":[{item}]}}"#), "invalid_user_id"),
        (format!(r#"{{"user_id":"","items":[{item}]}}"#), "invalid_user_id"),
        (format!(r#"{{"user_id":7,"items":[{item}],"payment_method":7}}"#), "invalid_payment_method"),
        (format!(r#"{{"user_id":7,"items":[{item}],"expected_total":"1"}}"#), "invalid_amount"),
        (format!(r#"{{"user_id":7,"items":[{item}],"expected_total":1e300}}"#), "invalid_amount"),
        (
            r#"{"user_id":7,"items":[{"product_id":1,"quantity":99999},{"product_id":1,"quantity":2}]}"#
                .to_owned(),
            "invalid_quantity",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(order_code(&body), expected, "{body}");
    }
    let lines: Vec<String> = (1..=101)
        .map(|id| format!(r#"{{"product_id":{id},"quantity":1}}"#))
        .collect();
    let body = format!(r#"{{"user_id":7,"items":[{}]}}"#, lines.join(","));
    assert_eq!(order_code(&body), "too_many_lines");
}

#[test]
fn payments_are_read_field_by_field() {
    let cases = [
        (r#"{"order_id":"5","amount":123.45678901}"#, "ok"),
        (
            r#"{"order_id":5,"amount":1,"gateway":"sandbox","currency":"cny"}"#,
            "ok",
        ),
        (r#"{"order_id":"5"}"#, "invalid_request"),
        (r#"{"amount":1}"#, "invalid_request"),
        (r#"{"order_id":[],"amount":1}"#, "invalid_order_id"),
        (r#"{"order_id":"0","amount":1}"#, "unknown_order"),
        (r#"{"order_id":-5,"amount":1}"#, "unknown_order"),
        (r#"{"order_id":"5","amount":0}"#, "invalid_amount"),
        (r#"{"order_id":"5","amount":0.004}"#, "invalid_amount"),
        (r#"{"order_id":"5","amount":-1}"#, "invalid_amount"),
        (r#"{"order_id":"5","amount":"1"}"#, "invalid_amount"),
        (r#"{"order_id":"5","amount":1e99}"#, "invalid_amount"),
        (r#"{"order_id":"5","amount":NaN}"#, "malformed_json"),
        (
            r#"{"order_id":"5","amount":1,"gateway":"gold"}"#,
            "unknown_gateway",
        ),
        (
            r#"{"order_id":"5","amount":1,"gateway":1}"#,
            "invalid_gateway",
        ),
        (
            r#"{"order_id":"5","amount":1,"currency":"USD"}"#,
            "currency_mismatch",
        ),
        (
            r#"{"order_id":"5","amount":1,"currency":{}}"#,
            "invalid_currency",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(payment_code(body), expected, "{body}");
    }
    let paid = payment(
        br#"{"order_id":"5","amount":2.675}"#,
        None,
        Currency::Cny,
        "sandbox",
    );
    assert_eq!(paid.unwrap().amount.minor_units(), 268);
}

#[test]
fn the_same_wish_in_other_words_has_the_same_fingerprint() {
    let key = || Some(IdempotencyKey::new("k").unwrap());
    let fingerprint = |body: &str| {
        place_order(body.as_bytes(), key(), Currency::Cny)
            .unwrap()
            .key
            .unwrap()
            .fingerprint
    };
    let plain = fingerprint(
        r#"{"user_id":7,"items":[{"product_id":1,"quantity":3},{"product_id":2,"quantity":1}]}"#,
    );
    for same in [
        r#"{"items":[{"quantity":1,"product_id":2},{"product_id":1,"quantity":3}],"user_id":"7"}"#,
        r#" {"user_id":7,"x":1,"items":[{"product_id":1,"quantity":1},
            {"product_id":2,"quantity":1},{"product_id":1,"quantity":2}]} "#,
    ] {
        assert_eq!(fingerprint(same), plain, "{same}");
    }
    let other = r#"{"user_id":7,"items":[{"product_id":1,"quantity":3}]}"#;
    assert_ne!(fingerprint(other), plain);
}

#[test]
fn a_refused_order_keeps_its_payment_method() {
    let body = br#"{"user_id":-7,"payment_method":"card","items":[]}"#;
    let refused = place_order(body, None, Currency::Cny).unwrap_err();
    assert_eq!(refused.payment_method, PaymentMethod::Card);
    let body = br#"{"user_id":7,"payment_method":"alipay","cart_id":"3"}"#;
    let order = place_order(body, None, Currency::Cny).unwrap();
    assert_eq!(order.payment_method, PaymentMethod::Alipay);
    assert!(matches!(order.lines, OrderLines::Cart(id) if id.get() == 3));
}
