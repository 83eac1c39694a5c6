//! Texts read by a pattern.

use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::{Item, MONTHS, Pattern};

/// What a text says of a date; what it does not say is `None`.
#[derive(Debug, Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: Option<i8>,
    half_hour: Option<i8>,
    afternoon: Option<bool>,
    minute: Option<i8>,
    second: Option<i8>,
    nanosecond: Option<i32>,
    zone: Option<TimeZone>,
}

impl Pattern {
    /// The date that a text says; what it leaves open is the first of January of the year of `now`, at
    /// midnight, in the zone of `now`.
    pub(in crate::functions) fn read(&self, text: &str, now: &Zoned) -> Option<Zoned> {
        let mut parts = Parts::default();
        let mut rest = text;
        for (index, item) in self.0.iter().enumerate() {
            rest = match item {
                Item::Text(own) => rest.strip_prefix(own.as_str())?,
                Item::Field(letter, count) => {
                    let followed = matches!(self.0.get(index + 1), Some(Item::Field(next, n)) if is_number(*next, *n));
                    parts.take(*letter, *count, followed, rest)?
                }
            };
        }
        if !rest.is_empty() {
            return None;
        }
        parts.date(now)
    }
}

/// Whether a field is written in digits.
fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count < 3,
        _ => "yudHhkKmsS".contains(letter),
    }
}

impl Parts {
    /// Takes a field from the start of a text; the rest of the text.
    fn take<'t>(
        &mut self,
        letter: char,
        count: usize,
        followed: bool,
        text: &'t str,
    ) -> Option<&'t str> {
        if !is_number(letter, count) {
            return self.take_name(letter, count, text);
        }
        let most = match (letter, count) {
            _ if followed || letter == 'S' => count,
            ('y' | 'u', 2) => 2,
            ('y' | 'u', _) => 19,
            _ => 2,
        };
        let digits = text
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if digits == 0 || (count > 1 && digits < count) {
            return None;
        }
        let (number, rest) = text.split_at(digits);
        let number: i32 = number.parse().ok()?;
        let small = i8::try_from(number).ok();
        match letter {
            'y' | 'u' if count == 2 => self.year = i16::try_from(2_000 + number).ok(),
            'y' | 'u' => self.year = Some(i16::try_from(number).ok()?),
            'M' | 'L' => self.month = Some(small?),
            'd' => self.day = Some(small?),
            'H' => self.hour = Some(small?),
            'k' => self.hour = Some(small? % 24),
            'h' => self.half_hour = Some(small? % 12),
            'K' => self.half_hour = Some(small?),
            'm' => self.minute = Some(small?),
            's' => self.second = Some(small?),
            _ => {
                let places = u32::try_from(digits).ok()?;
                self.nanosecond = Some(number.checked_mul(10_i32.pow(9 - places))?);
            }
        }
        Some(rest)
    }

    fn take_name<'t>(&mut self, letter: char, count: usize, text: &'t str) -> Option<&'t str> {
        let short = |name: &'static str| name.get(..if count == 4 { name.len() } else { 3 });
        match letter {
            'M' | 'L' => {
                let names = MONTHS.iter().zip(1_i8..);
                let mut found = names
                    .filter_map(|(name, number)| Some((number, text.strip_prefix(short(name)?)?)));
                let (month, rest) = found.next()?;
                self.month = Some(month);
                Some(rest)
            }
            'E' => {
                let days = [
                    "Sunday",
                    "Monday",
                    "Tuesday",
                    "Wednesday",
                    "Thursday",
                    "Friday",
                    "Saturday",
                ];
                days.into_iter()
                    .find_map(|name| text.strip_prefix(short(name)?))
            }
            'a' => {
                self.afternoon = Some(text.starts_with("PM"));
                text.strip_prefix("AM").or_else(|| text.strip_prefix("PM"))
            }
            'X' | 'x' | 'Z' => self.take_offset(text),
            'V' | 'z' => {
                let end = text.find(char::is_whitespace).unwrap_or(text.len());
                let (name, rest) = text.split_at(end);
                let zone = match name {
                    "Z" | "UTC" | "GMT" => TimeZone::UTC,
                    _ => TimeZone::get(name).ok()?,
                };
                self.zone = Some(zone);
                Some(rest)
            }
            _ => None,
        }
    }

    fn take_offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix('Z') {
            self.zone = Some(TimeZone::UTC);
            return Some(rest);
        }
        let sign = match text.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let number = |from: usize| {
            text.get(from..from + 2)
                .and_then(|digits| digits.parse::<i32>().ok())
        };
        let hours = number(1)?;
        let (minutes, end) = match (text.get(3..4), number(3)) {
            (Some(":"), _) => (number(4)?, 6),
            (_, Some(minutes)) => (minutes, 5),
            _ => (0, 3),
        };
        let offset = Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()?;
        self.zone = Some(offset.to_time_zone());
        text.get(end..)
    }

    fn date(self, now: &Zoned) -> Option<Zoned> {
        let half = self.half_hour.map(|hour| match self.afternoon {
            Some(true) => hour + 12,
            _ => hour,
        });
        let date = DateTime::new(
            self.year.unwrap_or(now.year()),
            self.month.unwrap_or(1),
            self.day.unwrap_or(1),
            self.hour.or(half).unwrap_or(0),
            self.minute.unwrap_or(0),
            self.second.unwrap_or(0),
            self.nanosecond.unwrap_or(0),
        );
        let zone = self.zone.unwrap_or_else(|| now.offset().to_time_zone());
        date.ok()?.to_zoned(zone).ok()
    }
}
