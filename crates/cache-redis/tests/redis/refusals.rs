//! A Redis that answers and cannot be used is named at the start, and no password is.

use std::time::Duration;

use double11_cache_redis::{OpenError, RedisCache, Refusal, clear_prefix};
use double11_servers::{Redis, RedisCluster, Tool, present};
use double11_store::{SharedCache, StockNews};

use super::{address, is_up_again, offer, settings, shop, version};

async fn refusal(url: &str) -> Refusal {
    let error = RedisCache::open(settings(url)).await.unwrap_err();
    let OpenError::Refused { refusal, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(!refusal.hint().is_empty());
    assert!(!format!("{error} {error:?} {refusal}").contains("secret"));
    refusal.clone()
}

#[tokio::test]
async fn wrong_credentials_are_named() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start_with(&["--requirepass", "secret-word"]).unwrap();
    let place = format!("127.0.0.1:{}", server.port());
    assert_eq!(
        refusal(&format!("redis://{place}")).await,
        Refusal::Credentials
    );
    let wrong = format!("redis://:secret-guess@{place}");
    assert_eq!(refusal(&wrong).await, Refusal::Credentials);
    let right = shop(&format!("redis://:secret-word@{place}")).await;
    offer(&right, 1, 1).await;
    assert_eq!(version(&right, 1).await, Some(1));
    let login = [
        "--user",
        "default",
        "--pass",
        "secret-word",
        "--no-auth-warning",
    ];
    let rule = [
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">secret-too",
        "~*",
        "+@all",
        "-info",
    ];
    server.command(&[&login[..], &rule[..]].concat()).unwrap();
    let reader = refusal(&format!("redis://reader:secret-too@{place}")).await;
    assert!(matches!(reader, Refusal::Rights { .. }), "{reader:?}");
    // Exactly the rights that docs/CACHE.md names.
    let rights = ["+@read", "+@write", "+@scripting", "+info", "+time"];
    let named = ["ACL", "SETUSER", "shop", "on", ">secret-too", "~double11:*"];
    let rule = [&login[..], &named, &rights].concat();
    server.command(&rule).unwrap();
    let narrow = shop(&format!("redis://shop:secret-too@{place}")).await;
    offer(&narrow, 2, 1).await;
    assert_eq!(version(&right, 2).await, Some(1));
    let news = narrow.exchange_stock_news(StockNews::default()).await;
    assert!(news.is_some(), "what is sold out is shared");
    narrow.exchange_activity(5, vec![1]).await;
    let seen = right.exchange_activity(5, vec![2]).await;
    assert_eq!(seen.len(), 1, "who was seen is shared");
}

/// Without `+time` everything but the sold-out products works: that is to be named at the start too.
#[tokio::test]
async fn a_missing_right_to_the_time_is_named() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let named = ["ACL", "SETUSER", "shop", "on", ">secret-too", "~double11:*"];
    let rights = ["+@read", "+@write", "+@scripting", "+info"];
    server.command(&[&named[..], &rights].concat()).unwrap();
    let place = server.url().replace("redis://", "redis://shop:secret-too@");
    let refused = refusal(&place).await;
    let Refusal::Rights { said } = &refused else {
        panic!("{refused:?}");
    };
    assert!(said.contains("time"), "{said}");
}

/// A server that takes connections and says nothing holds nobody up who ends.
#[tokio::test]
async fn closing_does_not_wait_for_a_connection_that_is_being_restored() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = shop(&format!("redis://{}", listener.local_addr().unwrap())).await;
    assert!(!cache.is_up());
    // The next try begins at once, and takes a second and more to give up.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let closed = tokio::time::timeout(Duration::from_millis(500), cache.close()).await;
    assert!(closed.is_ok(), "it waited");
}

#[tokio::test]
async fn a_server_that_evicts_is_named() {
    if !present(Tool::Redis) {
        return;
    }
    let options = ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"];
    let server = Redis::start_with(&options).unwrap();
    let policy = "allkeys-lru".to_owned();
    assert_eq!(refusal(&server.url()).await, Refusal::Evicts { policy });
    server
        .command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .unwrap();
    assert!(shop(&server.url()).await.is_up());
}

