//! The library that a test preloads into the program, to learn what the program asks of its disk.
//!
//! It defines the calls of the C library that open, write, sync and rename files. Each does what the
//! system does; what concerns the files of one folder is also appended to a trace (the form is
//! `double11-power-loss`'s), in the order in which it happened. A sync is two records, before and
//! after. On request a call fails instead. Without its variables in the environment the library does
//! nothing but pass calls on.
//!
//! A kill cannot tear the order: a record is appended by the very thread that made the change, before
//! it returns to the program, and nothing that was not appended was ever answered to anybody. What the
//! program changes by other means (memory maps, `fallocate`, `copy_file_range`) is not in the trace; the
//! program's store and ledger use none for what must last, and a test compares trace and files.
//!
//! Apart from that it can be a disk that is full or slow for all files below a folder (`faulty`), for
//! programs of any kind; then nothing is written down.
//!
//! This crate must not know what the files mean. It is never linked into the program, and its own
//! input and output go to the system directly, since the C library's names are its own.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    reason = "standing in for functions of the C library takes their pointers"
)]

mod faulty;
mod system;
mod watched;

use std::ffi::{CStr, c_char, c_int, c_void};

use libc::{iovec, mode_t, off_t, size_t, ssize_t};

use system::Outcome;

/// What C callers expect: a result, or -1 and `errno`.
fn to_c(outcome: Outcome) -> isize {
    match outcome {
        Ok(value) => value,
        Err(errno) => {
            // SAFETY: the C library's own place for this thread's error.
            unsafe { *libc::__errno_location() = errno };
            -1
        }
    }
}

fn to_int(outcome: Outcome) -> c_int {
    c_int::try_from(to_c(outcome)).unwrap_or(-1)
}

/// # Safety
/// As the C function: `path` ends with a zero byte.
unsafe fn path<'path>(path: *const c_char) -> &'path CStr {
    // SAFETY: the caller promised the C function the same.
    unsafe { CStr::from_ptr(path) }
}

/// # Safety
/// As the C function: `bytes` are `count` readable bytes.
unsafe fn buffer<'bytes>(bytes: *const c_void, count: size_t) -> &'bytes [u8] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the caller promised the C function the same.
    unsafe { std::slice::from_raw_parts(bytes.cast(), count) }
}

/// All pieces of a vectored write in one.
///
/// # Safety
/// As the C function: `pieces` are `count` descriptions of readable bytes.
unsafe fn gathered(pieces: *const iovec, count: c_int) -> Vec<u8> {
    let count = usize::try_from(count).unwrap_or(0);
    let mut bytes = Vec::new();
    for number in 0..count {
        // SAFETY: the caller promised the C function that there are `count` of them.
        let piece = unsafe { &*pieces.add(number) };
        // SAFETY: likewise, that each describes readable bytes.
        bytes.extend_from_slice(unsafe { buffer(piece.iov_base, piece.iov_len) });
    }
    bytes
}

/// The calls that open: the mode is only there when a file may be made, and is passed on unread.
macro_rules! opening {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
            // SAFETY: the caller's promise is the C function's.
            to_int(watched::open(libc::AT_FDCWD, unsafe { path(name) }, flags, mode))
        }
    )+ };
}
opening!(open open64);

macro_rules! opening_at {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            folder: c_int, name: *const c_char, flags: c_int, mode: mode_t,
        ) -> c_int {
            // SAFETY: the caller's promise is the C function's.
            to_int(watched::open(folder, unsafe { path(name) }, flags, mode))
        }
    )+ };
}
opening_at!(openat openat64);

macro_rules! creating {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(name: *const c_char, mode: mode_t) -> c_int {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            // SAFETY: the caller's promise is the C function's.
            to_int(watched::open(libc::AT_FDCWD, unsafe { path(name) }, flags, mode))
        }
    )+ };
}
creating!(creat creat64);

/// Writes, if the disk has space for it.
fn write_all(file: c_int, bytes: &[u8], offset: Option<off_t>) -> Outcome {
    let count = off_t::try_from(bytes.len()).map_err(|_| libc::EFBIG)?;
    faulty::needs_space(file, count, offset)?;
    watched::write(file, bytes, offset)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller's promise is the C function's.
    to_c(write_all(file, unsafe { buffer(bytes, count) }, None))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: the caller's promise is the C function's.
    to_c(write_all(file, &unsafe { gathered(pieces, count) }, None))
}

macro_rules! writing_at {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            file: c_int, bytes: *const c_void, count: size_t, offset: off_t,
        ) -> ssize_t {
            // SAFETY: the caller's promise is the C function's.
            to_c(write_all(file, unsafe { buffer(bytes, count) }, Some(offset)))
        }
    )+ };
}
writing_at!(pwrite pwrite64);

macro_rules! writing_pieces_at {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            file: c_int, pieces: *const iovec, count: c_int, offset: off_t,
        ) -> ssize_t {
            // SAFETY: the caller's promise is the C function's.
            to_c(write_all(file, &unsafe { gathered(pieces, count) }, Some(offset)))
        }
    )+ };
}
writing_pieces_at!(pwritev pwritev64);

#[unsafe(no_mangle)]
extern "C" fn ftruncate(file: c_int, length: off_t) -> c_int {
    to_int(watched::resize(file, length))
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, length: off_t) -> c_int {
    to_int(watched::resize(file, length))
}

fn allocate(file: c_int, mode: c_int, offset: off_t, length: off_t) -> Outcome {
    if mode & libc::FALLOC_FL_PUNCH_HOLE == 0 {
        faulty::needs_space(file, length, Some(offset))?;
    }
    system::allocate(file, mode, offset, length)
}

macro_rules! allocating {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name(file: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int {
            to_int(allocate(file, mode, offset, length))
        }
    )+ };
}
allocating!(fallocate fallocate64);

/// These give their error instead of noting it. `EINVAL` is theirs for a file system that cannot do it.
/// Source: POSIX.1-2024.
macro_rules! allocating_by_posix {
    ($($name:ident)+) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name(file: c_int, offset: off_t, length: off_t) -> c_int {
            match allocate(file, 0, offset, length) {
                Ok(_) => 0,
                Err(libc::EOPNOTSUPP) => libc::EINVAL,
                Err(errno) => errno,
            }
        }
    )+ };
}
allocating_by_posix!(posix_fallocate posix_fallocate64);

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    faulty::wait_for_sync(file);
    to_int(watched::sync(file, system::fsync))
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    faulty::wait_for_sync(file);
    to_int(watched::sync(file, system::fdatasync))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    // SAFETY: the caller's promise is the C function's.
    to_int(watched::unlink(libc::AT_FDCWD, unsafe { path(name) }, 0))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlinkat(folder: c_int, name: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's promise is the C function's.
    to_int(watched::unlink(folder, unsafe { path(name) }, flags))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's promise is the C function's.
    to_int(unsafe { watched::rename(libc::AT_FDCWD, path(from), libc::AT_FDCWD, path(to)) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn renameat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is the C function's.
    to_int(unsafe { watched::rename(from_folder, path(from), to_folder, path(to)) })
}
