//! What happens to the files of the watched folder, written down as it happens.
//!
//! Files are known by device and inode, not by descriptor, so that no way of duplicating a descriptor
//! has to be known.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsString, c_int};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use double11_power_loss::record::{Record, SyncTarget};
use double11_power_loss::watch::{self, Call, Effect};

use crate::system::{self, Identity, Kind, Outcome};

/// What the environment asked for; does not change while the process lives.
struct Watch {
    /// The folder's path without a slash at its end.
    folder: Vec<u8>,
    folder_identity: Identity,
    /// Descriptor of the trace.
    trace: c_int,
    faults: Option<CString>,
    /// Held while a change is made and written down, so that their orders are the same; never while
    /// a sync runs.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<Identity, WatchedFile>,
    last_file: u64,
    last_sync: u64,
    /// The record under construction.
    buffer: Vec<u8>,
}

#[derive(Clone)]
struct WatchedFile {
    number: u64,
    name: String,
}

static WATCH: OnceLock<Option<Watch>> = OnceLock::new();

fn watch() -> Option<&'static Watch> {
    WATCH.get_or_init(Watch::from_environment).as_ref()
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn c_path(path: OsString) -> Option<CString> {
    CString::new(path.into_vec()).ok()
}

impl Watch {
    fn from_environment() -> Option<Self> {
        let folder = variable(watch::FOLDER)?;
        let trace = c_path(variable(watch::TRACE)?)?;
        let folder_path = c_path(folder.clone())?;
        let opened = system::open(
            libc::AT_FDCWD,
            &folder_path,
            libc::O_RDONLY | libc::O_CLOEXEC,
            0,
        );
        let opened = c_int::try_from(opened.ok()?).ok()?;
        let identity = system::identify(opened);
        system::close(opened);
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
        let trace = system::open(libc::AT_FDCWD, &trace, flags, 0o644).ok()?;
        let watch = Self {
            folder: folder.as_bytes().to_vec(),
            folder_identity: identity?.1,
            trace: c_int::try_from(trace).ok()?,
            faults: variable(watch::FAULTS).and_then(c_path),
            state: Mutex::default(),
        };
        watch.note(&mut watch.state(), Record::Begin);
        Some(watch)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a record. A trace that cannot be written must not pass for a whole one.
    fn note(&self, state: &mut State, record: Record<'_>) {
        let mut buffer = std::mem::take(&mut state.buffer);
        buffer.clear();
        record.encode(&mut buffer);
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            match system::write(self.trace, rest) {
                Ok(count) => rest = rest.get(count.unsigned_abs()..).unwrap_or_default(),
                Err(libc::EINTR) => {}
                Err(_) => std::process::abort(),
            }
        }
        state.buffer = buffer;
    }

    /// The name in the folder that an absolute path means; none for everything elsewhere.
    fn name_of<'path>(&self, path: &'path CStr) -> Option<&'path str> {
        let behind = path.to_bytes().strip_prefix(self.folder.as_slice())?;
        let name = std::str::from_utf8(behind.strip_prefix(b"/")?).ok()?;
        (!name.is_empty() && !name.contains('/')).then_some(name)
    }

    fn effect(&self, call: Call, name: &str) -> Option<Effect> {
        let faults = self.faults.as_ref()?;
        let opened = system::open(libc::AT_FDCWD, faults, libc::O_RDONLY | libc::O_CLOEXEC, 0);
        let opened = c_int::try_from(opened.ok()?).ok()?;
        let mut text = [0_u8; 1_024];
        let count = system::read(opened, &mut text);
        system::close(opened);
        let text = text.get(..count.ok()?.unsigned_abs())?;
        watch::effect_on(std::str::from_utf8(text).ok()?, call, name)
    }
}

impl State {
    /// The watched file behind a descriptor.
    fn file(&self, descriptor: c_int) -> Option<&WatchedFile> {
        match system::identify(descriptor)? {
            (Kind::File, identity) => self.files.get(&identity),
            _ => None,
        }
    }
}

/// The error of a call that has to fail; none for one that is skipped.
const fn errno(effect: Effect) -> Option<c_int> {
    match effect {
        Effect::Broken => Some(libc::EIO),
        Effect::Full => Some(libc::ENOSPC),
        Effect::Skipped => None,
    }
}

