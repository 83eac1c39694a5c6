//! Parameters of a query: percent-decoded, `+` for a space, the first of a name counts.

use std::borrow::Cow;

use super::problem::{self, Problem};

/// The decoded value of a parameter; none when it is absent.
pub(crate) fn parameter<'query>(
    query: Option<&'query str>,
    name: &str,
) -> Result<Option<Cow<'query, str>>, Problem> {
    let pairs = query.unwrap_or_default().split('&');
    let found = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    for (key, value) in found {
        if key == name {
            let decoded = decode(value).ok_or_else(|| {
                Problem::from(problem::INVALID_QUERY)
                    .detail(format!("`{name}` is not percent-encoded UTF-8"))
            })?;
            return Ok(Some(decoded));
        }
    }
    Ok(None)
}

/// A whole number from 1 to `max`; `default` when the parameter is absent.
pub(crate) fn count(
    query: Option<&str>,
    name: &str,
    default: u32,
    max: u32,
) -> Result<u32, Problem> {
    let Some(text) = parameter(query, name)? else {
        return Ok(default);
    };
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(count) if is_plain && (1..=max).contains(&count) => Ok(count),
        _ => Err(Problem::from(problem::INVALID_QUERY)
            .detail(format!("`{name}` must be a whole number from 1 to {max}"))),
    }
}

fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !value.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{count, parameter};

    #[test]
    fn parameters_are_decoded() {
        let value = |query: &str| {
            parameter(Some(query), "q").map(|found| found.map(std::borrow::Cow::into_owned))
        };
        let text = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(value("q=%E6%89%8B%E6%A9%9F&limit=2"), text("手機"));
        assert_eq!(value("limit=2&q=手機"), text("手機"));
        assert_eq!(value("q=a+b%20c%2B"), text("a b c+"));
        assert_eq!(value("q="), text(""));
        assert_eq!(value("q"), text(""));
        assert_eq!(value("q=1&q=2"), text("1"));
        assert_eq!(value("qq=1"), Ok(None));
        assert_eq!(parameter(None, "q"), Ok(None));
        for bad in ["q=%", "q=%4", "q=%zz", "q=%E6%89", "q=%FF"] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_are_bounded() {
        assert_eq!(count(None, "limit", 20, 100), Ok(20));
        assert_eq!(count(Some("limit=100"), "limit", 20, 100), Ok(100));
        for bad in [
            "0",
            "101",
            "-1",
            "+1",
            "1.0",
            "",
            "x",
            "99999999999999999999",
            "%31%",
        ] {
            assert!(
                count(Some(&format!("limit={bad}")), "limit", 20, 100).is_err(),
                "{bad}"
            );
        }
    }
}
