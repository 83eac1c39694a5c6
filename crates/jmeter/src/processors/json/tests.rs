//! Paths and what Jayway's library 2.7 of `JMeter` 5.5 says that they lead to.

use super::evaluate::{Found, evaluate};
use super::path::Path;
use super::{Json, java_double};

const DOCUMENT: &str = r#"{"store":{"book":[{"t":"A/b","price":8.95,"n":1,"tags":["x","y"]},
    {"t":"B\u00e9\u2028\"q\n","price":12.99,"isbn":"0-5"},{"t":"C","price":22,"isbn":null}],
    "b":{"price":19.950}},"e":10000000.0,"big":12345678901234567890,"small":0.0001,"nul":null,
    "arr":[],"a b":1}"#;

/// What the path leads to, as variables show it; after an exclamation mark why it leads nowhere.
fn follow(path: &str) -> String {
    let document = Json::parse(DOCUMENT).unwrap();
    let Ok(path) = Path::parse(path) else {
        return "no path".to_owned();
    };
    let shown = |value: &Json| value.shown().unwrap_or_else(|| "<null>".to_owned());
    match evaluate(&path, &document) {
        Ok(Found::One(value)) => shown(&value),
        Ok(Found::Many(values)) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", values.join(" | "))
        }
        Err(nothing) => format!("!{nothing}"),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn paths_lead_where_they_lead_in_jmeter() {
    let first = r#"{"t":"A\/b","price":8.95,"n":1,"tags":["x","y"]}"#;
    let b = "B\u{e9}\u{2028}\"q\n";
    for (path, expected) in [
        ("$.store.book[0].t", "A/b"),
        ("$..price", "[8.95 | 12.99 | 22 | 19.95]"),
        ("$.store.book[*].t", &format!("[A/b | {b} | C]")),
        ("$.store.book[0]", first),
        ("$.nul", "<null>"),
        ("$.none", "!No results for path: $['none']"),
        ("$.none.x", "!Missing property in path $['none']"),
        (
            "$.store.book[7]",
            "!No results for path: $['store']['book'][7]",
        ),
        ("$.store.book[-1].t", "C"),
        ("$.store.book[0,2].t", "[A/b | C]"),
        ("$.store.book[1:].price", "[12.99 | 22]"),
        ("$.store.book[:2].price", "[8.95 | 12.99]"),
        ("$.store.book[-2:-1].price", "[12.99]"),
        ("$.store.book[?(@.price<10)].t", "[A/b]"),
        ("$.store.book[?(@.isbn)].price", "[12.99 | 22]"),
        ("$.store.book[?(@.isbn==null)].t", "[C]"),
        ("$.store.book[?(!@.isbn)].t", "[A/b]"),
        ("$.store.book[?(@.t=~/a.*/i)].t", "[A/b]"),
        ("$.store.book[?(@.t in ['C','D'])].t", "[C]"),
        (
            "$.store.book[?(@.price>10 && @.price<20 || @.n==1)].price",
            "[8.95 | 12.99]",
        ),
        ("$.store.book[?(@.n=='1')].t", "[A/b]"),
        ("$..book[0].t", "[A/b]"),
        ("$..[0].t", "[A/b]"),
        ("$['store']['b']", r#"{"price":19.95}"#),
        ("store.b.price", "19.95"),
        ("$.e", "1.0E7"),
        ("$.big", "12345678901234567890"),
        ("$.small", "1.0E-4"),
        ("$.arr", "[]"),
        ("$.arr[0]", "!No results for path: $['arr'][0]"),
        ("$.arr[*]", "[]"),
        ("$.store.book.length()", "3"),
        ("$..book.length()", "3"),
        ("$.arr.size()", "0"),
        ("$.store.book[0]['t','n']", r#"{"t":"A\/b","n":1}"#),
        (
            "$.store.book[*]['t','n']",
            r#"[{"t":"A\/b","n":1} | {"t":"Bé\u2028\"q\n"} | {"t":"C"}]"#,
        ),
        ("$..book[?(@.tags contains 'x')].n", "[1]"),
        ("$.store.book[?(@.tags size 2)].n", "[1]"),
        ("$['a b']", "1"),
        (
            "$.store.book[0].t.x",
            "!Expected to find an object with property ['x'] in path $['store']['book'][0]['t'] but \
             found 'java.lang.String'. This is not a json object according to the JsonProvider: \
             'com.jayway.jsonpath.spi.json.JsonSmartJsonProvider'.",
        ),
        ("$..isbn", "[0-5 | <null>]"),
        ("$.store.book[?(@.price > $.store.b.price)].t", "[C]"),
        (
            "$.store.book[?(@.t empty false)].price",
            "[8.95 | 12.99 | 22]",
        ),
        ("$.store.book[?(@.none != 1)].price", "[8.95 | 12.99 | 22]"),
        ("$..book[*].price", "[8.95 | 12.99 | 22]"),
        ("$.store.book[?(@['t'] == \"C\")].price", "[22]"),
        ("$.store.book[?(@.tags)].tags[*]", "[x | y]"),
        ("$.", "no path"),
        ("$..", "no path"),
        ("$.a b", "no path"),
        ("[", "no path"),
    ] {
        assert_eq!(follow(path), expected, "{path}");
    }
    let whole = follow("$");
    let names = [
        "{\"small\":",
        ",\"arr\":",
        ",\"big\":",
        ",\"a b\":",
        ",\"nul\":",
        ",\"e\":",
        ",\"store\":",
    ];
    let places: Vec<Option<usize>> = names.iter().map(|name| whole.find(name)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{whole}");
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "", "{", "[1,", "{\"a\"}", "[1 2]", "nul", "\"a", "1 2", "{a:1}",
    ] {
        assert!(Json::parse(text).is_err(), "{text}");
    }
    assert!(Json::parse(&"[".repeat(100_000)).is_err());
    for (number, expected) in [
        (1.0, "1.0"),
        (1e7, "1.0E7"),
        (1.25e-5, "1.25E-5"),
        (0.001, "0.001"),
    ] {
        assert_eq!(java_double(number), expected);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[\\$@.\\[\\]()?'\"a0:,*!=<>&|~/ {}\\\\-]{0,40}") {
        if let Ok(path) = Path::parse(&text) {
            let document = Json::parse(DOCUMENT).unwrap();
            drop(evaluate(&path, &document));
        }
        drop(Json::parse(&text));
    }
}
