//! Rates that a plan asks for.

use std::time::Duration;

/// Starts per second that a plan asks for (open model). Finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct ArrivalRate(f64);

/// The number is negative, infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a rate: a finite number of starts per second, zero or more, is needed")]
pub struct InvalidRate(pub f64);

impl ArrivalRate {
    /// A rate of `per_second` starts per second.
    ///
    /// # Errors
    /// [`InvalidRate`] unless the number is finite and not negative.
    pub fn per_second(per_second: f64) -> Result<Self, InvalidRate> {
        if per_second.is_finite() && per_second >= 0.0 {
            Ok(Self(per_second))
        } else {
            Err(InvalidRate(per_second))
        }
    }

    /// Starts per second.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The expected number of starts within `span`.
    pub fn expected_starts(self, span: Duration) -> f64 {
        self.0 * span.as_secs_f64()
    }
}
