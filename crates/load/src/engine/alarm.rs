//! A timer of the operating system that wakes an event loop to the microsecond. The time-out of the
//! poll itself has only milliseconds.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::clock::RunClock;

/// Wakes its event loop at an instant of the run.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    armed: Option<Duration>,
}

impl Alarm {
    /// An alarm that wakes the loop of `registry` with an event for `token`.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, armed: None })
    }

    /// Makes sure that the loop wakes at `at` or before. An earlier alarm that is still to come is
    /// left alone, so that a busy loop makes few system calls.
    pub(crate) fn wake_by(
        &mut self,
        at: Duration,
        now: Duration,
        clock: &RunClock,
    ) -> io::Result<()> {
        if self.armed.is_some_and(|armed| now < armed && armed <= at) {
            return Ok(());
        }
        let none = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let setting = Itimerspec {
            it_interval: none,
            it_value: clock.monotonic(at),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &setting)?;
        self.armed = Some(at);
        Ok(())
    }
}
