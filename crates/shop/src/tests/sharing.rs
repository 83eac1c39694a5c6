//! Several shops on one store, with one Redis.

use std::sync::Arc;
use std::time::Duration;

use double11_cache_redis::{RedisCache, RedisSettings};
use double11_servers::{Redis, Tool, present};
use double11_store::{Lever, Levers, SharedCache, Stopwatch, SystemClock, Variant};
use double11_units::{UnixMicros, UserId};
use serde_json::Value;

use super::client::Client;
use super::fake_store::FakeStore;
use super::{PRODUCTS, metrics, sandbox, settings};
use crate::activity::Activity;
use crate::{Dependencies, Running, Shop, share};

/// A request is answered within this time whatever is wrong with Redis, on a machine that is busy.
const AT_ONCE: Duration = Duration::from_millis(400);

/// A shop on a store that is shared, and its side of the cache.
struct Replica {
    shop: Running,
    cache: Option<Arc<RedisCache>>,
    _folder: tempfile::TempDir,
}

impl Replica {
    async fn start(levers: Levers, store: &Arc<FakeStore>, server: Option<&Redis>) -> Self {
        let cache = match server {
            Some(server) => Some(Arc::new(open(server).await)),
            None => None,
        };
        let folder = tempfile::tempdir().unwrap();
        let dependencies = Dependencies {
            store: Arc::clone(store) as _,
            gateway: Arc::new(sandbox(folder.path())),
            clock: Arc::new(SystemClock),
            metrics: metrics(),
            cache: cache.clone().map(|cache| cache as _),
        };
        let shop = Shop::start(settings(levers), dependencies).await.unwrap();
        Self {
            shop,
            cache,
            _folder: folder,
        }
    }

    async fn client(&self) -> Client {
        Client::connect(self.shop.local_addr()).await
    }

    fn round_trips(&self) -> u64 {
        self.cache.as_ref().unwrap().round_trips_sent()
    }

