//! What the caller decides about a shop. Nothing here has a default: `serve` and `rehearse` choose.

use std::net::SocketAddr;
use std::time::Duration;

use double11_gateway::signature::Secret;
use double11_store::Levers;
use double11_units::Currency;

/// Everything a shop is told at its start.
#[derive(Clone, Debug)]
pub struct ShopSettings {
    /// Where the shop listens; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// Where `/actuator` is served instead, so that it is off the public address.
    pub management_addr: Option<SocketAddr>,
    /// The optimisations that are on.
    pub levers: Levers,
    /// What the set of levers is called, for `/actuator/info`.
    pub variant: String,
    /// The program's version, for `/actuator/info` and `ecommerce_build_info`.
    pub version: String,
    /// The one currency of the shop.
    pub currency: Currency,
    /// Products in the store, ids 1..=products.
    pub products: u32,
    /// The seed of the catalogue and of random picks.
    pub seed: u64,
    /// Whether a sale is on (`ecommerce_sale_active`), so that alerts on low traffic may fire.
    pub sale: bool,
    /// How long an unpaid order holds its stock. The store enforces it; the shop only tells it.
    pub payment_window: Duration,
    /// How long a payment waits for the gateway before it answers 202.
    pub gateway_deadline: Duration,
    /// What the gateway signs its callbacks with; without one no callback is believed.
    pub callback_secret: Option<Secret>,
    /// The limits of everything that could grow.
    pub limits: Limits,
}

/// The limits of everything that could grow. Each is an option of `serve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest accepted request body, in bytes. Above: 413.
    pub body_bytes: usize,
    /// The largest accepted request head, in bytes; at least 8192. Above: 431.
    pub head_bytes: usize,
    /// The longest a request head may take to arrive. Beyond: 408 and the connection closes.
    pub head_timeout: Duration,
    /// The longest a request body may take to arrive. Beyond: 408 and the connection closes.
    pub body_timeout: Duration,
    /// The longest a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// Connections at a time; more wait in the listener's backlog.
    pub connections_max: usize,
    /// Requests in process at a time with the lever `admission`. Above: 503, lower classes first.
    pub in_flight_max: usize,
    /// Carts that the cart cache may hold.
    pub cart_cache_entries: usize,
    /// How long a shutdown waits for requests and payments in process.
    pub drain_deadline: Duration,
    /// How long an idempotency key is kept after it was claimed. A retry with a key that is gone is
    /// a new write.
    pub keep_keys: Duration,
    /// How long a cart is kept after its last change.
    pub keep_carts: Duration,
}

impl Limits {
    /// The limits that `serve` offers as the defaults of its options.
    pub const SERVE: Self = Self {
        body_bytes: 64 * 1024,
        head_bytes: 16 * 1024,
        head_timeout: Duration::from_secs(5),
        body_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_mins(1),
        connections_max: 4_096,
        in_flight_max: 1_024,
        cart_cache_entries: 200_000,
        drain_deadline: Duration::from_secs(10),
        keep_keys: Duration::from_hours(24),
        keep_carts: Duration::from_hours(7 * 24),
    };
}
