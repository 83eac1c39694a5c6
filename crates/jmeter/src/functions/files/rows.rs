//! `__CSVRead`: columns of a file, row by row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::complain;
use crate::functions::Invocation;
use crate::user::{Trouble, User};

/// A file: its rows are handed to users in turn.
#[derive(Debug)]
struct Rows {
    rows: Vec<Vec<String>>,
    next: Mutex<usize>,
}

/// The files of all users, by file or alias.
#[derive(Debug, Default)]
struct Files(Mutex<HashMap<String, Arc<Rows>>>);

/// What a user reads: the files by file or alias, and the row it is in.
#[derive(Debug, Default)]
struct Own(HashMap<String, (Arc<Rows>, Option<usize>)>);

/// `__CSVRead(file, column or next or *alias)`: columns count from 0; each user keeps its row until it
/// asks for the next.
pub(in crate::functions) fn csv_read(call: &mut Invocation<'_>) -> Result<(), Trouble> {
    let file = call.argument(0);
    let what = call.argument(1);
    if what.starts_with('*') {
        open(&file, &what, call);
        return Ok(());
    }
    if matches!(what.as_ref(), "next" | "next()") {
        if let Some((_, row)) = own(call.user).0.get_mut(file.as_ref()) {
            *row = None;
        } else {
            complain(call, &format!("endRow(): no entry for {file}"));
        }
        return Ok(());
    }
    let Ok(column) = what.parse::<usize>() else {
        complain(call, &format!("can't parse column number: {what}"));
        return Ok(());
    };
    if !own(call.user).0.contains_key(file.as_ref()) && !file.starts_with('*') {
        open(&file, &file, call);
    }
    let value = match own(call.user).0.get_mut(file.as_ref()) {
        None => None,
        Some((rows, row)) => {
            let row = *row.get_or_insert_with(|| rows.take());
            rows.rows.get(row).and_then(|row| row.get(column)).cloned()
        }
    };
    match value {
        Some(value) => call.out.push_str(&value),
        None => complain(call, &format!("invalid column number: {what} of {file}")),
    }
    Ok(())
}

fn own(user: &mut User) -> &mut Own {
    user.by_type()
}

fn open(file: &str, alias: &str, call: &mut Invocation<'_>) {
    if own(call.user).0.contains_key(alias) {
        return;
    }
    let delimiter = call.user.run.property("csvread.delimiter");
    let delimiter = delimiter.filter(|own| !own.is_empty());
    let delimiter = delimiter.unwrap_or_else(|| ",".to_owned());
    let files: Arc<Files> = call.user.run.named("__CSVRead".to_owned());
    let mut files = files.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = files.get(alias).cloned();
    let rows = match found {
        Some(rows) => rows,
        None => match std::fs::read_to_string(call.user.run.file(file)) {
            Ok(text) => {
                let rows = Arc::new(Rows::of(&text, &delimiter));
                files.insert(alias.to_owned(), Arc::clone(&rows));
                rows
            }
            Err(why) => {
                complain(call, &format!("{file}: {why}"));
                return;
            }
        },
    };
    own(call.user).0.insert(alias.to_owned(), (rows, None));
}

impl Rows {
    /// The lines up to the first empty one.
    fn of(text: &str, delimiter: &str) -> Self {
        let lines = text.lines().take_while(|line| !line.is_empty());
        Self {
            rows: lines
                .map(|line| line.split(delimiter).map(str::to_owned).collect())
                .collect(),
            next: Mutex::new(0),
        }
    }

    /// The next row, from the first again after the last.
    fn take(&self) -> usize {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = *next;
        *next = if taken + 1 >= self.rows.len() {
            0
        } else {
            taken + 1
        };
        taken
    }
}
