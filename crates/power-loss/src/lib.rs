//! What a disk holds after the power failed, for tests.
//!
//! A library that is preloaded into the program under test (`double11-power-loss-shim`) writes down
//! what the program asks of the files in one folder: which bytes it wrote where, what it synced, and
//! which names it made or removed. This crate reads that [`trace`](record) and answers what a
//! [`Disk`] could hold if the power failed at any point of it. [`Watch`] starts a program under the
//! library and makes calls fail on request.
//!
//! Apart from that the library has a [`FaultyDisk`]: full or slow below a folder, with nothing written down.
//!
//! This crate must not know what the files mean. Nothing of the program depends on it.

pub mod disk;
pub mod faulty;
pub mod record;
pub mod watch;

pub use disk::{Disk, Fate, Image};
pub use faulty::{Condition, FaultyDisk, Full};
pub use record::{Record, SyncTarget, TraceError, records};
pub use watch::Watch;
