//! The metrics as a scrape sees them.

use std::collections::{BTreeMap, BTreeSet};

use double11_store::{Levers, StoreObserver};

use super::{Fixture, settings, start};

/// The families of DESIGN section 7, with their types.
const FAMILIES: [(&str, &str); 24] = [
    ("ecommerce_orders_total", "counter"),
    ("ecommerce_payments_total", "counter"),
    ("ecommerce_cart_additions_total", "counter"),
    ("ecommerce_request_duration_seconds", "histogram"),
    ("ecommerce_order_creation_time_seconds", "histogram"),
    ("ecommerce_active_users", "gauge"),
    ("ecommerce_avg_cart_value", "gauge"),
    ("ecommerce_sale_active", "gauge"),
    ("ecommerce_carts_created_total", "counter"),
    ("ecommerce_carts_converted_total", "counter"),
    ("ecommerce_order_batch_size", "histogram"),
    ("ecommerce_store_commit_seconds", "histogram"),
    ("ecommerce_requests_shed_total", "counter"),
    ("ecommerce_replays_total", "counter"),
    ("ecommerce_oversold_products", "gauge"),
    ("ecommerce_reserved_units", "gauge"),
    ("ecommerce_shared_cache_up", "gauge"),
    ("ecommerce_build_info", "gauge"),
    ("process_cpu_seconds_total", "counter"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_virtual_memory_bytes", "gauge"),
    ("process_open_fds", "gauge"),
    ("process_max_fds", "gauge"),
    ("process_start_time_seconds", "gauge"),
];

/// The HELP texts that the requirements give.
const HELP: [(&str, &str); 6] = [
    ("ecommerce_orders_total", "Total number of orders"),
    (
        "ecommerce_request_duration_seconds",
        "Request duration in seconds",
    ),
    ("ecommerce_active_users", "Number of active users"),
    ("ecommerce_avg_cart_value", "Average cart value"),
    ("ecommerce_payments_total", "Total payment events"),
    (
        "ecommerce_order_creation_time_seconds",
        "Order creation time",
    ),
];

/// A scrape, checked line by line against the text format 0.0.4.
struct Scrape {
    types: BTreeMap<String, String>,
    help: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    fn parse(text: &str) -> Self {
        let mut scrape = Self {
            types: BTreeMap::new(),
            help: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(
                    scrape
                        .help
                        .insert(name.to_owned(), help.to_owned())
                        .is_none(),
                    "{line}"
                );
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(
                    scrape
                        .types
                        .insert(name.to_owned(), kind.to_owned())
                        .is_none(),
                    "{line}"
                );
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                let family = scrape.family(series);
                assert!(scrape.types.contains_key(&family), "no TYPE before {line}");
                assert!(scrape.help.contains_key(&family), "no HELP before {line}");
                assert!(
                    scrape.samples.insert(series.to_owned(), value).is_none(),
                    "{line} twice"
                );
            }
        }
        scrape
    }

    fn family(&self, series: &str) -> String {
        let name = series.split('{').next().unwrap();
        for suffix in ["_bucket", "_sum", "_count"] {
            if let Some(base) = name.strip_suffix(suffix)
                && self.types.get(base).is_some_and(|kind| kind == "histogram")
            {
                return base.to_owned();
            }
        }
        name.to_owned()
    }
}

async fn scrape(fixture: &Fixture) -> Scrape {
    let answer = fixture.client().await.get("/actuator/prometheus").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4")
    );
    Scrape::parse(std::str::from_utf8(&answer.body).unwrap())
}

#[tokio::test]
async fn the_first_scrape_has_everything() {
    let fixture = start(settings(Levers::NONE)).await;
    let first = scrape(&fixture).await;
    for (name, kind) in FAMILIES {
        assert_eq!(
            first.types.get(name).map(String::as_str),
            Some(kind),
            "{name}"
        );
        assert!(
            first
                .samples
                .keys()
                .any(|series| first.family(series) == name),
            "{name}"
        );
    }
    for (name, help) in HELP {
        assert_eq!(first.help[name], help);
    }
    let families: BTreeSet<&str> = FAMILIES.iter().map(|(name, _)| *name).collect();
    let ours = first
        .types
        .keys()
        .filter(|name| name.starts_with("ecommerce_"));
    for name in ours {
        assert!(
            families.contains(name.as_str()),
            "`{name}` is not in the contract"
        );
    }
    assert_eq!(first.samples.get("ecommerce_sale_active"), Some(&1.0));
    let build = "ecommerce_build_info{levers=\"pool,indexes\",version=\"0.0.0\"}";
    assert_eq!(first.samples.get(build), Some(&1.0));
    let orders = first
        .samples
        .keys()
        .filter(|series| series.starts_with("ecommerce_orders_total"));
    assert_eq!(orders.count(), 25);
    let cpu = first.samples["process_cpu_seconds_total"];
    assert!(cpu > 0.0 && cpu.fract() > 0.0, "{cpu} is in whole seconds");
    assert!(
        first.samples.len() <= 3_000,
        "{} series",
        first.samples.len()
    );
}

