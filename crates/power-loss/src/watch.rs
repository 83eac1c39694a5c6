//! Starting a program under the preloaded library, and making its calls fail.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the folder whose files are watched, an absolute path without symbolic links.
pub const FOLDER: &str = "POWER_LOSS_FOLDER";
/// Names the file that the trace is appended to.
pub const TRACE: &str = "POWER_LOSS_TRACE";
/// Names a file that need not exist; its lines are calls that fail from now on.
pub const FAULTS: &str = "POWER_LOSS_FAULTS";

/// What becomes of a call that is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The call returns `EIO`.
    Broken,
    /// The call returns `ENOSPC`.
    Full,
    /// The call says that it succeeded and does nothing. For a sync that is what SQLite's
    /// `synchronous=OFF` comes to: the disk is never asked.
    Skipped,
}

impl Effect {
    const fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Full => "full",
            Self::Skipped => "skipped",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Broken, Self::Full, Self::Skipped]
            .into_iter()
            .find(|effect| effect.word() == word)
    }
}

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Every way to write bytes into a file.
    Write,
    /// `fsync` and `fdatasync` of a file.
    Sync,
}

impl Call {
    const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Sync => "sync",
        }
    }
}

/// What the text of a faults file says of a call on the file `name`.
pub fn effect_on(faults: &str, call: Call, name: &str) -> Option<Effect> {
    faults.lines().find_map(|line| {
        let mut words = line.split(' ');
        let hit = words.next() == Some(call.word()) && words.next() == Some(name);
        hit.then(|| words.next().and_then(Effect::parse)).flatten()
    })
}

/// A folder whose files are watched while programs run.
#[derive(Debug)]
pub struct Watch {
    library: PathBuf,
    folder: PathBuf,
    trace: PathBuf,
    faults: PathBuf,
}

impl Watch {
    /// Watches `folder`; the trace is kept in `outside`.
    ///
    /// # Errors
    /// The system's, when a folder is not there or when the library was not built: the package of the
    /// test has to name `double11-power-loss-shim` among what its tests need.
    pub fn new(folder: &Path, outside: &Path) -> io::Result<Self> {
        let outside = outside.canonicalize()?;
        Ok(Self {
            library: library()?,
            folder: folder.canonicalize()?,
            trace: outside.join("disk.trace"),
            faults: outside.join("disk.faults"),
        })
    }

    /// Has the program run under the library.
    pub fn over<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env(FOLDER, &self.folder)
            .env(TRACE, &self.trace)
            .env(FAULTS, &self.faults)
    }

    /// From now on such calls on this file have this effect.
    ///
    /// # Errors
    /// The system's, when the file of the faults cannot be written.
    pub fn fail(&self, call: Call, names: &[&str], effect: Effect) -> io::Result<()> {
        let lines: Vec<String> = names
            .iter()
            .map(|name| [call.word(), name, effect.word()].join(" "))
            .collect();
        let fresh = self.faults.with_extension("fresh");
        std::fs::write(&fresh, lines.join("\n"))?;
        // At once, so that no call reads half of it.
        std::fs::rename(fresh, &self.faults)
    }

    /// From now on no call is made to fail.
    ///
    /// # Errors
    /// The system's, when the file of the faults cannot be removed.
    pub fn mend(&self) -> io::Result<()> {
        std::fs::remove_file(&self.faults)
    }

    /// What was asked of the folder so far.
    ///
    /// # Errors
    /// The system's, when the trace cannot be read.
    pub fn trace(&self) -> io::Result<Vec<u8>> {
        std::fs::read(&self.trace)
    }
}

/// The library lies beside the test program that cargo built it for, or one folder above.
pub(crate) fn library() -> io::Result<PathBuf> {
    const NAME: &str = "libdouble11_power_loss_shim.so";
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(NAME))
        .find(|library| library.is_file())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, NAME))
}

#[cfg(test)]
mod tests {
    use super::{Call, Effect, effect_on};

    #[test]
    fn faults_name_call_and_file() {
        let faults = "sync shop.db-wal broken\nwrite shop.db full\nsync shop.db nonsense";
        for (call, name, effect) in [
            (Call::Sync, "shop.db-wal", Some(Effect::Broken)),
            (Call::Write, "shop.db", Some(Effect::Full)),
            (Call::Write, "shop.db-wal", None),
            (Call::Sync, "shop.db", None),
            (Call::Sync, "", None),
        ] {
            assert_eq!(effect_on(faults, call, name), effect, "{call:?} {name}");
        }
        assert_eq!(effect_on("", Call::Sync, "shop.db"), None);
    }
}
