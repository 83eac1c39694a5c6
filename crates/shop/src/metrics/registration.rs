//! Registers every metric and resolves its handles.

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts,
    Registry,
};

use super::process::ProcessMetrics;
use super::{Class, Endpoint, EndpointLabels, MetricLabels, Metrics, Operation, OrderStatus};
use super::{PaymentMethod, PaymentStatus};

/// Bounds of the request histograms, in seconds: those of the requirements and more, within 100 ms of
/// any value up to a second.
const REQUEST_BUCKETS: [f64; 26] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4,
    0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.0, 5.0,
];
const BATCH_BUCKETS: [f64; 13] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0,
];
const COMMIT_BUCKETS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Names and labels are constants, so that registering them can only fail by a defect.
const CONSTANT: &str = "invariant: metric names and labels are valid and distinct constants";

pub(super) fn register(labels: &MetricLabels, endpoints: &[EndpointLabels]) -> Metrics {
    let registry = Registry::new();
    add(&registry, ProcessMetrics::new().expect(CONSTANT));
    build_info(&registry, labels);
    let sale = gauge(
        &registry,
        "ecommerce_sale_active",
        "Whether a sale is on (1) or not (0)",
    );
    sale.set(if labels.sale { 1.0 } else { 0.0 });
    Metrics {
        endpoints: request_histograms(&registry, endpoints),
        orders: orders(&registry),
        payments: payments(&registry, labels),
        replays: replays(&registry),
        shed: shed(&registry),
        cart_additions: counter(
            &registry,
            "ecommerce_cart_additions_total",
            "Total number of additions to carts",
        ),
        carts_created: counter(
            &registry,
            "ecommerce_carts_created_total",
            "Total carts made",
        ),
        carts_converted: counter(
            &registry,
            "ecommerce_carts_converted_total",
            "Total carts that became an order",
        ),
        order_creation: histogram(
            &registry,
            (
                "ecommerce_order_creation_time_seconds",
                "Order creation time",
            ),
            &REQUEST_BUCKETS,
        ),
        batch_size: histogram(
            &registry,
            (
                "ecommerce_order_batch_size",
                "Writes made durable by one commit",
            ),
            &BATCH_BUCKETS,
        ),
        commit: histogram(
            &registry,
            ("ecommerce_store_commit_seconds", "Duration of a commit"),
            &COMMIT_BUCKETS,
        ),
        active_users: gauge(
            &registry,
            "ecommerce_active_users",
            "Number of active users",
        ),
        average_cart_value: gauge(&registry, "ecommerce_avg_cart_value", "Average cart value"),
        oversold_products: gauge(
            &registry,
            "ecommerce_oversold_products",
            "Products whose stock equation does not hold; must be 0",
        ),
        reserved_units: gauge(
            &registry,
            "ecommerce_reserved_units",
            "Pieces that unpaid orders hold",
        ),
        shared_cache_up: shared_cache_up(&registry),
        registry,
    }
}

/// 1 where nothing is shared too, so that one alert serves all.
fn shared_cache_up(registry: &Registry) -> Gauge {
    let up = gauge(
        registry,
        "ecommerce_shared_cache_up",
        "Whether the cache that shops share answers; 1 where there is none",
    );
    up.set(1.0);
    up
}

fn build_info(registry: &Registry, labels: &MetricLabels) {
    let opts = Opts::new("ecommerce_build_info", "The running program and its levers");
    let info = GaugeVec::new(opts, &["version", "levers"]).expect(CONSTANT);
    info.with_label_values(&[labels.version.as_str(), labels.levers.as_str()])
        .set(1.0);
    add(registry, info);
}

fn request_histograms(registry: &Registry, endpoints: &[EndpointLabels]) -> Vec<Endpoint> {
    let opts = HistogramOpts::new(
        "ecommerce_request_duration_seconds",
        "Request duration in seconds",
    )
    .buckets(REQUEST_BUCKETS.to_vec());
    let family = HistogramVec::new(opts, &["endpoint", "method", "status"]).expect(CONSTANT);
    add(registry, family.clone());
    endpoints
        .iter()
        .map(|labels| Endpoint {
            statuses: labels.statuses,
            histograms: labels
                .statuses
                .iter()
                .map(|status| {
                    let status = status.to_string();
                    family.with_label_values(&[labels.endpoint, labels.method, &status])
                })
                .collect(),
        })
        .collect()
}

fn orders(registry: &Registry) -> [[IntCounter; PaymentMethod::ALL.len()]; OrderStatus::ALL.len()] {
    let opts = Opts::new("ecommerce_orders_total", "Total number of orders");
    let family = IntCounterVec::new(opts, &["status", "payment_method"]).expect(CONSTANT);
    add(registry, family.clone());
    OrderStatus::ALL.map(|status| {
        PaymentMethod::ALL.map(|method| family.with_label_values(&[status.name(), method.name()]))
    })
}

fn payments(registry: &Registry, labels: &MetricLabels) -> [IntCounter; PaymentStatus::ALL.len()] {
    let opts = Opts::new("ecommerce_payments_total", "Total payment events");
    let family = IntCounterVec::new(opts, &["gateway", "currency", "status"]).expect(CONSTANT);
    add(registry, family.clone());
    PaymentStatus::ALL
        .map(|status| family.with_label_values(&[labels.gateway, labels.currency, status.name()]))
}

fn replays(registry: &Registry) -> [IntCounter; Operation::ALL.len()] {
    let opts = Opts::new(
        "ecommerce_replays_total",
        "Requests answered with an earlier answer",
    );
    by_name(
        registry,
        opts,
        "operation",
        Operation::ALL.map(Operation::name),
    )
}

fn shed(registry: &Registry) -> [IntCounter; Class::ALL.len()] {
    let opts = Opts::new(
        "ecommerce_requests_shed_total",
        "Requests refused to protect the shop",
    );
    by_name(registry, opts, "class", Class::ALL.map(Class::name))
}

fn by_name<const COUNT: usize>(
    registry: &Registry,
    opts: Opts,
    label: &str,
    names: [&str; COUNT],
) -> [IntCounter; COUNT] {
    let family = IntCounterVec::new(opts, &[label]).expect(CONSTANT);
    add(registry, family.clone());
    names.map(|name| family.with_label_values(&[name]))
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    let counter = IntCounter::new(name, help).expect(CONSTANT);
    add(registry, counter.clone());
    counter
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::new(name, help).expect(CONSTANT);
    add(registry, gauge.clone());
    gauge
}

fn histogram(registry: &Registry, (name, help): (&str, &str), buckets: &[f64]) -> Histogram {
    let opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    let histogram = Histogram::with_opts(opts).expect(CONSTANT);
    add(registry, histogram.clone());
    histogram
}

fn add(registry: &Registry, collector: impl Collector + 'static) {
    registry.register(Box::new(collector)).expect(CONSTANT);
}
