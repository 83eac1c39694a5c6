//! What each route may answer: the kinds of problem, which the description of the API lists and the
//! handlers are held to.

use super::problem::{
    AMOUNT_EXCEEDS_BALANCE, AMOUNT_MISMATCH, BODY_TOO_LARGE, CART_ALREADY_ORDERED, CART_EMPTY,
    CART_OF_ANOTHER_USER, CURRENCY_MISMATCH, DECLINED, HEAD_TOO_LARGE, INTERNAL, INVALID_AMOUNT,
    INVALID_CART_ID, INVALID_CURRENCY, INVALID_GATEWAY, INVALID_IDEMPOTENCY_KEY, INVALID_ITEMS,
    INVALID_ORDER_ID, INVALID_PAYMENT_METHOD, INVALID_PRODUCT_ID, INVALID_QUANTITY, INVALID_QUERY,
    INVALID_REQUEST, INVALID_SIGNATURE, INVALID_USER_ID, KEY_REUSED, Kind, LIMIT_EXCEEDED,
    MALFORMED_HTTP, MALFORMED_JSON, METHOD_NOT_ALLOWED, NOT_FOUND, ORDER_CLOSED, ORDER_PAID,
    OUTCOME_UNKNOWN, OVERLOADED, PAYMENT_PROCESSING, REQUEST_TIMEOUT, SOLD_OUT, STORE_BUSY,
    STORE_UNAVAILABLE, TOO_MANY_LINES, TOTAL_CHANGED, TOTAL_OUT_OF_RANGE, UNKNOWN_ATTEMPT,
    UNKNOWN_CART, UNKNOWN_GATEWAY, UNKNOWN_ORDER, UNKNOWN_PRODUCT, UNSUPPORTED_MEDIA_TYPE,
    URI_TOO_LONG,
};
use super::route::{Actuator, Route};

/// What a request can meet before its route is known, on every path.
pub(super) const BEFORE_ROUTING: &[Kind] = &[
    MALFORMED_HTTP,
    REQUEST_TIMEOUT,
    URI_TOO_LONG,
    HEAD_TOO_LARGE,
];

/// What every call of the store can end in. That the outcome of a read is unknown is said when the
/// store's own work broke off.
const STORE: &[Kind] = &[
    INTERNAL,
    OVERLOADED,
    STORE_BUSY,
    STORE_UNAVAILABLE,
    OUTCOME_UNKNOWN,
];
const BODY: &[Kind] = &[
    MALFORMED_JSON,
    INVALID_REQUEST,
    REQUEST_TIMEOUT,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
];
const ADD_TO_CART: &[Kind] = &[
    INVALID_PRODUCT_ID,
    INVALID_QUANTITY,
    INVALID_CART_ID,
    INVALID_USER_ID,
    UNKNOWN_PRODUCT,
    UNKNOWN_CART,
    CART_ALREADY_ORDERED,
    LIMIT_EXCEEDED,
];
const PLACE_ORDER: &[Kind] = &[
    INVALID_IDEMPOTENCY_KEY,
    INVALID_USER_ID,
    INVALID_ITEMS,
    INVALID_PRODUCT_ID,
    INVALID_QUANTITY,
    TOO_MANY_LINES,
    INVALID_CART_ID,
    INVALID_PAYMENT_METHOD,
    INVALID_AMOUNT,
    UNKNOWN_PRODUCT,
    UNKNOWN_CART,
    SOLD_OUT,
    TOTAL_CHANGED,
    CART_ALREADY_ORDERED,
    CART_EMPTY,
    CART_OF_ANOTHER_USER,
    TOTAL_OUT_OF_RANGE,
    KEY_REUSED,
];
const PAY: &[Kind] = &[
    INVALID_IDEMPOTENCY_KEY,
    INVALID_ORDER_ID,
    INVALID_AMOUNT,
    INVALID_GATEWAY,
    INVALID_CURRENCY,
    DECLINED,
    UNKNOWN_ORDER,
    ORDER_CLOSED,
    PAYMENT_PROCESSING,
    AMOUNT_EXCEEDS_BALANCE,
    UNKNOWN_GATEWAY,
    CURRENCY_MISMATCH,
    KEY_REUSED,
];

const CALLBACK: &[Kind] = &[
    INVALID_SIGNATURE,
    NOT_FOUND,
    UNKNOWN_ATTEMPT,
    AMOUNT_MISMATCH,
];

impl Route {
    /// Every kind of problem that the route can answer, in groups.
    pub(super) const fn problems(self) -> &'static [&'static [Kind]] {
        match self {
            Self::RandomProduct | Self::Product => &[&[UNKNOWN_PRODUCT], STORE],
            Self::Products | Self::Search => &[&[INVALID_QUERY], STORE],
            Self::AddToCart => &[BODY, ADD_TO_CART, STORE],
            Self::Cart => &[&[UNKNOWN_CART], STORE],
            Self::RemoveFromCart => &[&[UNKNOWN_CART, CART_ALREADY_ORDERED], STORE],
            Self::PlaceOrder => &[BODY, PLACE_ORDER, STORE],
            Self::Order => &[&[UNKNOWN_ORDER], STORE],
            Self::CancelOrder => &[
                &[UNKNOWN_ORDER, ORDER_PAID, ORDER_CLOSED, PAYMENT_PROCESSING],
                STORE,
            ],
            Self::Pay => &[BODY, PAY, STORE],
            Self::PaymentCallback => &[BODY, CALLBACK, STORE],
            Self::Other => &[&[NOT_FOUND, METHOD_NOT_ALLOWED], BEFORE_ROUTING],
        }
    }

    /// Whether the route may answer with this problem.
    pub(super) fn may_refuse_with(self, kind: Kind) -> bool {
        self.problems().iter().any(|group| group.contains(&kind))
    }
}

impl Actuator {
    /// Every status that the page can answer.
    pub(super) const fn statuses(self) -> &'static [u16] {
        match self {
            Self::Health | Self::Readiness => &[200, 503],
            Self::Prometheus | Self::Liveness | Self::Info => &[200],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Kind, Route};
    use crate::http::problem;

    #[test]
    fn problems_and_metrics_know_the_same_statuses() {
        for route in Route::ALL {
            let refused: BTreeSet<u16> = kinds(route).map(|kind| kind.status).collect();
            let counted: BTreeSet<u16> = route
                .statuses()
                .iter()
                .copied()
                .filter(|status| *status >= 400)
                .collect();
            assert_eq!(refused, counted, "{route:?}");
        }
    }

    #[test]
    fn every_kind_of_problem_has_a_route() {
        for kind in problem::ALL {
            let routes = Route::ALL.into_iter();
            let mut answering = routes.filter(|route| route.may_refuse_with(*kind));
            assert!(answering.next().is_some(), "{kind:?}");
        }
    }

    #[test]
    fn no_kind_is_named_twice() {
        for route in Route::ALL {
            for kind in kinds(route) {
                let times = kinds(route).filter(|other| *other == kind).count();
                assert_eq!(times, 1, "{route:?} {kind:?}");
            }
        }
    }

    fn kinds(route: Route) -> impl Iterator<Item = Kind> {
        route
            .problems()
            .iter()
            .flat_map(|group| group.iter().copied())
    }
}