    async fn is_up(&self, expected: bool) {
        let waiting = Stopwatch::start();
        while self.cache.as_ref().unwrap().is_up() != expected {
            assert!(waiting.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn open(server: &Redis) -> RedisCache {
    let settings = RedisSettings {
        address: server.url().parse().unwrap(),
        store_identity: "fake".to_owned(),
    };
    RedisCache::open(settings).await.unwrap()
}

fn levers() -> Levers {
    Variant::Optimized.levers().without(Lever::Admission)
}

/// Adds pieces to a cart, or makes one, and gives the cart.
async fn add(client: &mut Client, cart_id: Option<&str>, product: u32) -> Value {
    let body = match cart_id {
        Some(cart_id) => {
            format!(r#"{{"product_id":{product},"quantity":1,"cart_id":"{cart_id}"}}"#)
        }
        None => format!(r#"{{"product_id":{product},"quantity":1}}"#),
    };
    let answer = client.post("/api/cart", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn read(client: &mut Client, cart_id: &str) -> Value {
    let answer = client.get(&format!("/api/cart/{cart_id}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn id_of(cart: &Value) -> String {
    cart["cart_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn shops_see_each_others_carts() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let store = FakeStore::shared(PRODUCTS);
    let one = Replica::start(levers(), &store, Some(&server)).await;
    let other = Replica::start(levers(), &store, Some(&server)).await;
    let (mut here, mut there) = (one.client().await, other.client().await);
    let made = add(&mut here, None, 3).await;
    let cart_id = id_of(&made);
    assert_eq!(read(&mut there, &cart_id).await, made);
    let grown = add(&mut there, Some(&cart_id), 5).await;
    assert_eq!(read(&mut here, &cart_id).await, grown);
    // What nobody could know is not seen: the cart came from Redis.
    store.forget_cart_lines(cart_id.parse().unwrap());
    assert_eq!(read(&mut here, &cart_id).await, grown);
    let grown = add(&mut here, Some(&cart_id), 7).await;
    assert_eq!(read(&mut there, &cart_id).await, grown);
    // An order closes it for all.
    let order = format!(r#"{{"user_id":1,"cart_id":"{cart_id}"}}"#);
    assert_eq!(there.post("/api/orders", &order).await.status, 201);
    let closed = read(&mut here, &cart_id).await;
    assert_eq!(closed, read(&mut there, &cart_id).await);
    store.forget_cart_lines(cart_id.parse().unwrap());
    assert_ne!(read(&mut here, &cart_id).await, closed, "the store answers");
}

#[tokio::test]
async fn without_a_cache_a_shared_store_is_asked_for_every_cart() {
    let store = FakeStore::shared(PRODUCTS);
    let one = Replica::start(levers(), &store, None).await;
    let other = Replica::start(levers(), &store, None).await;
    let (mut here, mut there) = (one.client().await, other.client().await);
    let made = add(&mut here, None, 3).await;
    let cart_id = id_of(&made);
    let grown = add(&mut there, Some(&cart_id), 5).await;
    assert_eq!(read(&mut here, &cart_id).await, grown);
    let health = here.get("/actuator/health").await.json();
    assert_eq!(health["components"]["cache"], Value::Null);
}

#[tokio::test]
async fn round_trips_of_each_request_are_within_their_budget() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let store = FakeStore::shared(PRODUCTS);
    // Without the snapshot nothing is exchanged in the background but activity, every 30 s.
    let levers = levers().without(Lever::CatalogCache);
    let shop = Replica::start(levers, &store, Some(&server)).await;
    let mut client = shop.client().await;
    let cart = add(&mut client, None, 3).await;
    let cart_id = id_of(&cart);
    while shop.round_trips() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let path = format!("/api/cart/{cart_id}");
    let change = format!(r#"{{"product_id":5,"quantity":1,"cart_id":"{cart_id}"}}"#);
    let removal = format!("{path}/items/5");
    let items = r#"{"user_id":1,"items":[{"product_id":9,"quantity":1}]}"#;
    let from_cart = format!(r#"{{"user_id":1,"cart_id":"{cart_id}"}}"#);
    let steps: [(&str, &str, Option<&str>, u64); 10] = [
        ("GET", &path, None, 1),
        ("POST", "/api/cart", Some(&change), 1),
        ("DELETE", &removal, None, 1),
        ("GET", "/api/cart/987654", None, 1),
        ("GET", "/api/products/1", None, 0),
        ("GET", "/api/search?q=a", None, 0),
        ("POST", "/api/orders", Some(items), 0),
        ("POST", "/api/orders", Some(&from_cart), 1),
        // Blocked: asked, then read from the store and offered in vain.
        ("GET", &path, None, 2),
        ("GET", "/actuator/health", None, 0),
    ];
    for (method, path, body, budget) in steps {
        let before = shop.round_trips();
        let answer = match (method, body) {
            ("POST", Some(body)) => client.post(path, body).await,
            ("DELETE", _) => client.send("DELETE", path, &[], "").await,
            _ => client.get(path).await,
        };
        assert!(answer.status < 500, "{answer:?}");
        assert_eq!(shop.round_trips() - before, budget, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_right_and_at_once_while_redis_dies_and_comes_back() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let store = FakeStore::shared(PRODUCTS);
    let one = Replica::start(levers(), &store, Some(&server)).await;
    let other = Replica::start(levers(), &store, Some(&server)).await;
    let (mut here, mut there) = (one.client().await, other.client().await);
    let cart_id = id_of(&add(&mut here, None, 1).await);
    for round in 0..4_u32 {
        for step in 0..60 {
            match (round, step) {
                (0 | 2, 20) => server.kill(),
                (1, 20) => server.pause(),
                (0 | 2, 45) => server.restart().unwrap(),
                (1, 45) => server.resume(),
                _ => {}
            }
            let product = 1 + (round * 60 + step) % 50;
            let asking = Stopwatch::start();
            let changed = add(&mut here, Some(&cart_id), product).await;
            assert!(asking.elapsed() < AT_ONCE, "{:?}", asking.elapsed());
            let asking = Stopwatch::start();
            let seen = read(&mut there, &cart_id).await;
            assert!(asking.elapsed() < AT_ONCE, "{:?}", asking.elapsed());
            if one.cache.as_ref().unwrap().is_up() {
                assert_eq!(seen, changed, "round {round}, step {step}");
            }
            assert_eq!(read(&mut here, &cart_id).await, changed);
        }
        one.is_up(true).await;
        other.is_up(true).await;
        let seen = read(&mut here, &cart_id).await;
        assert_eq!(read(&mut there, &cart_id).await, seen, "round {round}");
    }
}

#[tokio::test]
async fn a_lost_cache_shows_in_health_and_metrics_and_the_shop_stays_up() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let store = FakeStore::shared(PRODUCTS);
    let shop = Replica::start(levers(), &store, Some(&server)).await;
    let mut client = shop.client().await;
    for up in [true, false, true] {
        match (up, server.pid()) {
            (true, None) => server.restart().unwrap(),
            (false, _) => server.kill(),
            (true, Some(_)) => {}
        }
        shop.is_up(up).await;
        let health = client.get("/actuator/health").await;
        assert_eq!((health.status, &*health.text("status")), (200, "UP"));
        let component = health.json()["components"]["cache"].clone();
        assert_eq!(component["status"], if up { "UP" } else { "DOWN" });
        assert_eq!(component["details"]["kind"], "redis");
        let line = format!("ecommerce_shared_cache_up {}\n", u8::from(up));
        let waiting = Stopwatch::start();
        loop {
            let scrape = client.get("/actuator/prometheus").await.body;
            if String::from_utf8(scrape).unwrap().contains(&line) {
                break;
            }
            assert!(waiting.elapsed() < Duration::from_secs(5), "{line}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Asks until a shop sells the product again, which may take a second since it is back.
async fn sells_again(client: &mut Client, store: &FakeStore, back: Stopwatch) {
    while order(client, store, None).await.0 != 201 {
        assert!(
            back.elapsed() < Duration::from_secs(1),
            "it is back for a second"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Orders one piece of the product and gives the status and whether the store was asked.
async fn order(client: &mut Client, store: &FakeStore, key: Option<&str>) -> (u16, bool) {
    let body = r#"{"user_id":1,"items":[{"product_id":7,"quantity":1}]}"#;
    let before = store.orders_asked();
    let answer = match key {
        Some(key) => client.post_with_key("/api/orders", key, body).await,
        None => client.post("/api/orders", body).await,
    };
    if answer.status == 409 {
        assert_eq!(&*answer.text("code"), "sold_out");
    }
    (answer.status, store.orders_asked() > before)
}

#[tokio::test]
async fn what_one_shop_saw_sold_out_another_refuses_without_asking() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let store = FakeStore::shared(PRODUCTS);
    // The list that each shop reads by itself tells nothing, so that only Redis can.
    store.hide_sold_out(true);
    let one = Replica::start(levers(), &store, Some(&server)).await;
    let other = Replica::start(levers(), &store, Some(&server)).await;
    let (mut here, mut there) = (one.client().await, other.client().await);
    let kept = order(&mut here, &store, Some("kept")).await;
    assert_eq!(kept, (201, true));
    store.set_available(7, 0);
    // The list takes a flag off twice a second; some try has the time between.
    let mut heard = false;
    for attempt in 0..50 {
        // Every refusal that the store gives is told at once, and asked for every 200 ms.
        assert_eq!(order(&mut here, &store, None).await.0, 409);
        tokio::time::sleep(Duration::from_millis(150 + attempt * 37 % 200)).await;
        let (status, asked) = order(&mut there, &store, None).await;
        assert_eq!(status, 409);
        if asked {
            // It knows by itself now; that has to pass first.
            tokio::time::sleep(Duration::from_millis(850)).await;
            continue;
        }
        heard = true;
        // A key may have been claimed before, and that answer counts more.
        assert_eq!(order(&mut there, &store, Some("kept")).await, (201, true));
        assert_eq!(order(&mut there, &store, Some("new")).await, (409, true));
        break;
    }
    assert!(heard, "no flag reached the other shop");
    store.set_available(7, 1_000);
    let back = Stopwatch::start();
    for client in [&mut here, &mut there] {
        sells_again(client, &store, back).await;
    }
}

#[tokio::test]
async fn a_shop_on_a_shared_store_goes_by_what_it_saw_itself() {
    let store = FakeStore::shared(PRODUCTS);
    let shop = Replica::start(levers(), &store, None).await;
    let mut client = shop.client().await;
    store.set_available(7, 0);
    // The list of all renews it, so that the store is not asked again.
    assert_eq!(order(&mut client, &store, None).await.0, 409);
    tokio::time::sleep(Duration::from_millis(600)).await;
    for _ in 0..150 {
        assert_eq!(order(&mut client, &store, None).await, (409, false));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.set_available(7, 5);
    sells_again(&mut client, &store, Stopwatch::start()).await;
}

#[tokio::test]
async fn a_shop_on_a_store_of_its_own_always_asks_it() {
    let store = FakeStore::new(PRODUCTS);
    let shop = Replica::start(levers(), &store, None).await;
    let mut client = shop.client().await;
    store.set_available(7, 0);
    for _ in 0..5 {
        assert_eq!(order(&mut client, &store, None).await, (409, true));
    }
}

#[tokio::test]
async fn visitors_are_counted_once_over_all_shops() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let caches = [open(&server).await, open(&server).await];
    let shops = [Activity::new(), Activity::new()];
    for (first, shop) in [(0, &shops[0]), (500, &shops[1])] {
        for user in first..first + 1_000_u32 {
            shop.saw_user(&UserId::new(user.to_string()).unwrap());
        }
    }
    let slot = |number: i64| UnixMicros::new(number * 30_000_000 + 7);
    share::activity(&caches[0], &shops[0], slot(100)).await;
    shops[0].rotate();
    share::activity(&caches[1], &shops[1], slot(100)).await;
    shops[1].rotate();
    let counted = |shop: &Activity| shop.active();
    assert!(
        counted(&shops[1]).abs_diff(1_500) <= 30,
        "{}",
        counted(&shops[1])
    );
    assert!(
        counted(&shops[0]).abs_diff(1_000) <= 20,
        "{}",
        counted(&shops[0])
    );
    share::activity(&caches[0], &shops[0], slot(101)).await;
    assert!(
        counted(&shops[0]).abs_diff(1_500) <= 30,
        "{}",
        counted(&shops[0])
    );
}
