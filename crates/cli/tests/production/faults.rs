//! While a part is lost: what needs it is refused fast, the rest goes on, and it recovers by itself.

use std::time::Duration;

use serde_json::json;

use crate::asking::{FAST, assert_refused, assert_shows_products, get, health, post};
use crate::fleet::{Fleet, Sale};
use crate::harness::{eventually, pause};

const SALE: Sale = Sale {
    products: "100",
    stock: "1000000",
    payment_window: "3s",
    in_flight_max: "1024",
};
#[test]
fn without_its_database_a_shop_refuses_fast_and_shows_its_products() {
    let Some(fleet) = Fleet::start(SALE) else {
        return;
    };
    let target = fleet.target(0);
    assert_eq!(fleet.order(0, 3).status, 201);
    for way in ["killed", "hung"] {
        if way == "killed" {
            fleet.database.kill();
        } else {
            fleet.database.pause();
        }
        // The first ones may find out the hard way; from then on it is known.
        eventually("a fast refusal", Duration::from_secs(15), || {
            fleet.order(0, 3).took < Duration::from_millis(200)
        });
        for _ in 0..20 {
            let refused = fleet.order(0, 3);
            assert_refused(&refused, way);
            assert!(refused.took < FAST, "{way}: {:?}", refused.took);
            assert_shows_products(&target, way);
            pause(Duration::from_millis(20));
        }
        assert_eq!(health(&target), "DOWN", "{way}");
        assert_eq!(
            get(&target, "/actuator/health/readiness").status,
            200,
            "{way}"
        );
        if way == "killed" {
            fleet.database.restart();
        } else {
            fleet.database.resume();
        }
        eventually("orders again", Duration::from_secs(15), || {
            fleet.order(0, 3).status == 201
        });
        eventually("health again", Duration::from_secs(15), || {
            health(&target) == "UP"
        });
    }
    fleet.calm(Vec::new());
    fleet.assert_clean("without its database");
}

#[test]
fn without_its_cache_a_shop_does_everything() {
    let Some(fleet) = Fleet::start(SALE) else {
        return;
    };
    let (first, second) = (fleet.target(0), fleet.target(1));
    let line = json!({"product_id": 5, "quantity": 2});
    let made = post(&first, "/api/cart", &line);
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/api/cart/{}", made.body["cart_id"].as_str().unwrap());
    let pieces = |target: &str| {
        let cart = get(target, &path);
        assert_eq!(cart.status, 200, "{}", cart.body);
        assert!(cart.took < FAST, "{:?}", cart.took);
        cart.body["items"][0]["quantity"].as_u64().unwrap()
    };
    assert_eq!((pieces(&first), pieces(&second)), (2, 2));
    let cache = fleet.cache.single();
    for way in ["killed", "hung", "back"] {
        match way {
            "killed" => cache.kill(),
            "hung" => {
                cache.restart().unwrap();
                cache.pause();
            }
            _ => cache.resume(),
        }
        let before = pieces(&second);
        let more = json!({"product_id": 5, "quantity": 1, "cart_id": made.body["cart_id"]});
        let changed = post(&first, "/api/cart", &more);
        assert_eq!(changed.status, 201, "{way}: {}", changed.body);
        assert!(changed.took < FAST, "{way}: {:?}", changed.took);
        assert_eq!(
            pieces(&first),
            before + 1,
            "{way}: a shop reads its own writes"
        );
        assert_eq!(fleet.order(1, 3).status, 201, "{way}");
        eventually("the other shop sees it", Duration::from_secs(5), || {
            pieces(&second) == before + 1
        });
    }
    fleet.calm(Vec::new());
    fleet.assert_clean("without its cache");
}
