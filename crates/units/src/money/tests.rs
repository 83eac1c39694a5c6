use super::{Currency, Money, MoneyError};
use proptest::prelude::*;

fn check(text: &str, expected: Result<i64, MoneyError>) {
    let parsed = Money::parse(text, Currency::Cny).map(Money::minor_units);
    assert_eq!(parsed, expected, "{text}");
}

#[test]
fn reads_decimal_text_exactly() {
    check("0", Ok(0));
    check("1", Ok(100));
    check("199.9", Ok(19_990));
    check("0.01", Ok(1));
    check("-0.01", Ok(-1));
    check("1.5e2", Ok(15_000));
    check("15000E-2", Ok(15_000));
    check("0e9999", Ok(0));
    check("1e-9999", Ok(0));
}

#[test]
fn rounds_longer_fractions_half_away_from_zero() {
    check("0.004999999999999999999", Ok(0));
    check("0.005", Ok(1));
    check("-0.005", Ok(-1));
    check("1.005", Ok(101));
    check("123.45678901234567", Ok(12_346));
    check("5e-3", Ok(1));
    check("0.5e-2", Ok(1));
    check("4e-3", Ok(0));
    check("9e-4", Ok(0));
}

#[test]
fn refuses_what_is_not_a_number_or_does_not_fit() {
    for text in [
        "", "-", ".5", "5.", "01", "1e", "1e+", "NaN", "1,5", "0x10", " 1", "1 ", "+1",
    ] {
        check(text, Err(MoneyError::NotANumber));
    }
    check("92233720368547758.07", Ok(i64::MAX));
    check("92233720368547758.08", Err(MoneyError::OutOfRange));
    check("92233720368547758.075", Err(MoneyError::OutOfRange));
    check("1e400", Err(MoneyError::OutOfRange));
}

#[test]
fn arithmetic_is_checked() {
    let most = Money::from_minor(i64::MAX, Currency::Cny);
    let one = Money::from_minor(1, Currency::Cny);
    assert_eq!(most.checked_add(one), Err(MoneyError::OutOfRange));
    assert_eq!(most.checked_mul(2), Err(MoneyError::OutOfRange));
    let dollar = Money::from_minor(1, Currency::Usd);
    assert_eq!(one.checked_add(dollar), Err(MoneyError::CurrencyMismatch));
}

proptest! {
    #[test]
    fn display_and_parse_are_inverse(minor_units in -1_000_000_000_000_i64..1_000_000_000_000) {
        let money = Money::from_minor(minor_units, Currency::Cny);
        prop_assert_eq!(Money::parse(&money.to_string(), Currency::Cny), Ok(money));
    }

    #[test]
    fn never_panics(text in "[-+.eE0-9]{0,40}") {
        let parsed = Money::parse(&text, Currency::Cny);
        prop_assert!(parsed.is_ok() || parsed.is_err());
    }
}
