//! Writing the text format.

use std::fmt::{Formatter, Result, Write as _};

use super::{Exposition, Sample, value_text};

pub(super) fn render(exposition: &Exposition, out: &mut Formatter<'_>) -> Result {
    for family in &exposition.families {
        if let Some(help) = &family.help {
            write!(out, "# HELP {} ", family.name)?;
            escaped(out, help, false)?;
            out.write_char('\n')?;
        }
        writeln!(out, "# TYPE {} {}", family.name, family.kind.word())?;
        for sample in &family.samples {
            write_sample(out, sample)?;
        }
    }
    Ok(())
}

fn write_sample(out: &mut Formatter<'_>, sample: &Sample) -> Result {
    out.write_str(&sample.name)?;
    for (index, (name, value)) in sample.labels.iter().enumerate() {
        write!(out, "{}{name}=\"", if index == 0 { '{' } else { ',' })?;
        escaped(out, value, true)?;
        out.write_char('"')?;
    }
    if !sample.labels.is_empty() {
        out.write_char('}')?;
    }
    write!(out, " {}", value_text(sample.value))?;
    if let Some(timestamp) = sample.timestamp_ms {
        write!(out, " {timestamp}")?;
    }
    out.write_char('\n')
}

/// Backslash and line feed are escaped everywhere, the quote only in label values.
fn escaped(out: &mut Formatter<'_>, text: &str, quotes: bool) -> Result {
    for character in text.chars() {
        match character {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '"' if quotes => out.write_str("\\\"")?,
            other => out.write_char(other)?,
        }
    }
    Ok(())
}
