//! The report on a long JTL file: `double11 compare` of a short file with one of ten million rows.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use double11_measure::jtl::{HEADER, Row, write_row};

use crate::bench::Bench;
use crate::figure::Figure;
use crate::numbers::grouped;
use crate::process;

/// Rows of the file that the long one is compared with.
const SHORT_ROWS: u64 = 10_000;
/// Rows in a second of either file: ten million are half an hour.
const ROWS_PER_SECOND: u64 = 5_555;
const LABELS: [&str; 6] = [
    "browse",
    "search",
    "view_detail",
    "add_cart",
    "checkout",
    "payment",
];
const START_MS: i64 = 1_731_254_400_000;

pub(super) fn prepare(bench: &mut Bench) -> anyhow::Result<()> {
    if bench.jtl.is_none() {
        let path = bench.path("long.jtl");
        write(&bench.path("short.jtl"), SHORT_ROWS)?;
        write(&path, bench.settings.jtl_rows)?;
        bench.jtl = Some(path);
    }
    Ok(())
}

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let long = bench.jtl.as_ref().context("no file to report on")?;
    let page = bench.path("report.html");
    let mut command = Command::new(&bench.program);
    command.arg("compare").arg("--baseline");
    command.arg(bench.path("short.jtl")).arg("--optimized");
    command.arg(long).arg("--output").arg(&page);
    let (code, took, most) = process::run_for_memory(&mut command)?;
    // 1 and 4 judge what the files hold, not the report.
    anyhow::ensure!(
        matches!(code, Some(0 | 1 | 4)),
        "`compare` ended with {code:?}"
    );
    anyhow::ensure!(
        page.metadata().is_ok_and(|page| page.len() > 0),
        "there is no report"
    );
    std::fs::remove_file(page)?;
    let name = |what: &str| format!("report, {} rows: {what}", grouped(bench.settings.jtl_rows));
    Ok(vec![
        Figure::new(name("time"), "s", took.as_secs_f64()).at_most(15.0),
        Figure::new(name("most memory"), "MB", most as f64 / 1e6).at_most(300.0),
    ])
}

/// A file as `JMeter` writes one, in the order of the ends: six labels, one row in a hundred failed, most
/// service times below 200 ms and one in 64 up to 5 s.
fn write(path: &Path, rows: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(file, "{HEADER}")?;
    let mut line = Vec::new();
    for number in 0..rows {
        let random = random(number);
        let below = if random.is_multiple_of(64) {
            5_000
        } else {
            200
        };
        let elapsed_ms = random / 64 % below;
        let end_ms = START_MS + 5_000 + (number * 1_000 / ROWS_PER_SECOND).cast_signed();
        let failed = number.is_multiple_of(100);
        let label = usize::try_from(number % 6)
            .ok()
            .and_then(|place| LABELS.get(place));
        line.clear();
        write_row(
            &mut line,
            &Row {
                time_stamp_ms: end_ms - elapsed_ms.cast_signed(),
                elapsed_ms,
                label: label.copied().unwrap_or_default(),
                response_code: if failed { "503" } else { "200" },
                response_message: if failed { "Service Unavailable" } else { "OK" },
                thread_name: "Thread Group 1-37",
                data_type: "text",
                success: !failed,
                bytes: 1_834,
                sent_bytes: 212,
                group_threads: 200,
                all_threads: 200,
                url: "http://127.0.0.1:8080/api/products/12345",
                latency_ms: elapsed_ms.saturating_sub(1),
                ..Row::default()
            },
        );
        file.write_all(&line)?;
    }
    file.flush()?;
    Ok(())
}

/// The `number`-th output of a seeded generator.
/// Source: S. Vigna, `splitmix64`.
fn random(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
