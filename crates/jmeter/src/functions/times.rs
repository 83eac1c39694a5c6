//! The time of the day and dates.

use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

use super::Invocation;
use super::choosing;
use super::dates::Pattern;
use crate::log::Level;
use crate::user::Trouble;

/// The last pattern of a call.
#[derive(Debug, Default)]
struct Last {
    text: String,
    pattern: Option<Rc<Pattern>>,
}

/// `__time(pattern, variable)`: milliseconds since 1970 without a pattern, a part of them for `/1000`.
pub(super) fn time(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let format = call.argument(0);
    let millis = now_millis(call);
    if format.is_empty() {
        call.yields(itoa::Buffer::new().format(millis), 1);
        return Ok(());
    }
    let format = alias(&format, call).unwrap_or_else(|| format.into_owned());
    if let Some(divisor) = divisor(&format) {
        if divisor == 0 {
            return Err(call.trouble("/ by zero"));
        }
        call.yields(itoa::Buffer::new().format(millis / divisor), 1);
        return Ok(());
    }
    let pattern = pattern(&format, call).map_err(|why| call.trouble(&why))?;
    let mut text = String::new();
    pattern.format(&now(call), &mut text);
    call.yields(&text, 1);
    Ok(())
}

/// The names that stand for patterns; properties may give them others.
fn alias(name: &str, call: &Invocation<'_>) -> Option<String> {
    let default = match name {
        "YMD" => "yyyyMMdd",
        "HMS" => "HHmmss",
        "YMDHMS" => "yyyyMMdd-HHmmss",
        "USER1" | "USER2" => "",
        _ => return None,
    };
    let property = call.user.run.property(&format!("time.{name}"));
    Some(property.unwrap_or_else(|| default.to_owned()))
}

fn divisor(format: &str) -> Option<i64> {
    let digits = format.strip_prefix('/')?;
    let digits_only = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits_only.then(|| digits.parse().ok()).flatten()
}

fn now_millis(call: &Invocation<'_>) -> i64 {
    let clock = &call.user.run.clock;
    clock.wall(clock.now()).millis()
}

fn now(call: &Invocation<'_>) -> Zoned {
    let clock = &call.user.run.clock;
    let now = Timestamp::from_microsecond(clock.wall(clock.now()).get());
    now.unwrap_or_default().to_zoned(TimeZone::system())
}

/// The pattern of a text; the last of the call is kept.
fn pattern(text: &str, call: &mut Invocation<'_>) -> Result<Rc<Pattern>, String> {
    let last: &mut Last = call.user.at_site(call.call.site);
    if last.text == text
        && let Some(pattern) = &last.pattern
    {
        return Ok(Rc::clone(pattern));
    }
    let pattern = Rc::new(Pattern::parse(text)?);
    *last = Last {
        text: text.to_owned(),
        pattern: Some(Rc::clone(&pattern)),
    };
    Ok(pattern)
}

fn complain(call: &Invocation<'_>, class: &str, text: &str) {
    call.user.run.log.line(Level::Error, class, text);
}

/// `__timeShift(pattern, date, shift, locale, variable)`; the locale may be left out. Names are English
/// in every locale.
pub(super) fn time_shift(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    const CLASS: &str = "o.a.j.f.TimeShift";
    let format = call.argument(0);
    let format = format.trim();
    let date = call.argument(1);
    let date = date.trim();
    let shift = call.argument(2);
    let shift = shift.trim();
    let now = now(call);
    let pattern = if format.is_empty() {
        None
    } else {
        match pattern(format, call) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                complain(
                    call,
                    CLASS,
                    &format!("Format date pattern '{format}' is invalid: {why}"),
                );
                return Ok(());
            }
        }
    };
    let mut at = now.clone();
    if !date.is_empty() {
        let read = match &pattern {
            Some(pattern) => pattern.read(date, &now),
            None => date.parse().ok().and_then(|millis| of_millis(millis).ok()),
        };
        match read {
            Some(read) => at = read,
            None => complain(
                call,
                CLASS,
                &format!("Failed to parse the date '{date}' to shift"),
            ),
        }
    }
    if !shift.is_empty() {
        match duration(shift).and_then(|shift| at.checked_add(shift).ok()) {
            Some(shifted) => at = shifted,
            None => complain(
                call,
                CLASS,
                &format!("Failed to parse the amount duration '{shift}' to shift"),
            ),
        }
    }
    let mut text = String::new();
    match &pattern {
        Some(pattern) => pattern.format(&at, &mut text),
        None => text.push_str(&at.timestamp().as_millisecond().to_string()),
    }
    let variable = call.count() - 1;
    call.yields(&text, variable);
    Ok(())
}

