//! Keeps to so many samples a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use double11_jmx::document::Element;
use double11_jmx::template::Template;

use super::{Active, decimal};
use crate::compiler::Compiler;
use crate::user::{StateId, User};

/// The constant throughput timer.
#[derive(Debug)]
pub struct ConstantThroughput {
    per_minute: Template,
    mode: Mode,
    /// When a user's sampler was due before, in milliseconds since 1970.
    previous: StateId,
}

/// Among whom the throughput is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each user has it.
    ThisThread,
    /// All users, each with its share.
    AllThreads,
    /// All users of a group, each with its share.
    GroupThreads,
    /// All users, one after the other.
    AllShared,
    /// All users of a group, one after the other.
    GroupShared,
}

/// When the sampler before was due, for users that share.
#[derive(Debug, Default)]
struct Due(Mutex<HashMap<Option<u32>, i64>>);

impl ConstantThroughput {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Self {
        let mode = element.text_or("calcMode", "0");
        let mode = match mode {
            "0" | "calcMode.1" => Mode::ThisThread,
            "1" | "calcMode.2" => Mode::AllThreads,
            "2" | "calcMode.3" => Mode::GroupThreads,
            "3" | "calcMode.4" => Mode::AllShared,
            "4" | "calcMode.5" => Mode::GroupShared,
            other => {
                let text = format!("calcMode is `{other}`; it is a number from 0 to 4");
                compiler.refuse(element, text);
                Mode::ThisThread
            }
        };
        Self {
            per_minute: compiler.property(element, "throughput"),
            mode,
            previous: compiler.state(),
        }
    }

    pub(super) fn delay(&self, user: &mut User, active: Active) -> i64 {
        let between = 60_000.0 / decimal(&self.per_minute, user);
        let now = user.run.clock.wall(user.run.clock.now()).millis();
        let delay = match self.mode {
            Mode::ThisThread => whole(between),
            Mode::AllThreads => whole(between * f64::from(active.all)),
            Mode::GroupThreads => whole(between * f64::from(active.group)),
            Mode::AllShared => shared(user, None, now, whole(between)),
            Mode::GroupShared => shared(user, Some(active.group_number), now, whole(between)),
        };
        let previous = user.state(self.previous, || 0_i64);
        let target = previous.saturating_add(delay);
        if now > target {
            *previous = now;
            return 0;
        }
        *previous = target;
        target - now
    }
}

/// How long until the next of those who share is due.
fn shared(user: &User, group: Option<u32>, now: i64, between: i64) -> i64 {
    let due: Arc<Due> = user.run.named("ConstantThroughputTimer".to_owned());
    let mut due = due.0.lock().unwrap_or_else(PoisonError::into_inner);
    let last = due.entry(group).or_insert(0);
    *last = now.max(last.saturating_add(between));
    *last - now
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a throughput of nothing gives the longest delay there is"
)]
fn whole(millis: f64) -> i64 {
    (millis + 0.5).floor() as i64
}
