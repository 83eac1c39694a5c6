use std::io::{BufReader, Read as _};

use proptest::prelude::*;

use super::*;

mod xml;

/// A row that owns its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnedRow {
    numbers: (i64, u64, u64, u64, u32, u32, u64, u64, u64),
    success: bool,
    texts: [String; 7],
}

impl OwnedRow {
    fn of(row: &Row<'_>) -> Self {
        let Row {
            time_stamp_ms,
            elapsed_ms,
            label,
            response_code,
            response_message,
            thread_name,
            data_type,
            success,
            failure_message,
            bytes,
            sent_bytes,
            group_threads,
            all_threads,
            url,
            latency_ms,
            idle_ms,
            connect_ms,
        } = *row;
        Self {
            numbers: (
                time_stamp_ms,
                elapsed_ms,
                bytes,
                sent_bytes,
                group_threads,
                all_threads,
                latency_ms,
                idle_ms,
                connect_ms,
            ),
            success,
            texts: [
                label,
                response_code,
                response_message,
                thread_name,
                data_type,
                failure_message,
                url,
            ]
            .map(str::to_owned),
        }
    }

    fn row(&self) -> Row<'_> {
        let (
            time_stamp_ms,
            elapsed_ms,
            bytes,
            sent_bytes,
            group_threads,
            all_threads,
            latency_ms,
            idle_ms,
            connect_ms,
        ) = self.numbers;
        let [
            label,
            response_code,
            response_message,
            thread_name,
            data_type,
            failure_message,
            url,
        ] = self.texts.each_ref().map(String::as_str);
        Row {
            time_stamp_ms,
            elapsed_ms,
            label,
            response_code,
            response_message,
            thread_name,
            data_type,
            success: self.success,
            failure_message,
            bytes,
            sent_bytes,
            group_threads,
            all_threads,
            url,
            latency_ms,
            idle_ms,
            connect_ms,
        }
    }
}

fn owned_row() -> impl Strategy<Value = OwnedRow> {
    let text = prop_oneof![
        "[a-z0-9 /:.-]{0,12}",
        "[,\"\r\n\t a手機🛒]{0,8}",
        Just("null".to_owned()),
        any::<String>(),
    ];
    (
        any::<(i64, u64, u64, u64, u32, u32, u64, u64, u64)>(),
        any::<bool>(),
        proptest::array::uniform7(text),
    )
        .prop_map(|(numbers, success, texts)| OwnedRow {
            numbers,
            success,
            texts,
        })
}

/// Reads a file whole: its rows, and its problems as they print with whether they are fatal.
fn read_all(file: &[u8]) -> (Vec<OwnedRow>, Vec<(String, bool)>) {
    // A tiny buffer, so that records are cut anywhere.
    let mut reader = match Reader::new(BufReader::with_capacity(7, file)) {
        Ok(reader) => reader,
        Err(problem) => return (Vec::new(), vec![(problem.to_string(), problem.is_fatal())]),
    };
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    loop {
        match reader.next_row() {
            Ok(Some(row)) => rows.push(OwnedRow::of(&row)),
            Ok(None) => return (rows, problems),
            Err(problem) => problems.push((problem.to_string(), problem.is_fatal())),
        }
    }
}

fn written(rows: &[OwnedRow]) -> Vec<u8> {
    let mut file = format!("{HEADER}\n").into_bytes();
    for row in rows {
        let start = file.len();
        write_row(&mut file, &row.row());
        let (mut form, mut by_form) = (RowForm::default(), Vec::new());
        form.set_texts(&row.row());
        form.set_url(row.row().url);
        form.write(&mut by_form, &row.row());
        assert_eq!(file.get(start..), Some(by_form.as_slice()));
    }
    file
}

proptest! {
    #[test]
    fn reading_what_was_written_is_identity(rows in proptest::collection::vec(owned_row(), 0..8)) {
        let (read, problems) = read_all(&written(&rows));
        prop_assert_eq!(problems, vec![]);
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b','), Just(b'"'), Just(b'\n')], 0..200),
    ) {
        let file = [HEADER.as_bytes(), b"\n", &bytes].concat();
        let (rows, problems) = read_all(&file);
        prop_assert!(rows.len() + problems.len() <= bytes.len() + 1);
    }
}

