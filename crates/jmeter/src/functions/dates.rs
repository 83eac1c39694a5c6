//! Dates by the patterns of Java's `DateTimeFormatter`, with English names.
//!
//! Source: the documentation of `java.time.format.DateTimeFormatter`, section “Patterns for Formatting and
//! Parsing”. Weeks begin on Sunday and the first of a year is the one with 1 January, as in the United
//! States.

mod parsing;

use std::fmt::Write as _;

use jiff::Zoned;
use jiff::civil::Weekday;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    /// A letter and how often it stands there.
    Field(char, usize),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Pattern {
    /// Reads a pattern; the error says why Java would not take it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(next) = characters.next() {
            if next.is_ascii_alphabetic() {
                let mut count = 1;
                while characters.next_if_eq(&next).is_some() {
                    count += 1;
                }
                items.push(field(next, count)?);
            } else if next == '\'' {
                let mut quoted = String::new();
                loop {
                    match characters.next() {
                        Some('\'') if characters.next_if_eq(&'\'').is_some() => quoted.push('\''),
                        Some('\'') => break,
                        Some(other) => quoted.push(other),
                        None => {
                            return Err(format!(
                                "Pattern ends with an incomplete string literal: {text}"
                            ));
                        }
                    }
                }
                // Two quotes outside of quoted text are one.
                items.push(Item::Text(if quoted.is_empty() {
                    "'".into()
                } else {
                    quoted
                }));
            } else if matches!(next, '{' | '}' | '#') {
                return Err(format!("Pattern includes reserved character: '{next}'"));
            } else if !matches!(next, '[' | ']') {
                items.push(Item::Text(next.into()));
            }
        }
        Ok(Self(items))
    }

    /// Appends a date.
    pub(super) fn format(&self, at: &Zoned, out: &mut String) {
        for item in &self.0 {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Field(letter, count) => write_field(*letter, *count, at, out),
            }
        }
    }
}

fn field(letter: char, count: usize) -> Result<Item, String> {
    let most = match letter {
        'a' | 'F' | 'W' => 1,
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'w' => 2,
        'D' => 3,
        'z' | 'O' => 4,
        'G' | 'M' | 'L' | 'Q' | 'q' | 'E' | 'e' | 'c' | 'X' | 'x' | 'Z' => 5,
        'S' => 9,
        'y' | 'u' | 'Y' | 'A' | 'n' | 'N' => 19,
        'V' if count == 2 => 2,
        'V' => return Err(format!("Pattern letter count must be 2: {letter}")),
        _ => return Err(format!("Unknown pattern letter: {letter}")),
    };
    if count > most {
        return Err(format!("Too many pattern letters: {letter}"));
    }
    Ok(Item::Field(letter, count))
}

fn write_field(letter: char, count: usize, at: &Zoned, out: &mut String) {
    let hour = i64::from(at.hour());
    let nanosecond = i64::from(at.subsec_nanosecond());
    let of_day = (hour * 60 + i64::from(at.minute())) * 60 + i64::from(at.second());
    let number = match letter {
        'y' | 'u' | 'Y' => {
            let year = i64::from(at.year()) + i64::from(letter == 'Y' && is_of_next_year(at));
            if count == 2 {
                year.rem_euclid(100)
            } else {
                year
            }
        }
        'M' | 'L' if count > 2 => {
            return named(
                MONTHS[usize::try_from(at.month() - 1).unwrap_or(0)],
                count,
                out,
            );
        }
        'M' | 'L' => i64::from(at.month()),
        'Q' | 'q' => return write_quarter((at.month() + 2) / 3, count, out),
        'd' => i64::from(at.day()),
        'D' => i64::from(at.day_of_year()),
        'E' => return named(day_name(at.weekday()), count.max(3), out),
        'e' | 'c' if count > 2 => return named(day_name(at.weekday()), count, out),
        'e' | 'c' => i64::from(at.weekday().to_sunday_one_offset()),
        'F' => (i64::from(at.day()) - 1) % 7 + 1,
        'w' => week(at),
        'W' => (i64::from(at.day()) - 1 + first_offset(at, at.day())) / 7 + 1,
        'a' => return out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'H' => hour,
        'k' => (hour + 23) % 24 + 1,
        'K' => hour % 12,
        'h' => (hour + 11) % 12 + 1,
        'm' => i64::from(at.minute()),
        's' => i64::from(at.second()),
        'S' => nanosecond / 10_i64.pow(9 - u32::try_from(count).unwrap_or(9)),
        'n' => nanosecond,
        'A' => of_day * 1_000 + nanosecond / 1_000_000,
        'N' => of_day * 1_000_000_000 + nanosecond,
        'G' => return out.push_str(["AD", "Anno Domini", "A"][count.saturating_sub(3).min(2)]),
        _ => return write_zone(letter, count, at, out),
    };
    push(out, format_args!("{number:0count$}"));
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    out.write_fmt(what).unwrap_or_default();
}

