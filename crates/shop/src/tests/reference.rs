//! The description of the API over a socket: how it is served, and that answers are as described.

use std::collections::BTreeSet;

use double11_store::{Lever, Levers};
use serde_json::Value;

use super::client::{Answer, Client};
use super::{Fixture, settings, start};

async fn description(client: &mut Client) -> Value {
    let answer = client.get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[tokio::test]
async fn files_are_served_with_tags() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    for (path, kind) in [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind))
        );
        let etag = answer.header("etag").unwrap();
        let again = client
            .send("GET", path, &[("if-none-match", etag)], "")
            .await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let other = client
            .send("GET", path, &[("if-none-match", "\"x\"")], "")
            .await;
        assert_eq!(other.status, 200);
        let head = client.send("HEAD", path, &[], "").await;
        assert_eq!(
            head.header("content-length"),
            answer.header("content-length")
        );
        let wrong = client.send("POST", path, &[], "").await;
        assert_eq!(
            (wrong.status, wrong.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
    let page = client.get("/docs").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let text = String::from_utf8(page.body).unwrap();
    assert!(
        !text.contains("//cdn") && !text.contains("http"),
        "nothing from elsewhere: {text}"
    );
}

/// Like `/actuator`, the files are no business: they are neither timed nor shed.
#[tokio::test]
async fn files_are_neither_timed_nor_shed() {
    let mut settings = settings(Levers::NONE.with(Lever::Admission));
    settings.limits.in_flight_max = 1;
    let fixture = start(settings).await;
    let mut client = fixture.client().await;
    let _all_that_is_allowed = fixture
        .shop
        .app
        .admission
        .admit(crate::admission::Class::Payment);
    assert_eq!(client.get("/api/products/7").await.status, 503);
    let counted = requests(&fixture).await;
    assert_eq!(client.get("/openapi.json").await.status, 200);
    assert_eq!(client.get("/docs").await.status, 200);
    assert_eq!(requests(&fixture).await, counted);
}

async fn requests(fixture: &Fixture) -> u64 {
    let answer = fixture.client().await.get("/actuator/prometheus").await;
    let text = String::from_utf8(answer.body).unwrap();
    text.lines()
        .filter(|line| line.starts_with("ecommerce_request_duration_seconds_count"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum()
}

#[tokio::test]
async fn a_management_address_keeps_the_actuator_to_itself() {
    let mut settings = settings(Levers::NONE);
    settings.management_addr = Some("127.0.0.1:0".parse().unwrap());
    let fixture = start(settings).await;
    let paths = description(&mut fixture.client().await).await["paths"].clone();
    let mut paths = paths.as_object().unwrap().keys();
    assert!(paths.all(|path| !path.starts_with("/actuator")));
    let mut management = Client::connect(fixture.shop.management_addr().unwrap()).await;
    assert_eq!(management.get("/openapi.json").await.status, 404);
    assert_eq!(management.get("/docs").await.status, 404);
}

/// What an answer has and what is described are the same members; Schemathesis would not notice one
/// that is described nowhere.
#[tokio::test]
async fn answers_have_exactly_the_described_members() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    let document = description(&mut client).await;
    let cart = client
        .post("/api/cart", r#"{"product_id":3,"quantity":2}"#)
        .await;
    let cart_path = format!("/api/cart/{}", cart.text("cart_id"));
    let order = client
        .post(
            "/api/orders",
            r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#,
        )
        .await;
    let order_id = order.text("order_id");
    let order_path = format!("/api/orders/{order_id}");
    let payment = format!(r#"{{"order_id":"{order_id}","amount":1}}"#);
    let paid = client.post("/api/payments", &payment).await;
    let full = client.get(&order_path).await;
    let payments = full.json()["payments"].clone();
    let cancelled = client.post(&format!("{order_path}/cancel"), "").await;
    for (schema, answer) in [
        ("Product", client.get("/api/products/7").await),
        ("Product", client.get("/api/products/random").await),
        ("ProductPage", client.get("/api/products?limit=1").await),
        ("SearchResult", client.get("/api/search?q=a").await),
        ("Cart", cart),
        ("Cart", client.get(&cart_path).await),
        ("PlacedOrder", order),
        ("CapturedPayment", paid),
        ("FullOrder", full),
        ("Order", cancelled),
        ("Health", client.get("/actuator/health").await),
        ("Status", client.get("/actuator/health/liveness").await),
        ("Info", client.get("/actuator/info").await),
    ] {
        assert!(answer.status < 300, "{schema}: {answer:?}");
        check_members(&document, schema, &answer.json());
    }
    check_members(&document, "PaymentOfOrder", &payments[0]);
    let lines = client.get(&order_path).await.json()["items"].clone();
    check_members(&document, "Line", &lines[0]);
    let refused: Answer = client.get("/api/products/9999").await;
    assert_eq!(refused.code(), "unknown_product");
}

fn check_members(document: &Value, schema: &str, answer: &Value) {
    let properties = &document["components"]["schemas"][schema]["properties"];
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(answer), names(properties), "{schema}");
}

/// The examples of requests are what a newcomer sends first.
#[tokio::test]
async fn the_examples_of_requests_work() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    let document = description(&mut client).await;
    let example = |path: &str, name: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
            [name]["value"]
            .clone()
    };
    let body = example("/api/cart", "new cart");
    let cart = client.post("/api/cart", &body.to_string()).await;
    let mut body = example("/api/orders", "of a cart");
    body["cart_id"] = cart.json()["cart_id"].clone();
    assert_eq!(
        client.post("/api/orders", &body.to_string()).await.status,
        201
    );
    let body = example("/api/orders", "of items");
    let order = client.post("/api/orders", &body.to_string()).await;
    let mut body = example("/api/payments", "a part");
    body["order_id"] = order.json()["order_id"].clone();
    assert_eq!(
        client.post("/api/payments", &body.to_string()).await.status,
        201
    );
}
