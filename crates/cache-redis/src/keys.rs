//! The keys. Each command and script touches one key, or keys with one hash tag, so that it runs in one slot
//! of a cluster.

use double11_units::CartId;

/// The kinds of keys, as they follow the prefix.
pub(crate) const KINDS: [&str; 4] = ["cart:", "sold-out", "{activity}:", "store"];

/// The names of keys below one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A cart, or the mark that blocks it.
    pub(crate) fn cart(&self, cart_id: CartId) -> String {
        format!("{}cart:{}", self.prefix, cart_id.get())
    }

    /// The sorted set of products that are sold out.
    pub(crate) fn sold_out(&self) -> String {
        format!("{}sold-out", self.prefix)
    }

    /// Whom each shop saw in a slot of time: a hash by shop.
    pub(crate) fn activity(&self, slot: u64) -> String {
        format!("{}{{activity}}:{slot}", self.prefix)
    }

    /// Which store the keys belong to.
    pub(crate) fn store(&self) -> String {
        format!("{}store", self.prefix)
    }
}
