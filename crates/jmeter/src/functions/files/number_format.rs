//! Numbers in names of files, by the patterns of Java's `DecimalFormat`: `file'#'000'.txt'`.
//!
//! Source: the documentation of `java.text.DecimalFormat`; whole numbers only.

/// The pattern with the number in the place of its `#` and `0`.
pub(super) fn formatted(pattern: &str, number: i32) -> String {
    let mut name = String::new();
    let mut width = 0;
    let mut at = None;
    let mut quoted = false;
    let mut characters = pattern.chars().peekable();
    while let Some(next) = characters.next() {
        match next {
            '\'' if characters.next_if_eq(&'\'').is_some() => name.push('\''),
            '\'' => quoted = !quoted,
            '0' | '#' if !quoted && at.is_none_or(|at| at == name.len()) => {
                at = Some(name.len());
                width += usize::from(next == '0');
            }
            other => name.push(other),
        }
    }
    if let Some(at) = at {
        let digits = format!("{:0>width$}", number.unsigned_abs());
        let sign = if number < 0 { "-" } else { "" };
        name.insert_str(at, &format!("{sign}{digits}"));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::formatted;

    #[test]
    fn numbers_take_the_place_of_their_digits() {
        assert_eq!(formatted("file'#'000'.txt'", 7), "file#007.txt");
        assert_eq!(formatted("data#.csv", 12), "data12.csv");
        assert_eq!(formatted("plain.txt", 12), "plain.txt");
    }
}
