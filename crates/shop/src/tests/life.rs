//! Start, overload, panics and shutdown.

use std::sync::Arc;
use std::time::Duration;

use double11_store::{Lever, Levers, SystemClock, Variant};
use serde_json::json;

use super::client::Client;
use super::fake_store::FakeStore;
use super::{Fixture, PRODUCTS, metrics, sandbox, settings, start};
use crate::{Dependencies, Shop, StartError};

#[tokio::test]
async fn facts_are_told() {
    let fixture = start(settings(Variant::Tuned.levers())).await;
    let info = fixture.client().await.get("/actuator/info").await.json();
    assert_eq!(
        info,
        json!({
            "build": {"name": "double11", "version": "0.0.0"},
            "shop": {
                "variant": "test", "levers": ["pool", "indexes", "random-id"], "store": "fake",
                "gateway": "sandbox", "currency": "CNY", "products": 200, "seed": 11,
                "payment_window_ms": 900_000, "sale": true,
            },
        })
    );
    let health = fixture.client().await.get("/actuator/health").await.json();
    assert_eq!(health["components"]["store"]["details"]["kind"], "fake");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_survives() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    fixture.store.panic(true);
    let answer = client.get("/api/products/7").await;
    assert_eq!((answer.status, &*answer.code()), (500, "internal"));
    fixture.store.panic(false);
    assert_eq!(client.get("/api/products/7").await.status, 200);
    let text = String::from_utf8(client.get("/actuator/prometheus").await.body).unwrap();
    let counted = "ecommerce_request_duration_seconds_count{endpoint=\"/api/products/{product_id}\",\
                   method=\"GET\",status=\"500\"} 1";
    assert!(text.contains(counted), "{text}");
}

#[tokio::test]
async fn overload_is_shed_before_the_body_is_read() {
    let mut settings = settings(Levers::NONE.with(Lever::Admission));
    settings.limits.in_flight_max = 1;
    settings.limits.body_timeout = Duration::from_secs(30);
    let fixture = start(settings).await;
    // One order whose body does not come fills the limit.
    let mut holder = fixture.client().await;
    holder
        .write(b"POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 10\r\n\r\n")
        .await;
    let mut client = fixture.client().await;
    while client.get("/api/products/7").await.status != 503 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let head = b"POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 1000\r\n\r\n";
    let mut waiting = fixture.client().await;
    waiting.write(head).await;
    let shed = waiting.read(false).await.unwrap();
    assert_eq!((shed.status, &*shed.code()), (503, "overloaded"));
    assert_eq!(shed.header("retry-after"), Some("1"));
    assert_eq!(
        client.get("/actuator/health").await.status,
        200,
        "the actuator is not shed"
    );
    let text = String::from_utf8(client.get("/actuator/prometheus").await.body).unwrap();
    for line in [
        "ecommerce_requests_shed_total{class=\"order\"} 1",
        "ecommerce_requests_shed_total{class=\"detail\"} 1",
        "ecommerce_orders_total{payment_method=\"unspecified\",status=\"shed\"} 1",
    ] {
        assert!(text.contains(line), "{line}");
    }
    drop(holder);
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_process() {
    let fixture = start(settings(Levers::NONE)).await;
    let addr = fixture.shop.local_addr();
    let mut idle = fixture.client().await;
    assert_eq!(idle.get("/actuator/health/readiness").await.status, 200);
    let mut busy = fixture.client().await;
    let body = r#"{"user_id":7,"items":[{"product_id":3,"quantity":2}]}"#;
    let head = format!(
        "POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.write(head.as_bytes()).await;
    until_in_process(&fixture).await;
    let stock = fixture.store.available(3);
    let store = Arc::clone(&fixture.store);
    let shutdown = tokio::spawn(fixture.shop.shutdown());
    assert!(
        idle.is_closed().await,
        "an idle connection is closed at once"
    );
    busy.write(body.as_bytes()).await;
    let placed = busy.read(false).await.unwrap();
    assert_eq!(
        (placed.status, placed.header("connection")),
        (201, Some("close"))
    );
    assert!(busy.is_closed().await);
    let report = shutdown.await.unwrap();
    assert_eq!(report.connections_cut, 0);
    assert_eq!(store.available(3), stock - 2);
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn readiness_tells_of_the_drain() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut early = fixture.client().await;
    early
        .write(b"GET /actuator/health/readiness HTTP/1.1\r\nhost: ")
        .await;
    // Connections are accepted in turn: once a later one is served, the earlier one is being read.
    assert_eq!(
        fixture
            .client()
            .await
            .get("/actuator/health/readiness")
            .await
            .status,
        200
    );
    let app = Arc::clone(&fixture.shop.app);
    let shutdown = tokio::spawn(fixture.shop.shutdown());
    while !app.is_draining() {
        tokio::task::yield_now().await;
    }
    early.write(b"s\r\n\r\n").await;
    let answer = early.read(false).await.expect("an answer in the drain");
    assert_eq!(
        (answer.status, &*answer.text("status")),
        (503, "OUT_OF_SERVICE")
    );
    shutdown.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_what_takes_too_long() {
    let mut settings = settings(Levers::NONE);
    settings.limits.drain_deadline = Duration::from_millis(100);
    let fixture = start(settings).await;
    let mut stuck = fixture.client().await;
    stuck
        .write(b"POST /api/orders HTTP/1.1\r\nhost: s\r\ncontent-length: 9\r\n\r\n")
        .await;
    until_in_process(&fixture).await;
    let report = fixture.shop.shutdown().await;
    assert_eq!(report.connections_cut, 1);
    assert!(report.took < Duration::from_secs(5), "{:?}", report.took);
}

#[tokio::test]
async fn connections_are_bounded_and_wait_their_turn() {
    let mut settings = settings(Levers::NONE);
    settings.limits.connections_max = 2;
    let fixture = start(settings).await;
    let mut first = fixture.client().await;
    let mut second = fixture.client().await;
    assert_eq!(first.get("/api/products/1").await.status, 200);
    assert_eq!(second.get("/api/products/1").await.status, 200);
    let addr = fixture.shop.local_addr();
    let mut third =
        tokio::spawn(async move { Client::connect(addr).await.get("/api/products/1").await });
    let early = tokio::time::timeout(Duration::from_millis(100), &mut third).await;
    assert!(early.is_err(), "served beyond the limit");
    drop(first);
    assert_eq!(third.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_start_fails_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Arc::new(sandbox(folder.path()));
    let dependencies = || Dependencies {
        store: FakeStore::new(PRODUCTS),
        gateway: Arc::clone(&gateway) as _,
        clock: Arc::new(SystemClock),
        metrics: metrics(),
        cache: None,
    };
    let first = Shop::start(settings(Levers::NONE), dependencies())
        .await
        .unwrap();
    let mut taken = settings(Levers::NONE);
    taken.addr = first.local_addr();
    let error = Shop::start(taken, dependencies()).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    let mut other_size = settings(Levers::NONE.with(Lever::CatalogCache));
    other_size.products = 7;
    let error = Shop::start(other_size, dependencies()).await.unwrap_err();
    assert!(
        matches!(
            error,
            StartError::CatalogueSize {
                expected: 7,
                found: 200
            }
        ),
        "{error}"
    );
}

/// Waits until the shop works on a request.
async fn until_in_process(fixture: &Fixture) {
    while fixture.shop.app.admission.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
