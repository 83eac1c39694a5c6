//! Decimal numbers as Groovy has them: exact sums and products, quotients with ten digits.
//!
//! Source: the documentation of `java.math.BigDecimal`, and Groovy's division, which asks for the exact
//! quotient and otherwise rounds half up at ten places (or as many as an operand has).

use std::cmp::Ordering;

/// `unscaled` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    unscaled: i128,
    scale: u32,
}

/// Places of a quotient that is not exact.
const QUOTIENT_PLACES: u32 = 10;
/// More places are not kept; what would have them is an error.
const PLACES_MAX: u32 = 30;

impl Decimal {
    pub(super) fn whole(number: i64) -> Self {
        Self {
            unscaled: i128::from(number),
            scale: 0,
        }
    }

    /// `None` also for what Java would write with a power of ten, such as `1e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let scale = u32::try_from(scale).ok();
        let scale = scale.filter(|scale| *scale <= PLACES_MAX)?;
        Some(Self { unscaled, scale })
    }

    pub(super) fn number(self) -> f64 {
        self.unscaled as f64 / 10_f64.powi(self.scale.cast_signed())
    }

    /// Both with the same scale.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let one = self.unscaled.checked_mul(10_i128.pow(scale - self.scale))?;
        let another = other
            .unscaled
            .checked_mul(10_i128.pow(scale - other.scale))?;
        Some((one, another, scale))
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (one, another, scale) = self.aligned(other)?;
        let unscaled = one.checked_add(another)?;
        Some(Self { unscaled, scale })
    }

    pub(super) fn negated(self) -> Self {
        Self {
            unscaled: self.unscaled.wrapping_neg(),
            scale: self.scale,
        }
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let scale = self.scale + other.scale;
        let unscaled = self.unscaled.checked_mul(other.unscaled)?;
        (scale <= PLACES_MAX).then_some(Self { unscaled, scale })
    }

    pub(super) fn remainder(self, other: Self) -> Option<Self> {
        let (one, another, scale) = self.aligned(other)?;
        let unscaled = one.checked_rem(another)?;
        Some(Self { unscaled, scale })
    }

    pub(super) fn divided(self, other: Self) -> Option<Self> {
        if other.unscaled == 0 {
            return None;
        }
        let preferred = self.scale.saturating_sub(other.scale);
        let exact = (preferred..=PLACES_MAX).find_map(|scale| self.quotient(other, scale, true));
        let scale = self.scale.max(other.scale).max(QUOTIENT_PLACES);
        exact.or_else(|| self.quotient(other, scale, false))
    }

    /// The quotient with so many places, rounded half up; `None` when it must be exact and is not.
    fn quotient(self, other: Self, scale: u32, exact: bool) -> Option<Self> {
        // One more place than asked for decides how it is rounded.
        let shift = i64::from(scale) + 1 + i64::from(other.scale) - i64::from(self.scale);
        let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
        let (dividend, divisor) = if shift >= 0 {
            (self.unscaled.checked_mul(power)?, other.unscaled)
        } else {
            (self.unscaled, other.unscaled.checked_mul(power)?)
        };
        let quotient = dividend / divisor;
        if exact && (dividend % divisor != 0 || quotient % 10 != 0) {
            return None;
        }
        let half = if quotient < 0 { -5 } else { 5 };
        let unscaled = (quotient + half) / 10;
        Some(Self { unscaled, scale })
    }

    pub(super) fn compared(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((one, another, _)) => one.cmp(&another),
            None => self.number().total_cmp(&other.number()),
        }
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.unscaled.unsigned_abs().to_string();
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let places = self.scale as usize;
        if places == 0 {
            return write!(formatter, "{sign}{digits}");
        }
        if digits.len() + 6 <= places {
            let exponent = places - (digits.len() - 1);
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return write!(formatter, "{sign}{first}{point}{rest}E-{exponent}");
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}
