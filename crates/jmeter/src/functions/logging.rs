//! Lines in the log.

use super::Invocation;
use crate::log::Level;
use crate::user::Trouble;

/// The class that stands in the log for both functions.
const LOGGER: &str = "o.a.j.f.LogFunction";

/// `__log(text, level, exception, comment)`: yields the text too.
pub(super) fn log(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    write(&text, call, 3);
    call.out.push_str(&text);
    Ok(())
}

/// `__logn(text, level, exception)`: yields nothing.
pub(super) fn logn(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let text = call.argument(0);
    write(&text, call, usize::MAX);
    Ok(())
}

fn write(text: &str, call: &mut Invocation<'_>, comment: usize) {
    let level = call.argument(1).trim().to_ascii_uppercase();
    let exception = call.argument(2);
    let comment = call.argument(comment);
    let separator = if comment.is_empty() { " : " } else { &comment };
    let thread = &call.user.thread_name;
    let level = match level.as_str() {
        "" | "INFO" => Level::Info,
        "OUT" => Level::Out,
        "ERR" => Level::Err,
        "ERROR" => Level::Error,
        "WARN" => Level::Warn,
        "TRACE" => Level::Trace,
        // As in JMeter, what is no level means this one.
        _ => Level::Debug,
    };
    let mut line = match level {
        // The comment follows a space there, the usual separator brings its own.
        Level::Out | Level::Err if comment.is_empty() => format!("Log: {thread}{separator}{text}"),
        Level::Out | Level::Err => format!("Log: {thread} {separator}{text}"),
        _ => format!("{thread} {separator} {text}"),
    };
    if !exception.is_empty() {
        line.push_str(" java.lang.Throwable: ");
        line.push_str(&exception);
    }
    call.user.run.log.line(level, LOGGER, &line);
}
