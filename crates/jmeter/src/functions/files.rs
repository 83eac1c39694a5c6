//! Files that functions read and write.
//!
//! As in `JMeter`, `__CSVRead` looks for its file beside the plan, the others where the program was
//! started.

mod number_format;
mod rows;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::Encoding;

use super::Invocation;
use crate::log::Level;
use crate::user::Trouble;

pub(super) use rows::csv_read;

/// What stands where a file could not be read.
const ERROR: &str = "**ERR**";

fn complain(call: &Invocation<'_>, text: &str) {
    call.user.run.log.line(Level::Warn, "o.a.j.f.Files", text);
}

/// The encoding of a name; UTF-8 for none, `None` for one that is not known.
fn encoding(name: &str) -> Option<&'static Encoding> {
    match name {
        "" => Some(encoding_rs::UTF_8),
        name => Encoding::for_label(name.as_bytes()),
    }
}

/// `__FileToString(file, encoding, variable)`: a whole file.
pub(super) fn file_to_string(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let label = call.argument(1);
    let Some(encoding) = encoding(label.trim()) else {
        return Err(call.trouble(&format!("UnsupportedCharsetException: {label}")));
    };
    let text = match std::fs::read(name.as_ref()) {
        Ok(bytes) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
        Err(why) => {
            complain(call, &format!("Could not read file: {name} {why}"));
            ERROR.to_owned()
        }
    };
    call.yields(&text, 2);
    Ok(())
}

/// `__StringToFile(file, text, append, encoding)`: `true` when it was written.
pub(super) fn string_to_file(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let name = call.argument(0);
    let name = name.trim();
    let text = call.argument(1).replace("\\n", "\n");
    let append = call.argument(2).trim().to_ascii_lowercase();
    let append = append.is_empty() || append == "true";
    let label = call.argument(3);
    let written = match encoding(&label) {
        None => Err(format!("The encoding {label} is not supported")),
        Some(_) if name.is_empty() => Err("File name '' is empty".to_owned()),
        Some(encoding) => {
            let bytes = encoding.encode(&text).0;
            // One user writes at a time, so that no line is torn.
            let turn: Arc<Mutex<()>> = call.user.run.named(format!("__StringToFile {name}"));
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            write(name, &bytes, append).map_err(|why| format!("{name}: {why}"))
        }
    };
    if let Err(why) = &written {
        complain(call, why);
    }
    call.out
        .push_str(if written.is_ok() { "true" } else { "false" });
    Ok(())
}

fn write(name: &str, bytes: &[u8], append: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    let mut file = options.append(append).truncate(!append).open(name)?;
    file.write_all(bytes)
}

/// A file or a sequence of files that all users read line by line, at one call.
#[derive(Debug, Default)]
struct Lines(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    begun: bool,
    file: Option<BufReader<File>>,
    /// The number of the next file of a sequence.
    next: Option<i32>,
    end: Option<i32>,
}

/// `__StringFromFile(file, variable, first, last)`: the next line, from the beginning again at the end;
/// with numbers, the file is a pattern for a sequence of files, and its end is the end of the user.
pub(super) fn string_from_file(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let lines: Arc<Lines> = call.user.run.kept(call.call.site);
    let mut reading = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
    if !reading.begun {
        reading.begun = true;
        open(&mut reading, call);
    }
    let mut line = read(&mut reading);
    if line.is_none() && reading.file.is_some() {
        open(&mut reading, call);
        line = read(&mut reading);
    }
    if line.is_none() && reading.end.is_some() {
        return Err(Trouble::StopThread("End of sequence".to_owned()));
    }
    drop(reading);
    call.yields(line.as_deref().unwrap_or(ERROR), 1);
    Ok(())
}

fn read(reading: &mut Reading) -> Option<String> {
    let mut line = Vec::new();
    let length = reading.file.as_mut()?.read_until(b'\n', &mut line).ok()?;
    if length == 0 {
        return None;
    }
    let ends = line
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'\n' | b'\r'));
    let ends = ends.count().min(2);
    line.truncate(line.len() - ends);
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// Opens the file, or the next of the sequence.
fn open(reading: &mut Reading, call: &mut Invocation<'_>) {
    let mut name = call.argument(0).into_owned();
    let first: Option<i32> = call.argument(2).parse().ok();
    reading.end = call.argument(3).parse().ok();
    reading.file = None;
    if call.count() > 2 {
        let number = *reading.next.get_or_insert(first.unwrap_or(1));
        if reading.end.is_some_and(|end| number > end) {
            return;
        }
        if first.is_some() {
            name = number_format::formatted(&name, number);
        }
        reading.next = Some(number.saturating_add(1));
    }
    match File::open(&name) {
        Ok(file) => reading.file = Some(BufReader::new(file)),
        Err(why) => complain(call, &format!("Error opening file {name}: {why}")),
    }
}
