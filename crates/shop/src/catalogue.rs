//! The catalogue, computed from a seed: the same seed gives the same products on every machine, and
//! the first products of a large catalogue are those of a small one.
//!
//! Brands are invented. Names are made of words with spaces between them, in Traditional Chinese and
//! in English, so that a search by word finds them in either language.

mod words;

use double11_store::{Category, NewProduct, Product};
use double11_units::{Currency, Money, ProductId};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use rand_pcg::Pcg64Mcg;

use words::{BRANDS, Vocabulary, Word, vocabulary};

/// The fewest pieces of a product that the shop starts with.
pub const STOCK_MIN: u32 = 2_000;
/// The most pieces of a product that the shop starts with.
pub const STOCK_MAX: u32 = 10_000;

/// The spread of prices within a category: a sixth of them cost more than twice the median.
const PRICE_SIGMA: f64 = 0.7;

/// The first `count` products of the catalogue of this seed, ids 1..=count.
pub fn generate(seed: u64, count: u32, currency: Currency) -> Vec<NewProduct> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let spread = LogNormal::new(0.0, PRICE_SIGMA).ok();
    (1..=count)
        .filter_map(|number| {
            let product_id = ProductId::new(i64::from(number)).ok()?;
            let factor = spread.map_or(1.0, |spread| spread.sample(&mut random));
            let category = *pick(&Category::ALL, &mut random);
            let vocabulary = vocabulary(category);
            let price = price(vocabulary.price_median, factor, currency, &mut random);
            let (name, name_en) = names(&vocabulary, &mut random);
            let stock = random.random_range(STOCK_MIN..=STOCK_MAX);
            let product = Product {
                product_id,
                name,
                name_en,
                category,
                price,
            };
            Some(NewProduct { product, stock })
        })
        .collect()
}

fn names(vocabulary: &Vocabulary, random: &mut Pcg64Mcg) -> (String, String) {
    let Word(brand, brand_en) = *pick(&BRANDS, random);
    let Word(attribute, attribute_en) = *pick(vocabulary.attributes, random);
    let Word(kind, kind_en) = *pick(vocabulary.kinds, random);
    let letter = *pick(&["A", "E", "K", "M", "R", "S", "T", "V", "X", "Z"], random);
    let number = random.random_range(10_u32..1_000);
    (
        format!("{brand} {attribute} {kind} {letter}{number}"),
        format!("{brand_en} {attribute_en} {kind_en} {letter}{number}"),
    )
}

/// A price as shops write it: whole, or ten fen below a whole one.
fn price(median: f64, factor: f64, currency: Currency, random: &mut Pcg64Mcg) -> Money {
    // The cast cannot leave the range after `clamp`, and a fraction of a yuan does not matter here.
    #[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
    let whole = (median * factor).round().clamp(5.0, 100_000.0) as i64;
    let below = if random.random_range(0..3) == 0 {
        10
    } else {
        0
    };
    Money::from_minor(whole * 100 - below, currency)
}

fn pick<'list, T>(list: &'list [T], random: &mut Pcg64Mcg) -> &'list T {
    &list[random.random_range(0..list.len())]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use double11_units::Currency;

    use super::{STOCK_MAX, STOCK_MIN, generate};

    #[test]
    fn the_same_seed_gives_the_same_products() {
        let small = generate(11, 100, Currency::Cny);
        let large = generate(11, 2_000, Currency::Cny);
        assert_eq!(small[..], large[..100]);
        assert_ne!(generate(12, 100, Currency::Cny), small);
        for (number, new) in (1_i64..).zip(&large) {
            assert_eq!(new.product.product_id.get(), number);
            assert!((STOCK_MIN..=STOCK_MAX).contains(&new.stock));
            assert!(new.product.price.minor_units() >= 400);
            assert!(new.product.name_en.is_ascii());
        }
    }

    #[test]
    fn the_median_price_suits_the_amounts_of_the_requirements_client() {
        for seed in 0..20 {
            let mut prices: Vec<i64> = generate(seed, 1_000, Currency::Cny)
                .iter()
                .map(|new| new.product.price.minor_units())
                .collect();
            prices.sort_unstable();
            let median = prices[500];
            assert!(
                (15_000..=40_000).contains(&median),
                "seed {seed}: {median} fen"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_products_of_all_categories() {
        let products = generate(1, 100_000, Currency::Cny);
        let names: HashSet<&str> = products
            .iter()
            .map(|new| new.product.name.as_str())
            .collect();
        assert_eq!(products.len(), 100_000);
        assert!(names.len() > 90_000, "{} different names", names.len());
        for category in double11_store::Category::ALL {
            let share = products
                .iter()
                .filter(|new| new.product.category == category)
                .count();
            assert!(
                (19_000..21_000).contains(&share),
                "{}: {share}",
                category.name()
            );
        }
    }
}
