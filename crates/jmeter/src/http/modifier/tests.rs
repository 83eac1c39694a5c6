use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use double11_jmx::document::Property;

use super::super::{HttpSettings, Scope};
use super::*;
use crate::run::Run;
use crate::sample::SampleResult;

const PAGE: &str = r#"<html><body><a href="/a;jsessionid=q1?x=1">one</a>
    <a href="http://b.example/search?q=shoes&amp;page=2">two</a> <a href="javascript:void(0)">js</a>
    <form action="/order"><input name="id" value="17"><input type=hidden name="token" value="t%2F1">
    <textarea name=note>be quick</textarea><select name="way"><option value="fast">F</select></form>
    <frame src="/frame.html"><p>;session=abc-987;</body></html>"#;

fn user(page: &str) -> User {
    let run = Arc::new(Run::new(Path::new("."), HashMap::new(), 7));
    let mut user = User::new(&run, "Group", 1, 1);
    user.previous = Some(Rc::new(SampleResult {
        url: Some("http://a.example/shop/page".into()),
        body: page.as_bytes().to_vec(),
        ..SampleResult::default()
    }));
    user
}

fn sampler(path: &str, arguments: &[(&str, &str)]) -> HttpSampler {
    let arguments = arguments.iter().map(|(name, value)| {
        Element::new("HTTPArgument", name)
            .with("Argument.name", name)
            .with("Argument.value", value)
            .with("Argument.metadata", "=")
            .with("HTTPArgument.always_encode", "true")
    });
    let list =
        Element::new("Arguments", "").with_elements("Arguments.arguments", arguments.collect());
    let mut element = Element::new("HTTPSamplerProxy", "S")
        .with("HTTPSampler.domain", "a.example")
        .with("HTTPSampler.path", path);
    let list = Property::Element(Box::new(list));
    element.properties.set("HTTPsampler.Arguments", list);
    let mut compiler = Compiler::default();
    let scope = Scope {
        settings: Arc::new(HttpSettings::new(&|_| None, None, &mut compiler).unwrap()),
        needs: Needs::default(),
        headers: Vec::new(),
        cookies: None,
        cache: None,
        authorization: None,
        names: None,
    };
    HttpSampler::compile(&element, scope, &mut compiler).unwrap()
}

/// The address of a `GET` after a modifier has changed it.
fn address(modifier: &Element, sampler: &HttpSampler, user: &mut User) -> String {
    let mut compiler = Compiler::default();
    let modifier = Modifier::compile(modifier, &mut compiler).unwrap();
    assert_eq!(compiler.problems(), []);
    modifier.apply(user, sampler);
    let draft = user.draft.take().unwrap();
    draft.0.url("GET", user).unwrap().text.to_string()
}

fn rewriting(properties: &[&str]) -> Element {
    let element = Element::new("URLRewritingModifier", "R").with("argument_name", properties[0]);
    let properties = properties.iter().skip(1);
    properties.fold(element.with("cache_value", "false"), |element, name| {
        element.with(name, "true")
    })
}

#[test]
fn the_number_of_a_session_goes_into_the_next_request() {
    let path = "path_extension";
    let no_equals = "path_extension_no_equals";
    for (page, properties, path_of_plan, expected) in [
        (PAGE, &["session"][..], "/x", "/x?session=abc-987"),
        (PAGE, &["token"], "/x", "/x?token=t%2F1"),
        (PAGE, &["jsessionid", path], "/x", "/x;jsessionid=q1?x=1"),
        (
            PAGE,
            &["jsessionid", path, "path_extension_no_questionmark"],
            "/x;jsessionid=old?y=2",
            "/x?y=2;jsessionid=q1",
        ),
        (";sid$77&", &["sid", path, no_equals], "/x", "/x;sid$77"),
        ("nothing", &["session"], "/x", "/x?session="),
        (
            " value='v 1' id=i name='s'",
            &["s", "encode"],
            "/x",
            "/x?s=v+1",
        ),
    ] {
        let found = address(
            &rewriting(properties),
            &sampler(path_of_plan, &[]),
            &mut user(page),
        );
        assert_eq!(
            found,
            format!("http://a.example{expected}"),
            "{properties:?}"
        );
    }
}

#[test]
fn a_number_is_kept_and_takes_the_place_of_the_one_in_the_plan() {
    let mut user = user(PAGE);
    let element = rewriting(&["session", "cache_value"]);
    let mut compiler = Compiler::default();
    let modifier = Modifier::compile(&element, &mut compiler).unwrap();
    let sampler = sampler("/x", &[("session", "none"), ("y", "2")]);
    let next = |user: &mut User| {
        modifier.apply(user, &sampler);
        let draft = user.draft.take().unwrap();
        draft.0.url("GET", user).unwrap().text.to_string()
    };
    let expected = "http://a.example/x?y=2&session=abc-987";
    assert_eq!(next(&mut user), expected);
    user.previous = Some(Rc::new(SampleResult::default()));
    assert_eq!(next(&mut user), expected);
}

#[test]
fn links_and_forms_of_the_page_before_are_followed() {
    let anchor = Element::new("AnchorModifier", "A");
    for (path, arguments, expected) in [
        ("/a.*", &[][..], "http://a.example/a;jsessionid=q1?x=1"),
        ("frame[.]html", &[], "http://a.example/frame.html"),
        (
            "/order",
            &[("id", ".*"), ("way", "f.*")],
            "http://a.example/order?id=17&way=fast",
        ),
        ("/nowhere", &[("a", "b")], "http://a.example/nowhere?a=b"),
        // A link without this argument is not meant.
        ("/a.*", &[("y", "")], "http://a.example/a.*?y="),
    ] {
        let found = address(&anchor, &sampler(path, arguments), &mut user(PAGE));
        assert_eq!(found, expected, "{path}");
    }
    let mut elsewhere = sampler("/search", &[("q", "x")]);
    elsewhere.definition.domain = Template::of_text(".*[.]example");
    let found = address(&anchor, &elsewhere, &mut user(PAGE));
    assert_eq!(found, "http://b.example/search?q=shoes&page=2");
}

#[test]
fn arguments_get_the_values_that_an_extractor_found() {
    let element = Element::new("RegExUserParameters", "P")
        .with("RegExUserParameters.regex_ref_name", "ids")
        .with("RegExUserParameters.param_names_gr_nr", "1")
        .with("RegExUserParameters.param_values_gr_nr", "2");
    let sampler = sampler("/x", &[("a", "old"), ("b", "old")]);
    let mut user = user("");
    let old = "http://a.example/x?a=old&b=old";
    assert_eq!(address(&element, &sampler, &mut user), old);
    for (name, value) in [
        ("ids_matchNr", "2"),
        ("ids_1_g1", "z"),
        ("ids_1_g2", "26"),
        ("ids_2_g1", "b"),
        ("ids_2_g2", "2"),
    ] {
        user.variables.set(name, value);
    }
    let expected = "http://a.example/x?a=old&b=2";
    assert_eq!(address(&element, &sampler, &mut user), expected);
}
