//! Elements as plans have them, and what they leave in variables and results.

mod data;
mod pages;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use double11_jmx::document::Element;

use super::{Assertion, OnError, PostProcessor, Reaction};
use crate::compiler::Compiler;
use crate::run::Run;
use crate::sample::{Code, SampleResult};
use crate::user::User;

fn user_in(folder: &Path) -> User {
    let run = Arc::new(Run::new(folder, HashMap::new(), 1));
    User::new(&run, "Users", 1, 1)
}

fn user() -> User {
    user_in(Path::new("."))
}

fn answer(body: &str) -> SampleResult {
    SampleResult {
        code: Code::Status(200),
        message: "OK".into(),
        success: true,
        response_headers: "HTTP/1.1 200 OK\nLocation: /order/17?a=b\n".to_owned(),
        url: Some("http://shop/orders?id=5".into()),
        body: body.as_bytes().to_vec(),
        bytes: 1_234,
        ..SampleResult::default()
    }
}

/// Runs a post-processor and tells the variables, in the order of their names.
fn extract(element: &Element, sample: &mut SampleResult, user: &mut User) -> String {
    let mut compiler = Compiler::default();
    let processor = PostProcessor::compile(element, &mut compiler).unwrap();
    assert_eq!(compiler.problems(), []);
    processor.process(user, sample);
    let mut variables: Vec<(&str, &str)> = user.variables.iter().collect();
    variables.sort_unstable();
    let variables = variables.iter();
    let variables: Vec<String> = variables
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    variables.join(" ")
}

/// Checks a sample and tells what was found: nothing when the assertion holds.
fn check(element: &Element, sample: &mut SampleResult, user: &mut User) -> String {
    let mut compiler = Compiler::default();
    let assertion = Assertion::compile(element, &mut compiler).unwrap();
    assert_eq!(compiler.problems(), []);
    assertion.check(user, sample);
    let found = sample.assertions.last().unwrap();
    assert_eq!(sample.success, !found.failed && !found.error);
    match (found.failed, found.error) {
        (false, false) => String::new(),
        (true, false) => found.message.clone(),
        (failed, _) => format!("error (failed: {failed}): {}", found.message),
    }
}

fn regex(regex: &str, template: &str, number: &str) -> Element {
    Element::new("RegexExtractor", "Regular Expression Extractor")
        .with("RegexExtractor.refname", "id")
        .with("RegexExtractor.regex", regex)
        .with("RegexExtractor.template", template)
        .with("RegexExtractor.match_number", number)
        .with("RegexExtractor.default", "NONE")
}

