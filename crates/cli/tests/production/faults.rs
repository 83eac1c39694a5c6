//! While a part is lost: what needs it is refused fast, the rest goes on, and it recovers by itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fleet::{Fleet, Sale};
use crate::harness::{eventually, now, pause};

const SALE: Sale = Sale {
    products: "100",
    stock: "1000000",
    payment_window: "3s",
};
/// What counts as fast: far below the time-out of any client.
const FAST: Duration = Duration::from_millis(1_500);

struct Answer {
    status: u16,
    retry_after: bool,
    body: Value,
    took: Duration,
}

fn ask(request: ureq::http::Request<String>) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let begun = now();
    let mut answer = agent.run(request).unwrap();
    Answer {
        status: answer.status().as_u16(),
        retry_after: answer.headers().contains_key("retry-after"),
        body: answer.body_mut().read_json().unwrap_or_default(),
        took: begun.elapsed(),
    }
}

fn get(target: &str, path: &str) -> Answer {
    let request = ureq::http::Request::get(format!("{target}{path}"));
    ask(request.body(String::new()).unwrap())
}

fn post(target: &str, path: &str, body: &Value) -> Answer {
    let request = ureq::http::Request::post(format!("{target}{path}"))
        .header("content-type", "application/json");
    ask(request.body(body.to_string()).unwrap())
}

fn order(target: &str) -> Answer {
    let items = json!({"user_id": "7", "items": [{"product_id": 3, "quantity": 1}]});
    post(target, "/api/orders", &items)
}

fn health(target: &str) -> String {
    let answer = get(target, "/actuator/health");
    answer.body["status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn without_its_database_a_shop_refuses_fast_and_shows_its_products() {
    let Some(fleet) = Fleet::start(SALE) else {
        return;
    };
    let target = fleet.target(0);
    assert_eq!(order(&target).status, 201);
    for way in ["killed", "hung"] {
        if way == "killed" {
            fleet.database.kill();
        } else {
            fleet.database.pause();
        }
        // The first ones may find out the hard way; from then on it is known.
        eventually("a fast refusal", Duration::from_secs(15), || {
            order(&target).took < Duration::from_millis(200)
        });
        for _ in 0..20 {
            let refused = order(&target);
            assert_eq!(refused.status, 503, "{way}: {}", refused.body);
            assert!(refused.retry_after, "{way}: {}", refused.body);
            assert!(refused.took < FAST, "{way}: {:?}", refused.took);
            let product = get(&target, "/api/products/3");
            assert_eq!(product.status, 200, "{way}: {}", product.body);
            assert!(product.took < FAST, "{way}: {:?}", product.took);
            pause(Duration::from_millis(20));
        }
        assert_eq!(health(&target), "DOWN", "{way}");
        assert_eq!(
            get(&target, "/actuator/health/readiness").status,
            200,
            "{way}"
        );
        if way == "killed" {
            fleet.database.restart().unwrap();
        } else {
            fleet.database.resume();
        }
        eventually("orders again", Duration::from_secs(15), || {
            order(&target).status == 201
        });
        eventually("health again", Duration::from_secs(15), || {
            health(&target) == "UP"
        });
    }
    fleet.calm(Vec::new());
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
    for way in ["killed", "hung", "back"] {
        match way {
            "killed" => fleet.cache.kill(),
            "hung" => {
                fleet.cache.restart().unwrap();
                fleet.cache.pause();
            }
            _ => fleet.cache.resume(),
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
        assert_eq!(order(&second).status, 201, "{way}");
        eventually("the other shop sees it", Duration::from_secs(5), || {
            pieces(&second) == before + 1
        });
    }
}
