//! The thread that has the files.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::run::Run;
use crate::user::User;

use super::file::ResultFile;
use super::form::{FormError, SaveForm};
use super::labels::{LABELS_MAX, LabelFigures, OTHER_LABELS};
use super::listener::{FileListener, Listener, Wanted};
use super::reporter::{Batch, Ear, Ears, Reporter};
use super::summariser::{Line, Summariser, SummariserOptions, ThreadCounts};
use super::tap::Taps;

/// Batches that wait for the disk at most; then workers wait.
const BATCHES_MAX: usize = 64;
/// Summarisers of different names at most.
const SUMMARISERS_MAX: usize = 32;

/// What the command line asks of a recorder.
#[derive(Debug, Clone)]
pub struct RecorderOptions {
    /// The file that all samples go to.
    pub log_file: Option<PathBuf>,
    /// Whether result files that exist are deleted instead of being gone on in.
    pub replaces_files: bool,
    /// The form of files, by the properties.
    pub form: SaveForm,
    /// How summarisers report.
    pub summariser: SummariserOptions,
    /// The variables that rows end with, by `sample_variables`.
    pub variables: Vec<Box<str>>,
    /// The name of this machine.
    pub hostname: String,
    /// Who takes samples besides.
    pub taps: Option<Arc<dyn Taps>>,
}

/// Why results cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// A property cannot be followed.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A file cannot be opened or deleted.
    #[error("cannot write the result file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file could not be written any further.
    #[error("cannot write the result file `{}` any further", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread that writes cannot be started, or ended in a panic.
    #[error("the thread that writes results is gone")]
    Thread,
    /// There are too many names of summarisers.
    #[error("{0} summarisers of different names, at most {SUMMARISERS_MAX} are run")]
    TooManySummarisers(usize),
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The figures of each label, in the order in which they first came.
    pub labels: Vec<LabelFigures>,
}

/// Has result files open and writes what its reporters hand over.
pub struct Recorder {
    ears: Arc<Ears>,
    sender: SyncSender<Batch>,
    reporters: u32,
    taps: Option<Arc<dyn Taps>>,
    thread: JoinHandle<Result<Outcome, RecorderError>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Recorder");
        debug.field("ears", &self.ears).finish_non_exhaustive()
    }
}

impl RecorderOptions {
    /// As the properties say, without a file.
    ///
    /// # Errors
    /// [`FormError`] when a property cannot be followed.
    pub fn of(property: &dyn Fn(&str) -> Option<String>) -> Result<Self, FormError> {
        let variables = property("sample_variables").unwrap_or_default();
        let names = variables.split(',').filter(|name| !name.is_empty());
        Ok(Self {
            log_file: None,
            replaces_files: false,
            form: SaveForm::of(property)?,
            summariser: SummariserOptions::of(property),
            variables: names.map(Into::into).collect(),
            hostname: String::new(),
            taps: None,
        })
    }
}

impl Recorder {
    /// Opens the files and starts the thread. `user` fills in the names of files; the listeners of the
    /// plan get the numbers of their places, from 0. `output` is called with each line of talk.
    ///
    /// A listener's file that cannot be opened is a line of talk, as in `JMeter`; that of the command
    /// line must open.
    ///
    /// # Errors
    /// [`RecorderError`] when the file of the command line cannot be opened, or the thread not be started.
    pub fn start(
        options: RecorderOptions,
        listeners: &[Listener],
        user: &mut User,
        mut output: Box<dyn FnMut(Line) + Send>,
    ) -> Result<Self, RecorderError> {
        let mut opening = Opening::new(&options, Arc::clone(&user.run));
        let mut everywhere = Vec::new();
        if let Some(path) = &options.log_file {
            let file = opening.file(path, &options.form)?;
            everywhere.push(Ear::File {
                file,
                form: options.form.clone(),
                wanted: Wanted::All,
            });
        }
        if let Some(name) = &options.summariser.name {
            everywhere.push(opening.summariser(&name.as_str().into()));
        }
        let mut ears = Vec::new();
        for listener in listeners {
            ears.push(match listener {
                Listener::File(listener) => opening.listener(listener, user, &mut output),
                Listener::Summariser(name) => opening.summariser(name),
                Listener::Ignored => Ear::Deaf,
            });
        }
        if opening.summarisers.len() > SUMMARISERS_MAX {
            let count = opening.summarisers.len();
            return Err(RecorderError::TooManySummarisers(count));
        }
        let writing = Writing {
            run: Arc::clone(&user.run),
            output,
            files: opening.files,
            summarisers: opening.summarisers,
            options: options.summariser,
            labels: Vec::new(),
            by_label: [HashMap::new(), HashMap::new()],
            numbers: Vec::new(),
        };
        let ears = Arc::new(Ears {
            clock: user.run.clock,
            hostname: options.hostname,
            variable_names: options.variables,
            listeners: ears,
            everywhere,
            files: writing.files.len(),
        });
        let (sender, batches) = sync_channel(BATCHES_MAX);
        let thread = std::thread::Builder::new().name("results".to_owned());
        let thread = thread.spawn(move || writing.run(&batches));
        Ok(Self {
            ears,
            sender,
            reporters: 0,
            taps: options.taps,
            thread: thread.map_err(|_| RecorderError::Thread)?,
        })
    }

