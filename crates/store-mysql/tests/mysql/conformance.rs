//! The conformance suite, for the levers that change how the store works.

use double11_store::conformance::Conditions;
use double11_store::{Lever, Levers, Variant};

use crate::common::{Fresh, open, server};

async fn baseline(conditions: Conditions) -> Fresh {
    open(server(), &conditions, Variant::Baseline.levers())
}

async fn tuned(conditions: Conditions) -> Fresh {
    open(server(), &conditions, Variant::Tuned.levers())
}

async fn optimized(conditions: Conditions) -> Fresh {
    open(server(), &conditions, Variant::Optimized.levers())
}

async fn only_group_commit(conditions: Conditions) -> Fresh {
    open(server(), &conditions, Levers::NONE.with(Lever::GroupCommit))
}

mod with_baseline {
    double11_store::conformance_suite!(super::super::baseline);
}
mod with_tuned {
    double11_store::conformance_suite!(super::super::tuned);
}
mod with_optimized {
    double11_store::conformance_suite!(super::super::optimized);
}
mod with_only_group_commit {
    double11_store::conformance_suite!(super::super::only_group_commit);
}
