//! The lines of the view, fitted to a terminal.
//!
//! Every row gives up its less important parts before it is cut, and the less important rows give way
//! on a low terminal. Below 40 columns or four rows one line is left.

mod funnel;

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::history::History;
use super::snapshot::Snapshot;
use super::symbols::Symbols;
use super::words::{self, clock, count, percent_or_dash, rate, time, time_or_dash};
use crate::console::{Line, Paint, Size};

/// Terminals with fewer columns or rows get one line.
const COLUMNS_MIN: usize = 40;
const ROWS_MIN: usize = 4;
/// The margin on the left, the names of the rows and their values.
const MARGIN: &str = " ";
const LABEL: usize = 12;
const VALUE: usize = 9;
const BEFORE_DETAILS: usize = MARGIN.len() + LABEL + VALUE;
/// The details of a row with a sparkline.
const DETAILS: usize = 27;
const DETAILS_SHORT: usize = 14;
/// Columns from which a row has all details, short details, and the top of its sparkline's scale.
const FULL: usize = 72;
const MEDIUM: usize = 56;
const WITH_TOP: usize = 92;
const TOP: usize = 14;
/// Widest sparkline: two minutes.
const SPARKLINE_MAX: usize = 120;
/// Error rates up to this are within the limit that is asked of a shop.
const ERROR_RATE_ASKED: f64 = 0.01;

/// What is to be drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'view> {
    pub(super) title: &'view str,
    pub(super) stage: &'view str,
    /// Elapsed time and expected length of everything.
    pub(super) whole: Option<(Duration, Duration)>,
    /// What is being done without traffic, and for how long.
    pub(super) busy: Option<(&'view str, Duration)>,
    /// The latest figures and their age.
    pub(super) snapshot: Option<(&'view Snapshot, Duration)>,
    pub(super) history: &'view History,
}

/// The importance of a row: the least important ones give way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Progress,
    Throughput,
    Mark,
    ResponseTime,
    Errors,
    Title,
    InFlight,
    /// The last steps of the funnel first.
    Step(usize),
    Extra,
    Blank,
}

/// A picture on its way to lines of a given width.
struct Canvas<'view> {
    picture: Picture<'view>,
    symbols: Symbols,
    columns: usize,
}

impl Picture<'_> {
    /// The lines for a terminal of this size: one row is left to the cursor, and a column to
    /// terminals that break a line which is exactly full.
    pub(super) fn lines(self, size: Size, symbols: Symbols) -> Vec<Line> {
        let columns = size.columns.saturating_sub(1).max(1);
        let rows_max = size.rows.saturating_sub(1).max(1);
        let canvas = Canvas {
            picture: self,
            symbols,
            columns,
        };
        let mut rows = if size.columns < COLUMNS_MIN || size.rows < ROWS_MIN {
            vec![(Rank::Progress, canvas.one_line())]
        } else {
            canvas.rows()
        };
        while rows.len() > rows_max {
            let least = rows.iter().map(|(rank, _)| *rank).max();
            let last = rows.iter().rposition(|(rank, _)| Some(*rank) == least);
            rows.remove(last.unwrap_or(0));
        }
        let fit = |(_, line): (Rank, Line)| line.cut_to(columns);
        rows.into_iter().map(fit).collect()
    }
}

