//! The way from a product to an order, the same in every variant.

use std::time::Duration;

use double11_store::{Lever, Levers};
use serde_json::json;

use super::{PRODUCTS, settings, start, variants};

#[tokio::test]
async fn products_are_read_in_every_variant() {
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let product = client.get("/api/products/7").await;
        assert_eq!(product.status, 200);
        assert_eq!(product.header("content-type"), Some("application/json"));
        let product = product.json();
        assert_eq!(product["product_id"], 7);
        assert_eq!(
            (&product["currency"], &product["in_stock"]),
            (&json!("CNY"), &json!(true))
        );
        assert!(product["price"].as_f64().unwrap() > 0.0);
        for member in ["name", "name_en", "category"] {
            assert!(!product[member].as_str().unwrap().is_empty(), "{member}");
        }
        for id in ["0", "201", "-1", "x", "007", "99999999999999999999", "%20"] {
            let answer = client.get(&format!("/api/products/{id}")).await;
            assert_eq!(
                (answer.status, &*answer.code()),
                (404, "unknown_product"),
                "{id}"
            );
        }
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let random = client.get("/api/products/random").await.json();
            let id = random["product_id"].as_u64().unwrap();
            assert!((1..=u64::from(PRODUCTS)).contains(&id));
            seen.insert(id);
        }
        assert!(seen.len() > 10, "{seen:?}");
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn pages_and_searches_are_the_same_in_every_variant() {
    let mut answers: Vec<Vec<serde_json::Value>> = Vec::new();
    let paths = [
        "/api/products",
        "/api/products?limit=3&after=7",
        "/api/products?category=%E6%89%8B%E6%A9%9F&limit=100",
        "/api/products?after=199",
        "/api/products?after=200",
        "/api/search?q=%E6%89%8B%E6%A9%9F&limit=100",
        "/api/search?q=手機&limit=100",
        "/api/search?q=%E8%97%8D%E7%89%99%E8%80%B3%E6%A9%9F",
        "/api/search?q=zzz",
    ];
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let mut bodies = Vec::new();
        for path in paths {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            bodies.push(answer.json());
        }
        answers.push(bodies);
        fixture.shop.shutdown().await;
    }
    let [first, others @ ..] = &answers[..] else {
        panic!("no variant")
    };
    for other in others {
        assert_eq!(first, other);
    }
    assert_eq!(first[0]["items"].as_array().unwrap().len(), 20);
    assert_eq!(first[0]["next_after"], 20);
    assert_eq!(first[1]["items"][0]["product_id"], 8);
    assert_eq!(first[3]["next_after"], serde_json::Value::Null);
    assert_eq!(first[4]["items"], json!([]));
    assert_eq!(first[5], first[6], "percent-encoded and raw");
    assert_eq!(first[5]["query"], "手機");
    assert!(first[5]["total"].as_u64().unwrap() > 10);
    assert_eq!(first[8], json!({"query": "zzz", "total": 0, "items": []}));
}

