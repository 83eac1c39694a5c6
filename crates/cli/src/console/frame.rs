//! Lines that are redrawn in place at the bottom of what a terminal shows.
//!
//! The cursor is never hidden and always waits below the frame, so that however the program ends, the
//! terminal is as one expects it. Nothing is asked of the terminal and no mode is changed.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What a piece of text is for, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Title,
    Value,
    /// What explains a value beside it.
    Faint,
    Good,
    Warning,
    Bad,
    Throughput,
    ResponseTime,
    Funnel,
}

/// One line of painted pieces, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pieces: Vec<(Paint, String)>,
}

/// What is shown at present.
#[derive(Debug)]
pub(super) struct Frame {
    lines: Vec<Line>,
}

impl Paint {
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Title | Self::Value => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => coloured(AnsiColor::Green).bold(),
            Self::Warning => coloured(AnsiColor::Yellow).bold(),
            Self::Bad => coloured(AnsiColor::Red).bold(),
            Self::Throughput => coloured(AnsiColor::Cyan),
            Self::ResponseTime => coloured(AnsiColor::Magenta),
            Self::Funnel => coloured(AnsiColor::Blue),
        }
    }
}

impl Line {
    /// Adds a piece. Control characters, which a foreign plan or name may hold, become `?`.
    #[must_use]
    pub(crate) fn with(mut self, paint: Paint, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if !text.is_empty() {
            let clean = |c: char| if c.is_control() { '?' } else { c };
            self.pieces.push((paint, text.chars().map(clean).collect()));
        }
        self
    }

    /// Columns that it takes.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }

    /// The same, with what is beyond this many columns cut off.
    #[must_use]
    pub(crate) fn cut_to(self, columns: usize) -> Self {
        let mut left = columns;
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (paint, text) in self.pieces {
            let whole = text.width();
            if whole <= left {
                left -= whole;
                pieces.push((paint, text));
                continue;
            }
            let fits = |c: &char| match left.checked_sub(c.width().unwrap_or(0)) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            };
            pieces.push((paint, text.chars().take_while(fits).collect()));
            break;
        }
        Self { pieces }
    }

    /// The line as it is written, without its end.
    pub(crate) fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        for (paint, piece) in &self.pieces {
            let style = paint.style();
            if colour && *paint != Paint::Plain {
                text.push_str(&style.render().to_string());
                text.push_str(piece);
                text.push_str(&style.render_reset().to_string());
            } else {
                text.push_str(piece);
            }
        }
        text
    }
}

impl Frame {
    pub(super) const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// What to write so that these lines are shown in place of the present ones. Each is overwritten
    /// and then cleared to its end: nothing flickers.
    pub(super) fn redraw(&mut self, lines: &[Line], columns: usize, colour: bool) -> String {
        let mut text = self.to_top(columns);
        self.lines = lines.to_vec();
        self.write(&mut text, colour);
        text
    }

