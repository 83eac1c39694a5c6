//! How many distinct users and carts were seen in the last five minutes, and what open carts are worth.
//!
//! Distinct visitors are counted by `HyperLogLog` sketches in slots of 30 s: fixed memory, no lock on
//! the way of a request, a standard error below 1 %. Source: Flajolet et al., "`HyperLogLog`: the
//! analysis of a near-optimal cardinality estimation algorithm", 2007.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use double11_store::Cart;
use double11_units::{CartId, Money, UserId};
use quick_cache::sync::Cache;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How long one slot lasts: the refresh period of the gauges.
pub(crate) const SLOT: Duration = Duration::from_secs(30);
/// Slots that make up the five minutes.
const SLOTS: usize = 10;
/// Registers of a sketch are 2^14: a standard error of 1.04 / sqrt(16384) = 0.8 %.
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;
/// The largest rank that 64 bits without those of the register can have.
const RANK_MAX: u8 = 64 - 14 + 1;
/// Open carts whose value is remembered.
const CARTS_MAX: usize = 65_536;

const SEED_USER: u64 = 1;
const SEED_CART: u64 = 2;

/// Who was seen, and what is in the carts.
pub(crate) struct Activity {
    sketches: Vec<Sketch>,
    /// The slot that records now. Slots before it hold the past, the one after it is cleared next.
    current: AtomicUsize,
    /// Total and slot of the carts that changed last.
    carts: Cache<CartId, (Money, usize)>,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            sketches: (0..SLOTS).map(|_| Sketch::new()).collect(),
            current: AtomicUsize::new(0),
            carts: Cache::new(CARTS_MAX),
        }
    }

    pub(crate) fn saw_user(&self, user_id: &UserId) {
        self.record(xxh3_64_with_seed(user_id.as_str().as_bytes(), SEED_USER));
    }

    pub(crate) fn saw_cart(&self, cart_id: CartId) {
        self.record(xxh3_64_with_seed(&cart_id.get().to_le_bytes(), SEED_CART));
    }

    /// A cart has a new total.
    pub(crate) fn cart_changed(&self, cart: &Cart) {
        if cart.lines.is_empty() {
            self.cart_ordered(cart.cart_id);
        } else {
            let slot = self.current.load(Ordering::Relaxed);
            self.carts.insert(cart.cart_id, (cart.total, slot));
        }
    }

    /// A cart became an order and is no longer open.
    pub(crate) fn cart_ordered(&self, cart_id: CartId) {
        self.carts.remove(&cart_id);
    }

    /// Distinct users and carts of the last five minutes.
    pub(crate) fn active(&self) -> u64 {
        let mut union = [0_u8; REGISTERS];
        for sketch in &self.sketches {
            for (highest, register) in union.iter_mut().zip(&sketch.registers) {
                *highest = (*highest).max(register.load(Ordering::Relaxed));
            }
        }
        estimate(&union)
    }

    /// Mean total of the open carts that changed in the last five minutes, in major units.
    pub(crate) fn average_cart_value(&self) -> f64 {
        let oldest = (self.current.load(Ordering::Relaxed) + 1).saturating_sub(SLOTS);
        let (mut sum, mut count) = (0.0, 0_u64);
        for (_, (total, slot)) in self.carts.iter() {
            if slot >= oldest {
                sum += total.minor_units() as f64 / 100.0;
                count += 1;
            }
        }
        if count == 0 { 0.0 } else { sum / count as f64 }
    }

    /// The sketch of the slot that records now, for other shops.
    pub(crate) fn seen(&self) -> Vec<u8> {
        let slot = self.current.load(Ordering::Relaxed) % SLOTS;
        let registers = self.sketches[slot].registers.iter();
        registers
            .map(|register| register.load(Ordering::Relaxed))
            .collect()
    }

    /// Adds the sketch of another shop to the slot that is `ago` slots back. One of another size is left out.
    pub(crate) fn merge(&self, ago: usize, seen: &[u8]) {
        let current = self.current.load(Ordering::Relaxed);
        if seen.len() != REGISTERS || ago >= SLOTS || ago > current {
            return;
        }
        let registers = &self.sketches[(current - ago) % SLOTS].registers;
        for (register, rank) in registers.iter().zip(seen) {
            register.fetch_max((*rank).min(RANK_MAX), Ordering::Relaxed);
        }
    }

    /// Begins the next slot; called every [`SLOT`].
    pub(crate) fn rotate(&self) {
        let next = self.current.load(Ordering::Relaxed) + 1;
        self.sketches[next % SLOTS].clear();
        self.current.store(next, Ordering::Relaxed);
    }

    fn record(&self, hash: u64) {
        let slot = self.current.load(Ordering::Relaxed) % SLOTS;
        self.sketches[slot].record(hash);
    }
}

