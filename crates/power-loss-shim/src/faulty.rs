//! A disk that is full or slow below a folder, as a file says that tests change while the program runs.

use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;

use double11_power_loss::faulty::{self, Condition, Full};

use crate::system::{self, Kind, Outcome};

/// What the environment asked for; does not change while the process lives.
struct Faulty {
    /// The folder's path without a slash at its end.
    folder: Vec<u8>,
    condition: CString,
}

static FAULTY: OnceLock<Option<Faulty>> = OnceLock::new();

fn faulty() -> Option<&'static Faulty> {
    FAULTY.get_or_init(Faulty::from_environment).as_ref()
}

impl Faulty {
    fn from_environment() -> Option<Self> {
        let variable = |name| std::env::var_os(name).map(OsStringExt::into_vec);
        Some(Self {
            folder: variable(faulty::FOLDER)?,
            condition: CString::new(variable(faulty::CONDITION)?).ok()?,
        })
    }

    /// What is wrong with the disk now.
    fn condition(&self) -> Option<Condition> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        let opened = system::open(libc::AT_FDCWD, &self.condition, flags, 0).ok()?;
        let opened = c_int::try_from(opened).ok()?;
        let mut text = [0_u8; 64];
        let count = system::read(opened, &mut text);
        system::close(opened);
        let text = text.get(..count.ok()?.unsigned_abs())?;
        Condition::parse(std::str::from_utf8(text).ok()?)
    }

    /// Whether a descriptor is a file that lies, or lay, below the folder.
    fn holds(&self, descriptor: c_int) -> bool {
        let mut path = [0_u8; 4_096];
        let is_file = matches!(system::identify(descriptor), Some((Kind::File, _)));
        is_file
            && system::path_of(descriptor, &mut path).is_some_and(|path| {
                path.strip_prefix(self.folder.as_slice())
                    .is_some_and(|behind| behind.starts_with(b"/"))
            })
    }
}

/// Fails if the disk has no space for `count` bytes at an offset, or where the descriptor stands.
pub(crate) fn needs_space(descriptor: c_int, count: i64, offset: Option<i64>) -> Outcome {
    let Some(faulty) = faulty() else {
        return Ok(0);
    };
    let Some(Condition::Full(full)) = faulty.condition() else {
        return Ok(0);
    };
    if !faulty.holds(descriptor) {
        return Ok(0);
    }
    let begins = offset.unwrap_or_else(|| system::position(descriptor));
    let grows = || system::appends(descriptor) || begins + count > system::length(descriptor);
    if full == Full::Everything || grows() {
        return Err(libc::ENOSPC);
    }
    Ok(0)
}

/// Waits as long as a slow disk makes a sync wait.
pub(crate) fn wait_for_sync(descriptor: c_int) {
    let Some(faulty) = faulty() else {
        return;
    };
    if let Some(Condition::Slow(by)) = faulty.condition()
        && faulty.holds(descriptor)
    {
        slow_down(by);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a disk that is slow takes real time"
)]
fn slow_down(by: std::time::Duration) {
    std::thread::sleep(by);
}
