use super::*;
use crate::document::{Limits, read};
use crate::template::Part;

/// Refuses what names a Java class.
struct NoJava;

impl Expressions for NoJava {
    fn accepts(&self, language: Language, expression: &Template) -> Result<(), String> {
        let parts = expression.parts.iter().map(|part| match part {
            Part::Text(text) => text.as_ref(),
            _ => "1",
        });
        let text: String = parts.collect();
        if text.contains("java.") {
            return Err(format!("`java` in {language:?}: {text}"));
        }
        Ok(())
    }
}

const PLAN: &str = r#"<jmeterTestPlan jmeter="5.5"><hashTree>
<TestPlan testname="Shop"><stringProp name="TestPlan.comments">${__notAFunctionCall(1)}</stringProp></TestPlan>
<hashTree>
<ThreadGroup testname="Users"><stringProp name="ThreadGroup.num_threads">${__P(users,${__P(n)})}</stringProp></ThreadGroup>
<hashTree>
<HTTPSamplerProxy testname="a ${__time()}"/><hashTree>
<JSR223PreProcessor testname="sign"/><hashTree/>
</hashTree>
<HTTPSamplerProxy testname="off" enabled="false"/><hashTree><SmtpSampler/></hashTree>
<HTTPSamplerProxy testname="b"><elementProp name="HTTPsampler.Arguments" elementType="Arguments">
<collectionProp name="Arguments.arguments"><elementProp name="x" elementType="HTTPArgument">
<stringProp name="Argument.value">${__own(1)} ${__P(a)b}</stringProp></elementProp></collectionProp></elementProp></HTTPSamplerProxy>
<IfController testname="if"><stringProp name="IfController.condition">"${x}" == java.lang.X</stringProp></IfController>
<IfController testname="text"><boolProp name="IfController.useExpression">true</boolProp>
<stringProp name="IfController.condition">${__groovy(java.lang.Math + ${y})}</stringProp></IfController>
<IfController testname="good"><stringProp name="IfController.condition">${__jexl3(${x} == 1)}</stringProp></IfController>
<ResultCollector testname="tree"/>
<BackendListener testname="influx"/>
<IncludeController><stringProp name="IncludeController.includepath">more.jmx</stringProp></IncludeController>
<org.example.OwnSampler testname="own"/>
</hashTree></hashTree>
<WorkBench testname="bench"/><hashTree><JSR223Sampler testname="unused"/></hashTree>
</hashTree></jmeterTestPlan>"#;

fn report() -> Report {
    let document = read(PLAN.as_bytes(), Limits::STANDARD).unwrap();
    check(&document, &NoJava)
}

#[test]
fn what_is_supported_ignored_and_not() {
    let report = report();
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|finding| (finding.line, finding.what(), finding.reason.as_str()))
        .collect();
    let unknown = "not known: a plugin, or Java code of the plan's own";
    let unclosed = "`}` is missing after the call of `__P` that begins at character 13";
    let expected = [
        (
            7,
            "JSR223PreProcessor".to_owned(),
            "JSR223 scripts come later",
        ),
        (10, "text of HTTPSamplerProxy".to_owned(), unclosed),
        (
            13,
            "condition of IfController".to_owned(),
            "`java` in JavaScript: \"1\" == java.lang.X",
        ),
        (
            14,
            "__groovy".to_owned(),
            "`java` in Groovy: java.lang.Math + 1",
        ),
        (20, "org.example.OwnSampler".to_owned(), unknown),
    ];
    assert_eq!(refused, expected);
    let names = |findings: &[Finding]| -> Vec<String> {
        findings
            .iter()
            .map(|finding| finding.name.clone())
            .collect()
    };
    assert_eq!(names(&report.ignored), ["influx", "bench", "unused"]);
    let count = |counts: &[(String, usize)], name: &str| {
        let found = counts.iter().find(|(own, _)| own == name);
        found.map(|(_, count)| *count)
    };
    assert_eq!(count(&report.elements, "HTTPSamplerProxy"), Some(2));
    assert_eq!(count(&report.elements, "ResultCollector"), Some(1));
    assert_eq!(count(&report.functions, "__P"), Some(2));
    assert_eq!(count(&report.functions, "__time"), Some(1));
    assert_eq!((report.enabled, report.disabled), (14, 1));
    assert_eq!(report.includes[0].path, "more.jmx");
    assert!(!report.runs());
}

#[test]
fn the_text_names_every_line_and_ends_with_the_verdict() {
    let expected = r#"Plan `Shop` of JMeter 5.5: 14 elements; 1 is disabled with all below it

Not supported: elements and texts
  line 10     text of HTTPSamplerProxy `b`  `}` is missing after the call of `__P` that begins at character 13

Not supported: expressions
  line 13     condition of IfController `if`   `java` in JavaScript: "1" == java.lang.X
  line 14     __groovy in IfController `text`  `java` in Groovy: java.lang.Math + 1

Not supported: scripts (JSR223)
  line 7      JSR223PreProcessor `sign`  JSR223 scripts come later

Not supported, and not meant to be
  line 20     OwnSampler `own`  not known: a plugin, or Java code of the plan's own
"#;
    let text = report().text();
    assert!(text.starts_with(expected), "{text}");
    let verdict = "\nThis plan does not run: 5 things in it are not supported, 1 of them scripts\n";
    assert!(text.ends_with(verdict), "{text}");
}

#[test]
fn json_says_the_same() {
    let report = report();
    let json = report.json();
    assert_eq!(json["runs"], false);
    assert_eq!(json["not_supported"].as_array().map(Vec::len), Some(5));
    assert_eq!(json["not_supported"][0]["script"], true);
    assert_eq!(json["not_supported"][3]["function"], "__groovy");
    assert_eq!(json["supported"]["functions"][0]["name"], "__P");
}

#[test]
fn included_files_are_taken_in() {
    let mut whole = report();
    whole.include("more.jmx", report());
    assert_eq!(whole.refused.len(), 10);
    assert!(whole.refused[9].reason.ends_with("(in `more.jmx`)"));
    assert_eq!(whole.functions[0], ("__P".to_owned(), 4));
}

#[test]
fn repeated_findings_are_one_line_and_long_names_are_cut() {
    let mut report = Report::default();
    for _ in 0..3 {
        report.refuse(4, "X", &"n".repeat(50), "no\nway");
    }
    let line = format!("  line 4      X `{}…`  no way (3 times)\n", "n".repeat(39));
    assert!(report.text().contains(&line), "{}", report.text());
}
