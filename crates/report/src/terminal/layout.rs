//! Columns, colours and line breaks of the terminal.

use std::io::{self, Write};

/// Which colour a cell of the last column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Note,
    Doubt,
    Plain,
}

const GAP: &str = "  ";

/// A table whose first column and last column stand left and whose others stand right.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    /// Cells, and the colour of the last one.
    pub(super) rows: Vec<(Vec<String>, Tone)>,
    pub(super) colour: bool,
}

impl Table {
    /// Writes it in columns where they fit, stacked where they do not.
    pub(super) fn write(&self, width: usize, writer: &mut impl Write) -> io::Result<()> {
        let widths = self.widths();
        let needed = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        if needed <= width {
            self.write_aligned(&widths, writer)
        } else {
            self.write_stacked(writer)
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.header.len()];
        let rows = self.rows.iter().map(|(cells, _)| cells);
        for row in std::iter::once(&self.header).chain(rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell));
            }
        }
        widths
    }

    fn write_aligned(&self, widths: &[usize], writer: &mut impl Write) -> io::Result<()> {
        writeln!(writer, "{}", self.line(&self.header, widths, Tone::Plain))?;
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        writeln!(writer, "{}", self.line(&rules, widths, Tone::Plain))?;
        for (row, tone) in &self.rows {
            writeln!(writer, "{}", self.line(row, widths, *tone))?;
        }
        Ok(())
    }

    fn line(&self, cells: &[String], widths: &[usize], tone: Tone) -> String {
        let last = widths.len().saturating_sub(1);
        let mut line = String::new();
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(display_width(cell)));
            // Numbers line up at their right end; the names and the verdict begin at the left.
            if index == 0 {
                line.extend([cell.as_str(), &padding]);
            } else if index == last {
                line.push_str(&coloured(cell, tone, self.colour));
            } else {
                line.extend([padding.as_str(), cell]);
            }
            if index < last {
                line.push_str(GAP);
            }
        }
        line
    }

    fn write_stacked(&self, writer: &mut impl Write) -> io::Result<()> {
        let labels = self.header.iter().skip(1);
        let label = labels.map(|cell| display_width(cell)).max().unwrap_or(0);
        for (row, tone) in &self.rows {
            let mut cells = row.iter();
            writeln!(writer, "{}", cells.next().map_or("", String::as_str))?;
            let last = row.len().saturating_sub(2);
            for (index, (name, cell)) in self.header.iter().skip(1).zip(cells).enumerate() {
                let padding = " ".repeat(label - display_width(name));
                let tone = if index == last { *tone } else { Tone::Plain };
                let shown = coloured(cell, tone, self.colour);
                writeln!(writer, "  {name}{padding}  {shown}")?;
            }
        }
        Ok(())
    }
}

pub(super) fn coloured(text: &str, tone: Tone, colour: bool) -> String {
    let code = match tone {
        Tone::Good => 32,
        Tone::Bad => 31,
        Tone::Note => 36,
        Tone::Doubt => 33,
        Tone::Plain => return text.to_owned(),
    };
    if colour {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Breaks a text at spaces and between Chinese letters, later lines below the first one's text. A
/// word longer than the line stands alone and is not cut.
pub(super) fn wrapped(
    writer: &mut impl Write,
    lead: &str,
    text: &str,
    width: usize,
) -> io::Result<()> {
    let indent = display_width(lead);
    let mut line = lead.to_owned();
    let mut used = indent;
    let mut empty = true;
    for (piece, spaced) in pieces(text) {
        let length = display_width(piece);
        let gap = usize::from(spaced && !empty);
        if !empty && used + gap + length > width {
            writeln!(writer, "{line}")?;
            line = " ".repeat(indent);
            used = indent;
            empty = true;
        }
        if spaced && !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(piece);
        used += length;
        empty = false;
    }
    writeln!(writer, "{line}")
}

/// What a line may be broken between, and whether a space stands before it.
///
/// Source: Unicode Standard Annex #14, as far as plain Chinese sentences need it: a break is allowed
/// beside an ideograph, never before closing punctuation and never after opening punctuation.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    for word in text.split_whitespace() {
        let mut spaced = true;
        let mut start = 0;
        let mut before: Option<char> = None;
        for (at, letter) in word.char_indices() {
            let may_break = before.is_some_and(|before| {
                (is_wide(before) || is_wide(letter)) && !is_opening(before) && !is_closing(letter)
            });
            if may_break && let Some(piece) = word.get(start..at) {
                pieces.push((piece, spaced));
                spaced = false;
                start = at;
            }
            before = Some(letter);
        }
        if let Some(piece) = word.get(start..) {
            pieces.push((piece, spaced));
        }
    }
    pieces
}

fn is_opening(letter: char) -> bool {
    matches!(letter, '「' | '『' | '（' | '《' | '“' | '(' | '[' | '`')
}

fn is_closing(letter: char) -> bool {
    matches!(
        letter,
        '」' | '』'
            | '）'
            | '》'
            | '”'
            | ')'
            | ']'
            | '`'
            | '，'
            | '。'
            | '、'
            | '；'
            | '：'
            | '！'
            | '？'
            | ','
            | '.'
            | ';'
            | ':'
            | '%'
    )
}

/// Columns that a text takes; East Asian wide and full-width letters take two.
pub(super) fn display_width(text: &str) -> usize {
    text.chars()
        .map(|letter| if is_wide(letter) { 2 } else { 1 })
        .sum()
}

// Source: Unicode Standard Annex #11, the wide and full-width blocks that Chinese text uses.
fn is_wide(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
            | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF
            | 0x20000..=0x3FFFD
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        let mut bytes = Vec::new();
        wrapped(&mut bytes, "• ", text, width).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn chinese_letters_take_two_columns() {
        assert_eq!(display_width("響應時間 P95"), 12);
    }

    #[test]
    fn chinese_breaks_between_letters_and_keeps_its_punctuation() {
        assert_eq!(
            lines("在「峰值」階段，每秒 1,000 筆。", 12),
            ["• 在「峰值」", "  階段，每秒", "  1,000 筆。"]
        );
        assert_eq!(lines("one two", 7), ["• one", "  two"]);
        assert_eq!(lines("unbreakable", 4), ["• unbreakable"]);
    }
}
