//! The only place that prints. Standard output carries data, standard error carries talk. A reader
//! that closes its end of the pipe early is no failure.
//!
//! Talk may end in a frame: lines that are redrawn in place. Whatever else is printed goes above it.

mod frame;
mod terminal;

use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use frame::Frame;
pub(crate) use frame::{Line, Paint};
pub(crate) use terminal::{ColourChoice, Size};
use terminal::{Environment, Stream};

/// The frame below the talk.
static FRAME: Mutex<Frame> = Mutex::new(Frame::new());
/// What the command line said about colours.
static COLOUR: OnceLock<ColourChoice> = OnceLock::new();

/// Writes data to standard output.
pub(crate) fn data(text: &str) {
    let mut frame = frame();
    let mut output = std::io::stdout().lock();
    put(&frame.take_away(columns()));
    // Nobody reads on: there is nothing left to do.
    drop(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    );
}

/// Writes a line of talk to standard error.
pub(crate) fn say(line: &str) {
    talk(&format!("{line}\n"));
}

/// Writes the one line of a failure and what to do about it.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    say(&format!("error: {message}"));
    if let Some(hint) = hint {
        say(&format!("\nhint: {hint}"));
    }
}

/// Shows these lines below all talk, instead of those that were shown before.
pub(crate) fn draw(lines: &[Line]) {
    let mut frame = frame();
    put(&frame.redraw(lines, columns(), talk_colour()));
}

/// Takes the lines of [`draw`] away.
pub(crate) fn clear() {
    let mut frame = frame();
    put(&frame.take_away(columns()));
}

/// Leaves the lines of [`draw`] where they are and continues below: the cursor is no longer where
/// they ended.
pub(crate) fn leave_frame() {
    frame().forget();
}

/// Takes the lines of [`draw`] away unless they are being drawn; for a panic, whose message would
/// be drawn over.
pub(crate) fn clear_in_panic() {
    let mut frame = match FRAME.try_lock() {
        Ok(frame) => frame,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    put(&frame.take_away(columns()));
}

/// What the log is written to: above the frame, as all talk.
#[derive(Debug)]
pub(crate) struct LogWriter;

impl std::io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        talk(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Follows the command line about colours; to be called once, before anything is printed.
pub(crate) fn choose_colour(choice: ColourChoice) {
    COLOUR.get_or_init(|| choice);
}

/// The terminal that talk goes to, when lines may be redrawn on it.
pub(crate) fn talk_terminal() -> Option<Size> {
    terminal::size(Stream::Talk).filter(|_| !Environment::read().is_dumb)
}

/// Whether colour is welcome in talk.
pub(crate) fn talk_colour() -> bool {
    is_colourful(Stream::Talk)
}

/// Columns of the terminal on standard output, or 100 when it is none.
pub(crate) fn width() -> usize {
    terminal::size(Stream::Data)
        .map(|size| size.columns)
        .filter(|columns| *columns >= 40)
        .unwrap_or(100)
}

/// Whether colour is welcome on standard output.
pub(crate) fn colour() -> bool {
    is_colourful(Stream::Data)
}

/// Whether the locale has more than ASCII.
pub(crate) fn speaks_utf8() -> bool {
    Environment::read().is_utf8
}

fn is_colourful(stream: Stream) -> bool {
    let choice = COLOUR.get().copied().unwrap_or_default();
    choice.colourful(terminal::size(stream).is_some(), Environment::read())
}

fn talk(text: &str) {
    let mut frame = frame();
    put(&frame.above(text, columns(), talk_colour()));
}

fn columns() -> usize {
    terminal::size(Stream::Talk).map_or(usize::MAX, |size| size.columns)
}

fn frame() -> MutexGuard<'static, Frame> {
    FRAME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes to standard error in one piece, so that a terminal shows no half of it.
fn put(text: &str) {
    if !text.is_empty() {
        drop(std::io::stderr().lock().write_all(text.as_bytes()));
    }
}
