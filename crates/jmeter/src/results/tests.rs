//! Tests of what becomes of samples.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use double11_jmx::document::Element;

use crate::compiler::Compiler;
use crate::run::Run;
use crate::sample::{AssertionResult, Code, DataType, SampleResult};
use crate::user::User;

use super::{Heard, Line, Listener, ListenerId, Outcome, Recorder, RecorderOptions};

fn sample(label: &str, start_ms: u64, elapsed_ms: u64) -> SampleResult {
    SampleResult {
        label: label.into(),
        start: Duration::from_millis(start_ms),
        end: Duration::from_millis(start_ms + elapsed_ms),
        latency: Duration::from_millis(elapsed_ms),
        code: Code::Status(200),
        message: "OK".into(),
        success: true,
        data_type: DataType::Text,
        bytes: 1_834,
        sent_bytes: 120,
        url: Some("http://127.0.0.1/a".into()),
        group_threads: 3,
        all_threads: 7,
        ..SampleResult::default()
    }
}

fn failed(mut sample: SampleResult, message: &str) -> SampleResult {
    sample.success = false;
    sample.assertions = vec![AssertionResult {
        name: "says so".into(),
        failed: true,
        error: false,
        message: message.to_owned(),
    }];
    sample
}

/// What a run wrote.
struct Written {
    folder: tempfile::TempDir,
    lines: Vec<String>,
    outcome: Outcome,
}

impl Written {
    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

/// Records samples with these properties and listeners into `out.jtl` of a folder; every sample is
/// heard by every listener.
fn record(properties: &[(&str, &str)], elements: &[Element], samples: &[SampleResult]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    record_in(folder, properties, elements, samples)
}

fn record_in(
    folder: tempfile::TempDir,
    properties: &[(&str, &str)],
    elements: &[Element],
    samples: &[SampleResult],
) -> Written {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let properties: HashMap<String, String> = properties.iter().map(owned).collect();
    let get = |name: &str| properties.get(name).cloned();
    let mut options = RecorderOptions::of(&get).unwrap();
    options.log_file = Some(folder.path().join("out.jtl"));
    "here".clone_into(&mut options.hostname);
    let mut compiler = Compiler::default();
    let compiled = elements.iter();
    let compiled = compiled.map(|element| Listener::compile(element, &mut compiler).unwrap());
    let listeners: Vec<Listener> = compiled.collect();
    let run = Arc::new(Run::new(folder.path(), HashMap::new(), 1));
    let mut user = User::new(&run, "Group", 1, 1);
    user.variables.set("order", "a,1");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&lines);
    let output = move |line: Line| said.lock().unwrap().push(line.text);
    let mut recorder = Recorder::start(options, &listeners, &mut user, Box::new(output)).unwrap();
    let mut reporter = recorder.reporter();
    let ids: Vec<ListenerId> = (0..).map(ListenerId).take(listeners.len()).collect();
    let start = run.clock.wall(Duration::ZERO).millis();
    for sample in samples {
        let heard = Heard {
            everywhere: true,
            thread_name: &user.thread_name,
            variables: &user.variables,
            listeners: &ids,
        };
        reporter.record(sample, heard);
    }
    drop(reporter);
    let outcome = recorder.finish().unwrap();
    // Time stamps count from the start of the run, to make them the same each time.
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = (0..100).fold(text, |text, ms| {
            text.replace(&(start + ms).to_string(), &format!("T{ms}"))
        });
        std::fs::write(&path, text).unwrap();
    }
    let lines = lines.lock().unwrap().clone();
    Written {
        folder,
        lines,
        outcome,
    }
}

const HEADER: &str = double11_measure::jtl::HEADER;

#[test]
fn rows_are_jmeters_by_default() {
    let mut refused = failed(sample("b, \"x\"", 5, 7), "no\nway");
    refused.url = None;
    refused.code = Code::Text("Non HTTP response code: java.net.ConnectException".into());
    refused.connect = Duration::from_millis(2);
    refused.idle = Duration::from_millis(1);
    let written = record(&[], &[], &[sample("a", 0, 42), refused]);
    assert_eq!(
        written.file("out.jtl"),
        format!(
            "{HEADER}\n\
             T0,42,a,200,OK,Group 1-1,text,true,,1834,120,3,7,http://127.0.0.1/a,42,0,0\n\
             T5,6,\"b, \"\"x\"\"\",Non HTTP response code: java.net.ConnectException,OK,Group 1-1,text,\
             false,\"no\nway\",1834,120,3,7,null,7,1,2\n"
        )
    );
}

