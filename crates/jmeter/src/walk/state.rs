//! Where a user stands in one controller.

use std::sync::Arc;
use std::time::Duration;

use super::kind::ThroughputCounts;
use super::transaction::{Gathered, ParentSample};
use super::{Child, Controller, Kind, Lock};

/// What a user keeps for one controller.
#[derive(Debug)]
pub(super) struct State {
    /// Which child is next.
    pub(super) current: usize,
    /// Whether an iteration is to begin.
    pub(super) first: bool,
    /// Whether it is through for good.
    pub(super) done: bool,
    /// Iterations of a controller that is no loop.
    pub(super) iterations: i64,
    /// Rounds of a loop.
    pub(super) rounds: i64,
    /// How many rounds there are to be, once that is known.
    pub(super) loops: Option<i64>,
    /// Whether the loop is to be left.
    pub(super) broken: bool,
    /// The number that stands in the variable of the loop.
    pub(super) shown: Option<i64>,
    /// What stands in it, when that is no longer what the plan says.
    pub(super) children: Option<Vec<Child>>,
    /// What only some controllers have.
    pub(super) own: Own,
}

/// What only some controllers keep.
#[derive(Debug)]
pub(super) enum Own {
    /// Nothing more.
    Nothing,
    /// An interleave or random controller.
    Turn(Turn),
    /// A throughput controller: its own counts, and whether it runs this time.
    Throughput(ThroughputCounts, bool),
    /// A transaction whose samples are parts of it.
    Parent(Option<Box<ParentSample>>),
    /// A transaction that makes a row beside its samples.
    Gathered(Option<Box<Gathered>>),
    /// When the time began.
    Runtime(Option<Duration>),
    /// The lock that is held.
    Lock(Option<Arc<Lock>>),
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) skip_next: bool,
    pub(super) search_start: Option<Child>,
    pub(super) returned_one: bool,
    pub(super) still_same: bool,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            skip_next: false,
            search_start: None,
            returned_one: false,
            still_same: true,
        }
    }
}

impl State {
    pub(super) fn new(controller: &Controller) -> Self {
        let own = match &controller.kind {
            Kind::Interleave { .. } | Kind::Random { .. } => Own::Turn(Turn::new()),
            Kind::Throughput { .. } => Own::Throughput(ThroughputCounts::default(), false),
            Kind::Transaction { parent: true, .. } => Own::Parent(None),
            Kind::Transaction { .. } => Own::Gathered(None),
            Kind::Runtime(_) => Own::Runtime(None),
            Kind::Critical(_) => Own::Lock(None),
            _ => Own::Nothing,
        };
        Self {
            current: 0,
            first: true,
            done: false,
            iterations: 0,
            rounds: 0,
            loops: None,
            broken: false,
            shown: None,
            children: None,
            own,
        }
    }

    /// What stands in it now.
    pub(super) fn children<'a>(&'a self, controller: &'a Controller) -> &'a [Child] {
        self.children.as_deref().unwrap_or(&controller.children)
    }

    /// What stands in it now, to be changed.
    pub(super) fn own_children(&mut self, controller: &Controller) -> &mut Vec<Child> {
        self.children
            .get_or_insert_with(|| controller.children.clone())
    }

    pub(super) fn turn(&mut self) -> &mut Turn {
        if !matches!(self.own, Own::Turn(_)) {
            self.own = Own::Turn(Turn::new());
        }
        match &mut self.own {
            Own::Turn(turn) => turn,
            _ => unreachable!("it was just set"),
        }
    }
}