    /// A reporter for one more worker.
    pub fn reporter(&mut self) -> Reporter {
        let number = self.reporters;
        self.reporters += 1;
        let tap = self.taps.as_ref().map(|taps| taps.tap(number));
        Reporter::new(number, Arc::clone(&self.ears), self.sender.clone(), tap)
    }

    /// Waits until all reporters are gone and everything is written.
    ///
    /// # Errors
    /// [`RecorderError`] when something could not be written; the run went on nevertheless.
    pub fn finish(self) -> Result<Outcome, RecorderError> {
        drop(self.sender);
        self.thread.join().unwrap_or(Err(RecorderError::Thread))
    }
}

/// Files and summarisers while they are being opened.
struct Opening<'o> {
    options: &'o RecorderOptions,
    run: Arc<Run>,
    files: Vec<ResultFile>,
    by_path: HashMap<PathBuf, usize>,
    summarisers: Vec<Summariser>,
}

impl<'o> Opening<'o> {
    fn new(options: &'o RecorderOptions, run: Arc<Run>) -> Self {
        Self {
            options,
            run,
            files: Vec::new(),
            by_path: HashMap::new(),
            summarisers: Vec::new(),
        }
    }

    /// Opens a file unless it is open; two listeners may write one.
    fn file(&mut self, path: &Path, form: &SaveForm) -> Result<usize, RecorderError> {
        let failed = |source| RecorderError::Open {
            path: path.to_owned(),
            source,
        };
        let absolute = std::path::absolute(path).map_err(failed)?;
        if let Some(file) = self.by_path.get(&absolute) {
            return Ok(*file);
        }
        if self.options.replaces_files && absolute.exists() {
            std::fs::remove_file(&absolute).map_err(failed)?;
        }
        let file = ResultFile::open(&absolute, form, &self.options.variables).map_err(failed)?;
        self.files.push(file);
        self.by_path.insert(absolute, self.files.len() - 1);
        Ok(self.files.len() - 1)
    }

