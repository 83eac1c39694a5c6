//! Seeded streams of random numbers.
//!
//! Every shopper has a stream of its own, seeded from the run's seed and the shopper's number, and the
//! arrival schedule has another one. What a shopper does therefore depends on neither the number of
//! threads nor on what other shoppers met with.

use std::convert::Infallible;

use rand::rand_core::TryRng;
use rand::{Rng as _, distr::Distribution};
use rand_distr::Zipf;
use rand_pcg::Mcg128Xsl64;

/// Tells the stream of the arrival schedule from those of the shoppers.
const ARRIVALS: u64 = 0x6172_7269_7661_6c73;
const SHOPPERS: u64 = 0x7368_6f70_7065_7273;
const RETRIES: u64 = 0x0072_6574_7269_6573;

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream(Mcg128Xsl64);

impl Stream {
    /// The stream of shopper number `shopper`.
    pub fn of_shopper(seed: u64, shopper: u64) -> Self {
        Self::seeded(seed, SHOPPERS, shopper)
    }

    /// The stream of the pauses before the retries of shopper number `shopper`.
    pub fn of_retries(seed: u64, shopper: u64) -> Self {
        Self::seeded(seed, RETRIES, shopper)
    }

    /// The stream of the arrival schedule.
    pub fn of_arrivals(seed: u64) -> Self {
        Self::seeded(seed, ARRIVALS, 0)
    }

    fn seeded(seed: u64, purpose: u64, number: u64) -> Self {
        // Neighbouring seeds and numbers must give unrelated streams, hence the mixing.
        let base = mix(mix(seed).wrapping_add(purpose));
        let high = mix(base.wrapping_add(number));
        let low = mix(high ^ purpose);
        Self(Mcg128Xsl64::new((u128::from(high) << 64) | u128::from(low)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0.0..1.0`, in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// An integer in `min..=max`, each equally likely but for a bias below 2⁻⁴⁰ in ranges up to 2²⁴.
    ///
    /// Source: D. Lemire, “Fast random integer generation in an interval”, 2019, without its rejection.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        let span = u128::from(max.saturating_sub(min)) + 1;
        let scaled = (u128::from(self.bits()) * span) >> 64;
        min.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    /// A gap of the Poisson process with one event per unit of time.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// A rank drawn by Zipf's law, from 1.
    pub fn rank(&mut self, distribution: &Zipf<f64>) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank is a whole number from 1 up to the number of ranks"
        )]
        let rank = distribution.sample(&mut self.0) as u64;
        rank.max(1)
    }

    /// Random bytes for an identifier.
    pub fn bytes(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

/// The finaliser of `SplitMix64`.
///
/// Source: G. Steele, D. Lea, C. Flood, “Fast splittable pseudorandom number generators”, 2014.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_seed_and_shopper() {
        let draw = |seed, shopper| {
            let mut stream = Stream::of_shopper(seed, shopper);
            [stream.bits(), stream.bits()]
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
    }

    #[test]
    fn neighbouring_streams_are_not_correlated() {
        // The first draw of 100,000 neighbouring shoppers, in 20 equal bins.
        let mut bins = [0_u32; 20];
        for shopper in 0..100_000 {
            let bin = Stream::of_shopper(7, shopper).between(0, 19);
            bins[usize::try_from(bin).unwrap()] += 1;
        }
        // Chi-squared with 19 degrees of freedom: 43.8 is exceeded once in a thousand.
        let chi: f64 = bins
            .iter()
            .map(|&n| (f64::from(n) - 5_000.0).powi(2) / 5_000.0)
            .sum();
        assert!(chi < 43.8, "chi-squared {chi}");
    }

    #[test]
    fn ranges_reach_both_ends_and_no_further() {
        let mut stream = Stream::of_shopper(3, 0);
        let drawn: Vec<u64> = (0..1_000).map(|_| stream.between(5, 8)).collect();
        assert_eq!(drawn.iter().min(), Some(&5));
        assert_eq!(drawn.iter().max(), Some(&8));
        assert_eq!(stream.between(9, 9), 9);
        stream.between(0, u64::MAX);
    }
}
