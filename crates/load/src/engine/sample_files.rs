//! The files that grow while a run goes on: samples and client ledger. Only whole lines are ever left
//! in them, even when the disk fills up in the middle of one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use double11_measure::jtl::{self, RowForm};
use double11_measure::sample::{Failure, Outcome, Sample};

use super::LoadError;
use super::SamplePolicy;
use super::outbox::{Batch, SampleRecord};
use crate::clock::RunClock;
use crate::run_directory::{LEDGER, RunDirectory, RunDirectoryError, SAMPLES, SAMPLES_ENDING};
use crate::schedule::Phase;
use crate::transport::reason_phrase;

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 262_144;
/// Bytes that are worth a call of their own.
const LINES_BYTES_MIN: usize = 65_536;

/// A file of lines.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Length of the whole lines in the file.
    length: u64,
}

impl LineFile {
    fn create(path: PathBuf, first_lines: &[u8]) -> Result<Self, RunDirectoryError> {
        match File::create(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                buffer: first_lines.to_vec(),
                length: 0,
            }),
            Err(source) => Err(RunDirectoryError::Unwritable { path, source }),
        }
    }

    /// The client ledger of a run.
    pub(super) fn ledger(directory: &RunDirectory) -> Result<Self, RunDirectoryError> {
        Self::create(directory.file(LEDGER), super::ledger::FIRST_LINE)
    }

    /// Adds whole lines and takes them out of `lines`. Many are written as they are, few are collected.
    pub(super) fn add(&mut self, lines: &mut Vec<u8>) -> Result<(), LoadError> {
        if self.buffer.is_empty() && lines.len() >= LINES_BYTES_MIN {
            std::mem::swap(&mut self.buffer, lines);
            return self.write_if(LINES_BYTES_MIN);
        }
        self.buffer.append(lines);
        self.write_if(BUFFER_BYTES)
    }

    /// Writes out what is buffered when it is at least `bytes`.
    fn write_if(&mut self, bytes: usize) -> Result<(), LoadError> {
        if self.buffer.len() < bytes {
            return Ok(());
        }
        let written = self.file.write_all(&self.buffer);
        if let Err(source) = written {
            self.cut();
            return Err(LoadError::Write {
                path: self.path.clone(),
                source,
            });
        }
        self.length += u64::try_from(self.buffer.len()).unwrap_or(0);
        self.buffer.clear();
        Ok(())
    }

    /// Removes a line that was only written in part. What still fits is kept.
    fn cut(&mut self) {
        let written = self
            .file
            .metadata()
            .map_or(self.length, |metadata| metadata.len());
        let fresh = usize::try_from(written.saturating_sub(self.length)).unwrap_or(0);
        let whole = self.buffer.get(..fresh).and_then(|part| {
            part.iter()
                .rposition(|byte| *byte == b'\n')
                .map(|end| end + 1)
        });
        self.length += u64::try_from(whole.unwrap_or(0)).unwrap_or(0);
        // Shortening a file needs no space; if it fails the write error tells the story already.
        drop(self.file.set_len(self.length));
    }

    pub(super) fn finish(mut self) -> Result<(), LoadError> {
        self.write_if(1)
    }
}

/// The sample files of a run.
#[derive(Debug)]
pub(super) struct SampleFiles {
    files: Vec<LineFile>,
    /// Index of the file of each phase.
    by_phase: Vec<usize>,
    policy: SamplePolicy,
    seen: u64,
    labels: Vec<String>,
    thread_names: Vec<String>,
    /// What every path is appended to.
    origin: String,
    url: String,
    /// By step, the texts of its last row.
    last: Vec<LastRow>,
}

/// The texts of a step's last row, and what they were made of.
#[derive(Debug, Default)]
struct LastRow {
    form: RowForm,
    /// Thread, status and outcome of a row without a message; `None` when the next row's texts have to
    /// be made.
    of: Option<(u16, Option<u16>, Outcome)>,
    /// Path and query; `None` before the first row.
    path: Option<Vec<u8>>,
}

impl SampleFiles {
    pub(super) fn create(
        directory: &RunDirectory,
        phases: &[Phase],
        labels: Vec<String>,
        (policy, thread_names, origin): (SamplePolicy, Vec<String>, String),
    ) -> Result<Self, RunDirectoryError> {
        let mut names: Vec<String> = Vec::new();
        let mut by_phase = Vec::with_capacity(phases.len());
        for phase in phases {
            let name = match &phase.samples_file {
                Some(stem) => format!("{stem}{SAMPLES_ENDING}"),
                None => SAMPLES.to_owned(),
            };
            let known = names.iter().position(|known| *known == name);
            by_phase.push(known.unwrap_or(names.len()));
            if known.is_none() {
                names.push(name);
            }
        }
        let header = format!("{}\n", jtl::HEADER.trim_end());
        let files = names
            .iter()
            .map(|name| LineFile::create(directory.file(name), header.as_bytes()))
            .collect::<Result<_, _>>()?;
        let url = String::new();
        let last = labels.iter().map(|_| LastRow::default()).collect();
        Ok(Self {
            files,
            by_phase,
            policy,
            seen: 0,
            labels,
            thread_names,
            origin,
            url,
            last,
        })
    }

