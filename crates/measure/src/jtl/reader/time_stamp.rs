//! The instant of a row: a number of milliseconds, or a date.

/// The last instant that is taken: the end of the second that a 32-bit number of seconds ends with,
/// in February 2106. A larger number is no number of milliseconds.
pub(super) const TIME_STAMP_MAX_MS: i64 = u32::MAX as i64 * 1000 + 999;

const DAY_SECONDS: i64 = 86_400;

/// The digits as a number; `None` for anything but 1 to 19 digits.
pub(super) fn whole_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

/// A time stamp in milliseconds since 1970, and whether it was a date. `None` where it is neither
/// form or lies outside the range.
pub(super) fn time_stamp(field: &[u8]) -> Option<(i64, bool)> {
    let (milliseconds, is_date) = match whole_number(field) {
        Some(number) => (i64::try_from(number).ok()?, false),
        None => (date(field).or_else(|| short_date(field))?, true),
    };
    (0..=TIME_STAMP_MAX_MS)
        .contains(&milliseconds)
        .then_some((milliseconds, is_date))
}

/// `yyyy/MM/dd HH:mm:ss` with or without `.SSS`, also with `-` and `T`, as if it were UTC: the file
/// does not tell its time zone.
fn date(field: &[u8]) -> Option<i64> {
    let (whole, fraction) = field.split_at_checked(19)?;
    let number = |from: usize, to: usize| -> Option<i64> {
        i64::try_from(whole_number(whole.get(from..to)?)?).ok()
    };
    let separators_fit = matches!(whole[4], b'/' | b'-')
        && whole[7] == whole[4]
        && matches!(whole[10], b' ' | b'T')
        && whole[13] == b':'
        && whole[16] == b':';
    let milliseconds = match fraction {
        [] => 0,
        [b'.' | b',', digits @ ..] if digits.len() == 3 => whole_number(digits)?,
        _ => return None,
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !separators_fit {
        return None;
    }
    let seconds = seconds_of((year, month, day), (hour, minute, second))?;
    Some(seconds * 1000 + i64::try_from(milliseconds).ok()?)
}

/// `MM/dd/yy HH:mm:ss`, which `JMeter` once wrote and still reads; years are those from 1970 on.
fn short_date(field: &[u8]) -> Option<i64> {
    if field.len() != 17 {
        return None;
    }
    let number = |from: usize| -> Option<i64> {
        i64::try_from(whole_number(field.get(from..from + 2)?)?).ok()
    };
    let separators = [field[2], field[5], field[8], field[11], field[14]];
    let year = number(6)?;
    let year = if year < 70 {
        2_000 + year
    } else {
        1_900 + year
    };
    let seconds = seconds_of(
        (year, number(0)?, number(3)?),
        (number(9)?, number(12)?, number(15)?),
    )?;
    (separators == *b"// ::").then_some(seconds * 1000)
}

/// Seconds since 1970 of year, month, day and hour, minute, second; `None` where there is no such time.
fn seconds_of(date: (i64, i64, i64), time: (i64, i64, i64)) -> Option<i64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds = || days_since_1970(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60;
    in_range.then(|| seconds() + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_instants() {
        let check = |field: &str, expected: Option<(i64, bool)>| {
            assert_eq!(time_stamp(field.as_bytes()), expected, "{field}");
        };
        check("1700000000123", Some((1_700_000_000_123, false)));
        check("0", Some((0, false)));
        check("4294967295999", Some((4_294_967_295_999, false)));
        check("4294967296000", None);
        check("99999999999999999999", None);
        check("-1", None);
        check("", None);
        check("2023/11/14 22:13:20.123", Some((1_700_000_000_123, true)));
        check("2023-11-14T22:13:20", Some((1_700_000_000_000, true)));
        check("2000-02-29 00:00:00,001", Some((951_782_400_001, true)));
        check("1970/01/01 00:00:00.000", Some((0, true)));
        check("1969/12/31 23:59:59.999", None);
        check("2106/02/07 06:28:15.999", Some((4_294_967_295_999, true)));
        check("11/14/23 22:13:20", Some((1_700_000_000_000, true)));
        check("01/01/70 00:00:00", Some((0, true)));
        check("13/14/23 22:13:20", None);
        check("11-14-23 22:13:20", None);
        check("2023/11/14 22:13:20.12", None);
        check("2023/13/14 22:13:20.123", None);
        check("2023/11-14 22:13:20.123", None);
        check("14.11.2023 22:13:20.123", None);
        check("手機手機手機手機", None);
    }
}
