//! A small world in which everything that can rightly happen has happened once.

use super::{Call, Ending, World};

impl World {
    /// Orders 1001 to 1009, attempts 5001 to 5005, carts 9001 and 9002; see the comments.
    pub(crate) fn scene() -> Self {
        let mut world = Self::new(&[(100, 1_000), (5, 2_500), (10, 100)]);
        let place = |world: &mut Self, user: &str, items: &[(i64, i64)], call: Call| {
            world
                .order(user, items, &call)
                .expect("the scene has the stock")
        };
        // 1001: paid by 5001.
        let paid = place(&mut world, "42", &[(1, 2), (2, 1)], Call::keyed("order-1"));
        world.pay(paid, 4_500, Ending::Captured, &Call::keyed("pay-1"));
        // 1002: the deposit paid by 5002.
        let deposit = place(&mut world, "alice", &[(1, 1)], Call::keyed("order-2"));
        world.pay(deposit, 400, Ending::Captured, &Call::keyed("pay-2"));
        // 1003: open, 5003 was declined.
        let open = place(&mut world, "42", &[(2, 2)], Call::keyed("order-3"));
        world.pay(open, 5_000, Ending::Declined, &Call::keyed("pay-3"));
        // 1004: cancelled after the deposit 5004, which was refunded.
        let cancelled = place(&mut world, "bob", &[(1, 2)], Call::keyed("order-4"));
        world.pay(cancelled, 500, Ending::Captured, &Call::keyed("pay-4"));
        world.cancel(cancelled);
        // A refusal that was true: two of product 2 are left.
        assert_eq!(
            world.order("carol", &[(2, 3)], &Call::keyed("order-5")),
            None
        );
        // 1005: of unknown outcome, by cart 9001.
        let cart = world.add_to_cart(None, 3, 2);
        world.add_to_cart(Some(cart), 3, 1);
        world.order_cart("dave", cart, &Call::keyed("order-6").unheard());
        // 1006 and 1007: without a key, the second of unknown outcome.
        place(&mut world, "erin", &[(3, 1)], Call::plain());
        let unheard = place(&mut world, "erin", &[(3, 2)], Call::plain().unheard());
        // 1008: cancelled, nothing was paid.
        let idle = place(&mut world, "frank", &[(1, 1)], Call::keyed("order-8"));
        world.cancel(idle);
        // 1009: expired while 5005 was in process, which was refunded.
        let late = place(&mut world, "grace", &[(1, 1)], Call::keyed("order-9"));
        world.pay(late, 1_000, Ending::Late, &Call::keyed("pay-9"));
        // 5006 pays a part of 1007; without a key and of unknown outcome.
        world.pay(unheard, 50, Ending::Captured, &Call::plain().unheard());
        // Cart 9002 stays open.
        world.add_to_cart(None, 1, 4);
        world
    }
}
