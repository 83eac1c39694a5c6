//! Seeded random numbers without a lock: a counter that is scrambled.

use std::sync::atomic::{AtomicU64, Ordering};

/// The increment of `SplitMix64`. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The output function of `SplitMix64`: a bijection that scatters neighbouring inputs.
pub(crate) const fn scramble(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A stream of random numbers that many tasks may draw from at once.
#[derive(Debug)]
pub(crate) struct SharedStream(AtomicU64);

impl SharedStream {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(scramble(seed)))
    }

    /// A number below `bound`, each as likely as any other but for 2^-32.
    pub(crate) fn below(&self, bound: u32) -> u32 {
        let state = self
            .0
            .fetch_add(GOLDEN, Ordering::Relaxed)
            .wrapping_add(GOLDEN);
        let upper = scramble(state) >> 32;
        // `upper` is below 2^32, so the product shifted back is below `bound`.
        u32::try_from((upper * u64::from(bound)) >> 32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::SharedStream;

    #[test]
    fn numbers_are_below_the_bound_and_spread() {
        let stream = SharedStream::new(11);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[stream.below(10) as usize] += 1;
        }
        // 1,000 expected each; 6 standard deviations are 180.
        assert!(
            seen.iter().all(|count| (820..1_180).contains(count)),
            "{seen:?}"
        );
        assert_eq!(stream.below(0), 0);
        assert_eq!(
            SharedStream::new(11).below(1_000_000),
            SharedStream::new(11).below(1_000_000)
        );
    }
}
