//! From values to places on the paper, and the ticks of an axis.

/// An axis from a least to a greatest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// From zero to at least `most`, up to a tick.
    pub(super) fn from_zero(most: f64) -> Self {
        let step = step(most.max(f64::MIN_POSITIVE));
        Self {
            least: 0.0,
            most: (most / step).ceil().max(1.0) * step,
            is_logarithmic: false,
        }
    }

    /// From `least` to `most`, both above zero, each factor of ten as long as any other.
    pub(super) fn logarithmic(least: f64, most: f64) -> Self {
        Self {
            least,
            most: most.max(least * 1.01),
            is_logarithmic: true,
        }
    }

    /// The same, up and down to whole powers of ten.
    pub(super) fn decades(least: f64, most: f64) -> Self {
        let (low, high) = (least.log10().floor(), most.log10().ceil());
        Self::logarithmic(10_f64.powf(low), 10_f64.powf(high.max(low + 1.0)))
    }

    /// The share of the axis that lies before a value.
    pub(super) fn share(&self, value: f64) -> f64 {
        let place = |value: f64| {
            if self.is_logarithmic {
                value.ln()
            } else {
                value
            }
        };
        let (least, most) = (place(self.least), place(self.most));
        ((place(value) - least) / (most - least)).clamp(0.0, 1.0)
    }

    /// Round values along the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.is_logarithmic {
            return self.powers();
        }
        let step = step(self.most);
        let mut ticks = vec![0.0];
        while ticks
            .last()
            .is_some_and(|last| last + step <= self.most * 1.001)
        {
            ticks.push(ticks.len() as f64 * step);
        }
        ticks
    }
}

impl Scale {
    /// The powers of ten; where there are few of them 2 and 5 times each as well.
    fn powers(&self) -> Vec<f64> {
        let is_short = self.most / self.least < 1_000.0;
        let factors: &[f64] = if is_short { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut power = 10_f64.powf(self.least.log10().floor());
        let mut ticks = Vec::new();
        while power <= self.most * 1.001 {
            let round = factors.iter().map(|factor| factor * power);
            let within = |tick: &f64| (self.least * 0.999..=self.most * 1.001).contains(tick);
            ticks.extend(round.filter(within));
            power *= 10.0;
        }
        ticks
    }
}

/// A round step that divides a length into four to eight.
fn step(most: f64) -> f64 {
    let raw = most / 4.0;
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [5.0, 2.5, 2.0, 1.0]
        .into_iter()
        .find(|factor| factor * power <= raw);
    factor.unwrap_or(1.0) * power
}

#[cfg(test)]
mod tests {
    use super::Scale;

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-9 || found.total_cmp(expected).is_eq());
        }
    }

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        near(
            &Scale::from_zero(36_000.0).ticks(),
            &[0.0, 1e4, 2e4, 3e4, 4e4],
        );
        near(&Scale::from_zero(1.0).ticks(), &[0.0, 0.25, 0.5, 0.75, 1.0]);
        near(
            &Scale::decades(0.3, 420.0).ticks(),
            &[0.1, 1.0, 10.0, 100.0, 1_000.0],
        );
        near(
            &Scale::logarithmic(16.0, 120.0).ticks(),
            &[20.0, 50.0, 100.0],
        );
    }

    #[test]
    fn places_lie_between_the_ends() {
        let scale = Scale::logarithmic(1.0, 100.0);
        near(&[scale.share(10.0), scale.share(1_000.0)], &[0.5, 1.0]);
        near(&[Scale::from_zero(4.0).share(1.0)], &[0.25]);
    }
}
