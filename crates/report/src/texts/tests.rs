use super::*;

/// Names of the places of a template, sorted.
pub(super) fn places(template: &str) -> Vec<&str> {
    let mut names: Vec<&str> = template
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn every_language_fills_the_same_places() {
    let english = Language::English.texts().all();
    for language in Language::ALL {
        for ((name, words), (_, english)) in language.texts().all().iter().zip(&english) {
            assert!(!words.is_empty(), "{name}");
            assert_eq!(places(words), places(english), "{name} in {language:?}");
        }
    }
}

/// Letters of simplified Chinese, and words of the mainland that Taiwan does not use, in software.
pub(super) const FOREIGN: [&str; 24] = [
    "响",
    "应",
    "时",
    "优",
    "订",
    "单",
    "错",
    "误",
    "资",
    "库",
    "网",
    "数据",
    "响应",
    "響應",
    "默認",
    "服務器",
    "內存",
    "支持",
    "質量",
    "信息",
    "用戶",
    "軟件",
    "程序",
    "線程",
];

#[test]
fn the_chinese_is_that_of_taiwan() {
    let chinese = Language::TraditionalChinese.texts();
    for (name, words) in chinese.all() {
        for foreign in FOREIGN {
            assert!(!words.contains(foreign), "{name}: {foreign} in {words}");
        }
    }
    let mut english = 0;
    for ((_, words), (_, other)) in chinese.all().iter().zip(Language::English.texts().all()) {
        english += usize::from(*words == other);
    }
    // Names, templates without words and units; the rest is translated.
    assert!(english < 15, "{english} texts are the English ones");
}

#[test]
fn a_language_is_found_by_its_names() {
    for (text, expected) in [
        ("en", Language::English),
        ("zh-TW", Language::TraditionalChinese),
        ("zh-tw", Language::TraditionalChinese),
        ("zh-Hant-TW", Language::TraditionalChinese),
    ] {
        assert_eq!(text.parse(), Ok(expected));
    }
    let error = "klingon".parse::<Language>().unwrap_err();
    assert!(error.to_string().contains("`klingon`"));
    for language in Language::ALL {
        assert_eq!(language.name().parse(), Ok(language));
    }
}