#[test]
fn parts_follow_their_sample_unless_switched_off() {
    let mut whole = sample("a", 0, 42);
    let mut part = sample("a-0", 0, 20);
    part.sub_results.push(sample("a-0-0", 1, 2));
    whole.sub_results.push(part);
    let labels = |written: &Written| -> Vec<String> {
        let file = written.file("out.jtl");
        let rows = file.lines().skip(1);
        rows.map(|row| row.split(',').nth(2).unwrap().to_owned())
            .collect()
    };
    let written = record(&[], &[], std::slice::from_ref(&whole));
    assert_eq!(labels(&written), ["a", "a-0", "a-0-0"]);
    let off = [("jmeter.save.saveservice.subresults", "false")];
    let written = record(&off, &[], &[whole]);
    assert_eq!(labels(&written), ["a"]);
}

#[test]
fn properties_choose_columns_delimiter_and_variables() {
    let properties = [
        ("jmeter.save.saveservice.default_delimiter", "\\t"),
        ("jmeter.save.saveservice.timestamp_format", "none"),
        ("jmeter.save.saveservice.url", "false"),
        ("jmeter.save.saveservice.thread_counts", "false"),
        ("jmeter.save.saveservice.sample_count", "true"),
        ("jmeter.save.saveservice.hostname", "true"),
        ("jmeter.save.saveservice.encoding", "true"),
        ("jmeter.save.saveservice.filename", "true"),
        ("sample_variables", "order,missing"),
    ];
    let written = record(&properties, &[], &[sample("a,b", 0, 42)]);
    assert_eq!(
        written.file("out.jtl"),
        "elapsed\tlabel\tresponseCode\tresponseMessage\tthreadName\tdataType\tsuccess\tfailureMessage\t\
         bytes\tsentBytes\tFilename\tLatency\tEncoding\tSampleCount\tErrorCount\tHostname\tIdleTime\t\
         Connect\t\"order\"\t\"missing\"\n\
         42\ta,b\t200\tOK\tGroup 1-1\ttext\ttrue\t\t1834\t120\t\t42\tUTF-8\t1\t0\there\t0\t0\ta,1\tnull\n"
    );
}

#[test]
fn an_existing_file_is_gone_on_in_without_a_second_header() {
    let first = record(&[], &[], &[sample("a", 0, 1)]);
    let again = record_in(first.folder, &[], &[], &[sample("b", 0, 1)]);
    let file = again.file("out.jtl");
    assert_eq!(file.lines().count(), 3, "{file}");
    assert_eq!(file.matches("timeStamp").count(), 1);
}

fn collector(file: &str) -> Element {
    Element::new("ResultCollector", "Results").with("filename", file)
}

#[test]
fn collectors_write_what_they_want_once() {
    let samples = [sample("good", 0, 1), failed(sample("bad", 1, 1), "no")];
    let errors = collector("~/errors.csv").with("ResultCollector.error_logging", "true");
    let successes = collector("~/good.csv").with("ResultCollector.success_only_logging", "true");
    let twice = collector("~/out.jtl");
    let written = record(&[], &[errors, successes, twice], &samples);
    let rows = |name: &str| written.file(name).lines().skip(1).count();
    assert_eq!(
        (rows("errors.csv"), rows("good.csv"), rows("out.jtl")),
        (1, 1, 2)
    );
    assert!(written.file("errors.csv").contains(",bad,"));
    assert!(written.file("good.csv").contains(",good,"));
}

#[test]
fn a_collector_with_a_configuration_keeps_what_it_names() {
    let configuration = Element::new("SampleSaveConfiguration", "saveConfig")
        .with("time", "true")
        .with("label", "true")
        .with("success", "false")
        .with("fieldNames", "true");
    let mut element = collector("~/own.csv");
    element.properties.set(
        "saveConfig",
        double11_jmx::document::Property::Element(Box::new(configuration)),
    );
    let written = record(&[], &[element], &[sample("a", 0, 42)]);
    assert_eq!(written.file("own.csv"), "elapsed,label\n42,a\n");
}

#[test]
fn a_listener_that_cannot_open_its_file_is_said_and_the_run_goes_on() {
    let element = collector("/proc/no/such/file.csv");
    let written = record(&[], &[element], &[sample("a", 0, 42)]);
    assert!(written.lines[0].starts_with("warning: cannot write the result file"));
    assert_eq!(written.file("out.jtl").lines().count(), 2);
}

