//! The run's clock: the one place of this crate that reads time.
//!
//! A run counts time from its start instant on the monotonic clock, so that neither a step of the wall
//! clock nor the reading of it changes a latency. The wall clock is read once, at the start; every
//! wall-clock time that is written anywhere is that reading plus the steady time since.

use std::time::Duration;

use double11_units::UnixMicros;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The clock of one run.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    /// Monotonic time of the start of the run.
    origin: Duration,
    started: UnixMicros,
}

impl RunClock {
    /// A clock whose zero is now.
    pub fn start() -> Self {
        let started = wall_now();
        Self {
            origin: since_zero(clock_gettime(ClockId::Monotonic)),
            started,
        }
    }

    /// A clock whose zero is this wall-clock instant, which is now or a moment ago.
    pub(crate) fn started_at(started: UnixMicros) -> Self {
        let late = since(started);
        Self {
            origin: since_zero(clock_gettime(ClockId::Monotonic)).saturating_sub(late),
            started,
        }
    }

    /// Time since the start of the run.
    pub fn now(&self) -> Duration {
        #[cfg(test)]
        if let Some(now) = counted::now() {
            return now;
        }
        since_zero(clock_gettime(ClockId::Monotonic)).saturating_sub(self.origin)
    }

    /// Wall-clock time of the start of the run.
    pub fn started(&self) -> UnixMicros {
        self.started
    }

    /// Wall-clock time of an instant of the run.
    pub fn wall(&self, at: Duration) -> UnixMicros {
        self.started.plus(at)
    }

    /// An instant of the run on the machine's monotonic clock, for the timers of the operating system.
    pub(crate) fn monotonic(&self, at: Duration) -> Timespec {
        let absolute = self.origin.saturating_add(at);
        Timespec {
            tv_sec: i64::try_from(absolute.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(absolute.subsec_nanos()),
        }
    }
}

/// Time until a wall-clock instant; zero when it has passed.
pub(crate) fn until(instant: UnixMicros) -> Duration {
    instant.since(wall_now())
}

/// Time since a wall-clock instant; zero when it is to come.
pub(crate) fn since(instant: UnixMicros) -> Duration {
    wall_now().since(instant)
}

fn wall_now() -> UnixMicros {
    let wall = since_zero(clock_gettime(ClockId::Realtime));
    UnixMicros::new(i64::try_from(wall.as_micros()).unwrap_or(i64::MAX))
}

/// Processor time that the calling thread has used.
pub fn thread_processor_time() -> Duration {
    since_zero(clock_gettime(ClockId::ThreadCPUTime))
}

/// Processor time that the whole process has used.
pub fn process_processor_time() -> Duration {
    since_zero(clock_gettime(ClockId::ProcessCPUTime))
}

fn since_zero(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A clock that every reading moves on by the same step, so that a test does the same each time, and
/// that counts its readings.
#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;
    use std::time::Duration;

    const STEP: Duration = Duration::from_micros(2);

    thread_local! {
        static READINGS: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Lets the run's clocks on this thread count from zero.
    pub(crate) fn start() {
        READINGS.set(Some(0));
    }

    /// Readings on this thread since the start.
    pub(crate) fn readings() -> u32 {
        READINGS.get().unwrap_or_default()
    }

    pub(super) fn now() -> Option<Duration> {
        let readings = READINGS.get()? + 1;
        READINGS.set(Some(readings));
        Some(STEP * readings)
    }
}
