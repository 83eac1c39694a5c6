//! The flow control action: a sampler that leaves no result.

use std::time::Duration;

use double11_jmx::document::Element;
use double11_jmx::template::Template;
use double11_load::tasks;

use crate::compiler::Compiler;
use crate::user::User;
use crate::walk::LoopAction;

/// What is done.
#[derive(Debug)]
pub enum Action {
    /// Waits for so many milliseconds.
    Pause(Template),
    /// Ends somebody, at once or when samples are over.
    Stop {
        /// Who ends.
        target: Target,
        /// Whether samples are cut.
        now: bool,
    },
    /// Leaves or continues a loop.
    Loop(LoopAction),
}

/// Who ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The user.
    User,
    /// All users.
    Test,
}

impl Action {
    pub(super) fn compile(element: &Element, compiler: &mut Compiler) -> Option<Self> {
        let action = element.text_or("ActionProcessor.action", "0");
        let stop = |now| {
            let target = match element.text_or("ActionProcessor.target", "0") {
                "0" => Target::User,
                "2" => Target::Test,
                _ => return None,
            };
            Some(Self::Stop { target, now })
        };
        let read = match action {
            "0" => stop(false),
            "1" => Some(Self::Pause(
                compiler.property(element, "ActionProcessor.duration"),
            )),
            "2" => stop(true),
            "3" => Some(Self::Loop(LoopAction::NextOfUser)),
            "4" => Some(Self::Loop(LoopAction::NextOfLoop)),
            "5" => Some(Self::Loop(LoopAction::Break)),
            _ => None,
        };
        if read.is_none() {
            let target = element.text("ActionProcessor.target");
            let text = format!(
                "action {action} on target {target}: an action is a number from 0 to 5, a target 0 or 2"
            );
            compiler.refuse(element, text);
        }
        read
    }

    /// Waits, if that is what it does.
    pub(super) async fn pause(&self, user: &mut User, ends: Option<Duration>) {
        let Self::Pause(duration) = self else {
            return;
        };
        let millis: u64 = user.render(duration).parse().unwrap_or(0);
        let until = user.run.clock.now() + Duration::from_millis(millis);
        let until = ends.map_or(until, |ends| ends.min(until));
        if millis > 0 {
            // A stop ends the pause, as nothing would come after it.
            let _until_then_or_the_stop = tasks::sleep_unless_stopping(until).await;
        }
    }
}