#[test]
fn xml_has_parts_and_assertions_within_their_sample() {
    let mut whole = failed(sample("a & \"b\"", 0, 42), "1 < 2");
    whole.sub_results.push(sample("a-0", 0, 20));
    let mut debug = sample("plain", 3, 0);
    debug.url = None;
    let xml = [("jmeter.save.saveservice.output_format", "xml")];
    let written = record(&xml, &[], &[whole, debug]);
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <testResults version=\"1.2\">\n\
        <httpSample t=\"42\" it=\"0\" lt=\"42\" ct=\"0\" ts=\"T0\" s=\"false\" lb=\"a &amp; &quot;b&quot;\" \
        rc=\"200\" rm=\"OK\" tn=\"Group 1-1\" dt=\"text\" by=\"1834\" sby=\"120\" ng=\"3\" na=\"7\">\n  \
        <assertionResult>\n    <name>says so</name>\n    <failure>true</failure>\n    \
        <error>false</error>\n    <failureMessage>1 &lt; 2</failureMessage>\n  </assertionResult>\n  \
        <httpSample t=\"20\" it=\"0\" lt=\"20\" ct=\"0\" ts=\"T0\" s=\"true\" lb=\"a-0\" rc=\"200\" \
        rm=\"OK\" tn=\"Group 1-1\" dt=\"text\" by=\"1834\" sby=\"120\" ng=\"3\" na=\"7\">\n    \
        <java.net.URL>http://127.0.0.1/a</java.net.URL>\n  </httpSample>\n  \
        <java.net.URL>http://127.0.0.1/a</java.net.URL>\n</httpSample>\n\
        <sample t=\"0\" it=\"0\" lt=\"0\" ct=\"0\" ts=\"T3\" s=\"true\" lb=\"plain\" rc=\"200\" rm=\"OK\" \
        tn=\"Group 1-1\" dt=\"text\" by=\"1834\" sby=\"120\" ng=\"3\" na=\"7\"/>\n\
        \n</testResults>\n";
    assert_eq!(written.file("out.jtl"), expected);
    let again = record_in(written.folder, &xml, &[], &[sample("later", 0, 1)]);
    let file = again.file("out.jtl");
    assert_eq!(file.matches("<testResults").count(), 1);
    assert_eq!(file.matches("</testResults>").count(), 1);
    assert!(file.ends_with("</testResults>\n"), "{file}");
}

#[test]
fn the_last_lines_sum_up_without_transactions() {
    let mut transaction = sample("all", 0, 60);
    transaction.message = format!(
        "{}2, number of failing samples : 1",
        super::TRANSACTION_MESSAGE
    )
    .into();
    let samples = [
        sample("a", 0, 20),
        failed(sample("b", 20, 40), "no"),
        transaction,
    ];
    let element = Element::new("Summariser", "mine");
    let properties = [("summariser.name", "summary")];
    let written = record(&properties, &[element], &samples);
    assert!(written.lines.iter().any(|line| line.starts_with("mine =")));
    let line = written
        .lines
        .iter()
        .find(|line| line.starts_with("summary ="));
    let line = line.unwrap();
    assert!(
        line.ends_with("/s Avg:    30 Min:    20 Max:    40 Err:     1 (50.00%)"),
        "{line}"
    );
    assert!(
        line.starts_with("summary =      2 in 00:00:00 = "),
        "{line}"
    );
    let figures = &written.outcome.labels;
    let seen: Vec<_> = figures
        .iter()
        .map(|one| (&*one.label, one.samples(), one.errors))
        .collect();
    assert_eq!(seen, [("a", 1, 0), ("b", 1, 1), ("all", 1, 0)]);
    assert!(figures[2].is_transaction);
}

#[test]
fn a_transaction_and_a_sampler_may_share_a_name() {
    let mut transaction = sample("a", 0, 60);
    transaction.message = format!(
        "{}1, number of failing samples : 0",
        super::TRANSACTION_MESSAGE
    )
    .into();
    let samples = [sample("a", 0, 20), transaction, sample("a", 60, 80)];
    let written = record(&[("summariser.name", "summary")], &[], &samples);
    let figures = &written.outcome.labels;
    let seen: Vec<_> = figures
        .iter()
        .map(|one| (one.is_transaction, one.samples()))
        .collect();
    assert_eq!(seen, [(false, 2), (true, 1)]);
    let line = written
        .lines
        .iter()
        .find(|line| line.starts_with("summary ="));
    assert!(line.unwrap().starts_with("summary =      2 in"), "{line:?}");
}