    /// Adds the samples of a batch that the policy wants.
    pub(super) fn add(&mut self, batch: &Batch, clock: &RunClock) -> Result<(), LoadError> {
        for record in &batch.samples {
            self.seen += 1;
            let is_wanted = match self.policy {
                SamplePolicy::All => true,
                SamplePolicy::Errors => record.sample.is_failed(),
                SamplePolicy::OneIn(n) => self.seen.is_multiple_of(n.get()),
                SamplePolicy::None => false,
            };
            if is_wanted {
                self.add_sample(record, batch, clock)?;
            }
        }
        Ok(())
    }

    fn add_sample(
        &mut self,
        record: &SampleRecord,
        batch: &Batch,
        clock: &RunClock,
    ) -> Result<(), LoadError> {
        let sample = &record.sample;
        self.set_form(record, batch);
        let numbers = jtl::Row {
            time_stamp_ms: clock.wall(sample.sent.unwrap_or(sample.planned)).millis(),
            elapsed_ms: milliseconds(elapsed(sample)),
            bytes: sample.bytes_received,
            sent_bytes: sample.bytes_sent,
            group_threads: sample.in_flight,
            all_threads: sample.in_flight,
            latency_ms: milliseconds(sample.time_to_first_byte().unwrap_or_default()),
            connect_ms: milliseconds(sample.connect.unwrap_or_default()),
            ..jtl::Row::default()
        };
        let file = self
            .by_phase
            .get(usize::from(sample.phase.0))
            .copied()
            .unwrap_or(0);
        let (Some(file), Some(last)) = (
            self.files.get_mut(file),
            self.last.get(usize::from(sample.step.0)),
        ) else {
            return Ok(());
        };
        last.form.write(&mut file.buffer, &numbers);
        file.write_if(BUFFER_BYTES)
    }

    /// Makes sure that the form of the sample's step has the texts of its row.
    fn set_form(&mut self, record: &SampleRecord, batch: &Batch) {
        let sample = &record.sample;
        let step = usize::from(sample.step.0);
        let Some(last) = self.last.get_mut(step) else {
            return;
        };
        let path = batch.text(&record.path);
        if last.path.as_deref() != Some(path) {
            self.url.clear();
            self.url.push_str(&self.origin);
            self.url
                .push_str(std::str::from_utf8(path).unwrap_or_default());
            last.form.set_url(&self.url);
            let kept = last.path.get_or_insert_default();
            kept.clear();
            kept.extend_from_slice(path);
        }
        let message = batch.text(&record.message);
        let of = Some((sample.thread, sample.status, sample.outcome));
        if message.is_empty() && last.of == of {
            return;
        }
        last.of = of.filter(|_| message.is_empty());
        let message = std::str::from_utf8(message).unwrap_or_default();
        let mut digits = itoa::Buffer::new();
        let (response_code, response_message) = match (sample.status, sample.outcome) {
            (Some(status), _) => (digits.format(status), reason_phrase(status)),
            (None, Outcome::Failed(failure)) => (non_http_code(failure), message),
            (None, _) => ("", ""),
        };
        last.form.set_texts(&jtl::Row {
            label: self.labels.get(step).map_or("", String::as_str),
            response_code,
            response_message,
            thread_name: self
                .thread_names
                .get(usize::from(sample.thread))
                .map_or("", String::as_str),
            data_type: "text",
            success: !sample.is_failed(),
            failure_message: message,
            ..jtl::Row::default()
        });
    }

    pub(super) fn finish(self) -> Result<(), LoadError> {
        let mut result = Ok(());
        for file in self.files {
            result = result.and(file.finish());
        }
        result
    }
}

/// The service time. What was never sent has none: its row shows how long it waited, so that it does
/// not look fast.
fn elapsed(sample: &Sample) -> std::time::Duration {
    sample
        .service_time()
        .unwrap_or_else(|| sample.response_time())
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What stands in the place of a status, in the wording of `JMeter`.
fn non_http_code(failure: Failure) -> &'static str {
    match failure {
        Failure::Dropped => "Non HTTP response code: dropped",
        Failure::TimeOut => "Non HTTP response code: time-out",
        Failure::Connect => "Non HTTP response code: connect",
        Failure::Transport => "Non HTTP response code: transport",
        Failure::Tls => "Non HTTP response code: tls",
        Failure::Status | Failure::Extraction => "Non HTTP response code: answer",
    }
}

/// The first error of writing, as the operating system puts it.
pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> LoadError {
    move |source| LoadError::System { what, source }
}