#[tokio::test]
async fn a_replica_is_named() {
    if !present(Tool::Redis) {
        return;
    }
    let master = Redis::start().unwrap();
    let port = master.port().to_string();
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).unwrap();
    assert_eq!(refusal(&replica.url()).await, Refusal::Replica);
}

#[tokio::test]
async fn a_cluster_and_none_are_told_apart() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let as_cluster = format!("{}?cluster=true", server.url());
    assert_eq!(refusal(&as_cluster).await, Refusal::IsNoCluster);
    let cluster = RedisCluster::start().unwrap();
    assert_eq!(refusal(&cluster.nodes()[0].url()).await, Refusal::IsCluster);
    let by_one = format!("{}?cluster=true", cluster.nodes()[0].url());
    let shop = shop(&by_one).await;
    for number in 1..20 {
        offer(&shop, number, 1).await;
        assert_eq!(version(&shop, number).await, Some(1));
    }
}

#[tokio::test]
async fn the_keys_of_another_store_are_left_alone() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let first = shop(&server.url()).await;
    offer(&first, 1, 1).await;
    let mut second = settings(&server.url());
    second.store_identity = "another".to_owned();
    let error = RedisCache::open(second.clone()).await.unwrap_err();
    let other = |error: &OpenError| {
        matches!(
            error,
            OpenError::Refused {
                refusal: Refusal::OtherStore { .. },
                ..
            }
        )
    };
    assert!(other(&error), "{error:?}");
    second.address = second.address.with_prefix("another:").unwrap();
    let second = RedisCache::open(second).await.unwrap();
    assert_eq!(version(&second, 1).await, None);
}

#[tokio::test]
async fn a_prefix_is_cleared_and_nothing_else() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let mine = format!("{}?prefix=double11:run:", server.url());
    let (here, longer) = (shop(&server.url()).await, shop(&mine).await);
    server
        .command(&["SET", "double11:something", "else"])
        .unwrap();
    for number in 1..=50 {
        offer(&here, number, 1).await;
        offer(&longer, number, 1).await;
    }
    // Prefixes that begin like keys of the shorter one.
    for prefix in ["double11:store2:", "double11:cart:", "double11:sold-out:"] {
        let other = shop(&format!("{}?prefix={prefix}", server.url())).await;
        offer(&other, 7, 1).await;
    }
    here.exchange_activity(5, vec![1]).await;
    // Fifty carts, one slot, the mark of the store; the empty sorted set is no key.
    assert_eq!(clear_prefix(&address(&server.url())).await.unwrap(), 52);
    assert_eq!(clear_prefix(&address(&server.url())).await.unwrap(), 0);
    assert_eq!(version(&longer, 50).await, Some(1));
    for prefix in ["double11:store2:", "double11:cart:", "double11:sold-out:"] {
        let other = format!("{}?prefix={prefix}", server.url());
        assert_eq!(clear_prefix(&address(&other)).await.unwrap(), 2, "{prefix}");
    }
    assert_eq!(clear_prefix(&address(&mine)).await.unwrap(), 51);
    assert_eq!(
        server.command(&["KEYS", "*"]).unwrap(),
        "double11:something"
    );

    let cluster = RedisCluster::start().unwrap();
    let shop = shop(&cluster.url()).await;
    for number in 1..=50 {
        offer(&shop, number, 1).await;
    }
    assert_eq!(clear_prefix(&address(&cluster.url())).await.unwrap(), 51);
}

#[tokio::test]
async fn one_that_does_not_answer_is_used_as_soon_as_it_does() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    server.kill();
    let cache = shop(&server.url()).await;
    assert!(!cache.is_up());
    assert_eq!(version(&cache, 1).await, None);
    let cleared = clear_prefix(&address(&server.url())).await.unwrap_err();
    assert!(
        matches!(cleared, OpenError::Unreachable { .. }),
        "{cleared:?}"
    );
    server.restart().unwrap();
    is_up_again(&cache).await;
    offer(&cache, 1, 1).await;
    assert_eq!(version(&cache, 1).await, Some(1));
    cache.close().await;
    assert!(!cache.is_up());
    assert_eq!(version(&cache, 1).await, None);
}