#[test]
fn a_row_is_written_as_jmeter_writes_it() {
    let row = Row {
        time_stamp_ms: 1_700_000_000_123,
        elapsed_ms: 42,
        label: "view, \"detail\"",
        response_code: "200",
        response_message: "OK",
        thread_name: "Thread Group 1-1",
        data_type: "text",
        success: true,
        failure_message: "",
        bytes: 1834,
        sent_bytes: 120,
        group_threads: 3,
        all_threads: 7,
        url: "http://127.0.0.1:8080/api/products/1",
        latency_ms: 41,
        idle_ms: 0,
        connect_ms: 2,
    };
    let mut out = Vec::new();
    write_row(&mut out, &row);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "1700000000123,42,\"view, \"\"detail\"\"\",200,OK,Thread Group 1-1,text,true,,1834,120,3,7,\
         http://127.0.0.1:8080/api/products/1,41,0,2\n"
    );
}

#[test]
fn columns_are_found_by_name_in_any_order_and_number() {
    let check = |file: &str, label: &str, elapsed: u64, latency: u64| {
        let (rows, problems) = read_all(file.as_bytes());
        assert_eq!(problems, vec![], "{file}");
        assert_eq!(rows.len(), 1, "{file}");
        let row = rows[0].row();
        assert_eq!(
            (row.label, row.elapsed_ms, row.latency_ms),
            (label, elapsed, latency),
            "{file}"
        );
    };
    check(
        "timeStamp,elapsed,label,success\n1,20,home,true\n",
        "home",
        20,
        0,
    );
    check(
        "success,label,elapsed,timeStamp,Latency\r\nfalse,home,20,1,9\r\n",
        "home",
        20,
        9,
    );
    check(
        "timeStamp;elapsed;label;success\n1;20;a,b;true",
        "a,b",
        20,
        0,
    );
    check(
        "timeStamp\telapsed\tlabel\tsuccess\tSampleCount\n1\t20\ta\ttrue\t1\n",
        "a",
        20,
        0,
    );
    check(
        "\u{feff}timeStamp|elapsed|label|success\n\n1|20|\"x|\ny\"|TRUE\n",
        "x|\ny",
        20,
        0,
    );
    check(
        "\"timeStamp\",\"elapsed\",\"label\",\"success\"\n1,20,\"\"\"q\"\"\",true\n",
        "\"q\"",
        20,
        0,
    );
    check(
        "1700000000123,42,a,200,OK,T 1-1,text,true,,10,20,1,1,null,41,0,2\n",
        "a",
        42,
        41,
    );
    check(
        "timeStamp,elapsed,label,success\n1,20,in\"side,true\n",
        "in\"side",
        20,
        0,
    );
}

#[test]
fn an_absent_column_is_told_apart_from_an_empty_one() {
    let file: &[u8] = b"timeStamp,elapsed,label,success,URL\n";
    let reader = Reader::new(file).unwrap();
    assert!(reader.has_column("URL"));
    assert!(!reader.has_column("Connect"));
    assert_eq!(reader.delimiter(), Delimiter(b','));
}

#[test]
fn problems_are_located_and_reading_goes_on() {
    let head = "timeStamp,elapsed,label,success\n";
    let check = |rows: &str, expected: &str, good_rows: usize| {
        let (read, problems) = read_all(format!("{head}{rows}").as_bytes());
        let texts: Vec<&str> = problems.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, [expected], "{rows}");
        assert_eq!(read.len(), good_rows, "{rows}");
    };
    check("1,20,a\n1,20,a,true\n", "line 2: 3 fields, expected 4", 1);
    check(
        "1,20,a,true\n1,-20,a,true\n1,20,a,true\n",
        "line 3, column `elapsed`: `-20` is not a whole number in range",
        2,
    );
    check(
        "1,20,\"two\nlines\",true\n2024/13/11 00:00:00.000,1,a,true\n",
        "line 4, column `timeStamp`: `2024/13/11 00:00:00.000` is neither a number of milliseconds \
         since 1970 nor a date such as `2024/11/11 00:00:00.000` \
         (`jmeter.save.saveservice.timestamp_format=ms`)",
        1,
    );
    check(
        "1,20,a,yes\n1,20,a,true\n",
        "line 2, column `success`: `yes` is neither `true` nor `false`",
        1,
    );
    check(
        "1,20,\"a\"b,true\n1,20,a,true\n",
        "line 2, column `label`: characters between a closing quote and the next delimiter",
        1,
    );
    check(
        "1,20,a,true\n1,20,\"open,true\n1,20,a,true\n",
        "line 3, column `label`: the file ends inside a quoted field",
        1,
    );
}

