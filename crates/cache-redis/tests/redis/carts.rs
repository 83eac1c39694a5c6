//! Carts: shared, never older than what was known, and gone when blocked.

use std::collections::HashMap;
use std::sync::Arc;

use double11_cache_redis::RedisCache;
use double11_servers::{Redis, RedisCluster, Tool, present};
use double11_store::{CartLine, Offer, SharedCache};
use double11_units::{ProductId, UserId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{cart, id, offer, shop, version};

#[tokio::test]
async fn what_one_shop_offers_another_reads() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let (one, other) = (shop(&server.url()).await, shop(&server.url()).await);
    assert!(one.is_up());
    assert_eq!((one.kind(), version(&other, 1).await), ("redis", None));
    offer(&one, 1, 3).await;
    assert_eq!(version(&other, 1).await, Some(3));
    offer(&other, 1, 2).await;
    assert_eq!(version(&one, 1).await, Some(3), "versions never go back");
    // Versions are compared as numbers, up to the largest.
    for newer in [10, 9_999_999_999, u64::try_from(i64::MAX).unwrap()] {
        offer(&other, 1, newer).await;
        assert_eq!(version(&one, 1).await, Some(newer));
    }
    one.block(id(1)).await;
    assert_eq!(version(&other, 1).await, None);
    offer(&other, 1, 99).await;
    assert_eq!(version(&one, 1).await, None, "offers are kept away");
    let lives: i64 = server
        .command(&["PTTL", "double11:cart:1"])
        .unwrap()
        .parse()
        .unwrap();
    assert!((50_000..=60_000).contains(&lives), "{lives} ms");
    offer(&one, 2, 1).await;
    let lives: i64 = server
        .command(&["PTTL", "double11:cart:2"])
        .unwrap()
        .parse()
        .unwrap();
    assert!((50_000..=60_000).contains(&lives), "{lives} ms");
}

/// What docs/CACHE.md says of the room that carts take.
#[tokio::test]
async fn a_cart_of_five_products_takes_less_than_half_a_kilobyte() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    let mut large = cart(1_234_567_890, 6);
    let line = large.lines[0];
    large.lines = (1..=5)
        .map(|number| CartLine {
            product_id: ProductId::new(90_000 + number).unwrap(),
            ..line
        })
        .collect();
    large.user_id = Some(UserId::new("1234567").unwrap());
    cache.offer(large, Offer::Changed).await;
    let usage = server.command(&["MEMORY", "USAGE", "double11:cart:1234567890"]);
    let bytes: u32 = usage.unwrap().parse().unwrap();
    assert!((100..512).contains(&bytes), "{bytes} bytes");
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_not_there() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    server
        .command(&["SET", "double11:cart:1", "of a later version"])
        .unwrap();
    server.command(&["LPUSH", "double11:cart:2", "x"]).unwrap();
    assert_eq!(version(&cache, 1).await, None);
    assert_eq!(version(&cache, 2).await, None);
    offer(&cache, 2, 1).await;
    assert!(cache.is_up(), "one strange key costs no connection");
    offer(&cache, 3, 1).await;
    assert_eq!(version(&cache, 3).await, Some(1));
}

#[tokio::test]
async fn every_call_is_one_round_trip() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    // The first call of a script sends its text.
    offer(&cache, 9, 1).await;
    cache
        .exchange_stock_news(double11_store::StockNews::default())
        .await;
    let answered = || {
        let stats = server.command(&["INFO", "commandstats"]).unwrap();
        let calls = |name: &str| {
            let line = stats
                .lines()
                .find(|line| line.starts_with(&format!("cmdstat_{name}:")));
            line.map_or(0, |line| {
                let count = line.split_once("calls=").unwrap().1;
                count.split(',').next().unwrap().parse::<u64>().unwrap()
            })
        };
        calls("evalsha") + calls("eval") + calls("get") + calls("set")
    };
    let (sent, served) = (cache.round_trips_sent(), answered());
    offer(&cache, 1, 1).await;
    assert_eq!(version(&cache, 1).await, Some(1));
    cache.block(id(1)).await;
    cache
        .exchange_stock_news(double11_store::StockNews::default())
        .await;
    assert_eq!(cache.round_trips_sent() - sent, 4);
    // The offer's script reads and the block writes; neither costs a trip of its own.
    assert_eq!(answered() - served, 5);
    cache.exchange_activity(1, vec![1; 16_384]).await;
    assert_eq!(cache.round_trips_sent() - sent, 5);
}

