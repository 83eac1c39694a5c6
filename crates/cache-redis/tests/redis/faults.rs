//! Redis is killed, paused, cut off, and loses a master: nobody waits for it, and nothing old is read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use double11_cache_redis::RedisCache;
use double11_servers::{CutPoint, Proxy, Redis, RedisCluster, Tool, present};
use double11_store::{Offer, SharedCache, Stopwatch};

use super::{AT_ONCE, cart, eventually, id, is_up_again, offer, shop, version};

/// Changes carts of its own and reads them, until told to stop; gives how many reads the cache answered.
///
/// The map is the store. A cart that is read has to be the one that was changed last: the shop that reads is
/// the one that changed it, and knows what it could not tell.
async fn traffic(cache: Arc<RedisCache>, first: i64, stop: Arc<AtomicBool>) -> u64 {
    let mut store: HashMap<i64, u64> = HashMap::new();
    let mut hits = 0;
    let mut step = 0_i64;
    while !stop.load(Ordering::Relaxed) {
        step += 1;
        // One cart after the other, each changed and read, then closed, then changed and read in vain.
        let number = first + step / 30;
        let newest = store.entry(number).or_insert(0);
        let waiting = Stopwatch::start();
        match step % 30 {
            20 => cache.block(id(number)).await,
            turn if turn % 3 == 0 => {
                *newest += 1;
                offer(&cache, number, *newest).await;
            }
            _ => {
                if let Some(found) = version(&cache, number).await {
                    assert_eq!(found, *newest, "cart {number}");
                    hits += 1;
                }
            }
        }
        assert!(
            waiting.elapsed() < AT_ONCE,
            "step {step}: {:?}",
            waiting.elapsed()
        );
        // Others have their turn, and a lost cache is not asked as fast as a processor can.
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    hits
}

/// Waits until a cart that is new is kept. One whose offer failed is blocked, so that each try takes another.
async fn keeps_new_carts(cache: &RedisCache) {
    let mut number = 9_000_000;
    eventually("a new cart is kept", async || {
        let mut kept = true;
        // Of every master of a cluster some.
        for _ in 0..20 {
            number += 1;
            offer(cache, number, 1).await;
            kept &= version(cache, number).await == Some(1);
        }
        kept
    })
    .await;
}

/// Traffic of two shops while something happens to Redis.
async fn under_traffic(urls: [&str; 2], fault: impl AsyncFnOnce(&[Arc<RedisCache>])) {
    let shops = [shop(urls[0]).await, shop(urls[1]).await];
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let cache = Arc::clone(&shops[task % 2]);
            let first = 1_000_000 * i64::try_from(task + 1).unwrap();
            tokio::spawn(traffic(cache, first, Arc::clone(&stop)))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    fault(&shops).await;
    for cache in &shops {
        is_up_again(cache).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        assert!(task.await.unwrap() > 0, "the cache was of use");
    }
    // Speed is back as well.
    for cache in &shops {
        keeps_new_carts(cache).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let url = server.url();
    under_traffic([&url, &url], async |shops| {
        for _ in 0..3 {
            server.kill();
            eventually("the loss is seen", async || !shops[0].is_up()).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            server.restart().unwrap();
            is_up_again(&shops[0]).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_and_resumed() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let url = server.url();
    under_traffic([&url, &url], async |shops| {
        server.pause();
        eventually("the loss is seen", async || !shops[0].is_up()).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_while_another_shop_is_not() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let proxy = Proxy::start(server.port()).unwrap();
    let url = server.url();
    under_traffic([&proxy.through(&url), &url], async |shops| {
        for _ in 0..5 {
            proxy.cut();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        proxy.refuse();
        proxy.cut();
        eventually("the loss is seen", async || !shops[0].is_up()).await;
        assert!(shops[1].is_up());
        tokio::time::sleep(Duration::from_millis(200)).await;
        proxy.pass().unwrap();
        is_up_again(&shops[0]).await;
        proxy.stall();
        eventually("the loss is seen", async || !shops[0].is_up()).await;
        proxy.pass().unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_told_is_told_before_anything_is_read() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let proxy = Proxy::start(server.port()).unwrap();
    let url = server.url();
    let (one, other) = (shop(&proxy.through(&url)).await, shop(&url).await);
    for number in 1..=4 {
        offer(&one, number, 1).await;
    }
    proxy.refuse();
    proxy.cut();
    // A change, a closing, and a read, none of which Redis hears of.
    offer(&one, 1, 2).await;
    one.block(id(2)).await;
    one.offer(cart(3, 1), Offer::Read).await;
    assert_eq!(version(&other, 1).await, Some(1), "it cannot know");
    proxy.pass().unwrap();
    is_up_again(&one).await;
    for cache in [&one, &other] {
        assert_eq!(version(cache, 1).await, None);
        assert_eq!(version(cache, 2).await, None);
        assert_eq!(version(cache, 3).await, Some(1));
        assert_eq!(version(cache, 4).await, Some(1));
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_blocks_the_cart() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let proxy = Proxy::start(server.port()).unwrap();
    let (one, other) = (
        shop(&proxy.through(&server.url())).await,
        shop(&server.url()).await,
    );
    offer(&one, 1, 1).await;
    proxy.cut_when(b"00000000000000000002", CutPoint::After);
    offer(&one, 1, 2).await;
    assert_eq!(proxy.cuts(), 1);
    is_up_again(&one).await;
    assert_eq!(
        version(&other, 1).await,
        None,
        "nobody can know whether it is the newest"
    );
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_nothing_old() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    offer(&cache, 1, 1).await;
    offer(&cache, 2, 1).await;
    drop(cache.offer(cart(1, 2), Offer::Changed));
    drop(cache.block(id(2)));
    assert_eq!(version(&cache, 1).await, None, "from the call on");
    assert_eq!(version(&cache, 2).await, None, "from the call on");
    let other = shop(&server.url()).await;
    eventually("the others are told in the background", async || {
        version(&other, 1).await.is_none() && version(&other, 2).await.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_loses_a_master() {
    if !present(Tool::Redis) {
        return;
    }
    let cluster = RedisCluster::start().unwrap();
    let url = cluster.url();
    under_traffic([&url, &url], async |shops| {
        let key = "double11:cart:1000001";
        let master = cluster.master_of(key).unwrap();
        let port = master.port();
        master.kill();
        eventually("the replica takes over", async || {
            cluster.master_of(key).is_ok_and(|now| now.port() != port)
        })
        .await;
        cluster.wait_until_served().unwrap();
        for cache in shops {
            is_up_again(cache).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_without_memory_is_no_cache_until_it_has_some() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    offer(&cache, 1, 1).await;
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .unwrap();
    offer(&cache, 1, 2).await;
    assert!(!cache.is_up());
    assert_eq!(
        version(&cache, 1).await,
        None,
        "the newer one found no room"
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!cache.is_up());
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .unwrap();
    is_up_again(&cache).await;
    assert_eq!(version(&cache, 1).await, None);
}
