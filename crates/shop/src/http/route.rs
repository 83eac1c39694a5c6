//! The routes, matched by hand from method and path.

use crate::admission::Class;

/// A timed route; its number is its index in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    RandomProduct,
    Product,
    Products,
    Search,
    AddToCart,
    Cart,
    RemoveFromCart,
    PlaceOrder,
    Order,
    CancelOrder,
    Pay,
    PaymentCallback,
    /// Whatever no route answers.
    Other,
}

impl Route {
    pub(crate) const ALL: [Self; 13] = [
        Self::RandomProduct,
        Self::Product,
        Self::Products,
        Self::Search,
        Self::AddToCart,
        Self::Cart,
        Self::RemoveFromCart,
        Self::PlaceOrder,
        Self::Order,
        Self::CancelOrder,
        Self::Pay,
        Self::PaymentCallback,
        Self::Other,
    ];

    /// The path with its parameters named, a label of metrics.
    pub(crate) const fn template(self) -> &'static str {
        match self {
            Self::RandomProduct => "/api/products/random",
            Self::Product => "/api/products/{product_id}",
            Self::Products => "/api/products",
            Self::Search => "/api/search",
            Self::AddToCart => "/api/cart",
            Self::Cart => "/api/cart/{cart_id}",
            Self::RemoveFromCart => "/api/cart/{cart_id}/items/{product_id}",
            Self::PlaceOrder => "/api/orders",
            Self::Order => "/api/orders/{order_id}",
            Self::CancelOrder => "/api/orders/{order_id}/cancel",
            Self::Pay => "/api/payments",
            Self::PaymentCallback => "/api/payments/callbacks/{gateway}",
            Self::Other => "other",
        }
    }

    /// The method, a label of metrics. HEAD counts as GET.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::RandomProduct
            | Self::Product
            | Self::Products
            | Self::Search
            | Self::Cart
            | Self::Order => "GET",
            Self::AddToCart
            | Self::PlaceOrder
            | Self::CancelOrder
            | Self::Pay
            | Self::PaymentCallback => "POST",
            Self::RemoveFromCart => "DELETE",
            Self::Other => "other",
        }
    }

    /// The methods of a 405's `Allow`.
    const fn allow(self) -> &'static str {
        match self.method().as_bytes() {
            b"GET" => "GET, HEAD",
            b"POST" => "POST",
            _ => "DELETE",
        }
    }

    /// Every status that the route can answer.
    pub(crate) const fn statuses(self) -> &'static [u16] {
        match self {
            Self::RandomProduct | Self::Product | Self::Cart | Self::Order => &[200, 404, 500, 503],
            Self::Products | Self::Search => &[200, 400, 500, 503],
            Self::AddToCart | Self::PlaceOrder => {
                &[201, 400, 404, 408, 409, 413, 415, 422, 500, 503]
            }
            Self::RemoveFromCart | Self::CancelOrder => &[200, 404, 409, 500, 503],
            Self::Pay => &[201, 202, 400, 402, 404, 408, 409, 413, 415, 422, 500, 503],
            Self::PaymentCallback => &[200, 400, 401, 404, 408, 413, 415, 422, 500, 503],
            Self::Other => &[400, 404, 405, 408, 414, 431],
        }
    }

    /// How important a request is when not all can be served.
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::RandomProduct | Self::Products | Self::Other => Class::Browse,
            Self::Search => Class::Search,
            Self::Product => Class::Detail,
            Self::AddToCart | Self::Cart | Self::RemoveFromCart => Class::Cart,
            Self::PlaceOrder | Self::Order | Self::CancelOrder => Class::Order,
            Self::Pay | Self::PaymentCallback => Class::Payment,
        }
    }
}

/// A page of `/actuator`, which is not timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actuator {
    Prometheus,
    Health,
    Liveness,
    Readiness,
    Info,
}

impl Actuator {
    pub(crate) const ALL: [Self; 5] = [
        Self::Prometheus,
        Self::Health,
        Self::Liveness,
        Self::Readiness,
        Self::Info,
    ];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Prometheus => "/actuator/prometheus",
            Self::Health => "/actuator/health",
            Self::Liveness => "/actuator/health/liveness",
            Self::Readiness => "/actuator/health/readiness",
            Self::Info => "/actuator/info",
        }
    }
}

/// A file of the reference: the description of the API, and the page that shows it. Not timed and not
/// shed, since it is made at the start and costs next to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Description,
    Page,
    Script,
    Style,
}

impl Reference {
    pub(crate) const ALL: [Self; 4] = [Self::Description, Self::Page, Self::Script, Self::Style];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Description => "/openapi.json",
            Self::Page => "/docs",
            Self::Script => "/docs/page.js",
            Self::Style => "/docs/page.css",
        }
    }
}

/// What a request is for. The texts are the parameters of the path, still unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'path> {
    Api {
        route: Route,
        first: &'path str,
        second: &'path str,
    },
    Actuator(Actuator),
    Reference(Reference),
    WrongMethod {
        allow: &'static str,
    },
    Nothing,
}

/// Finds what a request is for.
pub(crate) fn resolve<'path>(method: &str, path: &'path str) -> Target<'path> {
    if let Some(rest) = path.strip_prefix("/api/") {
        return match api(rest) {
            Some((route, first, second)) if accepts(route.method(), method) => Target::Api {
                route,
                first,
                second,
            },
            Some((route, ..)) => Target::WrongMethod {
                allow: route.allow(),
            },
            None => Target::Nothing,
        };
    }
    match page(path) {
        None => Target::Nothing,
        Some(target) if accepts("GET", method) => target,
        Some(_) => Target::WrongMethod { allow: "GET, HEAD" },
    }
}

