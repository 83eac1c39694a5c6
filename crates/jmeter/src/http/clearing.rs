//! When a manager forgets what it keeps for a user: the rule that cookies and cache share.

use double11_jmx::document::Element;

#[derive(Debug, Clone, Copy)]
pub(super) struct Clearing {
    each_iteration: bool,
    by_group: bool,
}

impl Clearing {
    /// From the two properties of the manager.
    pub(super) fn of(element: &Element, each_iteration: &str, by_group: &str) -> Self {
        Self {
            each_iteration: element.is(each_iteration, false),
            by_group: element.is(by_group, false),
        }
    }

    /// Whether it is due before an iteration; `same_user` is what the thread group says of that one.
    pub(super) fn is_due(self, same_user: bool) -> bool {
        if self.by_group {
            !same_user
        } else {
            self.each_iteration
        }
    }
}
