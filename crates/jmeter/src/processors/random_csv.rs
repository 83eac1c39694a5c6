//! `RandomCSVDataSetConfig` of the plugins of `BlazeMeter`: lines of a file in any order, each once.

use std::sync::{Arc, Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::csv_file::{CsvFile, Line, Reading};
use super::data::Next;
use crate::compiler::Compiler;
use crate::user::{StateId, User};

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the boxes of the element"
)]
pub(super) struct RandomCsv {
    file: Template,
    encoding: Template,
    names: Template,
    delimiter: Template,
    random: bool,
    ignore_first_line: bool,
    rewind: bool,
    per_user: bool,
    own: StateId,
    shared: Mutex<Option<Lines>>,
}

/// The lines of a file and which of them are still to come.
#[derive(Debug, Clone)]
struct Lines {
    names: Arc<[Box<str>]>,
    all: Arc<[Vec<String>]>,
    /// The places of the lines that are left, the next one at the end.
    left: Vec<usize>,
}

impl RandomCsv {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        if element.text("filename").trim().is_empty() {
            compiler.refuse(element, "it names no file (filename)");
        }
        Self {
            file: compiler.property(element, "filename"),
            encoding: compiler.property(element, "fileEncoding"),
            names: compiler.property(element, "variableNames"),
            delimiter: compiler.property(element, "delimiter"),
            random: element.is("randomOrder", false),
            ignore_first_line: element.is("ignoreFirstLine", false),
            rewind: element.is("rewindOnTheEndOfList", false),
            per_user: element.is("independentListPerThread", false),
            own: compiler.state(),
            shared: Mutex::default(),
        }
    }

    pub(super) fn literal_file(&self) -> Option<&str> {
        self.file.literal().map(str::trim)
    }

    pub(super) fn iteration_start(&self, user: &mut User) -> Next {
        if self.per_user {
            let mut own = user.state::<Option<Lines>>(self.own, || None).take();
            let next = self.next(&mut own, user);
            *user.state::<Option<Lines>>(self.own, || None) = own;
            next
        } else {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            self.next(&mut shared, user)
        }
    }

    fn next(&self, lines: &mut Option<Lines>, user: &mut User) -> Next {
        if lines.is_none() {
            *lines = self.read(user);
        }
        let Some(lines) = lines else {
            return Next::StopUser;
        };
        if lines.left.is_empty() && self.rewind {
            self.refill(lines, user);
        }
        let Some(values) = lines.left.pop().and_then(|place| lines.all.get(place)) else {
            return Next::StopUser;
        };
        for (name, value) in lines.names.iter().zip(values) {
            user.variables.set(name, value.as_str());
        }
        Next::Continue
    }

    fn read(&self, user: &mut User) -> Option<Lines> {
        let delimiter = match &*user.render(&self.delimiter) {
            "\\t" => "\t".to_owned(),
            "" => ",".to_owned(),
            own => own.to_owned(),
        };
        let name = user.render(&self.file);
        let path = user.run.file(name.trim());
        let names = user.render(&self.names).into_owned();
        let encoding = user.render(&self.encoding);
        let file = CsvFile::default();
        let skip_first = names.is_empty() || self.ignore_first_line;
        let header = file.reserve(&path, &encoding, skip_first).ok()?;
        let names: Arc<[Box<str>]> = if names.is_empty() {
            let quoted_by = delimiter.chars().next().unwrap_or(',');
            let names = super::csv_file::quoted_line(&header?, quoted_by)?;
            names.into_iter().map(Into::into).collect()
        } else {
            let names = names.split(',').filter(|name| !name.is_empty());
            names.map(Into::into).collect()
        };
        let reading = Reading {
            delimiter: delimiter.into(),
            quoted: true,
            recycle: false,
            skip_first,
        };
        let mut all = Vec::new();
        while let Line::Values(values) = file.next(&reading) {
            // An empty line at the end is no line.
            if values.iter().any(|value| !value.is_empty()) {
                all.push(values);
            }
        }
        let mut lines = Lines {
            names,
            all: all.into(),
            left: Vec::new(),
        };
        self.refill(&mut lines, user);
        Some(lines)
    }

    fn refill(&self, lines: &mut Lines, user: &mut User) {
        lines.left = (0..lines.all.len()).rev().collect();
        if self.random {
            for place in (1..lines.left.len()).rev() {
                let other = user.random.between(0, place as u64);
                lines
                    .left
                    .swap(place, usize::try_from(other).unwrap_or(place));
            }
        }
    }
}
