//! Instants in result files that are not milliseconds.
//!
//! Source: the documentation of `java.time.format.DateTimeFormatter` for the letters of patterns.

use std::fmt::Write as _;

const DAY_MS: i64 = 86_400_000;
const REFUSED: &str = "expected `ms`, `none` or a pattern of numbers such as \
                       `yyyy/MM/dd HH:mm:ss.SSS`, with any other letter between quotes";

/// How instants are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimestampFormat {
    /// Milliseconds since 1970-01-01 UTC.
    Milliseconds,
    /// A date, of UTC.
    Pattern(Box<[Piece]>),
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A part of the instant, with at least so many digits.
    Part(Part, usize),
    /// A character as it is.
    Literal(char),
}

/// A part of an instant that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The year; of two digits, the last two.
    Year,
    /// The month, from 1.
    Month,
    /// The day of the month, from 1.
    Day,
    /// The hour, from 0.
    Hour,
    /// The minute.
    Minute,
    /// The second.
    Second,
    /// The first digits of the fraction of a second.
    Fraction,
}

impl TimestampFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it cannot be followed.
    pub fn parse(pattern: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            if character == '\'' {
                // Two quotes stand for one.
                if rest.next_if_eq(&'\'').is_some() {
                    pieces.push(Piece::Literal('\''));
                    continue;
                }
                loop {
                    match rest.next().ok_or(REFUSED)? {
                        '\'' if rest.next_if_eq(&'\'').is_some() => {
                            pieces.push(Piece::Literal('\''));
                        }
                        '\'' => break,
                        other => pieces.push(Piece::Literal(other)),
                    }
                }
                continue;
            }
            if !character.is_ascii_alphabetic() {
                pieces.push(Piece::Literal(character));
                continue;
            }
            let mut count = 1;
            while rest.next_if_eq(&character).is_some() {
                count += 1;
            }
            let part = match (character, count) {
                ('y' | 'u', 1..=4) => Part::Year,
                ('M' | 'L', 1..=2) => Part::Month,
                ('d', 1..=2) => Part::Day,
                ('H', 1..=2) => Part::Hour,
                ('m', 1..=2) => Part::Minute,
                ('s', 1..=2) => Part::Second,
                ('S', 1..=9) => Part::Fraction,
                _ => return Err(REFUSED),
            };
            pieces.push(Piece::Part(part, count));
        }
        Ok(Self::Pattern(pieces.into()))
    }

    /// The instant by the pattern; `None` for milliseconds, which are a number.
    pub(super) fn written(&self, start_ms: i64) -> Option<String> {
        let Self::Pattern(pieces) = self else {
            return None;
        };
        let date = civil(start_ms.div_euclid(DAY_MS));
        let of_day = start_ms.rem_euclid(DAY_MS);
        let mut text = String::with_capacity(24);
        for piece in pieces {
            let (part, digits) = match piece {
                Piece::Literal(character) => {
                    text.push(*character);
                    continue;
                }
                Piece::Part(part, digits) => (part, *digits),
            };
            let number = match part {
                Part::Year if digits == 2 => date.0.rem_euclid(100),
                Part::Year => date.0,
                Part::Month => date.1,
                Part::Day => date.2,
                Part::Hour => of_day / 3_600_000,
                Part::Minute => of_day / 60_000 % 60,
                Part::Second => of_day / 1_000 % 60,
                Part::Fraction => {
                    let nine = format!("{:03}000000", of_day % 1_000);
                    text.extend(nine.chars().take(digits));
                    continue;
                }
            };
            // Writing to memory cannot fail.
            if write!(text, "{number:0digits$}").is_err() {
                return None;
            }
        }
        Some(text)
    }
}

/// Year, month and day of a day since 1970-01-01.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_by_patterns() {
        let check = |pattern: &str, ms: i64, expected: &str| {
            let format = TimestampFormat::parse(pattern).unwrap();
            assert_eq!(format.written(ms).unwrap(), expected, "{pattern}");
        };
        let at = 1_763_900_000_123;
        check("yyyy/MM/dd HH:mm:ss.SSS", at, "2025/11/23 12:13:20.123");
        check("MM/dd/yy HH:mm:ss", at, "11/23/25 12:13:20");
        check("yyyy-MM-dd'T'HH:mm:ss.SS", at, "2025-11-23T12:13:20.12");
        check("H:m:s '''d'''", 0, "0:0:0 'd'");
        check("yyyy-MM-dd", -1, "1969-12-31");
        check("yyyy-MM-dd", 951_782_400_000, "2000-02-29");
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for pattern in ["yyyy-MMM-dd", "hh:mm a", "'open", "yyyyy", "Q"] {
            assert!(TimestampFormat::parse(pattern).is_err(), "{pattern}");
        }
    }
}
