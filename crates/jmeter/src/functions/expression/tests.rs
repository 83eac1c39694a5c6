//! `tests.tsv` holds expressions and what the engines of `JMeter` 5.5 made of them: language, expression,
//! result (`!` for an exception). The variables `a` = 5, `name` = Ann Lee, `empty` and the property `p` = 7
//! were there.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use double11_jmx::template::{Sites, Template};
use proptest::prelude::*;

use super::{Bindings, Language, check, parse};
use crate::run::Run;
use crate::user::User;

fn user() -> User {
    let properties = HashMap::from([("p".to_owned(), "7".to_owned())]);
    let run = Arc::new(Run::new(Path::new("."), properties, 1));
    let mut user = User::new(&run, "T", 1, 1);
    user.variables.set("a", "5");
    user.variables.set("name", "Ann Lee");
    user.variables.set("empty", "");
    user
}

fn language(name: &str) -> Language {
    match name {
        "js" => Language::JavaScript,
        "jexl2" => Language::Jexl2,
        "jexl3" => Language::Jexl3,
        "groovy" => Language::Groovy,
        other => panic!("no language {other}"),
    }
}

#[test]
fn expressions_yield_what_the_engines_of_jmeter_yield() {
    let mut user = user();
    let mut wrong = Vec::new();
    let mut supported = 0;
    let mut refused = Vec::new();
    for line in include_str!("tests.tsv").lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(text), Some(expected)) =
            (columns.next(), columns.next(), columns.next())
        else {
            panic!("three columns: {line}");
        };
        let result = match parse(text, language(name)) {
            // What the engine fails at may be refused.
            Err(_) if expected == "!" => continue,
            Err(why) => {
                refused.push(format!("{name} {text}: {why}"));
                continue;
            }
            Ok(expression) => expression.evaluate(&mut user, Bindings::Functions),
        };
        supported += 1;
        // The engine of `__jexl3` swallows exceptions.
        let fault = if name == "jexl3" { "" } else { "!" };
        let result = result.unwrap_or(fault.to_owned());
        let expected = match (name, expected) {
            ("jexl3", "!") => "",
            (_, expected) => expected,
        };
        if result != expected {
            wrong.push(format!("{name}\t{text}\t{result} instead of {expected}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(supported > 600, "{supported}\n{}", refused.join("\n"));
}

#[test]
fn what_is_filled_in_later_is_checked_beforehand() {
    use Language::{Groovy, JavaScript, Jexl3};
    let cases = [
        (JavaScript, "\"${status}\" == \"Pending\"", None),
        (JavaScript, "${count} > 0 && ${__threadNum} == 3", None),
        (JavaScript, "Math.round(${delay}*1000)", None),
        (JavaScript, "\"${x}\".foo()", Some("the method `foo`")),
        (JavaScript, "for (;;) {}", Some("`for`")),
        (JavaScript, "JSON.parse(x)", Some("`JSON`")),
        (Jexl3, "${counter} != 5", None),
        (Jexl3, "vars.get(\"x\") == 3", None),
        (Groovy, "\"${useDelay}\".equals(\"true\") ? 6000 : 0", None),
        (
            Groovy,
            "org.apache.jmeter.threads.JMeterContextService.getNumberOfThreads()",
            None,
        ),
        (Groovy, "new File('x').text", Some("`new` of this class")),
    ];
    for (language, text, expected) in cases {
        let template = Template::parse(text, &mut Sites::default());
        let found = check(&template, language).err().map(|why| why.what);
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn a_script_of_a_public_plan_yields_its_date() {
    let text = "var d = new Date(1357027200000 + (((3-1)/2)*86400000)); var date = d.getDate(); \
        var month = d.getMonth() + 1; \
        $DATE = d.getFullYear() + (month<10?\"0\"+month:month) + (date<10?\"0\"+date:date);";
    let expression = parse(text, Language::JavaScript).unwrap();
    let result = expression.evaluate(&mut user(), Bindings::Functions);
    // In any zone of the world it is the second of January, or the third.
    assert!(result.is_ok_and(|text| text.starts_with("2013010")));
}

fn any_language() -> impl Strategy<Value = Language> {
    prop_oneof![
        Just(Language::JavaScript),
        Just(Language::Jexl2),
        Just(Language::Jexl3),
        Just(Language::Groovy),
    ]
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in "[-a-z0-9\"'.()+*/%<>=!&|?: \\[\\],;]{0,60}", language in any_language()) {
        if let Ok(expression) = parse(&text, language) {
            let length = expression.evaluate(&mut user(), Bindings::Functions).map_or(0, |text| text.len());
            prop_assert!(length < 1 << 20);
        }
    }

    #[test]
    fn no_depth_is_too_much(open in "[(!\\[-]{1,2000}", language in any_language()) {
        prop_assert!(parse(&open, language).is_err());
        let sum = format!("1{}", "+1".repeat(open.len()));
        prop_assert_eq!(parse(&sum, language).is_ok(), open.len() <= 256);
    }
}
