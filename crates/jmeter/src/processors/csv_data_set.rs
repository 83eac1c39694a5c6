//! `CSVDataSet`: each iteration takes the next line of a file into variables.

use std::sync::Arc;

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
pub(super) struct CsvDataSet {
    file: Template,
    encoding: Template,
    names: Template,
    delimiter: Template,
    quoted: bool,
    recycle: bool,
    stop_user: bool,
    ignore_first_line: bool,
    sharing: Sharing,
    own: StateId,
}

/// Which users read the same file on, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sharing {
    All,
    Group,
    User,
    /// Those of data sets with this text.
    Named(Template),
}

/// What one user keeps.
#[derive(Debug, Clone)]
struct Own {
    file: Arc<CsvFile>,
    names: Arc<[Box<str>]>,
    reading: Reading,
}

impl CsvDataSet {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        if element.text("filename").trim().is_empty() {
            compiler.refuse(element, "it names no file (filename)");
        }
        Self {
            file: compiler.property(element, "filename"),
            encoding: compiler.property(element, "fileEncoding"),
            names: compiler.property(element, "variableNames"),
            delimiter: compiler.property(element, "delimiter"),
            quoted: element.is("quotedData", false),
            recycle: element.is("recycle", true),
            stop_user: element.is("stopThread", false),
            ignore_first_line: element.is("ignoreFirstLine", false),
            sharing: Sharing::compile(element.text("shareMode"), compiler),
            own: compiler.state(),
        }
    }

    /// The name of the file, when it is literal.
    pub(super) fn literal_file(&self) -> Option<&str> {
        self.file.literal().map(str::trim)
    }

    pub(super) fn iteration_start(&self, user: &mut User) -> Next {
        let own = user.state::<Option<Own>>(self.own, || None).clone();
        let own = match own {
            Some(own) => own,
            None => match self.start(user) {
                Some(own) => own,
                // JMeter's thread ends with an exception when its file cannot be read.
                None => return Next::StopUser,
            },
        };
        match own.file.next(&own.reading) {
            Line::Values(values) => {
                for (name, value) in own.names.iter().zip(values) {
                    user.variables.set(name, value);
                }
            }
            Line::Unreadable => return Next::StopUser,
            Line::End if self.stop_user => return Next::StopUser,
            Line::End => {
                let end = user.run.property("csvdataset.eofstring");
                let end: Arc<str> = end.as_deref().unwrap_or("<EOF>").into();
                for name in own.names.iter() {
                    user.variables.set(name, Arc::clone(&end));
                }
            }
        }
        Next::Continue
    }

    /// Finds the file and the names at the first iteration of a user; `None` when it cannot be read.
    fn start(&self, user: &mut User) -> Option<Own> {
        let name = user.render(&self.file).trim().to_owned();
        let key = match &self.sharing {
            Sharing::All => format!("CSVDataSet {name}"),
            Sharing::Group => format!("CSVDataSet {name}@group {}", user.group),
            Sharing::User => format!("CSVDataSet {name}@user {}", user.thread_name),
            Sharing::Named(text) => format!("CSVDataSet {name}@{}", user.render(text)),
        };
        let delimiter = match &*user.render(&self.delimiter) {
            "\\t" => "\t".to_owned(),
            "" => ",".to_owned(),
            own => own.to_owned(),
        };
        let encoding = user.render(&self.encoding).into_owned();
        let names = user.render(&self.names).into_owned();
        let file: Arc<CsvFile> = user.run.named(key);
        let has_header = names.is_empty();
        let path = user.run.file(&name);
        let skip_first = has_header || self.ignore_first_line;
        let header = file.reserve(&path, &encoding, skip_first).ok()?;
        let names: Arc<[Box<str>]> = if has_header {
            let quoted_by = delimiter.chars().next().unwrap_or(',');
            let names = super::csv_file::quoted_line(&header?, quoted_by)?;
            names.iter().map(|name| name.trim().into()).collect()
        } else {
            let names = names.split(',').filter(|name| !name.is_empty());
            names.map(|name| name.trim().into()).collect()
        };
        let own = Own {
            file,
            names,
            reading: Reading {
                delimiter: delimiter.into(),
                quoted: self.quoted,
                recycle: self.recycle,
                skip_first,
            },
        };
        *user.state::<Option<Own>>(self.own, || None) = Some(own.clone());
        Some(own)
    }
}

impl Sharing {
    /// From the name of the way; the reader of plans has put it in place of the words of `JMeter`'s window.
    fn compile(text: &str, compiler: &mut Compiler) -> Self {
        match text {
            "shareMode.all" => Self::All,
            "shareMode.group" => Self::Group,
            "shareMode.thread" => Self::User,
            text => Self::Named(compiler.template(text)),
        }
    }
}
