//! A plan of `JMeter` as the traffic of a rehearsal.

use double11_rehearsal::{RehearsedPlan, Schedule};

use super::PRODUCTS_DEFAULT;
use crate::arguments::{Rehearse, RehearsedTraffic};
use crate::commands::jmeter_plan::{self, Given};
use crate::exit::Failure;

/// The plan, and the phases that its users make.
pub(super) fn traffic(
    arguments: &Rehearse,
    ours: bool,
) -> Result<(RehearsedPlan, Schedule), Failure> {
    let (traffic, shops) = (&arguments.traffic, &arguments.shops);
    jmeter_plan::refuse(&[
        ("--full", arguments.length.full),
        ("--levers", arguments.levers),
        ("--param", !traffic.param.is_empty()),
        ("--normal-rate", traffic.normal_rate.is_some()),
        ("--time-scale", traffic.time_scale.is_some()),
        ("--header", !shops.headers.is_empty()),
        ("--ca-cert", !shops.ca_cert.is_empty()),
    ])?;
    // Shops that are started here have a catalogue of known size.
    let products = shops.products.or(ours.then_some(PRODUCTS_DEFAULT));
    let plan = jmeter_plan::read(
        &traffic.plan,
        &Given {
            properties: &traffic.property,
            products,
            duration: traffic.duration,
        },
    )?;
    let schedule = Schedule::of_jmeter(&plan);
    Ok((RehearsedPlan::Jmeter(Box::new(plan)), schedule))
}

/// Refuses what only a plan of `JMeter` can be told.
pub(super) fn refuse_its_options(traffic: &RehearsedTraffic) -> Result<(), Failure> {
    jmeter_plan::no_properties(&traffic.property)?;
    if traffic.duration.is_some() {
        let error = anyhow::anyhow!("`--duration` is for plans of JMeter");
        return Err(Failure::usage(error)
            .hint("`--time-scale` makes the phases of other plans shorter or longer"));
    }
    Ok(())
}