impl Canvas<'_> {
    fn rows(&self) -> Vec<(Rank, Line)> {
        let mut rows = vec![
            (Rank::Title, self.title()),
            (Rank::Progress, self.progress()),
        ];
        let Some((snapshot, _)) = self.picture.snapshot else {
            return rows;
        };
        rows.push((Rank::Throughput, self.throughput(snapshot)));
        if self.columns < MEDIUM
            && let Some(offered) = snapshot.offered_per_second
        {
            rows.push((Rank::Extra, value("offered", Paint::Plain, &rate(offered))));
        }
        rows.push((Rank::ResponseTime, self.response_time(snapshot)));
        if self.columns < MEDIUM {
            let progress = &snapshot.progress;
            for (name, span) in [
                ("P50", progress.p50_last_seconds),
                ("P99", progress.p99_last_seconds),
            ] {
                rows.push((Rank::Extra, value(name, Paint::Plain, &time_or_dash(span))));
            }
        }
        rows.push((Rank::Errors, self.errors(snapshot)));
        if let Some(in_flight) = snapshot.in_flight {
            rows.push((Rank::InFlight, self.in_flight(snapshot, in_flight)));
        }
        let funnel = self.funnel(snapshot);
        rows.extend(self.mark(snapshot).map(|mark| (Rank::Mark, mark)));
        if !funnel.is_empty() {
            rows.push((Rank::Blank, Line::default()));
        }
        rows.extend(funnel);
        rows
    }

    fn one_line(&self) -> Line {
        let text = match (self.picture.busy, self.picture.snapshot) {
            (Some((what, _)), _) => format!("{} {what}", self.picture.stage),
            (None, Some((snapshot, _))) => words::plain_line("", snapshot),
            (None, None) => self.picture.title.to_owned(),
        };
        Line::default().with(Paint::Plain, text.trim_start())
    }

    /// What runs on the left, which part of it on the right.
    fn title(&self) -> Line {
        let Picture {
            title,
            stage,
            whole,
            ..
        } = self.picture;
        let left = whole.map(|(elapsed, expected)| {
            let left = clock(expected.saturating_sub(elapsed));
            format!("about {left} left in all")
        });
        let parts = [Some(stage.to_owned()), left];
        let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
        let right = parts.collect::<Vec<_>>();
        let right = right.join(&format!(" {} ", self.symbols.dot));
        // The part matters more than what it is a part of.
        let room = self
            .columns
            .saturating_sub(MARGIN.len() + right.width() + 2);
        let line = Line::default()
            .with(Paint::Plain, MARGIN)
            .with(Paint::Title, self.shorten(title, room));
        let gap = self.columns.saturating_sub(line.width() + right.width());
        line.with(Paint::Plain, " ".repeat(gap))
            .with(Paint::Plain, right)
    }

    fn progress(&self) -> Line {
        let line = Line::default().with(Paint::Plain, MARGIN);
        if let Some((what, since)) = self.picture.busy {
            return line
                .with(Paint::Value, what)
                .with(Paint::Faint, format!("  {}", clock(since)));
        }
        let Some((snapshot, age)) = self.picture.snapshot else {
            return line.with(Paint::Faint, "starting");
        };
        let elapsed = snapshot.elapsed.saturating_add(age).min(snapshot.planned);
        let phase = if snapshot.is_draining() {
            "last answers"
        } else {
            snapshot.phase.as_str()
        };
        let phase = pad(&self.shorten(phase, LABEL - 1), LABEL);
        let left = clock(snapshot.planned.saturating_sub(elapsed));
        let times = format!(" {} / {}", clock(elapsed), clock(snapshot.planned));
        let left = if self.columns < MEDIUM {
            String::new()
        } else {
            format!("  {left} left")
        };
        let room = self.columns.saturating_sub(MARGIN.len() + LABEL);
        let room = room.saturating_sub(times.width() + left.width());
        let share = if snapshot.planned.is_zero() {
            1.0
        } else {
            elapsed.div_duration_f64(snapshot.planned)
        };
        let (passed, coming) = self.symbols.progress(share, room);
        line.with(Paint::Value, phase)
            .with(Paint::Throughput, passed)
            .with(Paint::Faint, coming)
            .with(Paint::Plain, times)
            .with(Paint::Faint, left)
    }

    fn throughput(&self, snapshot: &Snapshot) -> Line {
        let now = rate(snapshot.progress.throughput_last_second);
        let offered = snapshot.offered_per_second.map(rate).unwrap_or_default();
        let details = match (offered.as_str(), self.columns) {
            ("", _) => String::new(),
            (offered, FULL..) => format!("of {offered} offered"),
            (offered, _) => format!("of {offered}"),
        };
        let values = self.picture.history.throughputs(self.sparkline_columns());
        let line = value("TPS", Paint::Value, &now);
        self.with_sparkline(line, &details, (&values, Paint::Throughput), rate)
    }

    fn response_time(&self, snapshot: &Snapshot) -> Line {
        let progress = &snapshot.progress;
        let p99 = format!("P99 {}", time_or_dash(progress.p99_last_seconds));
        let details = if self.columns < FULL {
            p99
        } else {
            let p50 = format!("P50 {}", time_or_dash(progress.p50_last_seconds));
            format!("{p50:<13}{p99}")
        };
        let values = self.picture.history.p95s(self.sparkline_columns());
        let p95 = time_or_dash(progress.p95_last_seconds);
        let line = value("P95", Paint::Value, &p95);
        let seconds = |top: f64| time(Duration::try_from_secs_f64(top).unwrap_or_default());
        self.with_sparkline(line, &details, (&values, Paint::ResponseTime), seconds)
    }

    fn errors(&self, snapshot: &Snapshot) -> Line {
        let progress = &snapshot.progress;
        let now = progress.error_rate_last_seconds();
        let paint = match now {
            None => Paint::Value,
            Some(now) if now <= 0.0 => Paint::Good,
            Some(now) if now < ERROR_RATE_ASKED => Paint::Warning,
            Some(_) => Paint::Bad,
        };
        let line = value("errors", paint, &percent_or_dash(now));
        let counts = [
            (progress.failed, "failed"),
            (progress.dropped, "dropped"),
            (progress.late, "late"),
            (progress.expected_refusals, "refused"),
        ];
        let mut parts: Vec<String> = counts
            .iter()
            .map(|(number, what)| format!("{} {what}", count(*number)))
            .collect();
        parts.push(format!("of {}", count(progress.attempted)));
        self.with_facts(line, &parts)
    }

    fn in_flight(&self, snapshot: &Snapshot, in_flight: u32) -> Line {
        let line = value("in flight", Paint::Value, &count(in_flight.into()));
        let connections = snapshot
            .connections
            .map(|open| format!("{} connections", count(open.into())));
        let share = snapshot
            .generator
            .latest
            .and_then(|latest| latest.processor_share);
        let generator = share.map(|share| format!("generator {:.0} % busy", share * 100.0));
        let parts: Vec<String> = connections.into_iter().chain(generator).collect();
        self.with_facts(line, &parts)
    }

    /// What casts doubt on the figures, if anything.
    fn mark(&self, snapshot: &Snapshot) -> Option<Line> {
        let generator = &snapshot.generator;
        let seconds = generator.seconds_over_limit;
        let text = match generator.latest {
            Some(latest) if latest.is_over_limit() => {
                let share = latest.processor_share.unwrap_or_default();
                let share = share.max(latest.worker_share) * 100.0;
                let lag = latest.lag_p99_ms.unwrap_or_default();
                format!(
                    "! generator at its limit, {seconds} s so far: {share:.0} % busy, {lag:.0} ms behind"
                )
            }
            _ if seconds > 0 => format!("! generator was at its limit for {seconds} s"),
            _ => return None,
        };
        let room = self.columns.saturating_sub(MARGIN.len());
        let line = Line::default().with(Paint::Plain, MARGIN);
        Some(line.with(Paint::Warning, self.shorten(&text, room)))
    }

    /// Columns of the sparklines.
    fn sparkline_columns(&self) -> usize {
        let details = match self.columns {
            FULL.. => DETAILS,
            MEDIUM.. => DETAILS_SHORT,
            _ => 0,
        };
        let top = if self.columns >= WITH_TOP { TOP } else { 0 };
        let room = self
            .columns
            .saturating_sub(BEFORE_DETAILS + 2 + details + top);
        room.min(SPARKLINE_MAX)
    }

    fn with_sparkline(
        &self,
        line: Line,
        details: &str,
        (values, paint): (&[Option<f64>], Paint),
        name: impl Fn(f64) -> String,
    ) -> Line {
        let top = values.iter().flatten().copied().fold(0.0, f64::max);
        let sparkline = self.symbols.sparkline(values, top);
        let line = line.with(Paint::Plain, "  ");
        let line = match self.columns {
            FULL.. => line.with(Paint::Faint, pad(details, DETAILS)),
            MEDIUM.. => line.with(Paint::Faint, pad(details, DETAILS_SHORT)),
            _ => line,
        };
        let line = line.with(paint, pad(&sparkline, self.sparkline_columns()));
        if self.columns >= WITH_TOP && top > 0.0 {
            line.with(Paint::Faint, format!(" max {}", name(top)))
        } else {
            line
        }
    }

    /// As many of the facts as fit.
    fn with_facts(&self, line: Line, facts: &[String]) -> Line {
        let room = self.columns.saturating_sub(line.width() + 2);
        let between = format!(" {} ", self.symbols.dot);
        let mut fitting = facts;
        while !fitting.is_empty() && fitting.join(&between).width() > room {
            fitting = fitting.split_last().map_or(&[], |(_, rest)| rest);
        }
        line.with(Paint::Plain, "  ")
            .with(Paint::Faint, fitting.join(&between))
    }

    /// The text within so many columns, its end replaced by a sign that there was more.
    fn shorten(&self, text: &str, columns: usize) -> String {
        if text.width() <= columns {
            return text.to_owned();
        }
        let more = self.symbols.more;
        let room = columns.saturating_sub(more.width());
        let cut = Line::default().with(Paint::Plain, text).cut_to(room);
        cut.text(false) + more
    }
}

/// The name and the value of a row.
fn value(name: &str, paint: Paint, value: &str) -> Line {
    Line::default()
        .with(Paint::Plain, format!("{MARGIN}{}", pad(name, LABEL)))
        .with(paint, format!("{value:>VALUE$}"))
}

/// With blanks up to so many columns.
fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(text.width());
    text.to_owned() + &" ".repeat(blanks)
}