/// What a shop can do with a cart.
#[derive(Clone, Copy, Debug)]
enum Act {
    Offer(u64),
    Block,
    Read,
}

fn acts() -> impl Strategy<Value = Vec<(usize, i64, Act)>> {
    let act = prop_oneof![
        4 => (1..20_u64).prop_map(Act::Offer),
        1 => Just(Act::Block),
        4 => Just(Act::Read),
    ];
    proptest::collection::vec((0..2_usize, 1..4_i64, act), 1..40)
}

/// What the cache has to have: nothing, a version, or a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Version(u64),
    Blocked,
}

#[test]
fn any_history_of_two_shops_is_as_the_model_says() {
    if !present(Tool::Redis) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Redis::start().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    });
    let number = std::cell::Cell::new(0_u32);
    runner
        .run(&acts(), |acts| {
            number.set(number.get() + 1);
            let url = format!("{}?prefix=case{}:", server.url(), number.get());
            runtime.block_on(check_history(&url, &acts));
            Ok(())
        })
        .unwrap();
}

async fn check_history(url: &str, acts: &[(usize, i64, Act)]) {
    let shops = [shop(url).await, shop(url).await];
    let mut model: HashMap<i64, Known> = HashMap::new();
    for (shop, number, act) in acts {
        let cache = &shops[*shop];
        let known = model.get(number).copied();
        match act {
            Act::Offer(newer) => {
                let other = if newer % 2 == 0 {
                    Offer::Read
                } else {
                    Offer::Changed
                };
                cache.offer(cart(*number, *newer), other).await;
                let is_newer = match known {
                    None => true,
                    Some(Known::Version(version)) => *newer > version,
                    Some(Known::Blocked) => false,
                };
                if is_newer {
                    model.insert(*number, Known::Version(*newer));
                }
            }
            Act::Block => {
                cache.block(id(*number)).await;
                model.insert(*number, Known::Blocked);
            }
            Act::Read => {
                let expected = match known {
                    Some(Known::Version(version)) => Some(version),
                    _ => None,
                };
                assert_eq!(version(cache, *number).await, expected, "{acts:?}");
            }
        }
    }
}

/// Many offer and read at once; whoever reads twice never sees an older version, and nothing after a block.
async fn race(shops: &[Arc<RedisCache>]) {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..4_u64 {
        let cache = Arc::clone(&shops[usize::try_from(writer).unwrap() % shops.len()]);
        tasks.spawn(async move {
            for step in 0..100 {
                offer(&cache, 7, 1 + (step * 4 + writer) * 37 % 400).await;
            }
        });
    }
    for reader in 0..4 {
        let cache = Arc::clone(&shops[reader % shops.len()]);
        tasks.spawn(async move {
            let mut last = 0;
            for _ in 0..200 {
                let now = version(&cache, 7).await.unwrap_or(last);
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(version(&shops[0], 7).await, Some(400), "the newest stays");
    let late: Vec<_> = (0..8)
        .map(|_| tokio::spawn(shops[0].offer(cart(7, 1_000), Offer::Changed)))
        .collect();
    shops[1].block(id(7)).await;
    for offer in late {
        offer.await.unwrap();
    }
    assert_eq!(
        version(&shops[0], 7).await,
        None,
        "a late offer brings nothing back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_and_blocks_race() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    race(&[shop(&server.url()).await, shop(&server.url()).await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_and_blocks_race_in_a_cluster() {
    if !present(Tool::Redis) {
        return;
    }
    let cluster = RedisCluster::start().unwrap();
    let shops = [shop(&cluster.url()).await, shop(&cluster.url()).await];
    assert_eq!(shops[0].kind(), "redis-cluster");
    // Carts of all masters.
    for number in 100..160 {
        offer(&shops[0], number, 1).await;
    }
    for number in 100..160 {
        assert_eq!(version(&shops[1], number).await, Some(1), "{number}");
    }
    race(&shops).await;
}