struct Sketch {
    registers: Vec<AtomicU8>,
}

impl Sketch {
    fn new() -> Self {
        Self {
            registers: (0..REGISTERS).map(|_| AtomicU8::new(0)).collect(),
        }
    }

    fn record(&self, hash: u64) {
        let register = &self.registers[(hash >> (64 - REGISTER_BITS)) as usize % REGISTERS];
        // The sentinel bit bounds the rank when all remaining bits are zero.
        let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() + 1;
        let rank = u8::try_from(rank).unwrap_or(u8::MAX);
        // A read first: most visitors are known, and a shared line that is only read stays cheap.
        if register.load(Ordering::Relaxed) < rank {
            register.fetch_max(rank, Ordering::Relaxed);
        }
    }

    fn clear(&self) {
        for register in &self.registers {
            register.store(0, Ordering::Relaxed);
        }
    }
}

fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    let count = REGISTERS as f64;
    let harmonic: f64 = registers
        .iter()
        .map(|rank| (-f64::from(*rank)).exp2())
        .sum();
    let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / harmonic;
    let empty = registers
        .iter()
        .map(|rank| u32::from(*rank == 0))
        .sum::<u32>();
    let estimated = if raw <= 2.5 * count && empty > 0 {
        // Linear counting is the better estimator while many registers are empty.
        count * (count / f64::from(empty)).ln()
    } else {
        raw
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let rounded = estimated.round() as u64;
    rounded
}

#[cfg(test)]
mod tests {
    use double11_units::{CartId, UserId};

    use super::{Activity, SLOTS};

    #[test]
    fn counts_distinct_visitors_within_two_percent() {
        for distinct in [0_u64, 1, 10, 1_000, 100_000] {
            let activity = Activity::new();
            for user in 0..distinct {
                for _ in 0..2 {
                    activity.saw_user(&UserId::new(user.to_string()).unwrap());
                }
            }
            let counted = activity.active();
            assert!(
                counted.abs_diff(distinct) <= distinct / 50,
                "{counted} for {distinct}"
            );
        }
    }

    #[test]
    fn the_visitors_of_several_shops_are_counted_once() {
        let shops = [Activity::new(), Activity::new()];
        for (first, activity) in [(0, &shops[0]), (500, &shops[1])] {
            for user in first..first + 1_000_u64 {
                activity.saw_user(&UserId::new(user.to_string()).unwrap());
            }
        }
        shops[0].merge(0, &shops[1].seen());
        let counted = shops[0].active();
        assert!(counted.abs_diff(1_500) <= 30, "{counted} of 1,500");
        // Another size, a slot that is not there, ranks that cannot be: nothing breaks.
        shops[0].merge(0, &[9; 100]);
        shops[0].merge(1, &shops[1].seen());
        assert_eq!(shops[0].active(), counted);
        shops[1].merge(0, &vec![255; super::REGISTERS]);
        assert!(shops[1].active() > 1_000_000_000);
    }

    #[test]
    fn forgets_after_five_minutes() {
        let activity = Activity::new();
        activity.saw_cart(CartId::new(7).unwrap());
        for _ in 1..SLOTS {
            activity.rotate();
            assert_eq!(activity.active(), 1);
        }
        activity.rotate();
        assert_eq!(activity.active(), 0);
    }
}
