//! Selectors in pages, and queues between users.

use double11_jmx::document::Element;

use super::super::PostProcessor;
use super::{answer, extract, user};
use crate::compiler::Compiler;

#[test]
fn selectors_find_elements_of_pages() {
    const PAGE: &str =
        "<h1 class='head'>Wel <b>come</b></h1><ul><li data-id=1>One<li data-id=2>Two</ul>";
    let element = |selector: &str, attribute: &str, number: &str| {
        Element::new("HtmlExtractor", "css")
            .with("HtmlExtractor.refname", "c")
            .with("HtmlExtractor.expr", selector)
            .with("HtmlExtractor.attribute", attribute)
            .with("HtmlExtractor.default", "none")
            .with("HtmlExtractor.match_number", number)
    };
    for (element, expected) in [
        (element("h1.head", "", "1"), "c=Wel come"),
        (element("li", "data-id", "2"), "c=2"),
        (element("li", "data-id", "3"), "c=none"),
        (element("li", "none", "1"), "c="),
        (element("i", "", "0"), "c=none"),
        (
            element("li", "", "-1"),
            "c=none c_1=One c_2=Two c_matchNr=2",
        ),
        (
            element("li", "none", "1").with("HtmlExtractor.extractor_impl", "JODD"),
            "c=none",
        ),
    ] {
        assert_eq!(extract(&element, &mut answer(PAGE), &mut user()), expected);
    }
    let mut user = user();
    extract(&element("li", "", "-1"), &mut answer(PAGE), &mut user);
    let fewer = extract(&element("li", "", "-1"), &mut answer("<li>1"), &mut user);
    assert_eq!(fewer, "c=none c_1=1 c_matchNr=1");
    let mut compiler = Compiler::default();
    assert!(PostProcessor::compile(&element("li:hover", "", "1"), &mut compiler).is_some());
    assert!(compiler.problems()[0].text.contains("`:hover`"));
}

#[test]
fn queues_pass_texts_from_user_to_user() {
    let put = Element::new("kg.apc.jmeter.modifiers.FifoPutPostProcessor", "put")
        .with("FifoName", "q")
        .with("Value", "a");
    let mut user = user();
    assert_eq!(extract(&put, &mut answer(""), &mut user), "");
    let mut render = |text: &str| {
        let mut sites = double11_jmx::template::Sites::default();
        let template = double11_jmx::template::Template::parse(text, &mut sites);
        user.render(&template).into_owned()
    };
    for (text, expected) in [
        (
            "${__fifoSize(q)} ${__fifoGet(q)} ${__fifoGet(other)}",
            "1 a ",
        ),
        ("${__fifoPut(q,b)} ${__fifoSize(q,n)} ${n}", "b 2 2"),
        ("${__fifoGet(q,v)} ${v}", "a a"),
    ] {
        assert_eq!(render(text), expected, "{text}");
    }
}
