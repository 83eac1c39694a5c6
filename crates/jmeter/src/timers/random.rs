//! Delays that are drawn.

use std::f64::consts::PI;

use double11_load::random::Stream;

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large for a delay becomes the largest"
)]
fn whole(value: f64) -> i64 {
    value.abs() as i64
}

/// Evenly between the delay and the delay plus the range.
pub(super) fn uniform(random: &mut Stream, delay: i64, range: f64) -> i64 {
    whole(random.unit() * range + delay as f64)
}

/// Around the delay, with the range as standard deviation; what is below zero is turned around.
pub(super) fn gaussian(random: &mut Stream, delay: i64, range: f64) -> i64 {
    whole(normal(random) * range + delay as f64)
}

/// A draw of the normal distribution of mean 0 and deviation 1.
///
/// Source: G. Box, M. Muller, “A note on the generation of random normal deviates”, 1958.
fn normal(random: &mut Stream) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (2.0 * PI * random.unit()).cos()
}

/// The delay plus a draw of Poisson's distribution of this mean.
pub(super) fn poisson(random: &mut Stream, delay: i64, mean: f64) -> i64 {
    let mean = mean.round().clamp(0.0, 2_147_483_647.0);
    let drawn = if mean <= 30.0 {
        by_product(random, mean)
    } else {
        by_rejection(random, mean)
    };
    whole(drawn + delay as f64)
}

/// Source: D. Knuth, “The Art of Computer Programming”, volume 2, section 3.4.1.
fn by_product(random: &mut Stream, mean: f64) -> f64 {
    let least = (-mean).exp();
    let mut product = random.unit();
    let mut count = 0.0;
    while product > least {
        count += 1.0;
        product *= random.unit();
    }
    count
}

/// Source: A. Atkinson, “The computer generation of Poisson random variables”, 1979, method PA.
fn by_rejection(random: &mut Stream, mean: f64) -> f64 {
    let scale = 0.767 - 3.36 / mean;
    let beta = PI / (3.0 * mean).sqrt();
    let alpha = beta * mean;
    let offset = scale.ln() - mean - beta.ln();
    loop {
        let proposal = 1.0 - random.unit();
        let at = (alpha - ((1.0 - proposal) / proposal).ln()) / beta;
        let count = (at + 0.5).floor();
        if count < 0.0 {
            continue;
        }
        let trial = 1.0 - random.unit();
        let height = alpha - beta * at;
        let left = height + (trial / (1.0 + height.exp()).powi(2)).ln();
        if left <= offset + count * mean.ln() - ln_factorial(count) {
            return count;
        }
    }
}

/// By Stirling's series, whose error is below 10⁻⁹ from 30 on; summed up to there.
fn ln_factorial(n: f64) -> f64 {
    let x = n + 1.0;
    if x < 30.0 {
        let mut sum = 0.0;
        let mut factor = 2.0;
        while factor <= n {
            sum += f64::ln(factor);
            factor += 1.0;
        }
        return sum;
    }
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(draw: impl Fn(&mut Stream) -> i64) -> (f64, f64) {
        let mut random = Stream::of_shopper(11, 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| draw(&mut random) as f64).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, (variance / drawn.len() as f64).sqrt())
    }

    #[test]
    fn draws_have_the_means_and_deviations_they_should() {
        let check = |name: &str, (mean, deviation): (f64, f64), expected: (f64, f64)| {
            assert!(
                (mean - expected.0).abs() < 0.02 * expected.0,
                "{name}: {mean}"
            );
            assert!(
                (deviation - expected.1).abs() < 0.05 * expected.1,
                "{name}: {deviation}"
            );
        };
        check(
            "uniform",
            mean_of(|r| uniform(r, 1_000, 3_000.0)),
            (2_500.0, 866.0),
        );
        check(
            "gaussian",
            mean_of(|r| gaussian(r, 2_000, 100.0)),
            (2_000.0, 100.0),
        );
        check("few", mean_of(|r| poisson(r, 0, 9.0)), (9.0, 3.0));
        check("many", mean_of(|r| poisson(r, 100, 400.0)), (500.0, 20.0));
    }
}
