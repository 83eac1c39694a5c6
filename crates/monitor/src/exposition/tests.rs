use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn sample(name: &str, pairs: &[(&str, &str)], value: f64) -> Sample {
    Sample {
        name: name.to_owned(),
        labels: labels(pairs),
        value,
        timestamp_ms: None,
    }
}

/// Values as bits, so that "not a number" equals itself.
fn bits(exposition: &Exposition) -> Vec<(String, Labels, u64, Option<i64>)> {
    exposition
        .samples()
        .map(|sample| {
            let value = if sample.value.is_nan() {
                f64::NAN
            } else {
                sample.value
            };
            (
                sample.name.clone(),
                sample.labels.clone(),
                value.to_bits(),
                sample.timestamp_ms,
            )
        })
        .collect()
}

fn descriptions(exposition: &Exposition) -> Vec<(&str, Option<&str>, FamilyKind, usize)> {
    exposition
        .families
        .iter()
        .map(|family| {
            let help = family.help.as_deref();
            (
                family.name.as_str(),
                help,
                family.kind,
                family.samples.len(),
            )
        })
        .collect()
}

fn label_map() -> impl Strategy<Value = Labels> {
    let value = prop_oneof!["[a-z/{}]{0,8}", "[\\\\\"\n ,手機]{0,6}", "[^\r]{0,6}"];
    proptest::collection::btree_map("[a-z_][a-z0-9_]{0,5}", value, 0..4)
}

fn family() -> impl Strategy<Value = (Option<String>, FamilyKind, Vec<Sample>)> {
    let kind = prop_oneof![
        Just(FamilyKind::Counter),
        Just(FamilyKind::Gauge),
        Just(FamilyKind::Histogram),
        Just(FamilyKind::Summary),
        Just(FamilyKind::Untyped),
    ];
    let help = proptest::option::of("([a-z\\\\\"\n手][a-z\\\\\"\n 手]{0,12})?");
    (help, kind).prop_flat_map(|(help, kind)| {
        let suffix = proptest::sample::select(kind.suffixes());
        let series = (suffix, label_map());
        let value = (any::<f64>(), proptest::option::of(any::<i64>()));
        let samples = proptest::collection::btree_map(series, value, 0..5);
        (Just(help), Just(kind), samples).prop_map(|(help, kind, samples)| {
            let samples = samples
                .into_iter()
                .map(|((suffix, labels), (value, timestamp_ms))| Sample {
                    name: suffix.to_owned(),
                    labels,
                    value,
                    timestamp_ms,
                })
                .collect();
            (help, kind, samples)
        })
    })
}

fn exposition() -> impl Strategy<Value = Exposition> {
    proptest::collection::vec(family(), 0..5).prop_map(|families| Exposition {
        families: (0..)
            .zip(families)
            .map(|(index, (help, kind, mut samples))| {
                let name = format!("shop:metric_{index}");
                for sample in &mut samples {
                    sample.name = format!("{name}{}", sample.name);
                }
                Family {
                    name,
                    help,
                    kind,
                    samples,
                }
            })
            .collect(),
    })
}