#[test]
fn regular_expressions_fill_variables() {
    let body = r#"{"id":"a1","n":1},{"id":"b2","n":2}"#;
    for (element, expected) in [
        (
            regex(r#""id":"(.+?)""#, "$1$", "1"),
            r#"id=a1 id_g=1 id_g0="id":"a1" id_g1=a1"#,
        ),
        (
            regex(r#""id":"(.)(.)""#, "$2$-$1$$3$", "2"),
            r#"id=2-bnull id_g=2 id_g0="id":"b2" id_g1=b id_g2=2"#,
        ),
        (regex("nothing", "$1$", "1"), "id=NONE"),
        (regex(r#""id":"(.+?)""#, "$1$", "3"), "id=NONE"),
        (regex("b(2)", "$0$", "0"), "id=b2 id_g=1 id_g0=b2 id_g1=2"),
        (
            regex(r#"(\w)\d""#, "$1$", "-1"),
            "id=NONE id_1=a id_1_g=1 id_1_g0=a1\" id_1_g1=a \
             id_2=b id_2_g=1 id_2_g0=b2\" id_2_g1=b id_matchNr=2",
        ),
        (
            regex(r"order/(\d+)", "$1$", "1").with("RegexExtractor.useHeaders", "true"),
            "id=17 id_g=1 id_g0=order/17 id_g1=17",
        ),
        (
            regex(r"id=(\d)", "$1$", "1").with("RegexExtractor.useHeaders", "URL"),
            "id=5 id_g=1 id_g0=id=5 id_g1=5",
        ),
        (
            regex(r"\d+", "$0$", "1").with("RegexExtractor.useHeaders", "code"),
            "id=200 id_g=0 id_g0=200",
        ),
    ] {
        assert_eq!(extract(&element, &mut answer(body), &mut user()), expected);
    }
}

#[test]
fn fewer_matches_leave_no_variables_of_earlier_ones() {
    let mut user = user();
    let all = regex(r"(\d)", "$1$", "-1");
    extract(&all, &mut answer("1 2 3"), &mut user);
    let left = extract(&all, &mut answer("7"), &mut user);
    assert_eq!(
        left,
        "id=NONE id_1=7 id_1_g=1 id_1_g0=7 id_1_g1=7 id_matchNr=1"
    );
    let one = regex(r"(\d)", "$1$", "1");
    assert_eq!(extract(&one, &mut answer("-"), &mut user), "id=NONE");
}

#[test]
fn parts_and_variables_are_looked_at_when_the_scope_says_so() {
    let mut sample = answer("main 1");
    sample.sub_results = vec![answer("part 2"), answer("part 3")];
    for (scope, number, expected) in [
        ("parent", "1", "1"),
        ("children", "1", "2"),
        ("children", "2", "3"),
        ("all", "3", "3"),
        ("variable", "1", "9"),
    ] {
        let mut user = user();
        user.variables.set("own", "text 9");
        let element = regex(r"\d", "$0$", number)
            .with("Sample.scope", scope)
            .with("Scope.variable", "own");
        extract(&element, &mut sample, &mut user);
        assert_eq!(user.variables.get("id"), Some(expected), "{scope}");
    }
}

#[test]
fn boundaries_fill_variables() {
    for (left, right, number, expected) in [
        ("[", "]", "1", "id=a"),
        ("[", "]", "2", "id=b"),
        ("[", "]", "3", "id=NONE"),
        ("[", "]", "-1", "id=NONE id_1=a id_2=b id_matchNr=2"),
        ("", "[", "1", "id=x"),
        ("]y", "", "1", "id=[b]"),
    ] {
        let element = Element::new("BoundaryExtractor", "Boundary Extractor")
            .with("BoundaryExtractor.refname", "id")
            .with("BoundaryExtractor.lboundary", left)
            .with("BoundaryExtractor.rboundary", right)
            .with("BoundaryExtractor.match_number", number)
            .with("BoundaryExtractor.default", "NONE");
        let found = extract(&element, &mut answer("x[a]y[b]"), &mut user());
        assert_eq!(found, expected, "{left} {right} {number}");
    }
}

fn response(field: &str, test_type: i64, tests: &[&str]) -> Element {
    Element::new("ResponseAssertion", "Response Assertion")
        .with("Assertion.test_field", &format!("Assertion.{field}"))
        .with("Assertion.test_type", &test_type.to_string())
        .with_list("Asserion.test_strings", tests)
}

#[test]
fn what_responses_hold_is_checked_with_the_words_of_jmeter() {
    let long = "x".repeat(110);
    for (element, expected) in [
        (response("response_data", 2, &["h.llo"]), ""),
        (
            response("response_data", 2, &["w{3}"]),
            "Test failed: text expected to contain /w{3}/",
        ),
        (response("response_data", 16, &["hello", "world"]), ""),
        (
            response("response_data", 20, &["hello"]),
            "Test failed: text expected not to contain /hello/",
        ),
        (response("response_data", 1, &["hello.*"]), ""),
        (
            response("response_data", 1, &["hello"]),
            "Test failed: text expected to match /hello/",
        ),
        (response("response_code", 8, &["200"]), ""),
        (
            response("response_code", 8, &["201"]),
            "Test failed: code expected to equal /\n\n****** received  : 20[[[0]]]\n\n\
             ****** comparison: 20[[[1]]]\n\n/",
        ),
        (response("response_code", 40, &["201", "200"]), ""),
        (
            response("response_message", 34, &["a", "b"]),
            "Test failed: message expected something using /a/\t\
             Test failed: message expected something using /b/\t",
        ),
        (
            response("response_headers", 6, &["order"]),
            "Test failed: headers expected not to contain /order/",
        ),
        (response("sample_label", 2, &["id=5$"]), ""),
        (response("request_data", 2, &["a"]), "Response was null"),
        (response("request_data", 6, &["a"]), ""),
        (
            response("response_data", 16, &["z"]).with("Assertion.custom_message", "no z"),
            "no z",
        ),
        (
            response("response_message", 8, &[&format!("{long}K")]),
            &format!(
                "Test failed: message expected to equal /\n\n\
                 ****** received  : [[[O{}]]]K\n\n****** comparison: [[[{}...]]]K\n\n/",
                " ".repeat(102),
                "x".repeat(100),
            ),
        ),
    ] {
        let found = check(&element, &mut answer("hello world"), &mut user());
        assert_eq!(found, expected);
    }
}

#[test]
fn failures_may_be_assumed_to_be_successes_and_parts_fail_their_whole() {
    let mut sample = answer("body");
    sample.success = false;
    let element = response("response_data", 16, &["body"]).with("Assertion.assume_success", "true");
    assert_eq!(check(&element, &mut sample, &mut user()), "");

    let mut sample = answer("body");
    sample.sub_results = vec![answer("other")];
    let element = response("response_data", 16, &["body"]).with("Assertion.scope", "all");
    let found = check(&element, &mut sample, &mut user());
    assert_eq!(found, "One or more sub-samples failed");
    assert_eq!(sample.assertions.len(), 2);
}

#[test]
fn sizes_sums_and_durations_are_checked() {
    let size = |operator: &str, size: &str| {
        Element::new("SizeAssertion", "Size Assertion")
            .with(
                "Assertion.test_field",
                "SizeAssertion.response_network_size",
            )
            .with("SizeAssertion.operator", operator)
            .with("SizeAssertion.size", size)
    };
    let sum = Element::new("MD5HexAssertion", "MD5");
    let mut slow = answer("body");
    slow.end = std::time::Duration::from_millis(12_345);
    let duration = Element::new("DurationAssertion", "Duration Assertion");
    for (element, sample, expected) in [
        (size("1", "1234"), answer("b"), ""),
        (
            size("3", "5000"),
            answer("b"),
            "The result was the wrong size: It was 1,234 bytes, but should have been greater than \
             5,000 bytes.",
        ),
        (
            sum.clone()
                .with("MD5HexAssertion.size", "841A2D689AD86BD1611447453C22C6FC"),
            answer("body"),
            "",
        ),
        (
            sum.with("MD5HexAssertion.size", "00"),
            answer("body"),
            "Error asserting MD5 sum : got 841a2d689ad86bd1611447453c22c6fc but should have been 00",
        ),
        (
            duration.with("DurationAssertion.duration", "1000"),
            slow,
            "The operation lasted too long: It took 12,345 milliseconds, but should not have lasted \
             longer than 1,000 milliseconds.",
        ),
    ] {
        let mut sample = sample;
        assert_eq!(check(&element, &mut sample, &mut user()), expected);
    }
}

#[test]
fn patterns_that_are_not_valid_are_refused_where_they_stand() {
    let mut compiler = Compiler::default();
    let element = regex("(a", "$1$", "1");
    assert!(PostProcessor::compile(&element, &mut compiler).is_some());
    assert_eq!(compiler.problems().len(), 1);
    assert!(compiler.problems()[0].text.contains("`(a`"));
}

#[test]
fn paths_of_json_fill_variables() {
    let body = r#"{"id":17,"items":[{"n":"a","p":1.50},{"n":"b","p":2}],"none":null}"#;
    let json = |paths: &str, names: &str, numbers: &str, defaults: &str| {
        Element::new("JSONPostProcessor", "JSON Extractor")
            .with("JSONPostProcessor.jsonPathExprs", paths)
            .with("JSONPostProcessor.referenceNames", names)
            .with("JSONPostProcessor.match_numbers", numbers)
            .with("JSONPostProcessor.defaultValues", defaults)
    };
    for (element, expected) in [
        (json("$.id", "id", "", ""), "id=17"),
        (json("$.id", "id", "1", "D"), "id=17 id_matchNr=1"),
        (json("$.other", "id", "1", "D"), "id=D id_matchNr=0"),
        (json("$.none", "id", "1", "D"), "id=D id_matchNr=1"),
        (json("$..n", "n", "2", "D"), "n=b n_matchNr=2"),
        (json("$..n", "n", "3", "D"), "n=D n_matchNr=2"),
        (json("$..n", "n", "-1", "D"), "n_1=a n_2=b n_matchNr=2"),
        (
            json("$..n", "n", "-1", "D").with("JSONPostProcessor.compute_concat", "true"),
            "n_1=a n_2=b n_ALL=a,b n_matchNr=2",
        ),
        (json("$.items.length()", "n", "1", "D"), "n=D"),
        (
            json("$.id;$.items[0]", "a;b", "1;0", "D;E"),
            r#"a=17 a_matchNr=1 b={"p":1.5,"n":"a"}"#,
        ),
        (
            Element::new(
                "com.atlantbh.jmeter.plugins.jsonutils.jsonpathextractor.JSONPathExtractor",
                "JSON",
            )
            .with("VAR", "p")
            .with("JSONPATH", "$..p"),
            "p=[1.5,2] p_1=1.5 p_2=2 p_matchNr=2",
        ),
    ] {
        assert_eq!(extract(&element, &mut answer(body), &mut user()), expected);
    }
    let element = json("$.id", "id", "1", "D");
    // A page is a text to JMeter's library, in which nothing is found; half an object is no JSON.
    let found = extract(&element, &mut answer("<html>"), &mut user());
    assert_eq!(found, "id=D id_matchNr=0");
    let found = extract(&element, &mut answer("{\"id\":"), &mut user());
    assert_eq!(found, "id=D");
}

#[test]
fn paths_of_json_are_checked_with_the_words_of_jmeter() {
    let body = r#"{"id":17,"tags":["a","b"],"none":null,"p":1.0}"#;
    let json = |path: &str| Element::new("JSONPathAssertion", "JSON").with("JSON_PATH", path);
    let value = |path: &str, expected: &str, regex: &str| {
        json(path)
            .with("JSONVALIDATION", "true")
            .with("EXPECTED_VALUE", expected)
            .with("ISREGEX", regex)
    };
    for (element, expected) in [
        (json("$.id"), ""),
        (json("$.other"), "No results for path: $['other']"),
        (
            json("$.id").with("INVERT", "true"),
            "Failed that JSONPath not exists: $.id",
        ),
        (value("$.id", "17", "false"), ""),
        (value("$.id", "1.", "true"), ""),
        (
            value("$.id", "18", "true"),
            "Value in json path '$.id' expected to match regexp '18', but it did not match: '17'",
        ),
        (
            value("$.tags[0]", "b", "false"),
            "Value in json path '$.tags[0]' expected to be 'b', but found 'a'",
        ),
        (value("$.tags", "b", "false"), ""),
        (value("$.p", "1\\.0", "true"), ""),
        (value("$.none", "", "false").with("EXPECT_NULL", "true"), ""),
        (
            value("$.id", "", "false").with("EXPECT_NULL", "true"),
            "Value in json path '$.id' expected to be null, but found '17'",
        ),
    ] {
        assert_eq!(check(&element, &mut answer(body), &mut user()), expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn expressions_over_xml_fill_variables_and_are_checked() {
    let body = "<?xml version=\"1.0\"?><o xmlns=\"urn:o\" xmlns:p=\"urn:p\"><i id=\"1\">a<b>c</b></i>\
                <i id=\"2\"/><p:i>d</p:i></o>";
    let first = |query: &str, number: &str| {
        Element::new("XPathExtractor", "XPath Extractor")
            .with("XPathExtractor.xpathQuery", query)
            .with("XPathExtractor.matchNumber", number)
            .with("XPathExtractor.default", "D")
            .with("XPathExtractor.refname", "x")
    };
    let second = |query: &str, number: &str| {
        Element::new("XPath2Extractor", "XPath2 Extractor")
            .with("XPathExtractor2.xpathQuery", query)
            .with("XPathExtractor2.matchNumber", number)
            .with("XPathExtractor2.default", "D")
            .with("XPathExtractor2.refname", "x")
            .with("XPathExtractor2.namespaces", "n=urn:o")
    };
    for (element, expected) in [
        (first("//i/@id", "-1"), "x=1 x_1=1 x_2=2 x_matchNr=2"),
        (first("//i/@id", "2"), "x=2 x_1=2 x_matchNr=1"),
        (first("//i", "-1"), "x=a x_1=a x_matchNr=2"),
        (first("//p:i", "1"), "x=d x_1=d x_matchNr=1"),
        (first("//none", "-1"), "x=D x_matchNr=0"),
        (first("count(//i)", "-1"), "x=2 x_1=2 x_matchNr=1"),
        (
            first("//i[@id='2']/@id | //p:i", "-1"),
            "x=2 x_1=2 x_2=d x_matchNr=2",
        ),
        (
            first("//i", "-1").with("XPathExtractor.namespace", "true"),
            "x=D x_matchNr=0",
        ),
        (second("//n:i", "1"), "x=ac x_1=ac x_matchNr=1"),
        (second("//i", "-1"), "x=D x_matchNr=0"),
    ] {
        assert_eq!(extract(&element, &mut answer(body), &mut user()), expected);
    }
    let mut broken = answer("<a>");
    let found = extract(&first("//a", "1"), &mut broken, &mut user());
    assert_eq!(found, "x=D x_matchNr=0");
    assert!(broken.success && broken.assertions[0].failed);

    let assertion =
        |class: &str, path: &str| Element::new(class, "XPath").with("XPath.xpath", path);
    for (element, expected) in [
        (assertion("XPathAssertion", "//i"), ""),
        (
            assertion("XPathAssertion", "//none"),
            "No Nodes Matched //none",
        ),
        (
            assertion("XPathAssertion", "count(//i)=3"),
            "No Nodes Matched for count(//i)=3",
        ),
        (
            assertion("XPathAssertion", "count(//i)"),
            "Cannot understand: count(//i)",
        ),
        (
            assertion("XPath2Assertion", "//none"),
            "No Nodes Matched for //none",
        ),
        (
            assertion("XPath2Assertion", "//none").with("XPath.negate", "true"),
            "",
        ),
        (Element::new("XMLAssertion", "XML"), ""),
    ] {
        assert_eq!(check(&element, &mut answer(body), &mut user()), expected);
    }
    let found = check(
        &Element::new("XMLAssertion", "XML"),
        &mut answer("<a>"),
        &mut user(),
    );
    assert!(found.starts_with("error (failed: true)"), "{found}");
}

#[test]
fn jmes_paths_fill_variables_and_are_checked() {
    let body = r#"{"id":17,"items":[{"n":"a"},{"n":"b"}],"none":null}"#;
    let jmes = |path: &str, number: &str| {
        Element::new("JMESPathExtractor", "JMES")
            .with("JMESExtractor.jmesPathExpr", path)
            .with("JMESExtractor.referenceName", "x")
            .with("JMESExtractor.defaultValue", "D")
            .with("JMESExtractor.matchNumber", number)
    };
    for (element, expected) in [
        (jmes("id", "1"), "x=17 x_matchNr=1"),
        (jmes("items[*].n", "2"), "x=b x_matchNr=2"),
        (jmes("items[*].n", "-1"), "x_1=a x_2=b x_matchNr=2"),
        (jmes("items[0]", "1"), r#"x={"n":"a"} x_matchNr=1"#),
        (jmes("other", "1"), "x=D x_matchNr=0"),
        (jmes("length(items)", "1"), "x=2 x_matchNr=1"),
    ] {
        assert_eq!(extract(&element, &mut answer(body), &mut user()), expected);
    }
    let assertion = |path: &str| Element::new("JMESPathAssertion", "JMES").with("JMES_PATH", path);
    let value = |path: &str, expected: &str| {
        let element = assertion(path).with("JSONVALIDATION", "true");
        element.with("EXPECTED_VALUE", expected)
    };
    for (element, expected) in [
        (assertion("id"), ""),
        (assertion("other"), "JMESPATH other expected to exist"),
        (
            assertion("id").with("INVERT", "true"),
            "JMESPATH id expected not to exist",
        ),
        (value("id", "1\\d"), ""),
        (value("id", "8"), "Value expected to match 8"),
        (
            value("id", "8").with("ISREGEX", "false"),
            "Value expected to be equal to 8",
        ),
        (value("none", "").with("EXPECT_NULL", "true"), ""),
    ] {
        assert_eq!(check(&element, &mut answer(body), &mut user()), expected);
    }
}

#[test]
fn failures_lead_to_actions_and_answers_into_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut user = user_in(folder.path());
    let mut compiler = Compiler::default();
    let action = Element::new("ResultAction", "Action").with("OnError.action", "5");
    let action = Reaction::compile(&action, &mut compiler).unwrap();
    let mut sample = answer("body");
    assert_eq!(action.react(&mut user, &sample), OnError::Continue);
    sample.success = false;
    assert_eq!(action.react(&mut user, &sample), OnError::NextLoopIteration);

    let saver = Element::new("ResultSaver", "Saver")
        .with("FileSaver.filename", "out/answer_")
        .with("FileSaver.variablename", "file")
        .with("FileSaver.numberPadLen", "3")
        .with("FileSaver.errorsonly", "true");
    let saver = Reaction::compile(&saver, &mut compiler).unwrap();
    assert_eq!(compiler.problems(), []);
    sample.content_type = "application/json".to_owned();
    saver.react(&mut user, &sample);
    sample.success = true;
    saver.react(&mut user, &sample);
    assert_eq!(user.variables.get("file"), Some("out/answer_001.json"));
    let out = folder.path().join("out");
    assert_eq!(
        std::fs::read_to_string(out.join("answer_001.json")).unwrap(),
        "body"
    );
    assert_eq!(std::fs::read_dir(out).unwrap().count(), 1);
}
