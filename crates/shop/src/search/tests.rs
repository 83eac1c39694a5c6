use std::time::Duration;

use double11_store::Product;
use double11_units::Currency;
use proptest::prelude::*;

use super::{Hits, SearchIndex, gallop, intersect, runs};
use double11_store::Stopwatch;

fn catalogue(count: u32) -> Vec<Product> {
    crate::catalogue::generate(11, count, Currency::Cny)
        .into_iter()
        .map(|new| new.product)
        .collect()
}

/// Positions of the products that have this word between spaces, or are of this category.
fn brute_force(products: &[Product], word: &str) -> Vec<u32> {
    let has = |product: &Product| {
        let names = [&product.name, &product.name_en];
        product.category.name() == word
            || names.iter().any(|name| {
                name.split([' ', '-'])
                    .any(|part| part.eq_ignore_ascii_case(word))
            })
    };
    (0_u32..)
        .zip(products)
        .filter(|(_, product)| has(product))
        .map(|(position, _)| position)
        .collect()
}

#[test]
fn every_product_with_a_word_is_found() {
    let products = catalogue(5_000);
    let index = SearchIndex::build(&products);
    let mut words: Vec<&str> = products
        .iter()
        .flat_map(|product| {
            product
                .name
                .split(' ')
                .chain(product.name_en.split([' ', '-']))
        })
        .collect();
    words.extend(["手機", "服飾", "家電", "美妝", "數碼"]);
    words.sort_unstable();
    words.dedup();
    assert!(words.len() > 300, "{}", words.len());
    for word in words {
        let expected = brute_force(&products, word);
        let found = index.find(word, usize::MAX);
        assert_eq!(found.total, found.positions.len() as u64);
        assert!(found.positions.is_sorted(), "{word}");
        let missing: Vec<_> = expected
            .iter()
            .filter(|position| !found.positions.contains(position))
            .collect();
        assert!(missing.is_empty(), "`{word}` misses {missing:?}");
    }
}

#[test]
fn the_five_keywords_find_their_whole_category() {
    let products = catalogue(5_000);
    let index = SearchIndex::build(&products);
    for category in double11_store::Category::ALL {
        let of_category = products
            .iter()
            .filter(|product| product.category == category)
            .count() as u64;
        let hits = index.find(category.name(), 20);
        assert!(
            hits.total >= of_category,
            "{}: {}",
            category.name(),
            hits.total
        );
        assert_eq!(hits.positions.len(), 20);
    }
}

#[test]
fn words_are_cut_joined_and_missed() {
    let products = catalogue(5_000);
    let index = SearchIndex::build(&products);
    let total = |query: &str| index.find(query, 0).total;
    for (word, whole) in [
        ("耳機", "藍牙耳機"),
        ("外套", "羽絨外套"),
        ("手機", "遊戲手機"),
    ] {
        let found = total(word);
        assert!(
            found >= brute_force(&products, whole).len() as u64,
            "{word} of {whole}: {found}"
        );
    }
    assert!(
        total("bluetooth") == total("BLUETOOTH") && total("bluetooth") > 0,
        "any case"
    );
    assert!(
        total("blueto") >= total("bluetooth"),
        "the beginning of a word"
    );
    assert_eq!(
        total("bluetooth"),
        total("ｂｌｕｅｔｏｏｔｈ"),
        "full width"
    );
    assert!(
        total("防水 耳機") > 0 && total("防水 耳機") < total("耳機"),
        "all of the words"
    );
    assert_eq!(total("耳機 防水"), total("防水,耳機"));
    for missing in ["量子冰箱", "zzzz", "耳機 zzzz", "", " -,"] {
        assert_eq!(
            index.find(missing, 20),
            Hits {
                total: 0,
                positions: vec![]
            },
            "{missing}"
        );
    }
}

#[test]
fn a_hundred_thousand_products_are_indexed_in_seconds() {
    let products = catalogue(100_000);
    let started = Stopwatch::start();
    let index = SearchIndex::build(&products);
    let taken = started.elapsed();
    // The bound is wide: it is there to catch a build that segments every name anew.
    assert!(taken < Duration::from_secs(15), "{taken:?}");
    assert!(index.find("手機", 20).total > 19_000);
}

#[test]
fn runs_of_a_text() {
    for (text, expected) in [
        ("5G手機 X-200", vec!["5g", "手機", "x", "200"]),
        ("ＡＢ１２", vec!["ab12"]),
        ("T-Shirt", vec!["t", "shirt"]),
        ("  ", vec![]),
    ] {
        assert_eq!(runs(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn intersection_equals_the_plain_one(
        first in prop::collection::btree_set(0_u32..200, 0..60),
        second in prop::collection::btree_set(0_u32..200, 0..200),
        third in prop::collection::btree_set(0_u32..200, 0..200),
        limit in 0_usize..20,
    ) {
        let lists = [&first, &second, &third].map(|set| set.iter().copied().collect::<Vec<_>>());
        let plain: Vec<u32> =
            first.iter().copied().filter(|id| second.contains(id) && third.contains(id)).collect();
        let hits = intersect(&lists[0], &[&lists[1], &lists[2]], limit);
        prop_assert_eq!(hits.total, plain.len() as u64);
        prop_assert_eq!(&hits.positions, &plain[..plain.len().min(limit)]);
    }

    #[test]
    fn galloping_equals_a_binary_search(
        set in prop::collection::btree_set(0_u32..500, 0..300),
        wanted in 0_u32..510,
    ) {
        let list: Vec<u32> = set.into_iter().collect();
        prop_assert_eq!(gallop(&list, wanted), list.partition_point(|id| *id < wanted));
    }
}
