//! Asking a Prometheus.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use double11_measure::jtl::{self, Limits, Problem, Reader};
use double11_monitor::cross_check::CrossCheck;
use double11_monitor::matrix::Matrix;
use double11_monitor::prometheus::{
    Prometheus, PrometheusError, RunInput, SampleFile, TIMEOUT_DEFAULT, check_run,
    check_sample_file,
};

use super::Run;
use crate::arguments::Validate;
use crate::exit::Failure;

/// Bytes that are read from a sample file at a time.
const READ_BYTES: usize = 1 << 18;

/// A run of the load engine.
pub(super) fn run(run: &Run, url: &str, arguments: &Validate) -> Result<CrossCheck, Failure> {
    let prometheus = Prometheus::new(url, TIMEOUT_DEFAULT).map_err(explain)?;
    let nothing_scraped = Matrix::new();
    let input = RunInput {
        client: run.input(&nothing_scraped),
        selector: &arguments.selector,
        target: &run.manifest.target,
        other_interval: None,
    };
    Ok(check_run(&prometheus, &input).map_err(explain)?.cross_check)
}

/// A sample file of any tool.
pub(super) fn sample_file(
    path: &Path,
    url: &str,
    arguments: &Validate,
) -> Result<CrossCheck, Failure> {
    let prometheus = Prometheus::new(url, TIMEOUT_DEFAULT).map_err(explain)?;
    let open = || {
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        Ok::<_, Failure>(BufReader::with_capacity(READ_BYTES, file))
    };
    let wrong = |problem: Problem| {
        Failure::usage(anyhow::Error::new(problem).context(format!("`{}`", path.display())))
            .hint("give a result file of JMeter's, CSV or XML")
    };
    let summary = jtl::summarize(open()?, Limits::default()).map_err(wrong)?;
    let target = address(open()?).map_err(wrong)?;
    let file = SampleFile {
        summary: &summary,
        selector: &arguments.selector,
        target: target.as_deref(),
        order_labels: &arguments.order_label,
    };
    let again = open()?;
    let checked = check_sample_file(&prometheus, &file, || Ok(again)).map_err(explain)?;
    Ok(checked.map_err(wrong)?.cross_check)
}

/// The address of the first row that has one.
fn address(input: BufReader<File>) -> Result<Option<String>, Problem> {
    let mut reader = Reader::with_limits(input, Limits::default())?;
    while let Some(row) = reader.next_row()? {
        if row.url.starts_with("http") {
            return Ok(Some(row.url.to_owned()));
        }
    }
    Ok(None)
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    let error = anyhow::Error::new(error).context(format!("`{}` cannot be read", path.display()));
    Failure::usage(error).hint("name a file of samples")
}

/// An address that is none is wrong usage; everything else is what is around.
pub(crate) fn explain(error: PrometheusError) -> Failure {
    match error {
        PrometheusError::Address { .. } | PrometheusError::Credentials => Failure::usage(error)
            .hint("write the address of Prometheus itself: `--prometheus http://127.0.0.1:9090`"),
        PrometheusError::Refused { .. } => Failure::environment(error)
            .hint("is that the address of Prometheus, and are the labels of `--selector` written as `job=\"x\"`?"),
        _ => Failure::environment(error)
            .hint("start Prometheus, or correct its address; it listens on port 9090 unless told otherwise"),
    }
}
