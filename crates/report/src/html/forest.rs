//! One line of the forest plot: the pairs, their interval and the band of no matter, on a logarithmic
//! axis.
//!
//! It is drawn as SVG in the page itself, so that it needs no script and prints as it looks. The
//! picture is stretched to the width of the page; its words stand outside of it and are not.

use maud::{Markup, html};

use super::Context;
use crate::format;
use crate::model::{Interval, IntervalBound, Metric, MetricComparison};
use crate::texts::fill;

/// Width of the drawing in its own units.
const WIDTH: f64 = 1000.0;
/// Share of the width that is left free at either end.
const MARGIN: f64 = 0.06;

/// The ratios of one metric, ready to be drawn.
pub(super) struct Track {
    metric: Metric,
    ratio: Interval,
    pairs: Vec<f64>,
    minimum_effect: f64,
    low: f64,
    high: f64,
}

/// The ratios between which a change is too small to count, the same factor either way.
fn band(minimum_effect: f64) -> [f64; 2] {
    let end = 1.0 + minimum_effect;
    [1.0 / end, end]
}

impl Track {
    /// `None` where there is no ratio to draw.
    pub(super) fn of(compared: &MetricComparison, minimum_effect: f64) -> Option<Self> {
        let ratio = compared.ratio.filter(|ratio| ratio.estimate > 0.0)?;
        let pairs: Vec<f64> = compared
            .runs
            .iter()
            .filter_map(|pair| Some(pair.optimised?.value / pair.baseline?.value))
            .filter(|ratio| ratio.is_finite() && *ratio > 0.0)
            .collect();
        let ends = [ratio.low, ratio.high, Some(ratio.estimate)];
        let band = band(minimum_effect);
        let values = ends
            .into_iter()
            .flatten()
            .chain(band)
            .chain(pairs.iter().copied());
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        Some(Self {
            metric: compared.metric,
            ratio,
            pairs,
            minimum_effect,
            low,
            high,
        })
    }

    /// Where a ratio stands, in units of the drawing.
    fn place(&self, ratio: f64) -> f64 {
        let share = (ratio / self.low).ln() / (self.high / self.low).ln();
        WIDTH * (MARGIN + (1.0 - 2.0 * MARGIN) * share.clamp(0.0, 1.0))
    }

    fn interval(&self) -> Option<(f64, f64)> {
        let low = self.ratio.low.map(|low| self.place(low));
        let high = self.ratio.high.map(|high| self.place(high));
        match (self.ratio.bound, low, high) {
            (_, Some(low), Some(high)) => Some((low, high)),
            (IntervalBound::AtMost, None, Some(high)) => Some((0.0, high)),
            (IntervalBound::AtLeast, Some(low), None) => Some((low, WIDTH)),
            _ => None,
        }
    }

    pub(super) fn render(&self, context: &Context<'_>) -> Markup {
        let texts = context.texts;
        let last = context.report.variants.len().saturating_sub(1);
        let metric = context.metric(self.metric);
        let pairs: Vec<String> = self
            .pairs
            .iter()
            .map(|ratio| format::ratio_number(*ratio))
            .collect();
        let label = fill(
            texts.forest_label,
            &[
                ("metric", metric),
                ("ratio", &format::estimate(Some(self.ratio))),
                ("pairs", &pairs.join(texts.list_separator)),
            ],
        );
        let [band_low, band_high] = band(self.minimum_effect).map(|end| self.place(end));
        let path = |x: f64| format!("{x:.1}");
        html! {
            div.track {
                b { (metric) }
                svg role="img" aria-label=(label) viewBox=(format!("0 0 {WIDTH} 48"))
                    preserveAspectRatio="none" {
                    title { (label) }
                    // A band narrower than a line is still to be seen.
                    rect.band x=(path(band_low)) y="0" height="48"
                        width=(path((band_high - band_low).max(3.0))) {}
                    path.even d=(format!("M{:.1} 0V48", self.place(1.0))) {}
                    @if let Some((low, high)) = self.interval() {
                        path class={ "interval tone-" (last % 4) }
                            d=(format!("M{low:.1} 16H{high:.1}M{low:.1} 11V21M{high:.1} 11V21")) {}
                    }
                    path class={ "estimate tone-" (last % 4) }
                        d=(format!("M{:.1} 6V26", self.place(self.ratio.estimate))) {}
                    @for ratio in &self.pairs {
                        path class={ "dot tone-" (last % 4) }
                            d=(format!("M{:.1} 38h.01", self.place(*ratio))) {}
                    }
                }
                div.ends {
                    span { (format::ratio(self.low)) }
                    span { (format::ratio(self.high)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_mark_lies_inside_the_drawing_and_in_order() {
        let report = sample::full();
        let comparison = report.comparison.unwrap();
        for compared in &comparison.metrics {
            let track = Track::of(compared, comparison.minimum_effect).unwrap();
            let (low, high) = track.interval().unwrap();
            let estimate = track.place(track.ratio.estimate);
            assert!(low <= estimate && estimate <= high, "{:?}", compared.metric);
            assert!(low >= 0.0 && high <= WIDTH);
            let [below, above] = band(comparison.minimum_effect).map(|end| track.place(end));
            let even = track.place(1.0);
            assert!(below < even && even < above);
            assert!((even - below - (above - even)).abs() < 1e-9);
            assert_eq!(track.pairs.len(), comparison.pairs as usize);
        }
    }

    #[test]
    fn a_limit_reaches_to_the_edge() {
        let report = sample::full();
        let mut compared = report.comparison.unwrap().metrics.remove(0);
        compared.ratio = Some(Interval {
            estimate: 0.2,
            low: None,
            high: Some(0.3),
            bound: IntervalBound::AtMost,
        });
        let (low, high) = Track::of(&compared, 0.05).unwrap().interval().unwrap();
        assert!(low < 0.1 && high < WIDTH);
        compared.ratio = None;
        assert!(Track::of(&compared, 0.05).is_none());
    }
}
