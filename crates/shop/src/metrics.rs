//! The shop's metrics. Only this module knows the crate `prometheus`.
//!
//! Every handle is resolved once and found by index, so that a request touches a few atomics. Every
//! combination of labels exists from the first scrape: a counter that appears late loses its first
//! increments to every `rate()`.

mod process;
mod registration;

use std::time::Duration;

use double11_store::{Figures, PaymentMethod, StoreObserver};
use prometheus::{Encoder, Gauge, Histogram, IntCounter, Registry, TextEncoder};

use crate::admission::Class;

/// The content type of [`Metrics::render`].
pub(crate) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The labels that are the same for the whole life of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricLabels {
    /// The program's version.
    pub version: String,
    /// The names of the levers that are on, joined by commas.
    pub levers: String,
    /// The shop's currency, ISO 4217.
    pub currency: &'static str,
    /// The name of the payment gateway.
    pub gateway: &'static str,
    /// Whether a sale is on.
    pub sale: bool,
}

/// Every metric of one shop. Made before the store, which reports its commits to it.
pub struct Metrics {
    registry: Registry,
    endpoints: Vec<Endpoint>,
    orders: [[IntCounter; PaymentMethod::ALL.len()]; OrderStatus::ALL.len()],
    payments: [IntCounter; PaymentStatus::ALL.len()],
    replays: [IntCounter; Operation::ALL.len()],
    shed: [IntCounter; Class::ALL.len()],
    cart_additions: IntCounter,
    carts_created: IntCounter,
    carts_converted: IntCounter,
    order_creation: Histogram,
    batch_size: Histogram,
    commit: Histogram,
    active_users: Gauge,
    average_cart_value: Gauge,
    oversold_products: Gauge,
    reserved_units: Gauge,
    shared_cache_up: Gauge,
}

/// The request histograms of one route.
struct Endpoint {
    statuses: &'static [u16],
    histograms: Vec<Histogram>,
}

/// A route as its label pair, with every status that it can answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndpointLabels {
    pub(crate) endpoint: &'static str,
    pub(crate) method: &'static str,
    pub(crate) statuses: &'static [u16],
}

/// What became of an order, as `ecommerce_orders_total` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderStatus {
    Success,
    SoldOut,
    Invalid,
    Shed,
    Failed,
}

impl OrderStatus {
    pub(crate) const ALL: [Self; 5] = [
        Self::Success,
        Self::SoldOut,
        Self::Invalid,
        Self::Shed,
        Self::Failed,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::SoldOut => "sold_out",
            Self::Invalid => "invalid",
            Self::Shed => "shed",
            Self::Failed => "failed",
        }
    }
}

/// What became of a payment, as `ecommerce_payments_total` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaymentStatus {
    Success,
    Declined,
    Invalid,
    Failed,
}

impl PaymentStatus {
    pub(crate) const ALL: [Self; 4] = [Self::Success, Self::Declined, Self::Invalid, Self::Failed];

    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Declined => "declined",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

/// What a replay repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Order,
    Payment,
}

impl Operation {
    pub(crate) const ALL: [Self; 2] = [Self::Order, Self::Payment];

    const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }
}

impl Metrics {
    /// Registers every metric.
    pub fn new(labels: &MetricLabels) -> Self {
        registration::register(labels, &crate::http::endpoint_labels())
    }

    /// Records placed orders, each as its request does: a counter, the histogram of the request and that
    /// of the order. So that the record path can be measured by itself.
    pub fn record_orders(&self, count: u64) {
        let place = crate::http::place_order_index();
        for number in 0..count {
            // In turn through the buckets of the first 100 ms.
            let taken = Duration::from_micros(number % 64 * 1_600);
            self.request(place, 201, taken);
            self.order_creation(taken);
            self.order(OrderStatus::Success, PaymentMethod::Alipay);
        }
    }

    /// A request of the route with this index was answered.
    pub(crate) fn request(&self, endpoint: usize, status: u16, taken: Duration) {
        let Some(endpoint) = self.endpoints.get(endpoint) else {
            return;
        };
        let known = endpoint.statuses.iter().position(|known| *known == status);
        assert!(
            known.is_some() || !cfg!(test),
            "status {status} is not among {:?}",
            endpoint.statuses
        );
        if let Some(histogram) = known.and_then(|position| endpoint.histograms.get(position)) {
            histogram.observe(taken.as_secs_f64());
        }
    }

    pub(crate) fn order(&self, status: OrderStatus, method: PaymentMethod) {
        self.orders[status as usize][method as usize].inc();
    }

    pub(crate) fn payment(&self, status: PaymentStatus) {
        self.payments[status as usize].inc();
    }

    pub(crate) fn replay(&self, operation: Operation) {
        self.replays[operation as usize].inc();
    }

    pub(crate) fn shed(&self, class: Class) {
        self.shed[class as usize].inc();
    }

    pub(crate) fn cart_addition(&self, created: bool) {
        self.cart_additions.inc();
        if created {
            self.carts_created.inc();
        }
    }

    pub(crate) fn cart_converted(&self) {
        self.carts_converted.inc();
    }

    pub(crate) fn order_creation(&self, taken: Duration) {
        self.order_creation.observe(taken.as_secs_f64());
    }

    pub(crate) fn active_users(&self, count: u64) {
        self.active_users.set(count as f64);
    }

    pub(crate) fn average_cart_value(&self, major_units: f64) {
        self.average_cart_value.set(major_units);
    }

    pub(crate) fn figures(&self, figures: Figures) {
        self.oversold_products.set(figures.oversold_products as f64);
        self.reserved_units.set(figures.reserved_units as f64);
    }

    pub(crate) fn shared_cache_up(&self, is_up: bool) {
        self.shared_cache_up.set(f64::from(u8::from(is_up)));
    }

    /// Every metric in the text format 0.0.4.
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(256 * 1024);
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "metrics cannot be written"
            );
        }
        text
    }
}

impl StoreObserver for Metrics {
    fn committed(&self, writes: usize, commit: Duration) {
        self.batch_size.observe(writes as f64);
        self.commit.observe(commit.as_secs_f64());
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