    /// What to write so that the frame is gone.
    pub(super) fn take_away(&mut self, columns: usize) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let top = self.to_top(columns);
        self.lines.clear();
        top + "\x1b[J"
    }

    /// What to write so that a text of whole lines stands above the frame.
    pub(super) fn above(&mut self, text: &str, columns: usize, colour: bool) -> String {
        if self.lines.is_empty() {
            return text.to_owned();
        }
        let mut all = self.to_top(columns) + "\x1b[J" + text;
        self.write(&mut all, colour);
        all
    }

    /// Where the frame was is no longer known.
    pub(super) fn forget(&mut self) {
        self.lines.clear();
    }

    /// From below the frame to its first column. A terminal that became narrower has broken long
    /// lines into several.
    fn to_top(&self, columns: usize) -> String {
        let height = |line: &Line| line.width().div_ceil(columns.max(1)).max(1);
        match self.lines.iter().map(height).sum::<usize>() {
            0 => String::new(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }

    fn write(&self, text: &mut String, colour: bool) {
        for line in &self.lines {
            text.push_str(&line.text(colour));
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::{Frame, Line, Paint};

    const COLUMNS: usize = 20;

    fn size(count: u16) -> NonZero<u16> {
        NonZero::new(count).unwrap()
    }

    fn lines(texts: &[&str]) -> Vec<Line> {
        let line = |text: &&str| Line::default().with(Paint::Value, text);
        texts.iter().map(line).collect()
    }

    /// What a terminal shows of these writings, and that its cursor is visible.
    fn screen(writings: &[String]) -> String {
        let mut terminal = vt100::Parser::new(size(10), size(20), 100);
        for writing in writings {
            // The line discipline adds the carriage return.
            terminal.process(writing.replace('\n', "\r\n").as_bytes());
            assert!(!terminal.screen().hide_cursor());
            assert_eq!(terminal.screen().cursor_position().1, 0, "{writing:?}");
        }
        terminal.screen().contents().trim_end().to_owned()
    }

    #[test]
    fn a_frame_is_replaced_and_leaves_nothing_behind() {
        let mut frame = Frame::new();
        let mut writings =
            vec![frame.redraw(&lines(&["first one", "second", "third"]), COLUMNS, true)];
        assert_eq!(screen(&writings), "first one\nsecond\nthird");
        writings.push(frame.redraw(&lines(&["1st", "2nd"]), COLUMNS, false));
        assert_eq!(screen(&writings), "1st\n2nd");
        writings.push(frame.take_away(COLUMNS));
        assert_eq!(screen(&writings), "");
        assert_eq!(frame.take_away(COLUMNS), "");
    }

    #[test]
    fn talk_stands_above_the_frame() {
        let mut frame = Frame::new();
        let writings = [
            frame.above("before\n", COLUMNS, true),
            frame.redraw(&lines(&["a long first line", "b"]), COLUMNS, true),
            frame.above("said\n", COLUMNS, true),
            frame.above("more\n", COLUMNS, true),
            frame.redraw(&lines(&["A", "B"]), COLUMNS, true),
        ];
        assert_eq!(screen(&writings), "before\nsaid\nmore\nA\nB");
    }

    #[test]
    fn a_frame_longer_than_the_screen_below_it_scrolls() {
        let mut frame = Frame::new();
        let mut writings: Vec<String> = (0..8)
            .map(|n| frame.above(&format!("line {n}\n"), COLUMNS, false))
            .collect();
        for text in ["x", "y"] {
            writings.push(frame.redraw(&lines(&[text, text, text, text]), COLUMNS, false));
        }
        assert_eq!(
            screen(&writings),
            "line 3\nline 4\nline 5\nline 6\nline 7\ny\ny\ny\ny"
        );
    }

    #[test]
    fn a_narrower_terminal_has_broken_the_lines() {
        let mut frame = Frame::new();
        let shown = frame.redraw(&lines(&["123456789", "1"]), COLUMNS, false);
        assert!(!shown.contains("\x1b[3A"));
        // Nine columns on a terminal of five are two rows.
        assert!(
            frame
                .redraw(&lines(&["1"]), 5, false)
                .starts_with("\r\x1b[3A")
        );
    }

    #[test]
    fn text_is_cut_by_columns_and_holds_no_control_characters() {
        let check = |text: &str, columns, expected: &str| {
            let line = Line::default().with(Paint::Plain, text).cut_to(columns);
            assert_eq!(line.text(false), expected);
            assert!(line.width() <= columns);
        };
        check("abc", 3, "abc");
        check("abc", 2, "ab");
        check("結帳", 3, "結");
        check("\x1b[31mred\n", 20, "?[31mred?");
        let two = Line::default()
            .with(Paint::Good, "ab")
            .with(Paint::Bad, "cd");
        assert_eq!(two.clone().cut_to(3).text(false), "abc");
        assert_eq!(
            two.cut_to(3).text(true),
            "\x1b[1m\x1b[32mab\x1b[0m\x1b[1m\x1b[31mc\x1b[0m"
        );
    }
}