pub(crate) fn open(folder: c_int, path: &CStr, flags: c_int, mode: libc::mode_t) -> Outcome {
    let pass_on = || system::open(folder, path, flags, mode);
    let Some(watch) = watch() else {
        return pass_on();
    };
    let Some(name) = watch.name_of(path) else {
        return pass_on();
    };
    let mut state = watch.state();
    let created = flags & libc::O_CREAT != 0 && !system::exists(folder, path);
    let opened = pass_on()?;
    let descriptor = c_int::try_from(opened).map_err(|_| libc::EBADF)?;
    let Some((Kind::File, identity)) = system::identify(descriptor) else {
        return Ok(opened);
    };
    // A new file may have the inode of one that is gone.
    if created || !state.files.contains_key(&identity) {
        state.last_file += 1;
        let number = state.last_file;
        let file = WatchedFile {
            number,
            name: name.to_owned(),
        };
        state.files.insert(identity, file);
        let record = Record::Opened {
            file: number,
            created,
            name,
        };
        watch.note(&mut state, record);
    }
    if flags & libc::O_TRUNC != 0
        && !created
        && let Some(file) = state.files.get(&identity)
    {
        let record = Record::Resize {
            file: file.number,
            length: 0,
        };
        watch.note(&mut state, record);
    }
    Ok(opened)
}

/// Writes at an offset, or where the descriptor stands.
pub(crate) fn write(descriptor: c_int, bytes: &[u8], offset: Option<i64>) -> Outcome {
    let pass_on = || match offset {
        Some(offset) => system::write_at(descriptor, bytes, offset),
        None => system::write(descriptor, bytes),
    };
    let Some(watch) = watch() else {
        return pass_on();
    };
    if !matches!(system::identify(descriptor), Some((Kind::File, _))) {
        return pass_on();
    }
    let mut state = watch.state();
    let Some(file) = state.file(descriptor).cloned() else {
        drop(state);
        return pass_on();
    };
    match watch.effect(Call::Write, &file.name).map(errno) {
        Some(Some(errno)) => return Err(errno),
        Some(None) => return Ok(bytes.len().cast_signed()),
        None => {}
    }
    let written = pass_on()?;
    let count = written.unsigned_abs();
    let offset = match offset {
        Some(offset) => offset.unsigned_abs(),
        None => system::position(descriptor).unsigned_abs() - count as u64,
    };
    let record = Record::Write {
        file: file.number,
        offset,
        bytes: bytes.get(..count).unwrap_or(bytes),
    };
    watch.note(&mut state, record);
    Ok(written)
}

pub(crate) fn resize(descriptor: c_int, length: i64) -> Outcome {
    let pass_on = || system::resize(descriptor, length);
    let Some(watch) = watch() else {
        return pass_on();
    };
    let mut state = watch.state();
    let number = state.file(descriptor).map(|file| file.number);
    let result = pass_on()?;
    if let Some(file) = number {
        let length = length.unsigned_abs();
        watch.note(&mut state, Record::Resize { file, length });
    }
    Ok(result)
}

pub(crate) fn sync(descriptor: c_int, pass_on: fn(c_int) -> Outcome) -> Outcome {
    let Some(watch) = watch() else {
        return pass_on(descriptor);
    };
    let mut state = watch.state();
    let folder = Some((Kind::Folder, watch.folder_identity));
    let target = if system::identify(descriptor) == folder {
        SyncTarget::Folder
    } else if let Some(file) = state.file(descriptor) {
        SyncTarget::File(file.number)
    } else {
        drop(state);
        return pass_on(descriptor);
    };
    let effect = match (target, state.file(descriptor)) {
        (SyncTarget::File(_), Some(file)) => watch.effect(Call::Sync, &file.name),
        _ => None,
    };
    if effect == Some(Effect::Skipped) {
        return Ok(0);
    }
    state.last_sync += 1;
    let sync = state.last_sync;
    watch.note(&mut state, Record::SyncBegin { sync, target });
    drop(state);
    let result = match effect.and_then(errno) {
        Some(errno) => Err(errno),
        None => pass_on(descriptor),
    };
    let succeeded = result.is_ok();
    watch.note(&mut watch.state(), Record::SyncEnd { sync, succeeded });
    result
}

pub(crate) fn unlink(folder: c_int, path: &CStr, flags: c_int) -> Outcome {
    let pass_on = || system::unlink(folder, path, flags);
    let Some((watch, name)) = watch().and_then(|watch| Some((watch, watch.name_of(path)?))) else {
        return pass_on();
    };
    let mut state = watch.state();
    let result = pass_on()?;
    watch.note(&mut state, Record::Unlink { name });
    Ok(result)
}

pub(crate) fn rename(from_folder: c_int, from: &CStr, to_folder: c_int, to: &CStr) -> Outcome {
    let pass_on = || system::rename(from_folder, from, to_folder, to);
    let Some(watch) = watch() else {
        return pass_on();
    };
    match (watch.name_of(from), watch.name_of(to)) {
        (Some(from), Some(to)) => {
            let mut state = watch.state();
            let result = pass_on()?;
            for file in state.files.values_mut().filter(|file| file.name == from) {
                to.clone_into(&mut file.name);
            }
            watch.note(&mut state, Record::Rename { from, to });
            Ok(result)
        }
        (None, None) => pass_on(),
        // A file that comes from elsewhere has bytes that no record holds.
        _ => Err(libc::EXDEV),
    }
}
