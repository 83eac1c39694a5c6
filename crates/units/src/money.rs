//! Money as an integer count of minor units, never a float.
//!
//! On the wire money is a decimal number in major units. [`Money::parse`] reads the decimal *text*
//! of that number, so that no binary fraction ever takes part; digits beyond the second are rounded
//! half away from zero, as the requirements' own client sends amounts like `123.45678901`.

#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

use std::fmt;

/// The currency of a shop. One shop sells in one currency; all of them have two minor digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Currency {
    /// Renminbi, the default.
    #[default]
    Cny,
    /// New Taiwan dollar.
    Twd,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// Every currency, in the order in which metrics list them.
    pub const ALL: [Self; 3] = [Self::Cny, Self::Twd, Self::Usd];

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Twd => "TWD",
            Self::Usd => "USD",
        }
    }

    /// The currency with this ISO 4217 code, compared without regard to case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code().eq_ignore_ascii_case(code))
    }
}

/// Why an amount could not be read or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a JSON number.
    #[error("not a decimal number")]
    NotANumber,
    /// The amount does not fit in 64 bits of minor units.
    #[error("amount out of range")]
    OutOfRange,
    /// Two amounts of different currencies were combined.
    #[error("amounts of different currencies")]
    CurrencyMismatch,
}

/// An amount of one currency. Negative amounts exist (differences), the shop never accepts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor_units: i64,
    currency: Currency,
}

impl Money {
    /// An amount given in minor units (fen, cents).
    pub const fn from_minor(minor_units: i64, currency: Currency) -> Self {
        Self {
            minor_units,
            currency,
        }
    }

    /// Nothing, of this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// The count of minor units.
    pub const fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Reads the text of a JSON number in major units, such as `199`, `12.5` or `1.5e2`.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`] for anything that RFC 8259 does not call a number,
    /// [`MoneyError::OutOfRange`] when the rounded amount does not fit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        parse_minor_units(text.as_bytes()).map(|minor_units| Self {
            minor_units,
            currency,
        })
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self
            .minor_units
            .checked_add(other.minor_units)
            .ok_or(MoneyError::OutOfRange)?;
        Ok(Self::from_minor(sum, self.currency))
    }

    /// The difference of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let rest = self
            .minor_units
            .checked_sub(other.minor_units)
            .ok_or(MoneyError::OutOfRange)?;
        Ok(Self::from_minor(rest, self.currency))
    }

    /// This amount `count` times.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn checked_mul(self, count: i64) -> Result<Self, MoneyError> {
        let product = self
            .minor_units
            .checked_mul(count)
            .ok_or(MoneyError::OutOfRange)?;
        Ok(Self::from_minor(product, self.currency))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch)
        }
    }
}

impl fmt::Display for Money {
    /// Major units with two places, as on the wire: `1234.50`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let magnitude = self.minor_units.unsigned_abs();
        write!(
            formatter,
            "{sign}{}.{:02}",
            magnitude / 100,
            magnitude % 100
        )
    }
}

/// The digits of a JSON number and the power of ten of its last digit.
struct Decimal<'text> {
    negative: bool,
    whole: &'text [u8],
    fraction: &'text [u8],
    exponent: i32,
}

/// Splits a JSON number into its parts. Source of the grammar: RFC 8259, section 6.
fn split_decimal(text: &[u8]) -> Option<Decimal<'_>> {
    let (negative, rest) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, rest) = take_digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return None;
    }
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => take_digits(rest),
        None => (&[][..], rest),
    };
    if fraction.is_empty() && text.contains(&b'.') {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
        _ => return None,
    };
    Some(Decimal {
        negative,
        whole,
        fraction,
        exponent,
    })
}

fn take_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// An exponent, held within ±10,000 so that later sums cannot overflow: beyond that the amount is
/// zero or out of range whatever the digits are.
fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut value: i32 = 0;
    for digit in digits {
        value = value
            .saturating_mul(10)
            .saturating_add(i32::from(digit.wrapping_sub(b'0')));
        value = value.min(10_000);
    }
    Some(if negative {
        value.saturating_neg()
    } else {
        value
    })
}

fn parse_minor_units(text: &[u8]) -> Result<i64, MoneyError> {
    let decimal = split_decimal(text).ok_or(MoneyError::NotANumber)?;
    // The digit at position `whole.len() + exponent + 2` is the first one that is rounded away.
    let whole_len = i64::try_from(decimal.whole.len()).map_err(|_| MoneyError::OutOfRange)?;
    let kept = whole_len
        .saturating_add(i64::from(decimal.exponent))
        .saturating_add(2);
    let mut digits = decimal.whole.iter().chain(decimal.fraction);
    let mut magnitude: i64 = 0;
    let mut position: i64 = 0;
    let mut round_up = false;
    let mut push = |digit: u8| -> Result<(), MoneyError> {
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|value| value.checked_add(i64::from(digit)))
            .ok_or(MoneyError::OutOfRange)?;
        Ok(())
    };
    while position < kept {
        match digits.next() {
            Some(byte) => push(byte.wrapping_sub(b'0'))?,
            None if magnitude_is_zero(&decimal) => break,
            None => push(0)?,
        }
        position = position.saturating_add(1);
    }
    if kept >= 0 && position == kept {
        round_up = digits.next().is_some_and(|byte| *byte >= b'5');
    }
    if round_up {
        magnitude = magnitude.checked_add(1).ok_or(MoneyError::OutOfRange)?;
    }
    Ok(if decimal.negative {
        magnitude.saturating_neg()
    } else {
        magnitude
    })
}

fn magnitude_is_zero(decimal: &Decimal<'_>) -> bool {
    decimal
        .whole
        .iter()
        .chain(decimal.fraction)
        .all(|byte| *byte == b'0')
}

#[cfg(test)]
mod tests;