fn of_millis(millis: i64) -> Result<Zoned, jiff::Error> {
    let at = Timestamp::from_millisecond(millis)?;
    Ok(at.to_zoned(TimeZone::system()))
}

/// A span as `java.time.Duration` reads it: `P2DT3H4M5.6S`, with signs anywhere.
fn duration(text: &str) -> Option<SignedDuration> {
    let upper = text.to_ascii_uppercase();
    let (sign, rest) = match upper.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, upper.strip_prefix('+').unwrap_or(&upper)),
    };
    let rest = rest.strip_prefix('P')?;
    let (days, time) = rest
        .split_once('T')
        .map_or((rest, None), |(days, time)| (days, Some(time)));
    if time == Some("") || (days.is_empty() && time.is_none()) {
        return None;
    }
    let mut total = SignedDuration::ZERO;
    let mut take = |part: &mut &str, unit: char, seconds: i64| -> Option<()> {
        let Some((number, after)) = part.split_once(unit) else {
            return Some(());
        };
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
        if !fraction.is_empty() && unit != 'S' {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let nanos = if number.starts_with('-') {
            -nanos
        } else {
            nanos
        };
        let span = SignedDuration::from_secs(whole.checked_mul(seconds)?);
        total = total
            .checked_add(span)?
            .checked_add(SignedDuration::from_nanos(nanos))?;
        *part = after;
        Some(())
    };
    let mut days = days;
    take(&mut days, 'D', 86_400)?;
    let mut time = time.unwrap_or_default();
    take(&mut time, 'H', 3_600)?;
    take(&mut time, 'M', 60)?;
    take(&mut time, 'S', 1)?;
    if !days.is_empty() || !time.is_empty() {
        return None;
    }
    total.checked_mul(sign)
}

/// `__RandomDate(pattern, from, to, locale, variable)`: `to` itself is not drawn.
pub(super) fn random_date(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    const CLASS: &str = "o.a.j.f.RandomDate";
    let format = call.argument(0);
    let format = match format.trim() {
        "" => "yyyy-MM-dd",
        format => format,
    };
    let pattern = match pattern(format, call) {
        Ok(pattern) => pattern,
        Err(why) => {
            complain(
                call,
                CLASS,
                &format!("Format date pattern '{format}' is invalid: {why}"),
            );
            return Ok(());
        }
    };
    let now = now(call);
    let read = |text: &str| pattern.read(text, &now).map(|read| read.date());
    let zero = jiff::civil::date(1970, 1, 1);
    let from = call.argument(1);
    let from = match from.trim() {
        "" => now.date(),
        from => read(from).unwrap_or(zero),
    };
    let to = call.argument(2);
    let to = read(to.trim()).unwrap_or(zero);
    if to < from {
        complain(
            call,
            CLASS,
            &format!("End Date '{to}' must be greater than Start Date '{from}'"),
        );
        return Ok(());
    }
    let days = (to - from).get_days();
    if days == 0 {
        return Err(call.trouble("bound must be greater than origin"));
    }
    let drawn = choosing::between(&mut call.user.random, 0, i64::from(days) - 1);
    let drawn = from
        .checked_add(drawn.days())
        .and_then(|day| day.to_zoned(TimeZone::UTC));
    let mut text = String::new();
    if let Ok(drawn) = drawn {
        pattern.format(&drawn, &mut text);
    }
    call.yields(&text, 4);
    Ok(())
}

/// `__dateTimeConvert(date, old pattern, new pattern, variable)`: without an old pattern the date is
/// milliseconds since 1970. Empty when anything is wrong.
pub(super) fn date_time_convert(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let date = call.argument(0);
    let old = call.argument(1);
    let new = call.argument(2);
    let now = now(call);
    let read = if old.is_empty() {
        date.parse().ok().and_then(|millis| of_millis(millis).ok())
    } else {
        let old = Pattern::parse(&old).ok();
        old.and_then(|old| old.read(&date, &now))
    };
    let new = pattern(&new, call);
    let (Some(read), Ok(new)) = (read, new) else {
        complain(
            call,
            "o.a.j.f.DateTimeConvertFunction",
            &format!("Error calling __dateTimeConvert with '{date}'"),
        );
        return Ok(());
    };
    let mut text = String::new();
    new.format(&read, &mut text);
    call.yields(&text, 3);
    Ok(())
}
