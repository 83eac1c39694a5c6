//! How it was measured, and the facts of this very run.

use maud::{Markup, html};

use super::Context;
use crate::format::{self, count};
use crate::model::{HeldBy, ShopLimits, Source};
use crate::texts::{Texts, fill};

pub(super) fn method(context: &Context<'_>) -> Markup {
    let (report, texts) = (context.report, context.texts);
    let method = &report.method;
    let order = method.order.join(" → ");
    let pairs = match (method.source, method.pairs) {
        (Source::RunDirectories | Source::SampleFiles, _) => texts.method_pairs_none.to_owned(),
        (_, 1) => fill(texts.method_pairs_one, &[("order", &order)]),
        (_, pairs) => fill(
            texts.method_pairs_many,
            &[("pairs", &pairs.to_string()), ("order", &order)],
        ),
    };
    let timeout = format::milliseconds(report.plan.request_timeout_ms);
    html! {
        ul.method {
            li { (pairs) }
            @if let Some(comparison) = &report.comparison {
                @let values = [
                    ("effect", format::percent_short(comparison.minimum_effect)),
                    ("needed", comparison.pairs_needed.to_string()),
                ];
                @let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                li { (fill(texts.method_statistics, &values)) }
            }
            @if method.source == Source::Rehearsal && is_offered(context) { li { (texts.method_open) } }
            @if method.source == Source::SampleFiles { li { (texts.method_samples) } }
            @if context.is_service_time_only() { li { (texts.method_service_time) } }
            @if let Some(warm_up) = method.warm_up_s.filter(|seconds| *seconds > 0.0) {
                li { (fill(texts.method_warm_up, &[("seconds", &texts.seconds(warm_up))])) }
            }
            @if !context.is_service_time_only() { li { (texts.method_response) } }
            li { (fill(texts.method_verdict, &[("timeout", &timeout)])) }
            li { (texts.method_errors) }
            li { (texts.method_availability) }
            @if context.shops_are_ours() { li { (texts.method_durable) } }
            @if !method.run_folders.is_empty() {
                @let folders = method.run_folders.join(texts.list_separator);
                li { (fill(texts.method_folders, &[("folders", &folders)])) }
            }
        }
        @if !method.files.is_empty() {
            h3 { (texts.files) }
            table.facts aria-label=(texts.files) {
                thead {
                    tr {
                        th scope="col" { (texts.file_name) }
                        th scope="col" { (texts.file_what) }
                    }
                }
                tbody {
                    @for file in &method.files {
                        tr {
                            th scope="row" { code { (file.name) } }
                            td { (texts.file(&file.what)) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the judged phase planned its requests beforehand, at a rate that is known.
fn is_offered(context: &Context<'_>) -> bool {
    context.variants().any(|(_, variant)| {
        let phase = variant.phase(context.judged_phase);
        phase.is_some_and(|phase| phase.offered_per_second.is_some())
    })
}

pub(super) fn facts(context: &Context<'_>) -> Markup {
    let texts = context.texts;
    html! {
        table.facts {
            caption { (texts.facts_caption) }
            thead {
                tr {
                    th scope="col" { (texts.fact) }
                    th scope="col" { (texts.value) }
                }
            }
            tbody {
                tr {
                    th scope="row" { (texts.fact_command) }
                    td { code { (context.report.run.command) } }
                }
                @for (label, value) in known_facts(context) {
                    tr {
                        th scope="row" { (label) }
                        td { (value) }
                    }
                }
            }
        }
    }
}

/// What each shop was limited to, and by what.
fn limited_to(texts: &Texts, limits: ShopLimits) -> String {
    let cpus = limits.cpus.map(format::plain);
    let cpus = cpus.map(|cpus| fill(texts.limit_cpus, &[("cpus", &cpus)]));
    let memory = limits.memory_bytes.map(format::bytes);
    let memory = memory.map(|memory| fill(texts.limit_memory, &[("memory", &memory)]));
    let limited: Vec<String> = cpus.into_iter().chain(memory).collect();
    let way = match limits.held_by {
        HeldBy::CgroupV1 => texts.held_cgroup_v1.to_owned(),
        HeldBy::CgroupV2 => texts.held_cgroup_v2.to_owned(),
        HeldBy::Pinned { cores } => fill(texts.held_pinned, &[("cores", &cores.to_string())]),
    };
    let limited = limited.join(texts.list_separator);
    fill(texts.limits_held, &[("limits", &limited), ("way", &way)])
}

/// What is known of machine and plan, in the order of the page.
fn known_facts(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let (texts, host, plan) = (context.texts, &context.report.host, &context.report.plan);
    let system: Vec<&str> = [&host.operating_system, &host.kernel]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let number = |value: Option<u32>| value.map(|value| count(u64::from(value)));
    let normal = plan
        .normal_per_second
        .map(|rate| fill(texts.fact_normal_value, &[("rate", &format::rate(rate))]));
    // Files of samples name neither plan nor seed nor time-out.
    let is_planned = !context.is_samples_only();
    let facts = [
        (texts.fact_cpu, host.cpu_model.clone()),
        (texts.fact_cpus, number(host.logical_cpus)),
        (texts.fact_memory, host.memory_bytes.map(format::bytes)),
        (
            texts.fact_system,
            (!system.is_empty()).then(|| system.join(", ")),
        ),
        (texts.fact_file_system, host.file_system.clone()),
        (
            texts.fact_fdatasync,
            host.fdatasync_ms.map(format::milliseconds),
        ),
        (texts.fact_shop_cpus, host.shop_cpus.clone()),
        (texts.fact_generator_cpus, host.generator_cpus.clone()),
        (
            texts.fact_shop_limits,
            host.shop_limits.map(|limits| limited_to(texts, limits)),
        ),
        (texts.fact_store, plan.store.clone()),
        (texts.fact_products, plan.products.map(count)),
        (texts.fact_plan, is_planned.then(|| plan.name.clone())),
        (texts.fact_plan_hash, plan.hash.clone()),
        (
            texts.fact_seed,
            is_planned.then(|| context.report.run.seed.to_string()),
        ),
        (texts.fact_normal, normal),
        (texts.fact_connections, number(plan.connections)),
        (texts.fact_in_flight, number(plan.max_in_flight)),
        (
            texts.fact_timeout,
            is_planned.then(|| format::milliseconds(plan.request_timeout_ms)),
        ),
        (
            texts.fact_payment_window,
            plan.payment_window_s.map(|seconds| texts.seconds(seconds)),
        ),
    ];
    facts
        .into_iter()
        .filter_map(|(label, value)| Some((label, value?)))
        .collect()
}
