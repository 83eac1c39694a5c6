//! Numbers as Java's `DecimalFormat` and `MessageFormat` write them.

/// A whole number with a comma at every thousand, as `MessageFormat` writes numbers in English.
pub(super) fn grouped(number: i64) -> String {
    let digits = with_commas(&number.unsigned_abs().to_string(), 3);
    match number {
        ..0 => format!("-{digits}"),
        _ => digits,
    }
}

fn with_commas(digits: &str, size: usize) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A whole number by a pattern of `DecimalFormat`, such as `000` or `User_#,##0.00`; `None` for a
/// pattern that it refuses.
pub(super) fn decimal(pattern: &str, number: i64) -> Option<String> {
    let (positive, negative) = halves(pattern);
    let format = Format::read(positive)?;
    let body = format.digits(number.unsigned_abs());
    if number >= 0 {
        return Some(format!("{}{body}{}", format.prefix, format.suffix));
    }
    // The second pattern gives what stands around a negative number, and nothing else.
    if let Some(own) = negative.and_then(Format::read)
        && (own.prefix != format.prefix || own.suffix != format.suffix)
    {
        return Some(format!("{}{body}{}", own.prefix, own.suffix));
    }
    Some(format!("-{}{body}{}", format.prefix, format.suffix))
}

/// The patterns of positive and negative numbers.
fn halves(pattern: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (index, c) in pattern.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            ';' if !quoted => {
                let (positive, rest) = pattern.split_at(index);
                return (positive, rest.strip_prefix(';'));
            }
            _ => (),
        }
    }
    (pattern, None)
}

/// One pattern.
#[derive(Debug, Default)]
struct Format {
    prefix: String,
    suffix: String,
    /// Digits that are written even when they are zeros.
    whole: usize,
    /// The same behind the point.
    fraction: usize,
    /// Digits between two commas.
    group: Option<usize>,
    /// What the number is multiplied with: per cent, per mille.
    factor: u128,
    /// Whether the point is written although nothing stands behind it: never for `DecimalFormat`.
    digits: usize,
}

impl Format {
    /// Source: the grammar in the documentation of `java.text.DecimalFormat`.
    fn read(pattern: &str) -> Option<Self> {
        let mut format = Self {
            factor: 1,
            ..Self::default()
        };
        let mut quoted = false;
        let mut chars = pattern.chars().peekable();
        // 0: before the number, 1: in front of the point, 2: behind it, 3: after the number.
        let mut phase = 0;
        let mut since_comma = None;
        while let Some(c) = chars.next() {
            if c == '\'' {
                if chars.next_if_eq(&'\'').is_some() {
                    format.affix(&mut phase, '\'');
                } else {
                    quoted = !quoted;
                }
                continue;
            }
            match c {
                _ if quoted => format.affix(&mut phase, c),
                '#' | '0' | ',' | '.' if phase == 3 => return None,
                '#' | '0' => {
                    phase = phase.max(1);
                    format.digits += 1;
                    let places = if phase == 1 {
                        since_comma = since_comma.map(|places| places + 1);
                        &mut format.whole
                    } else {
                        &mut format.fraction
                    };
                    match c {
                        '0' => *places += 1,
                        // A digit that may be left out stands in front of those that may not.
                        _ if phase == 1 && *places > 0 => return None,
                        _ => (),
                    }
                }
                ',' if phase <= 1 => {
                    phase = 1;
                    since_comma = Some(0);
                }
                '.' if phase <= 1 => phase = 2,
                ',' | '.' => return None,
                // Powers of ten and currencies are not written for counters and random numbers.
                'E' if matches!(phase, 1 | 2) => return None,
                '%' => format.scaled(&mut phase, c, 100),
                '\u{2030}' => format.scaled(&mut phase, c, 1000),
                '\u{a4}' => format.affix(&mut phase, '$'),
                other => format.affix(&mut phase, other),
            }
        }
        if since_comma == Some(0) {
            return None;
        }
        format.group = since_comma;
        // `#.##` and the like show at least one digit.
        Some(format)
    }

    fn affix(&mut self, phase: &mut u8, c: char) {
        if *phase == 0 {
            self.prefix.push(c);
        } else {
            *phase = 3;
            self.suffix.push(c);
        }
    }

    fn scaled(&mut self, phase: &mut u8, c: char, factor: u128) {
        self.factor = factor;
        self.affix(phase, c);
    }

    fn digits(&self, number: u64) -> String {
        let number = u128::from(number) * self.factor;
        let mut digits = format!("{number:0>width$}", width = self.whole);
        // Where no digit must be written, zero has none in front of the point.
        if number == 0 && self.whole == 0 && (self.fraction > 0 || self.digits == 0) {
            digits.clear();
        }
        if let Some(size) = self.group {
            digits = with_commas(&digits, size);
        }
        if self.fraction > 0 {
            digits.push('.');
            digits.extend(std::iter::repeat_n('0', self.fraction));
        }
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, grouped};

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        for (pattern, number, expected) in [
            ("000", 7, "007"),
            ("000", 1234, "1234"),
            ("#", 0, "0"),
            ("0", 5, "5"),
            ("User_000", 7, "User_007"),
            ("#,##0", 1_234_567, "1,234,567"),
            ("#,##0.00", 1234, "1,234.00"),
            ("0.0#", 3, "3.0"),
            ("'#'0", 3, "#3"),
            ("0000000000", -12, "-0000000012"),
            ("0;(0)", -5, "(5)"),
            ("0%", 3, "300%"),
            ("a''0", 1, "a'1"),
        ] {
            assert_eq!(
                decimal(pattern, number).as_deref(),
                Some(expected),
                "{pattern}"
            );
        }
        for bad in ["0#", "0,", "0.0.0"] {
            assert_eq!(decimal(bad, 1), None, "{bad}");
        }
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (-12345, "-12,345")] {
            assert_eq!(grouped(number), expected);
        }
    }
}
