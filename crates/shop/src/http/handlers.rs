//! From a routed request to a use case, and from its outcome to a reply.

pub(super) mod actuator;

mod carts;
mod orders;
mod payments;
mod products;

pub(super) use orders::refund_name;
pub(super) use products::{LIMIT_DEFAULT, LIMIT_MAX, SEARCH_MAX};

use super::problem::Problem;
use super::reply::Reply;
use super::route::Route;
use super::service::{App, Call};

/// Answers a request of an API route.
pub(super) async fn answer(app: &App, call: Call<'_, '_>) -> Reply {
    let result = match call.route {
        Route::RandomProduct => products::random(app).await,
        Route::Product => products::one(app, call.first).await,
        Route::Products => products::page(app, call.query).await,
        Route::Search => products::search(app, call.query).await,
        Route::AddToCart => carts::add(app, call.upload).await,
        Route::Cart => carts::read(app, call.first).await,
        Route::RemoveFromCart => carts::remove(app, call.first, call.second).await,
        Route::PlaceOrder => return orders::place(app, call.upload).await,
        Route::Order => orders::read(app, call.first).await,
        Route::CancelOrder => orders::cancel(app, call.first).await,
        Route::Pay => return payments::pay(app, call.upload).await,
        Route::PaymentCallback => payments::called_back(app, call.first, call.upload).await,
        Route::Other => Err(super::problem::NOT_FOUND.into()),
    };
    result.unwrap_or_else(|problem| refused(app, call.route, &problem))
}

/// The reply of a problem. One that the queue of writes caused counts as shed.
fn refused(app: &App, route: Route, problem: &Problem) -> Reply {
    if problem.kind == super::problem::OVERLOADED {
        app.metrics.shed(route.class());
    }
    assert!(
        !cfg!(test) || route.may_refuse_with(problem.kind),
        "{problem:?} is not described for {route:?}"
    );
    problem.reply()
}
