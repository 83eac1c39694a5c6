//! The XML form, as `JMeter` 5.5 writes it.

use std::io::{BufRead, BufReader, Read};

use super::{OwnedRow, read_all};
use crate::jtl::{Dashboard, DashboardOptions, Limits, ProblemKind, Reader, Warning, summarize};

/// Two samples, one with parts, an assertion and bodies.
const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<httpSample t="12" it="1" lt="10" ct="3" ts="1700000000000" s="true" lb="A &amp; &quot;B&quot;" rc="200" rm="OK" tn="Users 1-1" dt="text" by="1834" sby="120" ng="2" na="3">
  <httpSample t="5" it="0" lt="4" ct="3" ts="1700000000000" s="true" lb="A-0" rc="302" rm="Found" tn="Users 1-1" dt="" by="200" sby="60" ng="2" na="3">
    <java.net.URL>http://127.0.0.1/a?x=1&amp;y=2</java.net.URL>
  </httpSample>
  <responseHeader class="java.lang.String">HTTP/1.1 200 OK</responseHeader>
  <responseData class="java.lang.String">&lt;sample t=&quot;9&quot;/&gt;
</responseData>
  <java.net.URL>http://127.0.0.1/b</java.net.URL>
</httpSample>
<sample t="7" it="0" lt="0" ct="0" ts="1700000001000" s="false" lb="手機" rc="" rm="" tn="Users 1-2" dt="text" by="5" sby="0" ng="2" na="3">
  <assertionResult>
    <name>first</name>
    <failure>false</failure>
    <error>false</error>
  </assertionResult>
  <assertionResult>
    <name>second</name>
    <failure>true</failure>
    <error>false</error>
    <failureMessage>expected &apos;x&apos; &lt; y</failureMessage>
  </assertionResult>
  <assertionResult>
    <name>third</name>
    <failure>true</failure>
    <error>false</error>
    <failureMessage>not this one</failureMessage>
  </assertionResult>
</sample>

</testResults>
"#;

fn rows(file: &[u8]) -> Vec<OwnedRow> {
    let (rows, problems) = read_all(file);
    assert_eq!(problems, [], "{}", String::from_utf8_lossy(file));
    rows
}

#[test]
fn samples_are_rows_and_parts_come_before_what_they_are_parts_of() {
    let rows = rows(FILE.as_bytes());
    let texts: Vec<[&str; 7]> = rows
        .iter()
        .map(|row| row.texts.each_ref().map(String::as_str))
        .collect();
    assert_eq!(
        texts,
        [
            [
                "A-0",
                "302",
                "Found",
                "Users 1-1",
                "",
                "",
                "http://127.0.0.1/a?x=1&y=2"
            ],
            [
                "A & \"B\"",
                "200",
                "OK",
                "Users 1-1",
                "text",
                "",
                "http://127.0.0.1/b"
            ],
            ["手機", "", "", "Users 1-2", "text", "expected 'x' < y", ""],
        ]
    );
    assert_eq!(
        rows[1].numbers,
        (1_700_000_000_000, 12, 1_834, 120, 2, 3, 10, 1, 3)
    );
    let successes: Vec<bool> = rows.iter().map(|row| row.success).collect();
    assert_eq!(successes, [true, true, false]);
}

#[test]
fn the_figures_of_both_forms_are_equal() {
    let csv = "timeStamp,elapsed,label,responseCode,success,Latency\n\
               1700000000000,5,A-0,302,true,4\n1700000000000,12,\"A & \"\"B\"\"\",200,true,10\n\
               1700000001000,7,手機,,false,0\n";
    let of = |file: &str| {
        let read = summarize(file.as_bytes(), Limits::default()).unwrap();
        assert_eq!(read.warnings, []);
        (read.rows, read.summary, read.time_series)
    };
    let (rows, summary, series) = of(FILE);
    assert_eq!(rows, 3);
    assert_eq!((rows, summary, series), of(csv));
    let options = DashboardOptions::default();
    let read = Dashboard::read(FILE.as_bytes(), options, Limits::default()).unwrap();
    assert_eq!((read.total.samples, read.total.errors), (3, 1));
}

#[test]
fn layout_does_not_matter() {
    let flat = FILE.replace('\n', "");
    let spread = FILE.replace("\" ", "\"\n\t").replace('\n', "\r\n");
    let marked = format!("\u{feff}{FILE}");
    let commented = FILE.replace("<sample ", "<!-- <sample t='1'/> --><?x y?><sample ");
    let single = FILE.replace("s=\"false\"", "s='false'");
    for file in [flat, spread, marked, commented, single] {
        assert_eq!(rows(file.as_bytes()).len(), 3, "{file}");
    }
    // Read a byte at a time, so that every place is once the end of a buffer.
    let mut reader = Reader::new(BufReader::with_capacity(1, FILE.as_bytes())).unwrap();
    let mut count = 0;
    while reader.next_row().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
    let literal = FILE.replace(
        "http://127.0.0.1/b",
        "<![CDATA[http://127.0.0.1/b?x=1&amp;2]]>",
    );
    assert_eq!(
        rows(literal.as_bytes())[1].texts[6],
        "http://127.0.0.1/b?x=1&amp;2"
    );
}