#[tokio::test]
async fn series_do_not_grow_with_what_clients_send() {
    let fixture = start(settings(Levers::NONE)).await;
    let before = scrape(&fixture).await;
    let mut client = fixture.client().await;
    for number in 0..200_u32 {
        let method = ["GET", "POST", "DELETE", "BREW", "HEAD"][number as usize % 5];
        client
            .send(method, &format!("/api/{number}/x?q={number}"), &[], "")
            .await;
        client
            .send(method, &format!("/api/products/{number}"), &[], "")
            .await;
        client
            .send(
                method,
                &format!("/api/cart/{number}/items/{number}"),
                &[],
                "",
            )
            .await;
        let body = format!(r#"{{"user_id":{number},"items":[],"payment_method":"m{number}"}}"#);
        client.post("/api/orders", &body).await;
        client.post("/api/payments", &body).await;
        client.get(&format!("/actuator/{number}")).await;
    }
    let after = scrape(&fixture).await;
    let names = |scrape: &Scrape| scrape.samples.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    let other = "ecommerce_orders_total{payment_method=\"other\",status=\"invalid\"}";
    assert_eq!(after.samples.get(other), Some(&200.0));
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn outcomes_are_counted_once() {
    let fixture = start(settings(Levers::NONE)).await;
    let mut client = fixture.client().await;
    fixture.store.set_available(5, 1);
    let cart = client
        .post("/api/cart", r#"{"product_id":3,"quantity":2}"#)
        .await
        .text("cart_id");
    let more = format!(r#"{{"product_id":4,"quantity":2,"cart_id":"{cart}"}}"#);
    client.post("/api/cart", &more).await;
    let order = format!(r#"{{"user_id":7,"cart_id":"{cart}","payment_method":"wechat"}}"#);
    let order_id = client
        .post_with_key("/api/orders", "o", &order)
        .await
        .text("order_id");
    client.post_with_key("/api/orders", "o", &order).await;
    client
        .post(
            "/api/orders",
            r#"{"user_id":7,"items":[{"product_id":5,"quantity":2}]}"#,
        )
        .await;
    client.post("/api/orders", "{").await;
    let pay = |amount: f64| format!(r#"{{"order_id":"{order_id}","amount":{amount}}}"#);
    client.post_with_key("/api/payments", "p", &pay(1.0)).await;
    client.post_with_key("/api/payments", "p", &pay(1.0)).await;
    client.post("/api/payments", &pay(1e9)).await;
    client.send("HEAD", "/api/products/7", &[], "").await;
    fixture
        .metrics
        .committed(3, std::time::Duration::from_micros(300));

    let mut after = scrape(&fixture).await;
    // The gauges of the store are first read at the start, in the background.
    while after.samples.get("ecommerce_reserved_units") != Some(&42.0) {
        after = scrape(&fixture).await;
    }
    let duration = |endpoint: &str, method: &str, status: u16| {
        format!(
            "ecommerce_request_duration_seconds_count{{endpoint=\"{endpoint}\",method=\"{method}\",\
             status=\"{status}\"}}"
        )
    };
    let payments = |status: &str| {
        format!(
            "ecommerce_payments_total{{currency=\"CNY\",gateway=\"sandbox\",status=\"{status}\"}}"
        )
    };
    let orders = |method: &str, status: &str| {
        format!("ecommerce_orders_total{{payment_method=\"{method}\",status=\"{status}\"}}")
    };
    for (series, expected) in [
        (orders("wechat", "success"), 1.0),
        (orders("unspecified", "sold_out"), 1.0),
        (orders("unspecified", "invalid"), 1.0),
        (payments("success"), 1.0),
        (payments("invalid"), 1.0),
        (
            "ecommerce_replays_total{operation=\"order\"}".to_owned(),
            1.0,
        ),
        (
            "ecommerce_replays_total{operation=\"payment\"}".to_owned(),
            1.0,
        ),
        ("ecommerce_cart_additions_total".to_owned(), 2.0),
        ("ecommerce_carts_created_total".to_owned(), 1.0),
        ("ecommerce_carts_converted_total".to_owned(), 1.0),
        (
            "ecommerce_order_creation_time_seconds_count".to_owned(),
            3.0,
        ),
        ("ecommerce_order_batch_size_sum".to_owned(), 3.0),
        ("ecommerce_store_commit_seconds_count".to_owned(), 1.0),
        ("ecommerce_reserved_units".to_owned(), 42.0),
        (duration("/api/orders", "POST", 201), 2.0),
        (duration("/api/orders", "POST", 409), 1.0),
        (duration("/api/orders", "POST", 400), 1.0),
        (duration("/api/cart", "POST", 201), 2.0),
        (duration("/api/products/{product_id}", "GET", 200), 1.0),
    ] {
        assert_eq!(after.samples.get(&series), Some(&expected), "{series}");
    }
}