    fn listener(
        &mut self,
        listener: &FileListener,
        user: &mut User,
        output: &mut dyn FnMut(Line),
    ) -> Ear {
        let name = user.render(&listener.file).into_owned();
        let path = match name.strip_prefix("~/") {
            Some(rest) => self.run.folder.join(rest),
            None => PathBuf::from(&name),
        };
        let form = listener.form(&self.options.form);
        match self.file(&path, &form) {
            Ok(file) => Ear::File {
                file,
                form,
                wanted: listener.wanted,
            },
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}"));
                output(Line {
                    text: format!("warning: {error}{}", cause.unwrap_or_default()),
                    on_console: true,
                    in_log: true,
                });
                Ear::Deaf
            }
        }
    }

    fn summariser(&mut self, name: &Arc<str>) -> Ear {
        let known = self
            .summarisers
            .iter()
            .position(|one| one.name() == &**name);
        let index = known.unwrap_or_else(|| {
            let now_ms = self.run.clock.wall(self.run.clock.now()).millis();
            self.summarisers
                .push(Summariser::new(Arc::clone(name), now_ms));
            self.summarisers.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Ear::Summariser(1_u32.checked_shl(index).unwrap_or(0))
    }
}

/// What the thread has.
struct Writing {
    run: Arc<Run>,
    options: SummariserOptions,
    output: Box<dyn FnMut(Line) + Send>,
    files: Vec<ResultFile>,
    summarisers: Vec<Summariser>,
    labels: Vec<LabelFigures>,
    /// Those of samplers and those of transactions, which may share a name.
    by_label: [HashMap<Arc<str>, usize>; 2],
    /// By reporter and its numbers of labels, the places in `labels`.
    numbers: Vec<Vec<usize>>,
}

impl Writing {
    fn run(mut self, batches: &Receiver<Batch>) -> Result<Outcome, RecorderError> {
        while let Ok(batch) = batches.recv() {
            self.take(&batch);
        }
        let (now_ms, threads) = self.now();
        for index in 0..self.summarisers.len() {
            let lines = self.summarisers[index].last(now_ms, threads);
            self.say(lines);
        }
        let mut failed = None;
        for file in self.files {
            failed = failed.or(file.close().err());
        }
        if let Some((path, source)) = failed {
            return Err(RecorderError::Write { path, source });
        }
        self.labels.retain(|figures| figures.samples() > 0);
        Ok(Outcome {
            labels: self.labels,
        })
    }

    fn take(&mut self, batch: &Batch) {
        for (file, rows) in self.files.iter_mut().zip(&batch.rows) {
            file.write(rows);
        }
        let reporter = batch.reporter as usize;
        for (label, is_transaction) in &batch.new_labels {
            let place = self.place(label, *is_transaction);
            if self.numbers.len() <= reporter {
                self.numbers.resize_with(reporter + 1, Vec::new);
            }
            self.numbers[reporter].push(place);
        }
        let other = OTHER_LABELS.into();
        for seen in &batch.seen {
            let numbers = self.numbers.get(reporter);
            let known = numbers.and_then(|numbers| numbers.get(seen.label as usize));
            let place = known.copied();
            let place = place.unwrap_or_else(|| self.place(&other, false));
            let figures = &mut self.labels[place];
            if seen.counted {
                figures.errors += u64::from(!seen.success);
                figures.elapsed.record(seen.elapsed);
                figures.first_start = figures.first_start.min(seen.start);
                figures.last_end = figures.last_end.max(seen.end);
            }
            if figures.is_transaction && self.options.ignores_transactions {
                continue;
            }
            for (index, summariser) in self.summarisers.iter_mut().enumerate() {
                if seen.summarisers & (1 << index) != 0 {
                    summariser.add(seen.elapsed_ms, seen.success);
                }
            }
        }
        let (now_ms, threads) = self.now();
        for index in 0..self.summarisers.len() {
            let interval = self.options.interval_seconds;
            let lines = self.summarisers[index].due(now_ms, interval, threads);
            self.say(lines);
        }
    }

    /// The place of a label, which is made if there is room.
    fn place(&mut self, label: &Arc<str>, is_transaction: bool) -> usize {
        let by_label = &mut self.by_label[usize::from(is_transaction)];
        if let Some(place) = by_label.get(label) {
            return *place;
        }
        let label = if self.labels.len() < LABELS_MAX {
            Arc::clone(label)
        } else {
            OTHER_LABELS.into()
        };
        if let Some(place) = by_label.get(&label) {
            return *place;
        }
        let place = self.labels.len();
        self.labels
            .push(LabelFigures::new(Arc::clone(&label), is_transaction));
        by_label.insert(label, place);
        place
    }

    fn now(&self) -> (i64, ThreadCounts) {
        let now_ms = self.run.clock.wall(self.run.clock.now()).millis();
        let threads = ThreadCounts {
            active: self.run.active(),
            started: self.run.started.load(Ordering::Relaxed),
        };
        (now_ms, threads)
    }

    fn say(&mut self, lines: Vec<String>) {
        for text in lines {
            (self.output)(Line {
                text,
                on_console: self.options.on_console,
                in_log: self.options.in_log,
            });
        }
    }
}
