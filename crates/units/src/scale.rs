//! The records of Double 11 and what they become at a scale of 1:N.
//!
//! Source of the figures: Alibaba's published peaks (583,000 orders/s in 2020, 256,000 payments/s in
//! 2017) and the requirements' own reading of 87,000,000 database and 472,000,000 real-time
//! records/s.

use std::num::NonZeroU32;

/// One published peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// What was counted.
    pub name: &'static str,
    /// The year of the record, where one is known.
    pub year: Option<u16>,
    /// Events per second at the peak.
    pub per_second: f64,
}

/// Orders per second, Tmall 2020.
pub const ORDERS: Record = Record {
    name: "orders",
    year: Some(2020),
    per_second: 583_000.0,
};
/// Payments per second, 2017.
pub const PAYMENTS: Record = Record {
    name: "payments",
    year: Some(2017),
    per_second: 256_000.0,
};
/// Database records per second.
pub const DATABASE: Record = Record {
    name: "database records",
    year: None,
    per_second: 87_000_000.0,
};
/// Real-time records per second.
pub const REAL_TIME: Record = Record {
    name: "real-time records",
    year: None,
    per_second: 472_000_000.0,
};

/// Every record, in the order in which they are shown.
pub const RECORDS: [Record; 4] = [ORDERS, PAYMENTS, DATABASE, REAL_TIME];

/// A scale of 1:N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(NonZeroU32);

/// The text is not of the form `1:N`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scale; write `1:N` with N from 1 to 4294967295, such as `1:10000`")]
pub struct InvalidScale(pub String);

impl Scale {
    /// N of 1:N.
    pub const fn denominator(self) -> u32 {
        self.0.get()
    }

    /// What a record becomes at this scale, per second.
    pub fn apply(self, record: Record) -> f64 {
        record.per_second / f64::from(self.0.get())
    }
}

impl std::str::FromStr for Scale {
    type Err = InvalidScale;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("1:")
            .and_then(|denominator| denominator.parse().ok())
            .map(Self)
            .ok_or_else(|| InvalidScale(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{DATABASE, ORDERS, PAYMENTS, REAL_TIME, Scale};

    #[test]
    fn one_to_ten_thousand_gives_the_requirements_figures() {
        let scale: Scale = "1:10000".parse().unwrap();
        let scaled = [ORDERS, PAYMENTS, DATABASE, REAL_TIME].map(|record| scale.apply(record));
        let expected = [58.3, 25.6, 8_700.0, 47_200.0];
        for (actual, wanted) in scaled.iter().zip(expected) {
            assert!((actual - wanted).abs() < 1e-9, "{actual} against {wanted}");
        }
    }

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "1:0",
            "2:1",
            "1:",
            "1:-1",
            "10000",
            "1:1e4",
            "1:4294967296",
        ] {
            assert!(text.parse::<Scale>().is_err(), "{text}");
        }
    }
}
