//! What an order costs the shop besides its store, in counts that noise cannot move: one connection, one
//! thread, over a real socket.

use double11_gate::{
    allocations, check_allocations, check_instructions, lets_pass, recorded_count, units,
};
use double11_store::Levers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use std::sync::Arc;
use std::time::Duration;

use double11_store::SystemClock;
use tokio::sync::watch;

use super::fake_store::FakeStore;
use super::{PRODUCTS, metrics, sandbox, settings};
use crate::Dependencies;
use crate::server::without_upkeep;

const ALLOCATIONS: &str = "shop: allocations of an order of two lines, with the store of the tests";
const INSTRUCTIONS: &str =
    "shop: instructions of an order of two lines, with the store of the tests";
const RECORD: &str = "shop: instructions of the metrics of an order";
/// What the metrics of a request may cost at most: a counter and a histogram. Those of an order, which are
/// held to it, are a histogram more.
const RECORD_MAX: f64 = 600.0;
/// Orders of which the cheapest counts: the store's tables grow now and then.
const TRIES: usize = 64;

/// A shop and a buyer who orders on one connection, with as little ado as there can be.
struct Rig {
    runtime: tokio::runtime::Runtime,
    _serving: watch::Sender<bool>,
    _folder: tempfile::TempDir,
    buyer: Buyer,
}

struct Buyer {
    stream: TcpStream,
    /// The request; its key ends in the number of the order.
    request: Vec<u8>,
    key_end: usize,
    answer: Vec<u8>,
    orders: u64,
}

impl Rig {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = FakeStore::new(PRODUCTS);
        for product in [3, 17] {
            store.set_available(product, u32::MAX);
        }
        let mut settings = settings(Levers::NONE);
        // The patrol of idle connections does not come by either.
        settings.limits.idle_timeout = Duration::from_hours(10);
        let (serving, stream) = runtime.block_on(async {
            let dependencies = Dependencies {
                store,
                gateway: Arc::new(sandbox(folder.path())),
                clock: Arc::new(SystemClock),
                metrics: metrics(),
                cache: None,
            };
            let (addr, serving) = without_upkeep(settings, dependencies).await.unwrap();
            let stream = TcpStream::connect(addr).await.unwrap();
            stream.set_nodelay(true).unwrap();
            (serving, stream)
        });
        let body = r#"{"user_id":1234567,"items":[{"product_id":3,"quantity":1},{"product_id":17,"quantity":1}],"payment_method":"alipay"}"#;
        let request = format!(
            "POST /api/orders HTTP/1.1\r\nhost: 127.0.0.1:8080\r\ncontent-type: application/json\r\n\
             idempotency-key: 018f2b6e-7c1a-7000-8000-000000000000\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let key = "8000-000000000000";
        let key_end = request.find(key).unwrap() + key.len();
        Self {
            runtime,
            _serving: serving,
            _folder: folder,
            buyer: Buyer {
                stream,
                request: request.into_bytes(),
                key_end,
                answer: vec![0; 4_096],
                orders: 0,
            },
        }
    }

    fn place(&mut self, orders: u64) {
        let buyer = &mut self.buyer;
        self.runtime.block_on(async {
            for _ in 0..orders {
                buyer.place().await;
            }
        });
    }

    /// Allocations of the cheapest of some orders, each with `planted` ones more.
    fn allocations(&mut self, planted: usize) -> u64 {
        let each = (0..TRIES).map(|_| {
            allocations(|| {
                self.place(1);
                for _ in 0..planted {
                    drop(std::hint::black_box(Box::new(7_u64)));
                }
            })
        });
        each.min().unwrap()
    }
}

impl Buyer {
    async fn place(&mut self) {
        self.orders += 1;
        let mut rest = self.orders;
        for digit in self.request[..self.key_end].iter_mut().rev().take(12) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap();
            rest /= 10;
        }
        self.stream.write_all(&self.request).await.unwrap();
        let read = self.stream.read(&mut self.answer).await.unwrap();
        let answer = &self.answer[..read];
        assert!(
            answer.starts_with(b"HTTP/1.1 201 ") && answer.ends_with(b"}"),
            "{}",
            String::from_utf8_lossy(answer)
        );
    }
}

/// What callgrind watches: does nothing in an ordinary run.
#[test]
fn orders_under_callgrind() {
    if let Some(orders) = units() {
        Rig::new().place(orders);
    }
}

#[test]
fn instructions_of_an_order() {
    check_instructions(INSTRUCTIONS, "tests::gate::orders_under_callgrind")
        .unwrap_or_else(|shut| panic!("{shut}"));
}

/// What callgrind watches: does nothing in an ordinary run.
#[test]
fn metrics_under_callgrind() {
    if let Some(orders) = units() {
        metrics().record_orders(orders);
    }
}

/// The gate keeps the record true to one in a hundred, and the record has to be below the limit.
#[test]
fn instructions_of_the_metrics_of_an_order() {
    check_instructions(RECORD, "tests::gate::metrics_under_callgrind")
        .unwrap_or_else(|shut| panic!("{shut}"));
    let recorded = recorded_count(RECORD).unwrap();
    assert!(recorded <= RECORD_MAX, "{recorded}");
}

#[test]
fn the_metrics_of_an_order_are_recorded_without_allocating() {
    let metrics = metrics();
    assert_eq!(allocations(|| metrics.record_orders(64)), 0);
    let page = String::from_utf8(metrics.render()).unwrap();
    for line in [
        r#"ecommerce_orders_total{payment_method="alipay",status="success"} 64"#,
        r#"ecommerce_request_duration_seconds_count{endpoint="/api/orders",method="POST",status="201"} 64"#,
        "ecommerce_order_creation_time_seconds_count 64",
    ] {
        assert!(page.lines().any(|of_page| of_page == line), "{line}");
    }
}

#[test]
fn allocations_of_an_order() {
    let mut rig = Rig::new();
    rig.place(256);
    let counted = rig.allocations(0);
    check_allocations(ALLOCATIONS, counted).unwrap_or_else(|shut| panic!("{shut}"));
    let planted = rig.allocations(1);
    assert_eq!(planted, counted + 1);
    assert!(!lets_pass(ALLOCATIONS, planted), "one an order more");
}