#[test]
fn time_stamps_may_be_dates() {
    let rows =
        "2023/11/14 22:13:20.123,1,a,true\n11/14/23 22:13:20,1,a,true\n1700000000999,1,a,true\n";
    let (read, problems) = read_all(format!("timeStamp,elapsed,label,success\n{rows}").as_bytes());
    assert_eq!(problems, []);
    let instants: Vec<i64> = read.iter().map(|row| row.numbers.0).collect();
    let second = 1_700_000_000_000;
    assert_eq!(instants, [second + 123, second, second + 999]);
}

#[test]
fn invalid_utf8_is_located() {
    let (rows, problems) =
        read_all(b"timeStamp,elapsed,label,success\n1,20,\xff\xfe,true\n1,20,a,true\n");
    assert_eq!(
        problems,
        [("line 2, column `label`: not valid UTF-8".to_owned(), false)]
    );
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_file_that_is_no_jtl_is_refused() {
    let check = |file: &str, expected: &str| {
        assert_eq!(
            read_all(file.as_bytes()).1,
            [(expected.to_owned(), true)],
            "{file}"
        );
    };
    check(
        "",
        "line 1: the file is empty, expected the header of a JTL file",
    );
    check(
        "name,age\nx,3\n",
        "line 1: expected the header of a JTL file (columns such as `timeStamp` and `elapsed`)",
    );
    check(
        "<?xml version=\"1.0\"?>\n<html>\n",
        "line 2: this is XML, but not that of a JTL file, whose root is `testResults`",
    );
    check(
        "timeStamp,elapsed,label\n",
        "line 1, column `success`: the column is missing",
    );
    check(
        "timeStamp,elapsed,label,success,label\n",
        "line 1, column `label`: the column is there twice",
    );
}

#[test]
fn a_huge_field_is_refused_without_being_held() {
    let limits = Limits { record_bytes: 100 };
    let check = |start: &str| {
        let file = format!("timeStamp,elapsed,label,success\n1,20,{start}").into_bytes();
        let endless = BufReader::new(file.as_slice().chain(std::io::repeat(b'x')));
        let mut reader = Reader::with_limits(endless, limits).unwrap();
        let problem = reader.next_row().unwrap_err();
        assert_eq!(
            problem.to_string(),
            "line 2, column `label`: longer than the limit of 100 bytes"
        );
        assert!(problem.is_fatal());
        assert!(reader.next_row().unwrap().is_none());
    };
    check("");
    check("\"a,b\nc,d");
    let exact = format!(
        "timeStamp,elapsed,label,success\n1,2,{},true\n",
        "x".repeat(90)
    );
    let mut reader = Reader::with_limits(exact.as_bytes(), limits).unwrap();
    assert_eq!(
        reader.next_row().unwrap().unwrap().label.len(),
        90,
        "the limit itself is allowed"
    );
}

#[test]
fn for_each_counts_every_problem_and_keeps_the_first() {
    let mut file = b"timeStamp,elapsed,label,success\n".to_vec();
    for index in 0..100 {
        let line = if index % 2 == 0 {
            "1,20,a,true\n"
        } else {
            "broken\n"
        };
        file.extend_from_slice(line.as_bytes());
    }
    let mut elapsed = 0;
    let read = Reader::new(file.as_slice())
        .unwrap()
        .for_each(3, |row| elapsed += row.elapsed_ms);
    assert_eq!((read.rows, elapsed, read.problem_count), (50, 1000, 50));
    assert_eq!(read.problems.len(), 3);
    assert_eq!(read.problems[2].line, 7);
}
