//! The random numbers of Java: who gives `JMeter` a seed gets the same numbers here.
//!
//! Source: the documentation of `java.util.Random`: `setSeed`, `next`, `nextInt` and `nextDouble`.

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

/// A generator with a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JavaRandom(u64);

impl JavaRandom {
    pub(crate) fn new(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ MULTIPLIER) & MASK)
    }

    fn bits(&mut self, count: u32) -> u64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        self.0 >> (48 - count)
    }

    /// The next 31 bits.
    fn whole(&mut self) -> i32 {
        i32::try_from(self.bits(31)).unwrap_or_default()
    }

    /// A number from zero up to `bound`, which is greater than zero.
    pub(crate) fn below(&mut self, bound: i32) -> i32 {
        if bound & bound.wrapping_neg() == bound {
            let scaled = (i64::from(bound) * i64::from(self.whole())) >> 31;
            return i32::try_from(scaled).unwrap_or_default();
        }
        loop {
            let bits = self.whole();
            let number = bits % bound;
            if bits.wrapping_sub(number).wrapping_add(bound - 1) >= 0 {
                return number;
            }
        }
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        let number = (self.bits(26) << 27) + self.bits(27);
        number as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_of_java() {
        let mut random = JavaRandom::new(42);
        let numbers: Vec<i32> = (0..5).map(|_| random.below(100)).collect();
        assert_eq!(numbers, [30, 63, 48, 84, 70]);
        // As `new java.util.Random(seed).nextDouble()` gives them.
        for (seed, expected) in [(0, 0.730_967_787_376_657), (42, 0.727_563_680_032_868)] {
            let drawn = JavaRandom::new(seed).unit();
            assert!((drawn - expected).abs() < 1e-12, "{seed}: {drawn}");
        }
    }
}
