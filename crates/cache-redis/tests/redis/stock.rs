//! Which products are sold out, and who was seen.

use std::time::Duration;

use double11_servers::{Redis, Tool, present};
use double11_store::{OthersActivity, SharedCache, SoldOutFlag, StockNews, Stopwatch};
use double11_units::ProductId;

use super::{is_up_again, shop};

fn sold_out(products: &[i64]) -> StockNews {
    StockNews {
        sold_out: observed(products),
        in_stock: Vec::new(),
    }
}

fn observed(products: &[i64]) -> Vec<(ProductId, Stopwatch)> {
    let id = |id: &i64| (ProductId::new(*id).unwrap(), Stopwatch::start());
    products.iter().map(id).collect()
}

fn ids(flags: &[SoldOutFlag]) -> Vec<i64> {
    let mut ids: Vec<i64> = flags.iter().map(|flag| flag.product_id.get()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn shops_tell_each_other_what_is_sold_out_and_since_when() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let (one, other) = (shop(&server.url()).await, shop(&server.url()).await);
    // The first exchange tells the time.
    assert_eq!(one.exchange_stock_news(sold_out(&[7])).await, Some(vec![]));
    let truth = Stopwatch::start();
    let news = sold_out(&[7, 8]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    one.exchange_stock_news(news).await.unwrap();
    let asked = truth.elapsed();
    let flags = other
        .exchange_stock_news(StockNews::default())
        .await
        .unwrap();
    assert_eq!(ids(&flags), [7, 8]);
    for flag in &flags {
        assert!(
            flag.age >= Duration::from_millis(99),
            "{flag:?} is not old enough"
        );
        assert!(
            flag.age < asked + Duration::from_millis(250),
            "{flag:?} is too old"
        );
    }
    let back = StockNews {
        sold_out: Vec::new(),
        in_stock: observed(&[7]),
    };
    assert_eq!(ids(&other.exchange_stock_news(back).await.unwrap()), [8]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(
        one.exchange_stock_news(StockNews::default()).await,
        Some(vec![])
    );
}

#[tokio::test]
async fn an_observation_of_before_a_restock_does_not_undo_it() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let cache = shop(&server.url()).await;
    cache.exchange_stock_news(StockNews::default()).await;
    let back = StockNews {
        sold_out: Vec::new(),
        in_stock: observed(&[7]),
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    // It was sold out again after it had come back.
    cache.exchange_stock_news(sold_out(&[7])).await;
    assert_eq!(ids(&cache.exchange_stock_news(back).await.unwrap()), [7]);
}

#[tokio::test]
async fn what_a_paused_server_hears_late_is_no_news() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let (one, other) = (shop(&server.url()).await, shop(&server.url()).await);
    one.exchange_stock_news(StockNews::default()).await;
    server.pause();
    let late = one.exchange_stock_news(sold_out(&[7]));
    assert_eq!(late.await, None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.resume();
    is_up_again(&other).await;
    for _ in 0..20 {
        let flags = other.exchange_stock_news(StockNews::default()).await;
        assert_eq!(ids(&flags.unwrap_or_default()), [] as [i64; 0]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn shops_tell_each_other_whom_they_saw() {
    if !present(Tool::Redis) {
        return;
    }
    let server = Redis::start().unwrap();
    let shops = [shop(&server.url()).await, shop(&server.url()).await];
    let of = |slot: u64, seen: u8| OthersActivity {
        slot,
        seen: vec![seen; 16_384],
    };
    assert_eq!(shops[0].exchange_activity(5, of(5, 1).seen).await, []);
    assert_eq!(
        shops[1].exchange_activity(5, of(5, 2).seen).await,
        [of(5, 1)]
    );
    let seen = shops[0].exchange_activity(6, of(6, 3).seen).await;
    assert_eq!(seen, [of(5, 2)], "of the slot before");
    assert_eq!(shops[1].exchange_activity(8, of(8, 4).seen).await, []);
    let lives: i64 = server
        .command(&["TTL", "double11:{activity}:8"])
        .unwrap()
        .parse()
        .unwrap();
    assert!((300..=360).contains(&lives), "{lives} s");
}
