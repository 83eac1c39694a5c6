//! The same with two shops on one store.

use std::time::Duration;

use crate::buyer::Answer;
use crate::calls::{Call, at_once};
use crate::harness::{now, pause};
use crate::situations::{SILENT, race_expiry};
use crate::stores::Kind;
use crate::world::{SECRET, Setup, Stands, World};

/// How often two requests meet.
const ROUNDS: usize = 8;
/// Two shops, and a gateway that answers neither before its callback.
const SILENT_GATEWAY: Setup<'static> = Setup {
    shops: 2,
    gateway: &SILENT,
    shop: &["--gateway-deadline", "30s"],
    ..Setup::PLAIN
};

/// Payments at both shops race the expiry that both work on.
pub(crate) fn a_payment_racing_expiry_at_two_shops(kind: Kind) {
    race_expiry(kind, 2);
}

/// One click each at two shops: with a key they are one payment, and without one never more than is owed.
pub(crate) fn a_double_click_at_two_shops(kind: Kind) {
    let setup = Setup {
        shops: 2,
        gateway: &["--latency", "20ms"],
        calls_back: true,
        ..Setup::PLAIN
    };
    let Some(world) = World::start(kind, setup) else {
        return;
    };
    let keys = (0..ROUNDS).flat_map(|round| [Some(format!("click {round}")), None]);
    let orders: Vec<_> = keys.map(|key| (world.buyer().order(), key)).collect();
    let clicks = orders.iter().flat_map(|((order_id, total), key)| {
        [0, 1].map(|shop| {
            let buyer = world.buyer_at(shop);
            let (order_id, total, key) = (order_id.clone(), *total, key.clone());
            move || buyer.pay(&order_id, total, key.as_deref())
        })
    });
    let told = at_once(clicks.collect());
    for (((order_id, total), key), told) in orders.iter().zip(told.chunks(2)) {
        // The one that comes second is told so, or what the first one was told.
        for click in told {
            let is_told = match click.status {
                201 => true,
                409 if key.is_some() => click.text("code") == "payment_processing",
                409 => ["payment_processing", "order_closed"].contains(&click.text("code")),
                _ => false,
            };
            assert!(is_told, "{told:?}");
        }
        let mut first = told
            .iter()
            .filter(|click| click.status == 201 && !click.replayed);
        let (first, second) = (first.next().unwrap(), first.next());
        assert!(second.is_none(), "{told:?}");
        if key.is_some() {
            for shop in 0..2 {
                let again = world.buyer_at(shop).pay(order_id, *total, key.as_deref());
                assert_eq!((again.status, again.replayed), (201, true), "{again:?}");
                assert_eq!(again.body, first.body);
            }
        }
    }
    let paid =
        |((order_id, _), _): &((String, f64), _)| Stands::new(order_id, "paid", &["captured"]);
    world.end(&orders.iter().map(paid).collect::<Vec<_>>());
}

/// A part is captured, told to one shop, while the order is cancelled at the other: the cancelling comes
/// too early, or the money is given back.
pub(crate) fn a_callback_racing_a_cancel_at_two_shops(kind: Kind) {
    let Some(world) = World::start(kind, SILENT_GATEWAY) else {
        return;
    };
    let orders: Vec<_> = (0..ROUNDS).map(|_| world.buyer().order().0).collect();
    let paying = orders.clone().into_iter().map(|order_id| {
        let buyer = world.buyer();
        std::thread::spawn(move || buyer.pay(&order_id, 1.0, None))
    });
    let paying: Vec<_> = paying.collect();
    world.until_charged(ROUNDS);
    let mut expected = Vec::new();
    for (round, order_id) in orders.iter().enumerate() {
        let call = Call::of(&world.buyer(), order_id, "captured");
        let (other, cancelled) = (world.buyer_at(1), order_id.clone());
        // A little later each time.
        let behind = Duration::from_micros(400 * round as u64);
        let told: [Box<dyn FnOnce() -> Answer + Send>; 2] = [
            Box::new(move || call.signed(SECRET, 0)),
            Box::new(move || {
                pause(behind);
                other.cancel(&cancelled)
            }),
        ];
        let told = at_once(told.into());
        assert_eq!(told[0].status, 200, "{told:?}");
        expected.push(match told[1].status {
            200 => Stands::new(order_id, "cancelled", &["captured+done"]),
            409 => {
                assert_eq!(told[1].text("code"), "payment_processing");
                Stands::new(order_id, "partially_paid", &["captured"])
            }
            _ => panic!("{told:?}"),
        });
    }
    for paid in paying {
        let paid = paid.join().unwrap();
        assert_eq!(
            (paid.status, paid.text("order_status")),
            (201, "partially_paid")
        );
    }
    world.end(&expected);
}

/// The same callback at two shops at once, one of which waits for the gateway.
pub(crate) fn a_duplicate_callback_at_two_shops(kind: Kind) {
    let Some(world) = World::start(kind, SILENT_GATEWAY) else {
        return;
    };
    let mut expected = Vec::new();
    for round in 1..=ROUNDS {
        let buyer = world.buyer_at(round % 2);
        let (order_id, total) = buyer.order();
        let begun = now();
        let paying = std::thread::spawn({
            let (buyer, order_id) = (buyer.clone(), order_id.clone());
            move || buyer.pay(&order_id, total, None)
        });
        world.until_charged(round);
        let call = |shop| {
            let call = Call::of(&world.buyer_at(shop), &order_id, "captured");
            // In every other round the one that waits is called when the other knows it already.
            let behind = if round % 4 < 2 && shop == round % 2 {
                100
            } else {
                0
            };
            move || {
                pause(Duration::from_millis(behind));
                call.signed(SECRET, 0)
            }
        };
        for heard in at_once((0..2).map(call).collect()) {
            assert_eq!((heard.status, heard.text("status")), (200, "captured"));
        }
        let paid = paying.join().unwrap();
        assert_eq!((paid.status, paid.text("order_status")), (201, "paid"));
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(15), "{waited:?}");
        expected.push(Stands::new(&order_id, "paid", &["captured"]));
    }
    world.end(&expected);
}

/// The shop that charged is killed before FINALIZE; the other one finishes, and answers the retry.
pub(crate) fn a_retry_at_another_shop_after_a_kill(kind: Kind) {
    let setup = Setup {
        shop: &["--gateway-deadline", "1s"],
        ..SILENT_GATEWAY
    };
    let Some(mut world) = World::start(kind, setup) else {
        return;
    };
    let (first, second) = (world.buyer_at(0), world.buyer_at(1));
    let (order_id, total) = first.order();
    let paying = std::thread::spawn({
        let order_id = order_id.clone();
        move || first.try_pay(&order_id, total, Some("kept"))
    });
    world.until_charged(1);
    world.kill_shop(0);
    assert!(paying.join().unwrap().is_none(), "the answer is lost");
    let early = second.pay(&order_id, total, Some("kept"));
    assert_eq!(
        (early.status, early.text("code")),
        (409, "payment_processing")
    );
    world.settle();
    let retried = second.pay(&order_id, total, Some("kept"));
    assert_eq!(
        (retried.status, retried.replayed),
        (201, true),
        "{retried:?}"
    );
    world.start_shop(0);
    world.end(&[Stands::new(&order_id, "paid", &["captured"])]);
}
