//! Newtypes for every id and count that could be mistaken for another.

use std::fmt;

/// Why a value cannot be an id or a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Outside the range of the type.
    #[error("out of range")]
    OutOfRange,
    /// Empty, too long or with control characters.
    #[error("must have 1 to {max_bytes} bytes and no control characters")]
    BadText {
        /// The longest accepted text, in bytes of UTF-8.
        max_bytes: usize,
    },
}

macro_rules! positive_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a positive number.
            ///
            /// # Errors
            /// [`InvalidId::OutOfRange`] for zero and below.
            pub const fn new(value: i64) -> Result<Self, InvalidId> {
                if value > 0 { Ok(Self(value)) } else { Err(InvalidId::OutOfRange) }
            }

            /// Reads the decimal form that the API uses: digits only, no sign, no leading zero.
            ///
            /// # Errors
            /// [`InvalidId::OutOfRange`] for any other text.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let canonical = text.bytes().all(|byte| byte.is_ascii_digit())
                    && !text.starts_with('0');
                let value = if canonical { text.parse().ok() } else { None };
                Self::new(value.ok_or(InvalidId::OutOfRange)?)
            }

            /// The number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}", self.0)
            }
        }
    };
}

positive_id! {
    /// A product of the catalogue; 1..=N.
    ProductId
}
positive_id! {
    /// A cart.
    CartId
}
positive_id! {
    /// An order. Ordered by time of placement on SQLite.
    OrderId
}
positive_id! {
    /// One attempt to pay an order; also the key under which the gateway is charged.
    AttemptId
}
positive_id! {
    /// One refund of one captured attempt.
    RefundId
}

/// Pieces of one product in one line, 1..=[`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u32);

impl Quantity {
    /// The most pieces of one product that a line may hold.
    pub const MAX: u32 = 100_000;

    /// Wraps a count of pieces.
    ///
    /// # Errors
    /// [`InvalidId::OutOfRange`] unless 1..=[`Quantity::MAX`].
    pub const fn new(pieces: u32) -> Result<Self, InvalidId> {
        if pieces == 0 || pieces > Self::MAX {
            Err(InvalidId::OutOfRange)
        } else {
            Ok(Self(pieces))
        }
    }

    /// The count of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest accepted text, in bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`InvalidId::BadText`] when empty, too long or with control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let fits = !text.is_empty()
                    && text.len() <= Self::MAX_BYTES
                    && !text.chars().any(char::is_control);
                if fits { Ok(Self(text)) } else { Err(InvalidId::BadText { max_bytes: $max }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A buyer, compared as text: the integer 7 and the string "7" are the same user.
    UserId, 64
}
text_id! {
    /// The key that makes a retried write safe; made and kept by the client.
    IdempotencyKey, 255
}

#[cfg(test)]
mod tests {
    use super::{IdempotencyKey, OrderId, Quantity, UserId};

    #[test]
    fn ids_have_one_written_form() {
        assert_eq!(OrderId::parse("17").map(OrderId::get), Ok(17));
        for text in [
            "",
            "0",
            "017",
            "+17",
            "-17",
            "1 ",
            "9223372036854775808",
            "1.0",
            "１",
        ] {
            assert!(OrderId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quantities_are_bounded() {
        assert!(Quantity::new(0).is_err());
        assert!(Quantity::new(Quantity::MAX).is_ok());
        assert!(Quantity::new(Quantity::MAX + 1).is_err());
    }

    #[test]
    fn texts_are_bounded_and_printable() {
        assert!(UserId::new("").is_err());
        assert!(UserId::new("7").is_ok());
        assert!(UserId::new("a\u{0}").is_err());
        assert!(UserId::new("顧客".repeat(11)).is_err());
        assert!(IdempotencyKey::new("k".repeat(255)).is_ok());
        assert!(IdempotencyKey::new("k".repeat(256)).is_err());
    }
}
