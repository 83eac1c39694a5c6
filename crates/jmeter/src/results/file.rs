//! Result files: opening, going on in one that exists, and closing.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::form::{Field, SaveForm};
use super::{csv, xml};

/// An open result file.
#[derive(Debug)]
pub(super) struct ResultFile {
    path: PathBuf,
    file: File,
    is_xml: bool,
    /// The first failure to write.
    failed: Option<io::Error>,
}

impl ResultFile {
    /// Opens a file, making the folders above it. One that exists is gone on in: a CSV file without a
    /// second header, an XML file before its closing tag.
    pub(super) fn open(path: &Path, form: &SaveForm, variables: &[Box<str>]) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).open(path)?;
        let is_xml = form.has(Field::Xml);
        let goes_on = if is_xml {
            cut_closing_tag(&mut file)?
        } else {
            file.seek(SeekFrom::End(0))? > 0
        };
        let mut result_file = Self {
            path: path.to_owned(),
            file,
            is_xml,
            failed: None,
        };
        if !goes_on {
            result_file.file.set_len(0)?;
            result_file.file.rewind()?;
            let mut start = Vec::new();
            if is_xml {
                xml::write_start(&mut start, form);
            } else if form.has(Field::FieldNames) {
                csv::write_header(&mut start, form, variables);
            }
            result_file.file.write_all(&start)?;
        }
        Ok(result_file)
    }

    pub(super) fn write(&mut self, rows: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(rows).err();
        }
    }

    /// Ends the file.
    pub(super) fn close(mut self) -> Result<(), (PathBuf, io::Error)> {
        if self.is_xml {
            self.write(xml::END);
        }
        match self.failed {
            Some(error) => Err((self.path, error)),
            None => Ok(()),
        }
    }
}

/// Cuts the closing tag off an XML file that has one near its end, and says whether it had.
fn cut_closing_tag(file: &mut File) -> io::Result<bool> {
    const TAIL_BYTES: u64 = 64;
    let length = file.seek(SeekFrom::End(0))?;
    let tail_start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tag = xml::CLOSING_TAG;
    let Some(at) = tail.windows(tag.len()).rposition(|window| window == tag) else {
        return Ok(false);
    };
    let end = tail_start + at as u64;
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(true)
}
