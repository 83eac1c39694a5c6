use super::*;

fn check(document: &str, pointer: &str, expected: Option<&Found<'_>>) {
    let found = Pointer::parse(pointer).unwrap().find(document.as_bytes());
    assert_eq!(found.as_ref(), expected, "{pointer} in {document}");
}

#[test]
fn finds_values_and_keeps_the_digits_of_numbers() {
    let order = r#" {"items":[{"q":[1,{"total":7}]},2], "order_id" : "12\u0033", "total":398.10,"x":{"total":1}}"#;
    check(order, "/total", Some(&Found::Number("398.10")));
    check(order, "/order_id", Some(&Found::Text("123".into())));
    check(order, "/x/total", Some(&Found::Number("1")));
    check(order, "/items/0/q/1/total", Some(&Found::Number("7")));
    check(order, "/items/1", Some(&Found::Number("2")));
    check(
        order,
        "/items/0/q",
        Some(&Found::Other(r#"[1,{"total":7}]"#)),
    );
    check("-0.10e+2", "", Some(&Found::Number("-0.10e+2")));
    check(r#"{"a":null}"#, "/a", Some(&Found::Other("null")));
    check(r#"{"a/b":1,"m~n":2}"#, "/a~1b", Some(&Found::Number("1")));
    check(r#"{"a/b":1,"m~n":2}"#, "/m~0n", Some(&Found::Number("2")));
    check(r#"{"手機":"好"}"#, "/手機", Some(&Found::Text("好".into())));
    check(
        r#"{"\u624b":"\ud83d\ude00"}"#,
        "/手",
        Some(&Found::Text("😀".into())),
    );
}

proptest::proptest! {
    #[test]
    fn in_one_pass_the_same_is_found_as_one_by_one(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", " ", "\"a\"", "\"b\"", "\"\\u0061\"", "\"\\x\"", "\"手\"",
                "\"a\":1,", "\"b\":\"two\",", "\"a\":tru,", "\"c\":[{\"a\":3}],", "-1.5e3", "01", "null",
                "\"a string that is longer than the short ones\"", "\"unterminated",
            ]),
            0..12,
        ),
        in_object in proptest::bool::ANY,
    ) {
        let document = format!("{}{}", if in_object { "{" } else { "" }, parts.concat());
        for texts in [&["/a", "/b", "/手", "/a"][..], &["/b"], &["/a", "/c/0/a"], &[""], &[]] {
            let pointers: Vec<Pointer> =
                texts.iter().map(|text| Pointer::parse(text).unwrap()).collect();
            let mut found = vec![None; pointers.len()];
            find_each(pointers.len(), |place| &pointers[place], document.as_bytes(), |place, value| {
                assert!(found[place].replace(value.clone()).is_none(), "handed on once");
            });
            let expected: Vec<_> =
                pointers.iter().map(|pointer| pointer.find(document.as_bytes())).collect();
            assert_eq!(found, expected, "{texts:?} in {document}");
        }
    }
}

#[test]
fn absent_and_malformed_values_are_none() {
    for (document, pointer) in [
        (r#"{"a":1}"#, "/b"),
        (r#"{"a":1}"#, "/a/b"),
        ("{}", "/a"),
        ("[]", "/0"),
        ("[1]", "/1"),
        ("[1,2]", "/01"),
        ("[1,2]", "/-"),
        (r#"{"a":01}"#, "/a"),
        (r#"{"a":tru}"#, "/a"),
        (r#"{"a":}"#, "/a"),
        (r#"{"a" 1}"#, "/a"),
        (r#"{"a":"unterminated"#, "/a"),
        (r#"{"a":"\"#, "/a"),
        (r#"{"a":[1,2"#, "/a"),
        (r#"{"a":"\x"}"#, "/a"),
        ("", ""),
        ("<html>", "/code"),
    ] {
        check(document, pointer, None);
    }
    let deep = "[".repeat(1_000_000);
    check(&deep, "", None);
    assert_eq!(Pointer::parse("").unwrap().find(b"\"\xff\""), None);
}

#[test]
fn pointers_are_checked() {
    assert_eq!(Pointer::parse("total"), Err(PointerError::NoSlash));
    assert_eq!(Pointer::parse("/a~2"), Err(PointerError::Escape));
    assert_eq!(Pointer::parse("/a~"), Err(PointerError::Escape));
}

#[test]
fn numbers_are_told_from_other_texts() {
    for number in ["0", "-1", "10.50", "1e9", "1E-9", "0.0"] {
        assert!(is_number(number), "{number}");
    }
    for other in ["", "-", "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "1 "] {
        assert!(!is_number(other), "{other}");
    }
}

#[test]
fn what_is_escaped_reads_back() {
    for text in ["手機", "a\"b\\c\n\r\t\u{1}", ""] {
        let mut out = Vec::new();
        quote_into(text.as_bytes(), &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}

proptest::proptest! {
    #[test]
    fn agrees_with_a_whole_parser(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "\"a\":", "1", "2.50", "-3e2", "null", "true",
                "{\"a\":", "[1,", "\"\\u0061\":", " ", "\"x\\\"y\"",
            ]),
            0..14,
        ),
        pointer in proptest::sample::select(vec!["", "/a", "/b", "/0", "/1", "/a/a", "/a/0", "/1/a"]),
    ) {
        let document = parts.concat();
        let found = Pointer::parse(pointer).unwrap().find(document.as_bytes());
        let Ok(parsed) = serde_json::from_str::<serde_json::Value>(&document) else {
            // What is malformed behind the value is not looked at; it only must not panic.
            return Ok(());
        };
        // A member that is given twice counts as first here and as last there.
        let expected = parsed.pointer(pointer);
        let is_twice = document.matches("\"a\"").count() + document.matches("u0061").count() > 1
            || document.matches("\"b\"").count() > 1;
        if is_twice {
            return Ok(());
        }
        match (found, expected) {
            (None, None) => {}
            (Some(Found::Text(text)), Some(serde_json::Value::String(expected))) => {
                assert_eq!(text, expected.as_str());
            }
            (Some(Found::Number(text) | Found::Other(text)), Some(expected)) => {
                assert_eq!(&serde_json::from_str::<serde_json::Value>(text).unwrap(), expected);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?} at {pointer} in {document}"),
        }
    }
}
