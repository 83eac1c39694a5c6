use proptest::prelude::*;

use super::{Part, Sites, Template, TemplateError};

/// The parts in a form that is easy to compare: `text`, `${variable}`, `name(argument|argument)`.
fn shape(template: &Template) -> String {
    let shapes = template.parts.iter().map(|part| match part {
        Part::Text(text) => format!("'{text}'"),
        Part::Variable(name) => format!("<{name}>"),
        Part::Call(call) => {
            let arguments: Vec<_> = call.arguments.iter().map(shape).collect();
            format!("{}({})", call.name, arguments.join("|"))
        }
    });
    shapes.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let read = Template::try_parse(text, &mut Sites::default());
    assert_eq!(read.as_ref().map(shape), Ok(expected.to_owned()), "{text}");
}

#[test]
fn plain_texts() {
    check("", "");
    check("plain", "'plain'");
    check("$ { } $x {y}", "'$ { } $x {y}'");
    // A regular expression keeps its backslashes.
    check(r"\d+\,\$\\", r"'\d+\,\$\\'");
    check(r"\${x}", r"'\${x}'");
}

#[test]
fn variables() {
    check("${x}", "<x>");
    check("a${x}b${y}", "'a' <x> 'b' <y>");
    check("$${x}", "'$' <x>");
    check("${}", "<>");
    check("${ odd name.1-2 }", "< odd name.1-2 >");
    check("${a${b}}", "<a${b> '}'");
    check(r"${a\}b}", "<a}b>");
    check("${f(x)}", "<f(x)>");
    check("${(x)}", "<(x)>");
    check("${x}{y}", "<x> '{y}'");
}

#[test]
fn escapes_go_where_something_is_filled_in() {
    check(r"\d\,\$\\${x}\", r"'\d,$\' <x> '\'");
    check(r"\${y}${x}", "'${y}' <x>");
    check(r"$\{y}${x}", r"'$\{y}' <x>");
}

#[test]
fn calls() {
    check("${__UUID}", "__UUID()");
    check("${__UUID()}", "__UUID()");
    check("${ __UUID ()}", "< __UUID ()>");
    check("${ __UUID() }", "__UUID()");
    check("${__UUID( )}", "__UUID(' ')");
    check("${ __UUID}", "< __UUID>");
    check("${__P(a, b )}", "__P('a'|' b ')");
    check("${__P(a,)}", "__P('a'|)");
    check("${__P(,)}", "__P(|)");
    check("x${__P(a,1)}y", "'x' __P('a'|'1') 'y'");
    check("${__time(,)}${__threadNum}", "__time(|) __threadNum()");
    check(r"${__P(a\,b,\$\{x\})}", r"__P('a,b'|'$\{x\}')");
    check("${__javaScript((1+(2)),x)}", "__javaScript('(1+(2))'|'x')");
    check(r#"${__groovy("a\)b")}"#, r#"__groovy('"a\)b"')"#);
    check("${__V(a_${n})}", "__V('a_' <n>)");
    check("${__V(a_${__threadNum})}", "__V('a_' __threadNum())");
    check("${__P(x,(,))}", "__P('x'|'('|')')");
    check("${__V(${a,b)}})}", "__V(<a,b)> '}')");
}

#[test]
fn unknown_functions() {
    check("${__other}", "<__other>");
    check("${__other(1,${x})}", "__other('1'|<x>)");
    // Not the form of a call: a variable, up to the first brace.
    check("${__other(}b", "<__other(> 'b'");
    check("${__other(1)x}b", "<__other(1)x> 'b'");
    check("${__not a name(1)}", "<__not a name(1)>");
}

#[test]
fn unterminated_references() {
    check("${x", "'${x'");
    check("a${x", "'ax'");
    check("a${x ${y}", "'a' <x ${y>");
    check("$${x", "'$x'");
    check("${x${", "'${x${'");
    check("${__other(1", "'${__other(1'");
}

#[test]
fn calls_that_are_not_closed() {
    let unclosed = |name: &str, at| TemplateError::Unclosed {
        name: name.to_owned(),
        at,
    };
    let error = |text: &str| Template::try_parse(text, &mut Sites::default()).unwrap_err();
    assert_eq!(error("ä${__P(a)b}"), unclosed("__P", 2));
    assert_eq!(error("${__P(a"), unclosed("__P", 1));
    assert_eq!(error("${__P(a)\n}"), unclosed("__P", 1));
    assert_eq!(error("${__V(${__P(a)b})}"), unclosed("__P", 1));
    // The text stands for itself, as in JMeter; a function that evaluates it gets nothing.
    let text = "${__P(a)b}${x}";
    let mut sites = Sites::default();
    assert_eq!(Template::parse(text, &mut sites).literal(), Some(text));
    assert!(Template::parse_compound(text, &mut sites).is_empty());
}

#[test]
fn what_functions_evaluate_loses_its_escapes() {
    let parse = |text| shape(&Template::parse_compound(text, &mut Sites::default()));
    assert_eq!(parse(r"\${x}\,"), "'${x},'");
    assert_eq!(parse("${x"), "'x'");
}

#[test]
fn depth_is_limited() {
    let nested = |levels: usize| "${__V(".repeat(levels) + &")}".repeat(levels);
    let read = |text: &str| Template::try_parse(text, &mut Sites::default());
    assert!(read(&nested(32)).is_ok());
    let error = read(&nested(33)).unwrap_err();
    assert_eq!(error, TemplateError::TooDeep { limit: 32 });
}

#[test]
fn sites_are_numbered_outer_first_and_sources_kept() {
    let text = "${__V(a${__UUID})} ${__counter(TRUE)}";
    let template = Template::parse(text, &mut Sites::default());
    let calls = template.calls();
    let found: Vec<_> = calls
        .iter()
        .map(|call| (call.site.0, call.source.as_ref()))
        .collect();
    let expected = [
        (0, "${__V(a${__UUID})}"),
        (1, "${__UUID}"),
        (2, "${__counter(TRUE)}"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_looks_like_unknown_calls_takes_linear_time() {
    let text = "${__x(}".repeat(100_000);
    let template = Template::parse(&text, &mut Sites::default());
    assert_eq!(template.parts.len(), 100_000);
}

proptest! {
    #[test]
    fn any_text_is_read(text in r"([$]\{|[{}(),\\ a]|__V\(|__x\(|\PC){0,60}") {
        let template = Template::parse(&text, &mut Sites::default());
        let has_reference = text.contains("${");
        prop_assert!(has_reference || template.literal() == Some(&text));
        for call in template.calls() {
            let whole = call.source.starts_with("${") && call.source.ends_with('}');
            prop_assert!(whole);
        }
    }
}
