//! A JTL file as long as the longest that must be reported on, made as it is read.

use std::io::{BufReader, Read};
use std::time::Duration;

use double11_measure::jtl::{HEADER, JtlSummary, Limits, Row, summarize, write_row};

const LABELS: [&str; 6] = [
    "browse",
    "search",
    "view_detail",
    "add_cart",
    "checkout",
    "payment",
];
const START_MS: i64 = 1_731_254_400_000;

/// What a file is like.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Rows per second in the file.
    rows_per_second: u64,
    /// Most service times lie below, spread evenly.
    elapsed_ms_below: u64,
}

/// Ten million rows are half an hour of quick answers, or two hours of slow ones, in which almost
/// every row of a second has a time of its own.
const SHAPES: [Shape; 2] = [
    Shape {
        rows_per_second: 5_555,
        elapsed_ms_below: 200,
    },
    Shape {
        rows_per_second: 1_400,
        elapsed_ms_below: 2_000,
    },
];

/// Rows written at a time.
const BATCH: u64 = 2_000;

/// The text of a file of `rows` rows, of which no more than a few are held. Rows come in the order
/// of their ends, as `JMeter` writes them.
struct Generator {
    shape: Shape,
    rows: u64,
    next: u64,
    random: u64,
    text: Vec<u8>,
    read: usize,
}

impl Generator {
    fn new(shape: Shape, rows: u64) -> Self {
        Self {
            shape,
            rows,
            next: 0,
            random: 11,
            text: format!("{HEADER}\n").into_bytes(),
            read: 0,
        }
    }

    /// Source: S. Vigna, `splitmix64`.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn write_batch(&mut self) {
        self.text.clear();
        self.read = 0;
        for _ in 0..BATCH.min(self.rows - self.next) {
            let random = self.random();
            let end_ms =
                START_MS + 5_000 + (self.next * 1000 / self.shape.rows_per_second).cast_signed();
            let elapsed_ms = if random.is_multiple_of(64) {
                random / 64 % 5_000
            } else {
                random / 64 % self.shape.elapsed_ms_below
            };
            let failed = self.next.is_multiple_of(100);
            let row = Row {
                time_stamp_ms: end_ms - elapsed_ms.cast_signed(),
                elapsed_ms,
                label: LABELS[(self.next % 6) as usize],
                response_code: if failed { "503" } else { "200" },
                response_message: if failed { "Service Unavailable" } else { "OK" },
                thread_name: "Thread Group 1-37",
                data_type: "text",
                success: !failed,
                failure_message: "",
                bytes: 1834,
                sent_bytes: 212,
                group_threads: 200,
                all_threads: 200,
                url: "http://127.0.0.1:8080/api/products/12345",
                latency_ms: elapsed_ms.saturating_sub(1),
                idle_ms: 0,
                connect_ms: 0,
            };
            write_row(&mut self.text, &row);
            self.next += 1;
        }
    }
}

impl Read for Generator {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read == self.text.len() {
            self.write_batch();
        }
        let rest = &self.text[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

/// The processor time of this thread. What is read lies in memory and one thread reads it, so that
/// this is the time it takes where nothing else runs, however busy the machine is now.
/// Source: Linux, `Documentation/scheduler/sched-stats.rst`: nanoseconds on a processor come first.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the long form of a test is chosen by its environment"
)]
fn is_soak() -> bool {
    std::env::var("DOUBLE11_SOAK").is_ok_and(|value| value == "1")
}

/// The most memory that this process ever held, in mebibytes.
fn resident_max_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes / 1024
}

fn check(summary: &JtlSummary, rows: u64) {
    let total = &summary.summary.whole.total;
    let failed = rows.div_ceil(100);
    assert_eq!(summary.rows, rows);
    assert_eq!((total.attempted, total.failed), (rows, failed));
    assert_eq!(total.failures["503"], failed);
    assert_eq!(total.service_time.count, rows);
    assert_eq!(total.time_to_first_byte.count, rows);
    assert_eq!(summary.warnings, []);
    assert_eq!(summary.window_seconds, 1);
    for (index, step) in summary.summary.whole.steps.iter().enumerate() {
        assert_eq!(step.step, LABELS[index]);
        assert_eq!(step.attempted, (rows + 5 - index as u64) / 6);
    }
    let in_series = |of: fn(&double11_measure::run::SecondStep) -> u64| -> u64 {
        let steps = summary
            .time_series
            .seconds
            .iter()
            .flat_map(|second| &second.steps);
        steps.map(of).sum()
    };
    assert_eq!(in_series(|step| step.attempted), rows);
    assert_eq!(in_series(|step| step.completed), rows);
    assert_eq!(in_series(|step| step.failed), failed);
}

#[test]
fn ten_million_rows_are_summed_up_in_fifteen_seconds_and_300_mebibytes() {
    let rows = if is_soak() { 10_000_000 } else { 500_000 };
    for shape in SHAPES {
        // Making the text takes its own time, which is not the reader's.
        let began = processor_time();
        let mut bytes = 0;
        let mut generator = Generator::new(shape, rows);
        loop {
            generator.write_batch();
            if generator.text.is_empty() {
                break;
            }
            bytes += generator.text.len();
        }
        let making = processor_time().saturating_sub(began);

        let began = processor_time();
        let input = BufReader::with_capacity(1 << 18, Generator::new(shape, rows));
        let summary = summarize(input, Limits::default()).unwrap();
        let reading = processor_time().saturating_sub(began + making);
        check(&summary, rows);
        let resident = resident_max_mebibytes();
        println!(
            "soak: large_jtl: {rows} rows, {} MB, {} rows in a second of it: summed up in {:.1} s \
             of one core ({:.2} million rows/s), at most {resident} MiB resident",
            bytes / 1_000_000,
            shape.rows_per_second,
            reading.as_secs_f64(),
            rows as f64 / reading.as_secs_f64() / 1e6,
        );
        assert!(resident <= 300, "{resident} MiB resident");
        if is_soak() {
            assert!(reading <= Duration::from_secs(15), "took {reading:?}");
        }
    }
}
