//! The options of `plan`.

use clap::{Args, Subcommand};

use crate::arguments::load::parse_parameter;

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(subcommand)]
    pub(crate) action: PlanAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanAction {
    /// The built-in plans: requests per visit, load profile, what they are for.
    List,
    /// Print a built-in plan as it is, to copy and change.
    Show {
        /// Its name.
        name: String,
    },
    /// Check a plan and print what it would do.
    Check(CheckPlan),
}

#[derive(Debug, Args)]
pub(crate) struct CheckPlan {
    /// A file whose name ends in `.toml`, or the name of a built-in plan.
    pub(crate) plan: String,
    /// A parameter of the plan (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub(crate) param: Vec<(String, f64)>,
}
