//! How a run goes, while it goes: some lines that are redrawn in place on a terminal, a plain line now
//! and then elsewhere.
//!
//! A thread of its own does the drawing. A terminal that is slow or held up must not hold up whoever
//! measures: [`LiveView::show`] only leaves the figures for that thread to find.

mod history;
mod picture;
mod snapshot;
mod symbols;
mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use history::History;
use picture::Picture;
pub(crate) use snapshot::Snapshot;
use symbols::Symbols;

use crate::console;
use crate::machine::now;

/// Elapsed time of a run between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// How often the frame is looked at; it is only drawn when something in it changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Shows how a run goes. Everything is taken away again when it is dropped.
#[derive(Debug)]
pub(crate) struct LiveView {
    shared: Arc<Shared>,
    painter: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Set when the program goes on after it was suspended: the shell has written meanwhile.
    resumed: Arc<AtomicBool>,
}

/// What there is to show.
#[derive(Clone, Debug, Default)]
struct State {
    title: String,
    stage: String,
    /// Elapsed time and expected length of everything, of which the present run may be a part.
    whole: Option<(Duration, Duration)>,
    busy: Option<(String, Instant)>,
    snapshot: Option<(Snapshot, Instant)>,
    history: History,
    /// Snapshots so far.
    shown: u64,
    is_over: bool,
}

impl LiveView {
    /// A view with a title of a few words: what runs.
    pub(crate) fn new(title: &str) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                title: title.to_owned(),
                ..State::default()
            }),
            changed: Condvar::new(),
            resumed: Arc::default(),
        });
        let is_terminal = console::talk_terminal().is_some();
        if is_terminal {
            clear_before_panics();
            // Without it a frame may be drawn twice after a suspension.
            drop(signal_hook::flag::register(
                signal_hook::consts::SIGCONT,
                Arc::clone(&shared.resumed),
            ));
        }
        let seen = Arc::clone(&shared);
        let paint = move || {
            if is_terminal {
                seen.paint();
            } else {
                seen.tell();
            }
        };
        let painter = std::thread::Builder::new().name("double11-view".to_owned());
        Self {
            shared,
            // Without a thread the run is as good, only silent.
            painter: painter.spawn(paint).ok(),
        }
    }

    /// Says in a few words which part begins, such as `pair 2 of 6, optimized`. Figures and history of
    /// the part before are forgotten.
    pub(crate) fn stage(&self, stage: &str) {
        self.change(|state| {
            stage.clone_into(&mut state.stage);
            (state.busy, state.snapshot, state.history) = (None, None, History::default());
        });
    }

    /// Says what is being done without traffic, such as `settling`, until the next figures.
    pub(crate) fn busy(&self, what: &str) {
        let since = now();
        self.change(|state| state.busy = Some((what.to_owned(), since)));
    }

    /// Says how much of everything has passed, when the run is a part of something longer.
    pub(crate) fn whole(&self, elapsed: Duration, expected: Duration) {
        self.change(|state| state.whole = Some((elapsed, expected)));
    }

    /// Shows where the run is; meant to be called about once a second.
    pub(crate) fn show(&self, snapshot: Snapshot) {
        let since = now();
        self.change(|state| {
            state.history.take(&snapshot);
            state.snapshot = Some((snapshot, since));
            state.busy = None;
            state.shown += 1;
        });
    }

    /// Says a line of its own, above whatever is redrawn.
    #[expect(
        clippy::unused_self,
        reason = "whoever has a view need not know that every view ends in the one console"
    )]
    pub(crate) fn say(&self, line: &str) {
        console::say(line);
    }

    /// Takes everything away.
    pub(crate) fn finish(&mut self) {
        let Some(painter) = self.painter.take() else {
            return;
        };
        self.change(|state| state.is_over = true);
        // A painter that panicked has said so itself.
        drop(painter.join());
        console::clear();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state());
        self.shared.changed.notify_one();
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state after a while or a change; `None` when the view is over.
    fn next(&self) -> Option<State> {
        let state = self.state();
        let waited = self.changed.wait_timeout(state, LOOK_EVERY);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (!state.is_over).then(|| state.clone())
    }

    /// Redraws lines in place until the view is over.
    fn paint(&self) {
        let symbols = Symbols::of(console::speaks_utf8());
        let mut last = Vec::new();
        while let Some(state) = self.next() {
            let Some(size) = console::talk_terminal() else {
                continue;
            };
            if self.resumed.swap(false, Ordering::Relaxed) {
                console::leave_frame();
                last.clear();
            }
            let lines = picture(&state, now()).lines(size, symbols);
            if last != lines {
                console::draw(&lines);
                last = lines;
            }
        }
    }

    /// Says a plain line now and then until the view is over.
    fn tell(&self) {
        let mut told: Option<(u64, Duration)> = None;
        while let Some(state) = self.next() {
            let Some((snapshot, _)) = &state.snapshot else {
                continue;
            };
            let elapsed = snapshot.elapsed;
            let is_due = told.is_none_or(|(shown, last)| {
                shown != state.shown && (elapsed < last || elapsed >= last + PLAIN_EVERY)
            });
            if is_due {
                told = Some((state.shown, elapsed));
                console::say(&words::plain_line(&state.stage, snapshot));
            }
        }
    }
}

fn picture(state: &State, now: Instant) -> Picture<'_> {
    Picture {
        title: &state.title,
        stage: &state.stage,
        whole: state.whole,
        busy: state
            .busy
            .as_ref()
            .map(|(what, since)| (what.as_str(), now.saturating_duration_since(*since))),
        snapshot: state
            .snapshot
            .as_ref()
            .map(|(snapshot, since)| (snapshot, now.saturating_duration_since(*since))),
        history: &state.history,
    }
}

/// A panic's message must not be drawn over.
fn clear_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            console::clear_in_panic();
            previous(panic);
        }));
    });
}

#[cfg(test)]
mod tests;