/// A name: whole, its first three letters or its first.
fn named(name: &str, count: usize, out: &mut String) {
    let letters = match count {
        4 => name.len(),
        5 => 1,
        _ => 3,
    };
    out.push_str(name.get(..letters).unwrap_or(name));
}

fn write_quarter(quarter: i8, count: usize, out: &mut String) {
    let ending = match quarter {
        1 => "st",
        2 => "nd",
        3 => "rd",
        _ => "th",
    };
    match count {
        3 => push(out, format_args!("Q{quarter}")),
        4 => push(out, format_args!("{quarter}{ending} quarter")),
        2 => push(out, format_args!("{quarter:02}")),
        _ => push(out, format_args!("{quarter}")),
    }
}

fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Sunday => "Sunday",
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
    }
}

/// Days of the week before the first of the month or year that `number` counts from.
fn first_offset(at: &Zoned, number: i8) -> i64 {
    let back = (i64::from(number) - 1) % 7;
    (i64::from(at.weekday().to_sunday_zero_offset()) - back).rem_euclid(7)
}

fn year_offset(at: &Zoned) -> i64 {
    let back = (i64::from(at.day_of_year()) - 1) % 7;
    (i64::from(at.weekday().to_sunday_zero_offset()) - back).rem_euclid(7)
}

/// Whether the week of a day holds 1 January of the year that follows.
fn is_of_next_year(at: &Zoned) -> bool {
    let left = 6 - i64::from(at.weekday().to_sunday_zero_offset());
    let days = if at.date().in_leap_year() { 366 } else { 365 };
    i64::from(at.day_of_year()) + left > days
}

fn week(at: &Zoned) -> i64 {
    if is_of_next_year(at) {
        return 1;
    }
    (i64::from(at.day_of_year()) - 1 + year_offset(at)) / 7 + 1
}

fn write_zone(letter: char, count: usize, at: &Zoned, out: &mut String) {
    let zone = at.time_zone();
    match letter {
        'V' => out.push_str(zone.iana_name().unwrap_or("Z")),
        'z' => {
            let known = zone.to_offset_info(at.timestamp());
            out.push_str(known.abbreviation());
        }
        _ => write_offset(letter, count, at.offset().seconds(), out),
    }
}

fn write_offset(letter: char, count: usize, seconds: i32, out: &mut String) {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (letter, count) {
        ('X', _) | ('Z', 5) if seconds == 0 => out.push('Z'),
        ('O', _) | ('Z', 4) if seconds == 0 => out.push_str("GMT"),
        ('O' | 'Z', 4) => push(out, format_args!("GMT{sign}{hours:02}:{minutes:02}")),
        ('O', _) if minutes == 0 => push(out, format_args!("GMT{sign}{hours}")),
        ('O', _) => push(out, format_args!("GMT{sign}{hours}:{minutes:02}")),
        ('X' | 'x', 1) if minutes == 0 => push(out, format_args!("{sign}{hours:02}")),
        ('X' | 'x', 3 | 5) | ('Z', 5) => push(out, format_args!("{sign}{hours:02}:{minutes:02}")),
        _ => push(out, format_args!("{sign}{hours:02}{minutes:02}")),
    }
}
