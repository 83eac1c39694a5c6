//! The cache against a real Redis and a real Redis Cluster, which are killed, paused and cut off meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set itself up has failed"
)]

mod carts;
mod faults;
mod refusals;
mod stock;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use double11_cache_redis::{CacheAddress, RedisCache, RedisSettings};
use double11_store::{Cart, CartLine, Offer, SharedCache, Stopwatch};
use double11_units::{CartId, Currency, Money, ProductId, Quantity};

/// Longer than any answer may take, with room for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_millis(250);

fn settings(url: &str) -> RedisSettings {
    RedisSettings {
        address: url.parse().unwrap(),
        store_identity: "test".to_owned(),
    }
}

/// A shop's side of the cache.
async fn shop(url: &str) -> Arc<RedisCache> {
    Arc::new(RedisCache::open(settings(url)).await.unwrap())
}

fn address(url: &str) -> CacheAddress {
    url.parse().unwrap()
}

fn id(cart: i64) -> CartId {
    CartId::new(cart).unwrap()
}

/// A cart whose contents tell its version.
fn cart(cart: i64, version: u64) -> Cart {
    let line = CartLine {
        product_id: ProductId::new(i64::try_from(version).unwrap()).unwrap(),
        quantity: Quantity::new(2).unwrap(),
        unit_price: Money::from_minor(100, Currency::Cny),
    };
    Cart {
        cart_id: id(cart),
        user_id: None,
        order_id: None,
        version,
        lines: vec![line],
        total: Money::from_minor(200, Currency::Cny),
    }
}

async fn offer(cache: &RedisCache, number: i64, version: u64) {
    cache.offer(cart(number, version), Offer::Changed).await;
}

/// The version of a cart that the cache has.
async fn version(cache: &RedisCache, number: i64) -> Option<u64> {
    let found = cache.cart(id(number)).await?;
    assert_eq!(found, cart(number, found.version), "nothing of it is lost");
    Some(found.version)
}

async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = Stopwatch::start();
    while !done().await {
        assert!(waiting.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn is_up_again(cache: &RedisCache) {
    eventually("the cache is not used again", async || cache.is_up()).await;
}
