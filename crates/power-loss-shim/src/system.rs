//! The system's calls, past the C library whose names this library stands in for.

use std::ffi::{CStr, c_int, c_long};
use std::io::Write as _;
use std::mem::MaybeUninit;

/// A call's result, or its `errno`.
pub(crate) type Outcome = Result<isize, c_int>;

fn outcome(result: c_long) -> Outcome {
    if result == -1 {
        // SAFETY: the C library's own place for this thread's error.
        return Err(unsafe { *libc::__errno_location() });
    }
    isize::try_from(result).map_err(|_| libc::EOVERFLOW)
}

pub(crate) fn open(folder: c_int, path: &CStr, flags: c_int, mode: libc::mode_t) -> Outcome {
    // SAFETY: the path ends with a zero byte.
    outcome(unsafe { libc::syscall(libc::SYS_openat, folder, path.as_ptr(), flags, mode) })
}

pub(crate) fn read(file: c_int, bytes: &mut [u8]) -> Outcome {
    // SAFETY: the bytes may be written.
    outcome(unsafe { libc::syscall(libc::SYS_read, file, bytes.as_mut_ptr(), bytes.len()) })
}

pub(crate) fn close(file: c_int) {
    // SAFETY: the caller opened the descriptor and uses it no more.
    unsafe { libc::syscall(libc::SYS_close, file) };
}

pub(crate) fn write(file: c_int, bytes: &[u8]) -> Outcome {
    // SAFETY: the bytes may be read.
    outcome(unsafe { libc::syscall(libc::SYS_write, file, bytes.as_ptr(), bytes.len()) })
}

pub(crate) fn write_at(file: c_int, bytes: &[u8], offset: i64) -> Outcome {
    // SAFETY: the bytes may be read.
    outcome(unsafe {
        libc::syscall(
            libc::SYS_pwrite64,
            file,
            bytes.as_ptr(),
            bytes.len(),
            offset,
        )
    })
}

/// Where the next plain write of this descriptor would go, or went.
pub(crate) fn position(file: c_int) -> i64 {
    // SAFETY: no memory is handed over.
    unsafe { libc::lseek(file, 0, libc::SEEK_CUR) }
}

pub(crate) fn resize(file: c_int, length: i64) -> Outcome {
    // SAFETY: no memory is handed over.
    outcome(unsafe { libc::syscall(libc::SYS_ftruncate, file, length) })
}

pub(crate) fn allocate(file: c_int, mode: c_int, offset: i64, length: i64) -> Outcome {
    // SAFETY: no memory is handed over.
    outcome(unsafe { libc::syscall(libc::SYS_fallocate, file, mode, offset, length) })
}

/// The path that a descriptor was opened by, as the system knows it now.
pub(crate) fn path_of(file: c_int, buffer: &mut [u8]) -> Option<&[u8]> {
    let mut name = [0_u8; 32];
    write!(name.as_mut_slice(), "/proc/self/fd/{file}\0").ok()?;
    // SAFETY: the name ends with a zero byte, and the buffer may be written.
    let result = unsafe {
        libc::syscall(
            libc::SYS_readlinkat,
            libc::AT_FDCWD,
            name.as_ptr(),
            buffer.as_mut_ptr(),
            buffer.len(),
        )
    };
    buffer.get(..outcome(result).ok()?.unsigned_abs())
}

/// Whether every write of this descriptor goes to the file's end.
pub(crate) fn appends(file: c_int) -> bool {
    // SAFETY: no memory is handed over.
    let flags = unsafe { libc::fcntl(file, libc::F_GETFL) };
    flags != -1 && flags & libc::O_APPEND != 0
}

/// The length of a file, in bytes.
pub(crate) fn length(file: c_int) -> i64 {
    facts(file).map_or(0, |facts| facts.st_size)
}

pub(crate) fn fsync(file: c_int) -> Outcome {
    // SAFETY: no memory is handed over.
    outcome(unsafe { libc::syscall(libc::SYS_fsync, file) })
}

pub(crate) fn fdatasync(file: c_int) -> Outcome {
    // SAFETY: no memory is handed over.
    outcome(unsafe { libc::syscall(libc::SYS_fdatasync, file) })
}

pub(crate) fn unlink(folder: c_int, path: &CStr, flags: c_int) -> Outcome {
    // SAFETY: the path ends with a zero byte.
    outcome(unsafe { libc::syscall(libc::SYS_unlinkat, folder, path.as_ptr(), flags) })
}

pub(crate) fn rename(from_folder: c_int, from: &CStr, to_folder: c_int, to: &CStr) -> Outcome {
    // SAFETY: both paths end with a zero byte.
    outcome(unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            from_folder,
            from.as_ptr(),
            to_folder,
            to.as_ptr(),
            0,
        )
    })
}

/// What the system knows of a file: who it is, and of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

/// Kind and identity of what a descriptor refers to.
pub(crate) fn identify(file: c_int) -> Option<(Kind, Identity)> {
    let facts = facts(file)?;
    let kind = match facts.st_mode & libc::S_IFMT {
        libc::S_IFREG => Kind::File,
        libc::S_IFDIR => Kind::Folder,
        _ => Kind::Other,
    };
    let identity = Identity {
        device: facts.st_dev,
        inode: facts.st_ino,
    };
    Some((kind, identity))
}

fn facts(file: c_int) -> Option<libc::stat> {
    let mut facts = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for the answer.
    let result = unsafe { libc::fstat(file, facts.as_mut_ptr()) };
    if result != 0 {
        return None;
    }
    // SAFETY: the call succeeded and filled it.
    Some(unsafe { facts.assume_init() })
}

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// Sockets, pipes, terminals.
    Other,
}

/// Whether there is anything under this path.
pub(crate) fn exists(folder: c_int, path: &CStr) -> bool {
    // SAFETY: the path ends with a zero byte.
    unsafe { libc::faccessat(folder, path.as_ptr(), libc::F_OK, 0) == 0 }
}
