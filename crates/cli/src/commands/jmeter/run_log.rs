//! The log of a run, in the form of `JMeter`'s `jmeter.log`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use double11_units::UnixMicros;
use time::OffsetDateTime;
use time::macros::format_description;

/// An open log; times are those of UTC.
#[derive(Debug)]
pub(super) struct RunLog {
    file: File,
    least: Level,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Off,
}

impl Level {
    /// Reads a level by the names of Log4j.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "ALL" | "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            "ERROR" | "FATAL" => Self::Error,
            "OFF" => Self::Off,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error | Self::Off => "ERROR",
        }
    }
}

impl RunLog {
    /// Begins a log; an earlier one of this name is replaced, as in `JMeter`.
    pub(super) fn create(path: &Path, least: Level) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { file, least })
    }

    /// Writes a line. A disk that is full loses it.
    pub(super) fn line(&mut self, at: UnixMicros, level: Level, class: &str, text: &str) {
        if level >= self.least {
            let line = format!("{} {} {class}: {text}\n", stamp(at), level.name());
            drop(self.file.write_all(line.as_bytes()));
        }
    }
}

fn stamp(at: UnixMicros) -> String {
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.get()) * 1_000);
    let text = at.ok().and_then(|at| at.format(format).ok());
    text.unwrap_or_default()
}

/// An instant for readers of a page, whatever their language.
pub(super) fn shown(at: UnixMicros) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.get()) * 1_000);
    let text = at.ok().and_then(|at| at.format(format).ok());
    text.unwrap_or_default()
}

/// An instant as `JMeter` 5.6 prints it at the start and at the end of a run.
pub(super) fn printed(at: UnixMicros) -> String {
    let format = format_description!(
        "[year] [month repr:short] [day padding:none] [hour]:[minute]:[second] UTC"
    );
    let date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.get()) * 1_000);
    let text = date.ok().and_then(|at| at.format(format).ok());
    format!("{} ({})", text.unwrap_or_default(), at.millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_form_of_jmeters_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jmeter.log");
        let mut log = RunLog::create(&path, Level::Info).unwrap();
        let at = UnixMicros::new(1_763_900_000_123_456);
        log.line(at, Level::Debug, "o.a.j.Quiet", "not this");
        log.line(at, Level::Info, "o.a.j.r.Summariser", "summary = 1");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text,
            "2025-11-23 12:13:20,123 INFO o.a.j.r.Summariser: summary = 1\n"
        );
        assert_eq!(printed(at), "2025 Nov 23 12:13:20 UTC (1763900000123)");
        assert_eq!(shown(at), "2025-11-23 12:13:20 UTC");
    }
}
