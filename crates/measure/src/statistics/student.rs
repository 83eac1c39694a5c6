//! Student's t: the test and the interval of a mean.
//!
//! Source: Student, "The Probable Error of a Mean", Biometrika 6 (1908), 1–25. The distribution is
//! that of the crate `statrs` (incomplete beta function), held against an independent computation in
//! the tests.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::PAIRS_MIN;
use super::paired::{Inference, Interval};

/// Rounding errors of a mean and its deviation, in units of the last place of the largest figure
/// that went into them; a spread below that is no spread.
const ROUNDING_ULPS: f64 = 16.0;

/// The arithmetic mean. Zero without a value.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// What can be said about the mean of the population that `values` are drawn from. `magnitude` is
/// the size of the largest figure from which the values were computed. `None` below [`PAIRS_MIN`]
/// values, or for a level that is not between 0 and 1.
pub(super) fn inference(values: &[f64], magnitude: f64, level: f64) -> Option<Inference> {
    let count = values.len();
    if count < PAIRS_MIN || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let degrees_of_freedom = count - 1;
    let deviation = (squares / degrees_of_freedom as f64).sqrt();
    let resolution = ROUNDING_ULPS * f64::EPSILON * magnitude;
    if deviation <= resolution {
        let p_value = if mean.abs() <= resolution { 1.0 } else { 0.0 };
        return Some(Inference {
            level,
            interval: Interval {
                low: mean,
                high: mean,
            },
            standard_error: 0.0,
            t: None,
            degrees_of_freedom,
            p_value,
        });
    }
    let standard_error = deviation / (count as f64).sqrt();
    let student = StudentsT::new(0.0, 1.0, degrees_of_freedom as f64).ok()?;
    let t = mean / standard_error;
    if !t.is_finite() {
        return None;
    }
    let half_width = student.inverse_cdf(f64::midpoint(1.0, level)) * standard_error;
    Some(Inference {
        level,
        interval: Interval {
            low: mean - half_width,
            high: mean + half_width,
        },
        standard_error,
        t: Some(t),
        degrees_of_freedom,
        p_value: (2.0 * student.sf(t.abs())).clamp(0.0, 1.0),
    })
}
