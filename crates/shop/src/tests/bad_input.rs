//! Whatever a client sends: a 4xx problem with a stable code, and never half an order.

use std::time::Duration;

use double11_store::{Lever, Levers};

use super::{Fixture, settings, start};
use crate::Limits;

async fn quick() -> Fixture {
    let mut settings = settings(Levers::NONE.with(Lever::CatalogCache));
    settings.limits = Limits {
        head_timeout: Duration::from_millis(200),
        body_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(1_500),
        drain_deadline: Duration::from_secs(2),
        ..Limits::SERVE
    };
    start(settings).await
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn bodies_and_queries() {
    let fixture = quick().await;
    let mut client = fixture.client().await;
    let posts = [
        ("/api/cart", "{", 400, "malformed_json"),
        ("/api/cart", "[]", 400, "invalid_request"),
        (
            "/api/cart",
            r#"{"product_id":1,"quantity":0}"#,
            400,
            "invalid_quantity",
        ),
        (
            "/api/cart",
            r#"{"product_id":1,"quantity":-1}"#,
            400,
            "invalid_quantity",
        ),
        (
            "/api/cart",
            r#"{"product_id":1,"quantity":4294967296}"#,
            400,
            "invalid_quantity",
        ),
        (
            "/api/cart",
            r#"{"product_id":777,"quantity":1}"#,
            404,
            "unknown_product",
        ),
        (
            "/api/cart",
            r#"{"product_id":1,"quantity":1,"cart_id":"9"}"#,
            404,
            "unknown_cart",
        ),
        (
            "/api/orders",
            r#"{"user_id":7,"items":[]}"#,
            400,
            "invalid_items",
        ),
        ("/api/orders", "null", 400, "invalid_request"),
        (
            "/api/payments",
            r#"{"order_id":"9","amount":1}"#,
            404,
            "unknown_order",
        ),
        (
            "/api/payments",
            r#"{"order_id":"9","amount":1e400}"#,
            400,
            "invalid_amount",
        ),
    ];
    for (path, body, status, code) in posts {
        let answer = client.post(path, body).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (status, code),
            "{path} {body}"
        );
    }
    let gets = [
        ("/api/search", 400, "invalid_query"),
        ("/api/search?q=", 400, "invalid_query"),
        ("/api/search?q=%20", 400, "invalid_query"),
        ("/api/search?q=%ff", 400, "invalid_query"),
        ("/api/search?q=a&limit=0", 400, "invalid_query"),
        ("/api/products?limit=101", 400, "invalid_query"),
        ("/api/products?category=toys", 400, "invalid_query"),
        ("/api/products?after=-1", 400, "invalid_query"),
        ("/api/cart/x", 404, "unknown_cart"),
        ("/api/nothing", 404, "not_found"),
        ("/", 404, "not_found"),
        ("//", 404, "not_found"),
    ];
    for (path, status, code) in gets {
        let answer = client.get(path).await;
        assert_eq!((answer.status, &*answer.code()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn methods_types_and_keys() {
    let fixture = quick().await;
    let mut client = fixture.client().await;
    let json = [("content-type", "application/json")];
    for (method, path, allow) in [
        ("GET", "/api/orders", "POST"),
        ("PUT", "/api/products/7", "GET, HEAD"),
        ("BREW", "/api/cart/7/items/7", "DELETE"),
        ("POST", "/actuator/info", "GET, HEAD"),
    ] {
        let answer = client.send(method, path, &json, "").await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (405, "method_not_allowed"),
            "{path}"
        );
        assert_eq!(answer.header("allow"), Some(allow));
    }
    let body = r#"{"product_id":1,"quantity":1}"#;
    for (kind, status) in [
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("application/vnd.shop+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ] {
        let answer = client
            .send("POST", "/api/cart", &[("content-type", kind)], body)
            .await;
        assert_eq!(answer.status, status, "{kind}");
    }
    assert_eq!(
        client.send("POST", "/api/cart", &[], body).await.status,
        201,
        "no type"
    );
    let order = r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#;
    for key in ["", &"k".repeat(256)] {
        let answer = client.post_with_key("/api/orders", key, order).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (400, "invalid_idempotency_key")
        );
    }
    let head = client.send("HEAD", "/api/products/7", &[], "").await;
    let get = client.get("/api/products/7").await;
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!((head.status, get.status), (200, 200));
}

#[tokio::test]
async fn heads_that_are_not_http() {
    let fixture = quick().await;
    let long_path = format!("GET /{} HTTP/1.1\r\nhost: shop\r\n\r\n", "x".repeat(70_000));
    let long_header = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    let cases = [
        (
            "\x16\x03\x01 hello\r\n\r\n".to_owned(),
            400,
            "malformed_http",
        ),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400, "malformed_http"),
        (
            "GET /api/search?q=\u{1} HTTP/1.1\r\n\r\n".to_owned(),
            400,
            "malformed_http",
        ),
        (
            "POST /api/cart HTTP/1.1\r\ncontent-length: x\r\n\r\n".to_owned(),
            400,
            "malformed_http",
        ),
        (long_path, 414, "uri_too_long"),
        (long_header, 431, "head_too_large"),
        (many, 431, "head_too_large"),
    ];
    for (request, status, code) in cases {
        let mut client = fixture.client().await;
        client.write(request.as_bytes()).await;
        let shown: String = request.chars().take(60).collect();
        let answer = client
            .read(false)
            .await
            .unwrap_or_else(|| panic!("no answer to {shown}"));
        assert_eq!((answer.status, &*answer.code()), (status, code), "{shown}");
        assert!(client.is_closed().await, "{shown}");
    }
    // Raw bytes that are not UTF-8 in a path are no HTTP either.
    let mut client = fixture.client().await;
    client
        .write(b"GET /api/products/\xff\xfe HTTP/1.1\r\n\r\n")
        .await;
    assert_eq!(client.read(false).await.unwrap().status, 400);
    // A missing host is tolerated.
    let mut client = fixture.client().await;
    client.write(b"GET /api/products/7 HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.read(false).await.unwrap().status, 200);
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_before_they_are_read() {
    let fixture = quick().await;
    let head = "POST /api/orders HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n";
    let mut announced = fixture.client().await;
    announced
        .write(format!("{head}content-length: 1000000000\r\n\r\n").as_bytes())
        .await;
    let answer = announced.read(false).await.unwrap();
    assert_eq!((answer.status, &*answer.code()), (413, "body_too_large"));

    let mut chunked = fixture.client().await;
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let request = format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}{chunk}");
    chunked.write(request.as_bytes()).await;
    let answer = chunked.read(false).await.unwrap();
    assert_eq!((answer.status, &*answer.code()), (413, "body_too_large"));

    let mut fitting = fixture.client().await;
    let spaces = " ".repeat(60_000);
    let body = format!(r#"{{"user_id":7,{spaces}"items":[{{"product_id":3,"quantity":2}}]}}"#);
    assert_eq!(fitting.post("/api/orders", &body).await.status, 201);
}

#[tokio::test]
async fn slow_clients_are_told_and_closed() {
    let fixture = quick().await;
    let mut slow_head = fixture.client().await;
    slow_head
        .write(b"GET /api/products/7 HTTP/1.1\r\nhost: sh")
        .await;
    let answer = slow_head.read(false).await.unwrap();
    assert_eq!((answer.status, &*answer.code()), (408, "request_timeout"));
    assert!(slow_head.is_closed().await);

    let mut slow_body = fixture.client().await;
    slow_body
        .write(
            b"POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 100\r\n\r\n{\"user_id\":7,",
        )
        .await;
    let answer = slow_body.read(false).await.unwrap();
    assert_eq!((answer.status, &*answer.code()), (408, "request_timeout"));
    assert!(slow_body.is_closed().await);

    // One that idles between requests is closed without a word, and later.
    let mut idle = fixture.client().await;
    assert_eq!(idle.get("/api/products/7").await.status, 200);
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(
        idle.get("/api/products/7").await.status,
        200,
        "idling is no slow head"
    );
    assert!(idle.is_closed().await);
}

/// What hyper did for the shop before it spoke HTTP itself, on one connection after the other.
#[tokio::test]
async fn requests_come_in_many_forms() {
    let fixture = quick().await;
    let mut client = fixture.client().await;
    // Two at once, and an empty line after a body, which is no slow head.
    let body = r#"{"product_id":1,"quantity":1}"#;
    let post = format!(
        "POST /api/cart HTTP/1.1\r\nhost: s\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let both = format!("{post}GET /api/products/7 HTTP/1.1\r\nhost: s\r\n\r\n");
    client.write(both.as_bytes()).await;
    assert_eq!(client.read(false).await.unwrap().status, 201);
    assert_eq!(client.read(false).await.unwrap().status, 200);
    client.write(format!("{post}\r\n").as_bytes()).await;
    assert_eq!(client.read(false).await.unwrap().status, 201);
    tokio::time::sleep(Duration::from_millis(350)).await;
    // A body in pieces and in chunks, with the next request behind it.
    let (head, rest) = post.split_at(post.len() - 10);
    client.write(head.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.write(format!("{rest}{post}").as_bytes()).await;
    assert_eq!(client.read(false).await.unwrap().status, 201);
    assert_eq!(client.read(false).await.unwrap().status, 201);
    let chunked = "POST /api/cart HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n";
    let (front, back) = body.split_at(10);
    let chunks = format!("a\r\n{front}\r\n13\r\n{back}\r\n0\r\n\r\n");
    client
        .write(format!("{chunked}{chunks}{post}").as_bytes())
        .await;
    assert_eq!(client.read(false).await.unwrap().status, 201);
    assert_eq!(client.read(false).await.unwrap().status, 201);
    // A body that nobody asked for is passed over.
    client
        .write(b"GET /api/products/7 HTTP/1.1\r\nhost: s\r\ncontent-length: 5\r\n\r\nab")
        .await;
    assert_eq!(client.read(false).await.unwrap().status, 200);
    client.write(format!("cde{post}").as_bytes()).await;
    assert_eq!(client.read(false).await.unwrap().status, 201);
    // Whoever waits for a word before the body gets it.
    let waiting = post.replace("content-length", "expect: 100-continue\r\ncontent-length");
    let (head, rest) = waiting.split_at(waiting.len() - body.len());
    client.write(head.as_bytes()).await;
    assert_eq!(client.read(true).await.unwrap().status, 100);
    client.write(rest.as_bytes()).await;
    let answer = client.read(false).await.unwrap();
    assert_eq!(answer.status, 201);
    assert!(answer.header("date").unwrap().ends_with(" GMT"));
    // HTTP/1.0 keeps a connection only when it says so.
    client
        .write(b"GET http://s/api/products/7 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        .await;
    let answer = client.read(false).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("keep-alive"))
    );
    client.write(b"GET /api/products/7 HTTP/1.0\r\n\r\n").await;
    let answer = client.read(false).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    assert!(client.is_closed().await);
}

/// An answer is not lost because the connection is closed while the client still sends.
#[tokio::test]
async fn a_last_answer_arrives_although_more_is_sent() {
    let fixture = quick().await;
    for _ in 0..20 {
        let mut client = fixture.client().await;
        let head = "POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 300000\r\n\r\n";
        client.write(head.as_bytes()).await;
        client.write(&vec![b' '; 300_000]).await;
        assert_eq!(client.read(false).await.unwrap().status, 413);
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_half_order() {
    let fixture = quick().await;
    let stock = fixture.store.available(3);
    let mut client = fixture.client().await;
    client
        .write(b"POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 60\r\n\r\n{\"user_id\":7,\"items\"")
        .await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fixture.store.available(3), stock);
}

#[tokio::test]
async fn every_code_is_documented() {
    let documentation = include_str!("../../../../docs/API.md");
    for kind in crate::http::problem_kinds() {
        let row = format!("| {} | `{}` |", kind.0, kind.1);
        assert!(documentation.contains(&row), "docs/API.md lacks `{row}`");
    }
}
