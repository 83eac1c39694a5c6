//! `ResultSaver`: bodies of answers go into files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::whole_number;
use crate::compiler::Compiler;
use crate::sample::SampleResult;
use crate::user::User;

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the boxes of the element"
)]
pub(super) struct ResultSaver {
    /// What the names of the files begin with.
    file: Template,
    /// The variable that gets the name of the file.
    variable: Template,
    width: Template,
    failed_only: bool,
    successful_only: bool,
    without_number: bool,
    without_suffix: bool,
    without_transactions: bool,
    /// How many files were named.
    files: AtomicU64,
}

impl ResultSaver {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        if element.is("FileSaver.addTimstamp", false) {
            compiler.refuse(
                element,
                "times in names of files are not written (FileSaver.addTimstamp)",
            );
        }
        Self {
            file: compiler.property(element, "FileSaver.filename"),
            variable: compiler.property(element, "FileSaver.variablename"),
            width: compiler.property(element, "FileSaver.numberPadLen"),
            failed_only: element.is("FileSaver.errorsonly", false),
            successful_only: element.is("FileSaver.successonly", false),
            without_number: element.is("FileSaver.skipautonumber", false),
            without_suffix: element.is("FileSaver.skipsuffix", false),
            without_transactions: element.is("FileSaver.ignoreTC", true),
            files: AtomicU64::new(0),
        }
    }

    /// Writes the body of a result and those of its parts.
    pub(super) fn save(&self, user: &mut User, sample: &SampleResult) {
        let mut number = 0;
        self.save_one(user, sample, &mut number);
    }

    fn save_one(&self, user: &mut User, sample: &SampleResult, number: &mut u32) {
        let unwanted = (self.without_transactions && sample.is_transaction)
            || (sample.success && self.failed_only)
            || (!sample.success && self.successful_only);
        if !unwanted {
            let name = self.name(user, sample);
            let variable = user.render(&self.variable);
            if !variable.is_empty() {
                let variable = match *number {
                    0 => variable.into_owned(),
                    number => format!("{variable}{number}"),
                };
                user.variables.set(&variable, name.as_str());
            }
            // JMeter only logs that a file could not be written.
            drop(write(&user.run.file(&name), &sample.body));
        }
        *number += 1;
        for part in &sample.sub_results {
            self.save_one(user, part, number);
        }
    }

    fn name(&self, user: &mut User, sample: &SampleResult) -> String {
        let mut name = user.render(&self.file).into_owned();
        if let Some(own) = name.strip_prefix("~/") {
            // What begins so stands beside the plan, as all relative names do here.
            name = own.to_owned();
        }
        if !self.without_number {
            let width = usize::try_from(whole_number(&user.render(&self.width))).unwrap_or(0);
            let number = self.files.fetch_add(1, Ordering::Relaxed) + 1;
            // Writing into a text cannot fail.
            let _written = write!(name, "{number:0>width$}", width = width.min(64));
        }
        if !self.without_suffix {
            let kind = sample.content_type.split(';').next().unwrap_or_default();
            let suffix = kind.split_once('/').map_or("unknown", |(_, suffix)| suffix);
            name.push('.');
            // The server says it, so nothing of it may lead elsewhere.
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
            let plain = |c: char| if is_plain(c) { c } else { '_' };
            name.extend(suffix.trim().chars().map(plain));
        }
        name
    }
}

fn write(path: &Path, body: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, body)
}