proptest! {
    #[test]
    fn parsing_what_was_rendered_is_identity(exposition in exposition()) {
        let text = exposition.to_string();
        let read = Exposition::parse(&text).unwrap();
        prop_assert_eq!(bits(&read), bits(&exposition), "{}", text);
        prop_assert_eq!(descriptions(&read), descriptions(&exposition), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-c_{}=\"\\\\ ,0-9.#\n+InfNaHELPTYPE手]{0,120}") {
        if let Ok(read) = Exposition::parse(&text) {
            prop_assert_eq!(bits(&Exposition::parse(&read.to_string()).unwrap()), bits(&read));
        }
    }
}

#[test]
fn a_histogram_as_targets_write_it() {
    let text = "\
# A comment of its own.

# HELP http_seconds Time spent in \\\\ and \\n.
# TYPE http_seconds histogram
http_seconds_bucket{path=\"/a \\\"b\\\"\",le=\"0.5\"} 2
http_seconds_bucket{path=\"/a \\\"b\\\"\" , le=\"+Inf\",} 3 1700000000123
http_seconds_sum{path=\"/a \\\"b\\\"\"} 1.5e0
http_seconds_count {path=\"/a \\\"b\\\"\"}\t3
other_count 7
# TYPE temperature gauge
temperature -Inf
# TYPE odd untyped
odd NaN\r
";
    let read = Exposition::parse(text).unwrap();
    let expected = [
        (
            "http_seconds",
            Some("Time spent in \\ and \n."),
            FamilyKind::Histogram,
            4,
        ),
        ("other_count", None, FamilyKind::Untyped, 1),
        ("temperature", None, FamilyKind::Gauge, 1),
        ("odd", None, FamilyKind::Untyped, 1),
    ];
    assert_eq!(descriptions(&read), expected);
    let path = ("path", "/a \"b\"");
    let samples = &read.families[0].samples;
    assert_eq!(
        samples[0],
        sample("http_seconds_bucket", &[path, ("le", "0.5")], 2.0)
    );
    assert_eq!(samples[1].timestamp_ms, Some(1_700_000_000_123));
    assert_eq!(samples[1].labels["le"], "+Inf");
    assert_eq!(samples[2], sample("http_seconds_sum", &[path], 1.5));
    assert_eq!(samples[3], sample("http_seconds_count", &[path], 3.0));
    assert_eq!(
        read.families[2].samples[0],
        sample("temperature", &[], f64::NEG_INFINITY)
    );
    assert!(read.families[3].samples[0].value.is_nan());
}

#[test]
fn faults_are_located() {
    let check = |text: &str, expected: &str| {
        assert_eq!(
            Exposition::parse(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    };
    check("ok 1\n<html>\n", "line 2: expected the name of a metric");
    check("1up 1", "line 1: expected the name of a metric");
    check("up", "line 1: `` is not a value");
    check("up one", "line 1: `one` is not a value");
    check(
        "up 1 2.5",
        "line 1: `2.5` is not a timestamp in milliseconds",
    );
    check("up 1 2 3", "line 1: unexpected text after the sample");
    check("up{a=\"b\" 1", "line 1: expected `}` in the labels");
    check("up{a=b} 1", "line 1: expected `\"` in the labels");
    check("up{a} 1", "line 1: expected `=` in the labels");
    check("up{=\"b\"} 1", "line 1: expected the name of a label");
    check(
        "up{a=\"b} 1",
        "line 1: the value of label `a` is not closed or has an unknown escape",
    );
    check(
        "up{a=\"\\t\"} 1",
        "line 1: the value of label `a` is not closed or has an unknown escape",
    );
    check("up{a=\"b\",a=\"c\"} 1", "line 1: label `a` is there twice");
    check(
        "up{a=\"b\"} 1\n\nup{a=\"b\"} 2",
        "line 3: series `up` is there twice",
    );
    check("# TYPE up number", "line 1: `number` is not a metric type");
    check(
        "# TYPE up gauge\n# TYPE up gauge",
        "line 2: `up` is already described or has samples already",
    );
    check(
        "up 1\n# TYPE up gauge",
        "line 2: `up` is already described or has samples already",
    );
}

#[test]
fn size_is_bounded() {
    let line = "a 1\n";
    let long = line.repeat(BYTES_MAX / line.len() + 1);
    assert_eq!(
        Exposition::parse(&long).unwrap_err().kind,
        ParseErrorKind::TooLarge
    );
    let many: Vec<String> = (0..=SAMPLES_MAX)
        .map(|index| format!("a{{i=\"{index}\"}} 1"))
        .collect();
    let many = many.join("\n");
    let error = Exposition::parse(&many).unwrap_err();
    assert_eq!(
        (error.line, error.kind),
        (SAMPLES_MAX + 1, ParseErrorKind::TooLarge)
    );
}