#[test]
fn columns_are_the_attributes_of_the_first_sample() {
    let file = "<testResults><sample ts=\"1\" t=\"2\" lb=\"a\" s=\"true\"/>\
                <sample ts=\"3\" t=\"4\" lb=\"b\" s=\"true\" lt=\"9\"/></testResults>";
    let mut reader = Reader::new(file.as_bytes()).unwrap();
    assert!(reader.has_column("elapsed") && !reader.has_column("Latency"));
    assert_eq!(reader.next_row().unwrap().unwrap().label, "a");
    assert_eq!(reader.next_row().unwrap().unwrap().label, "b");
    assert!(reader.next_row().unwrap().is_none());
    let none = "<testResults version=\"1.2\">\n</testResults>";
    assert_eq!(rows(none.as_bytes()), []);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let sample =
        |attributes: &str| format!("<testResults>\n<sample {attributes}/>\n</testResults>");
    let good = r#"ts="1" t="2" lb="a" s="true""#;
    let mut deep = "<testResults>".to_owned();
    deep.push_str(&format!("<sample {good}>").repeat(70));
    for (file, expected) in [
        (
            "<html><p/></html>".to_owned(),
            "line 1: this is XML, but not that of a JTL file, whose root is `testResults`",
        ),
        (
            "<!DOCTYPE x [<!ENTITY e \"&e;&e;\">]><testResults/>".to_owned(),
            "line 1: a document type, which JTL files do not have",
        ),
        (
            sample(r#"t="2" lb="a" s="true""#),
            "line 1, column `timeStamp`: the column is missing",
        ),
        (
            sample(&format!("{good} by=\"many\"")),
            "line 2, column `bytes`: `many` is not a whole number in range",
        ),
        (
            format!(
                "<testResults>\n<sample {good}/>\n<sample ts=\"1\" t=\"2\" lb=\"a\"/></testResults>"
            ),
            "line 3, column `success`: `` is neither `true` nor `false`",
        ),
        (
            sample(&good.replace("\"a\"", "\"&own;\"")),
            "line 2: not the XML of a JTL file: at 1..4: unrecognized entity `own`",
        ),
        (
            format!("<testResults><sample {good}></testResults>"),
            "line 1: not the XML of a JTL file: an element ends that did not begin last",
        ),
        (
            deep,
            "line 1: not the XML of a JTL file: elements stand too deep within each other",
        ),
    ] {
        let problems = match Reader::new(file.as_bytes()) {
            Ok(reader) => reader.for_each(8, |_| {}).problems,
            Err(problem) => vec![problem],
        };
        assert_eq!(problems[0].to_string(), expected, "{file}");
    }
}

#[test]
fn a_file_that_is_cut_off_lacks_its_last_sample() {
    let whole = rows(FILE.as_bytes()).len();
    let end = FILE.find("<sample ").unwrap() + 20;
    let cut = &FILE.as_bytes()[..end];
    let read = summarize(cut, Limits::default()).unwrap();
    assert_eq!(read.rows, 2);
    assert!(
        matches!(read.warnings[..], [Warning::CutOff { line: 12 }]),
        "{:?}",
        read.warnings
    );
    let options = DashboardOptions::default();
    let dashboard = Dashboard::read(cut, options, Limits::default()).unwrap();
    assert_eq!((dashboard.total.samples, dashboard.problem_count), (2, 1));
    // A writer that was killed closes nothing, but every sample is there.
    let unclosed = FILE.trim_end().trim_end_matches("</testResults>");
    assert_eq!(rows(unclosed.as_bytes()).len(), whole);
}

#[test]
fn what_is_not_read_is_not_held() {
    let start = FILE.split("<responseData").next().unwrap();
    let body = BufReader::new(std::io::repeat(b'x').take(50 << 20));
    let input = start
        .as_bytes()
        .chain(&b"<responseData>"[..])
        .chain(body)
        .chain(&b"</responseData></httpSample></testResults>"[..]);
    let limits = Limits {
        record_bytes: 2_000,
    };
    let read = Reader::with_limits(input, limits)
        .unwrap()
        .for_each(8, |_| {});
    assert_eq!((read.rows, read.problem_count), (2, 0));
    let endless = |start: &'static str| {
        let input = start
            .as_bytes()
            .chain(BufReader::new(std::io::repeat(b'x')));
        refused(input, limits)
    };
    for start in [
        "<testResults><sample lb=\"",
        "<testResults><sample ts=\"1\" t=\"2\" lb=\"a\" s=\"true\"><java.net.URL>",
        "<testResults><!-- ",
    ] {
        let kind = endless(start);
        assert!(matches!(kind, ProblemKind::TooLong(2_000)), "{kind:?}");
    }
}

fn refused(input: impl BufRead, limits: Limits) -> ProblemKind {
    let mut reader = match Reader::with_limits(input, limits) {
        Ok(reader) => reader,
        Err(problem) => return problem.kind,
    };
    reader.next_row().unwrap_err().kind
}
