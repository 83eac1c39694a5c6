//! The HTTP interface: the only module that knows HTTP and its JSON.
//!
//! From the outside in: `connection` accepts, bounds and times connections; `service` finds the route,
//! sheds by class before the body is read, catches panics and measures; `handlers` turn a request into
//! a use case and its outcome into a reply. Wire types stay in `wire`.

pub(crate) mod connection;

mod chunks;
mod contract;
mod handlers;
mod head;
mod json;
mod openapi;
mod problem;
mod query;
mod reference;
mod reply;
mod request_body;
mod route;
mod service;
mod wire;

pub(crate) use json::write_product_in_stock;
pub(crate) use reference::References;
pub(crate) use service::{App, Door};

use crate::metrics::EndpointLabels;

/// The label pairs of every timed route, in the order of their indexes.
pub(crate) fn endpoint_labels() -> Vec<EndpointLabels> {
    route::Route::ALL
        .iter()
        .map(|route| EndpointLabels {
            endpoint: route.template(),
            method: route.method(),
            statuses: route.statuses(),
        })
        .collect()
}

/// The index of the route that places orders.
pub(crate) const fn place_order_index() -> usize {
    route::Route::PlaceOrder as usize
}

/// Status and code of every problem, for the test of the documentation.
#[cfg(test)]
pub(crate) fn problem_kinds() -> Vec<(u16, &'static str)> {
    problem::ALL
        .iter()
        .map(|kind| (kind.status, kind.code))
        .collect()
}