/// The page at a path outside the API.
fn page(path: &str) -> Option<Target<'static>> {
    let mut pages = Actuator::ALL.into_iter();
    let mut files = Reference::ALL.into_iter();
    pages
        .find(|page| page.path() == path)
        .map(Target::Actuator)
        .or_else(|| {
            files
                .find(|file| file.path() == path)
                .map(Target::Reference)
        })
}

fn accepts(route: &str, method: &str) -> bool {
    route == method || (route == "GET" && method == "HEAD")
}

/// The route of a path below `/api/`, with its parameters.
fn api(rest: &str) -> Option<(Route, &str, &str)> {
    let mut segments = rest.split('/');
    let collection = segments.next()?;
    let (first, second, third) = (segments.next(), segments.next(), segments.next());
    if segments.next().is_some() {
        return None;
    }
    let found = match (collection, first, second, third) {
        ("products", None, ..) => (Route::Products, "", ""),
        ("products", Some("random"), None, _) => (Route::RandomProduct, "", ""),
        ("products", Some(id), None, _) if !id.is_empty() => (Route::Product, id, ""),
        ("search", None, ..) => (Route::Search, "", ""),
        ("cart", None, ..) => (Route::AddToCart, "", ""),
        ("cart", Some(id), None, _) if !id.is_empty() => (Route::Cart, id, ""),
        ("cart", Some(id), Some("items"), Some(product)) if !id.is_empty() => {
            (Route::RemoveFromCart, id, product)
        }
        ("orders", None, ..) => (Route::PlaceOrder, "", ""),
        ("orders", Some(id), None, _) if !id.is_empty() => (Route::Order, id, ""),
        ("orders", Some(id), Some("cancel"), None) if !id.is_empty() => {
            (Route::CancelOrder, id, "")
        }
        ("payments", None, ..) => (Route::Pay, "", ""),
        ("payments", Some("callbacks"), Some(gateway), None) if !gateway.is_empty() => {
            (Route::PaymentCallback, gateway, "")
        }
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{Actuator, Reference, Route, Target, resolve};

    #[expect(clippy::too_many_lines, reason = "a table")]
    #[test]
    fn paths_lead_to_routes() {
        let api = |route, first, second| Target::Api {
            route,
            first,
            second,
        };
        let cases = [
            (
                "GET",
                "/api/products/random",
                api(Route::RandomProduct, "", ""),
            ),
            ("HEAD", "/api/products/7", api(Route::Product, "7", "")),
            (
                "GET",
                "/api/products/x%20y",
                api(Route::Product, "x%20y", ""),
            ),
            ("GET", "/api/products", api(Route::Products, "", "")),
            ("GET", "/api/search", api(Route::Search, "", "")),
            ("POST", "/api/cart", api(Route::AddToCart, "", "")),
            ("GET", "/api/cart/9", api(Route::Cart, "9", "")),
            (
                "DELETE",
                "/api/cart/9/items/3",
                api(Route::RemoveFromCart, "9", "3"),
            ),
            ("POST", "/api/orders", api(Route::PlaceOrder, "", "")),
            ("GET", "/api/orders/5", api(Route::Order, "5", "")),
            (
                "POST",
                "/api/orders/5/cancel",
                api(Route::CancelOrder, "5", ""),
            ),
            ("POST", "/api/payments", api(Route::Pay, "", "")),
            (
                "POST",
                "/api/payments/callbacks/http",
                api(Route::PaymentCallback, "http", ""),
            ),
            ("POST", "/api/payments/callbacks", Target::Nothing),
            ("POST", "/api/payments/callbacks/", Target::Nothing),
            ("POST", "/api/payments/callbacks/http/x", Target::Nothing),
            (
                "GET",
                "/actuator/prometheus",
                Target::Actuator(Actuator::Prometheus),
            ),
            (
                "GET",
                "/actuator/health/readiness",
                Target::Actuator(Actuator::Readiness),
            ),
            (
                "HEAD",
                "/openapi.json",
                Target::Reference(Reference::Description),
            ),
            ("GET", "/docs", Target::Reference(Reference::Page)),
            (
                "PUT",
                "/docs/page.js",
                Target::WrongMethod { allow: "GET, HEAD" },
            ),
            ("GET", "/docs/", Target::Nothing),
            ("GET", "/api/cart", Target::WrongMethod { allow: "POST" }),
            (
                "PUT",
                "/api/search",
                Target::WrongMethod { allow: "GET, HEAD" },
            ),
            ("HEAD", "/api/orders", Target::WrongMethod { allow: "POST" }),
            (
                "GET",
                "/api/cart/9/items/3",
                Target::WrongMethod { allow: "DELETE" },
            ),
            (
                "POST",
                "/actuator/info",
                Target::WrongMethod { allow: "GET, HEAD" },
            ),
            ("GET", "/", Target::Nothing),
            ("GET", "/api", Target::Nothing),
            ("GET", "/api/", Target::Nothing),
            ("GET", "/api/products/", Target::Nothing),
            ("GET", "/api/products/7/", Target::Nothing),
            ("GET", "/api/search/", Target::Nothing),
            ("GET", "/api/cart/9/items", Target::Nothing),
            ("GET", "/api/orders/5/cancel/now/please", Target::Nothing),
            ("GET", "/API/search", Target::Nothing),
            ("GET", "/actuator", Target::Nothing),
        ];
        for (method, path, expected) in cases {
            assert_eq!(resolve(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn indexes_follow_the_list() {
        for (index, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, index);
            assert!(route.statuses().is_sorted(), "{route:?}");
        }
    }
}