#[tokio::test]
async fn the_index_works_without_the_snapshot() {
    let fixture = start(settings(Levers::NONE.with(Lever::SearchIndex))).await;
    let mut client = fixture.client().await;
    let found = client
        .get("/api/search?q=%E6%89%8B%E6%A9%9F&limit=5")
        .await
        .json();
    assert_eq!(found["items"].as_array().unwrap().len(), 5);
    assert!(found["total"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn sold_out_products_show_soon() {
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        for (pieces, expected) in [(0, false), (5, true)] {
            fixture.store.set_available(7, pieces);
            let mut product = client.get("/api/products/7").await.json();
            for _ in 0..100 {
                if product["in_stock"] == expected {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                product = client.get("/api/products/7").await.json();
            }
            assert_eq!(product["in_stock"], expected);
            let page = client.get("/api/products?after=6&limit=1").await.json();
            assert_eq!(page["items"][0]["in_stock"], expected);
        }
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn a_cart_becomes_an_order() {
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let added = client
            .post("/api/cart", r#"{"product_id":3,"quantity":2}"#)
            .await;
        assert_eq!(added.status, 201);
        let cart_id = added.text("cart_id");
        let body = format!(r#"{{"product_id":1,"quantity":1,"cart_id":"{cart_id}"}}"#);
        assert_eq!(client.post("/api/cart", &body).await.status, 201);
        let path = format!("/api/cart/{cart_id}");
        let cart = client.get(&path).await.json();
        assert_eq!(cart["items"][0]["product_id"], 1);
        assert_eq!(cart["items"][1]["quantity"], 2);
        let sum: f64 = cart["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["unit_price"].as_f64().unwrap() * item["quantity"].as_f64().unwrap())
            .sum();
        assert!((cart["total"].as_f64().unwrap() - sum).abs() < 0.005);
        let removed = client
            .send("DELETE", &format!("{path}/items/1"), &[], "")
            .await;
        assert_eq!(
            (
                removed.status,
                removed.json()["items"].as_array().unwrap().len()
            ),
            (200, 1)
        );
        let again = client
            .send("DELETE", &format!("{path}/items/1"), &[], "")
            .await;
        assert_eq!((again.status, &*again.code()), (404, "unknown_cart"));

        let stock = fixture.store.available(3);
        let body = format!(r#"{{"user_id":7,"cart_id":"{cart_id}"}}"#);
        let order = client.post("/api/orders", &body).await;
        assert_eq!(order.status, 201, "{order:?}");
        assert_eq!(fixture.store.available(3), stock - 2);
        let order_id = order.text("order_id");
        assert_eq!(
            client.get(&path).await.json()["order_id"],
            *order_id,
            "read after the order"
        );
        let again = client.post("/api/orders", &body).await;
        assert_eq!(
            (again.status, &*again.code()),
            (409, "cart_already_ordered")
        );
        assert_eq!(again.json()["order_id"], *order_id);
        let body = format!(r#"{{"product_id":1,"quantity":1,"cart_id":"{cart_id}"}}"#);
        assert_eq!(
            client.post("/api/cart", &body).await.code(),
            "cart_already_ordered"
        );
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn cart_reads_come_from_memory_with_the_lever_only() {
    for (levers, items) in [(Levers::NONE, 0), (Levers::NONE.with(Lever::CartCache), 1)] {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let added = client
            .post("/api/cart", r#"{"product_id":3,"quantity":2}"#)
            .await;
        let cart_id = added.text("cart_id");
        fixture.store.forget_cart_lines(cart_id.parse().unwrap());
        let cart = client.get(&format!("/api/cart/{cart_id}")).await.json();
        assert_eq!(cart["items"].as_array().unwrap().len(), items);
        fixture.shop.shutdown().await;
    }
}

#[tokio::test]
async fn an_order_is_placed_read_and_cancelled() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    let stock = fixture.store.available(3);
    let body =
        r#"{"user_id":"王小明","items":[{"product_id":3,"quantity":2}],"payment_method":"card"}"#;
    let order = client.post("/api/orders", body).await;
    assert_eq!(order.status, 201);
    let json = order.json();
    assert_eq!(
        (&json["status"], &json["currency"]),
        (&json!("pending_payment"), &json!("CNY"))
    );
    let expires_at = json["expires_at"].as_str().unwrap();
    assert!(
        expires_at.len() == 27 && expires_at.ends_with('Z'),
        "{expires_at}"
    );
    assert_eq!(fixture.store.available(3), stock - 2);
    let path = format!("/api/orders/{}", order.text("order_id"));
    let view = client.get(&path).await.json();
    assert_eq!(
        (&view["user_id"], &view["payment_method"]),
        (&json!("王小明"), &json!("card"))
    );
    assert_eq!(view["total"], json["total"]);
    assert_eq!(view["payments"], json!([]));
    for _ in 0..2 {
        let cancelled = client.post(&format!("{path}/cancel"), "").await;
        assert_eq!(
            (cancelled.status, &*cancelled.text("status")),
            (200, "cancelled")
        );
        assert_eq!(fixture.store.available(3), stock);
    }
    for unknown in ["/api/orders/999", "/api/orders/x"] {
        assert_eq!(client.get(unknown).await.code(), "unknown_order");
        assert_eq!(
            client.post(&format!("{unknown}/cancel"), "").await.code(),
            "unknown_order"
        );
    }
}

#[tokio::test]
async fn orders_are_refused_for_a_reason() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    fixture.store.set_available(5, 1);
    let cases = [
        (
            r#"{"user_id":1,"items":[{"product_id":5,"quantity":2}]}"#,
            409,
            "sold_out",
        ),
        (
            r#"{"user_id":1,"items":[{"product_id":999,"quantity":2}]}"#,
            404,
            "unknown_product",
        ),
        (
            r#"{"user_id":1,"items":[{"product_id":5,"quantity":1}],"expected_total":0.01}"#,
            409,
            "total_changed",
        ),
        (r#"{"user_id":1,"cart_id":"999"}"#, 404, "unknown_cart"),
    ];
    for (body, status, code) in cases {
        let answer = client.post("/api/orders", body).await;
        assert_eq!((answer.status, &*answer.code()), (status, code), "{body}");
    }
    let sold_out = client.post("/api/orders", cases[0].0).await;
    assert_eq!(sold_out.json()["product_id"], 5);
    assert_eq!(fixture.store.available(5), 1);
}

#[tokio::test]
async fn a_key_is_replayed_and_never_reused() {
    for levers in variants() {
        let fixture = start(settings(levers)).await;
        let mut client = fixture.client().await;
        let stock = fixture.store.available(3);
        let body = r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#;
        let same = r#"{"items":[{"quantity":1,"product_id":3},{"product_id":3,"quantity":1}],"user_id":"7"}"#;
        let first = client.post_with_key("/api/orders", "k-1", body).await;
        assert_eq!(
            (first.status, first.header("idempotent-replayed")),
            (201, None)
        );
        for repeated in [body, same] {
            let second = client.post_with_key("/api/orders", "k-1", repeated).await;
            assert_eq!(second.header("idempotent-replayed"), Some("true"));
            assert_eq!((second.status, second.json()), (201, first.json()));
        }
        assert_eq!(fixture.store.available(3), stock - 2);
        let other = r#"{"user_id":7,"items":[{"product_id":4,"quantity":2}]}"#;
        let reused = client.post_with_key("/api/orders", "k-1", other).await;
        assert_eq!((reused.status, &*reused.code()), (422, "key_reused"));
        let other_user = r#"{"user_id":8,"items":[{"product_id":3,"quantity":2}]}"#;
        let fresh = client.post_with_key("/api/orders", "k-1", other_user).await;
        assert_eq!(
            (fresh.status, fresh.header("idempotent-replayed")),
            (201, None)
        );
        fixture.shop.shutdown().await;
    }
}
