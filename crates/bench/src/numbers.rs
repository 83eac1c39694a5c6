//! Numbers for people.

/// A count with its thousands apart: 1,000,000.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits, or all digits before the point with their thousands apart.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative; a float cast saturates"
            )]
            let whole = size.round() as u64;
            format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped(whole))
        }
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_groups() {
        let shown = [58_300.4, 12.34, 1.234, 0.012_34, -1_000.0].map(short);
        assert_eq!(shown, ["58,300", "12.3", "1.23", "0.012", "-1,000"]);
        let shown = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
