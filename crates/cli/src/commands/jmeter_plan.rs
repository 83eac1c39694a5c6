//! A plan of `JMeter` for `load` and `rehearse`.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use double11_jmeter::measured_run::{MeasuredPlan, PlanSettings, RefusedPlan};
use double11_jmeter::properties;

use crate::commands::jmeter::unreadable;
use crate::exit::Failure;

/// The property that the shipped plans take the size of the catalogue from.
const PRODUCTS: &str = "products";

/// Whether a plan of this name is one of `JMeter`.
pub(crate) fn is_one(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("jmx"))
}

/// What is set for a plan from outside.
pub(crate) struct Given<'a> {
    /// `-J`, each `name=value`.
    pub(crate) properties: &'a [String],
    /// Products in the catalogue.
    pub(crate) products: Option<u32>,
    /// When the users end at the latest.
    pub(crate) duration: Option<Duration>,
}

/// Reads a plan and checks that it can be run as it says, to its end.
pub(crate) fn read(name: &str, given: &Given<'_>) -> Result<MeasuredPlan, Failure> {
    let built_in = properties::BUILT_IN;
    let built_in = built_in.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut set: HashMap<String, String> = built_in.into();
    if let Some(products) = given.products {
        set.insert(PRODUCTS.to_owned(), products.to_string());
    }
    for definition in given.properties {
        let Some((name, value)) = definition.split_once('=') else {
            return Err(
                Failure::usage(anyhow::anyhow!("`-J {definition}` sets nothing"))
                    .hint("write a name and a value: `-J users=100`"),
            );
        };
        set.insert(name.trim().to_owned(), value.to_owned());
    }
    let settings = PlanSettings {
        properties: set,
        environment: std::env::vars().collect(),
        duration: given.duration,
    };
    MeasuredPlan::read(Path::new(name), settings).map_err(|refused| refusal(name, refused))
}

fn refusal(name: &str, refused: RefusedPlan) -> Failure {
    let hint = match refused {
        RefusedPlan::Open(error) => return unreadable(error),
        RefusedPlan::NotSupported { .. } => {
            format!("`double11 jmeter --check {name}` says more")
        }
        RefusedPlan::Endless { .. } | RefusedPlan::TooLong { .. } => {
            "say how long with `--duration 60s`".to_owned()
        }
        RefusedPlan::Engine(_) | RefusedPlan::NoUsers { .. } => {
            "set the property that the plan takes the number from: `-J users=100`".to_owned()
        }
        RefusedPlan::Form(_) => "leave the property out".to_owned(),
    };
    Failure::usage(refused).hint(hint)
}

/// Refuses options that a plan of `JMeter` has no use for: names, and whether each was given.
pub(crate) fn refuse(options: &[(&str, bool)]) -> Result<(), Failure> {
    let Some((option, _)) = options.iter().find(|(_, given)| *given) else {
        return Ok(());
    };
    Err(
        Failure::usage(anyhow::anyhow!("`{option}` is not for plans of JMeter")).hint(
            "users, times and requests are what the plan says; set its properties with `-J name=value`",
        ),
    )
}

/// Refuses properties for a plan that takes none.
pub(crate) fn no_properties(given: &[String]) -> Result<(), Failure> {
    match given.first() {
        None => Ok(()),
        Some(first) => Err(Failure::usage(anyhow::anyhow!(
            "`-J {first}` is for plans of JMeter, files whose name ends in `.jmx`"
        ))
        .hint("parameters of other plans are set with `--param NAME=VALUE`")),
    }
}
