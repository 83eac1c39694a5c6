//! Rules for queries, on their syntax trees.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{self, Call, Expr, LabelModifier, Offset, VectorSelector};
use serde_json::Value;

use super::{Findings, all_panels, list, text};

/// Stand-ins by which a window is told from another after the variables are replaced.
const RATE_INTERVAL: Duration = Duration::from_secs(61);
const RANGE: Duration = Duration::from_secs(907);
const SHIFT: Duration = Duration::from_secs(1201);

/// The query with the variables that are no part of a string replaced. Those in strings may stay.
pub(super) fn substituted(expr: &str) -> String {
    let seconds = |span: Duration| format!("{}s", span.as_secs());
    expr.replace("$__rate_interval", &seconds(RATE_INTERVAL))
        .replace("$__range", &seconds(RANGE))
        .replace("$baseline_shift", &seconds(SHIFT))
}

pub(super) fn check(dashboard: &Value, findings: &mut Findings) {
    for panel in all_panels(dashboard) {
        for target in list(panel, "targets") {
            let written = text(target, "expr");
            let problems = match parser::parse(&substituted(written)) {
                Ok(expr) => broken(&expr, target["instant"] == true),
                Err(error) => vec![("target-promql-rule", error.clone())],
            };
            for (rule, problem) in problems {
                findings.of_panel(rule, panel, format!("{problem}: {written}"));
            }
        }
    }
}

type Problem = (&'static str, String);

/// Where a part of a query stands.
#[derive(Clone, Copy)]
struct Place {
    /// Inside `rate()`, `irate()` or `increase()`.
    in_rate: bool,
    instant: bool,
}

pub(super) fn broken(expr: &Expr, instant: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = Place {
        in_rate: false,
        instant,
    };
    walk(expr, place, &mut problems);
    problems
}

fn walk(expr: &Expr, place: Place, problems: &mut Vec<Problem>) {
    match expr {
        Expr::Aggregate(aggregate) => {
            walk(&aggregate.expr, place, problems);
            if let Some(parameter) = &aggregate.param {
                walk(parameter, place, problems);
            }
        }
        Expr::Unary(unary) => walk(&unary.expr, place, problems),
        Expr::Binary(binary) => {
            walk(&binary.lhs, place, problems);
            walk(&binary.rhs, place, problems);
        }
        Expr::Paren(paren) => walk(&paren.expr, place, problems),
        Expr::Subquery(subquery) => walk(&subquery.expr, place, problems),
        Expr::Call(call) => check_call(call, place, problems),
        Expr::VectorSelector(selector) => check_selector(selector, place, problems),
        Expr::MatrixSelector(matrix) => check_selector(&matrix.vs, place, problems),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn is_rate(name: &str) -> bool {
    matches!(name, "rate" | "irate" | "increase")
}

fn check_call(call: &Call, place: Place, problems: &mut Vec<Problem>) {
    let name = call.func.name;
    let mut inside = place;
    if is_rate(name) {
        inside.in_rate = true;
        let window = match call.args.args.first().map(|argument| &**argument) {
            Some(Expr::MatrixSelector(matrix)) => Some(matrix.range),
            _ => None,
        };
        // The value of the whole span is one value: only an instant query may ask for it.
        let whole = name == "increase" && place.instant && window == Some(RANGE);
        if window != Some(RATE_INTERVAL) && !whole {
            let problem = format!("the window of `{name}` is not Grafana's");
            problems.push(("target-rate-interval-rule", problem));
        }
    }
    if name == "histogram_quantile"
        && let Some(buckets) = call.args.args.get(1)
        && let Err(problem) = rates_of_buckets(buckets)
    {
        problems.push(("own-histogram-quantile", problem.to_owned()));
    }
    for argument in &call.args.args {
        walk(argument, inside, problems);
    }
}

/// Whether an expression gives rates of `_bucket` series with their label `le`.
fn rates_of_buckets(expr: &Expr) -> Result<(), &'static str> {
    match expr {
        Expr::Paren(paren) => rates_of_buckets(&paren.expr),
        Expr::Aggregate(aggregate) => {
            let kept = match &aggregate.modifier {
                Some(LabelModifier::Include(labels)) => {
                    labels.labels.iter().any(|label| label == "le")
                }
                Some(LabelModifier::Exclude(labels)) => {
                    labels.labels.iter().all(|label| label != "le")
                }
                None => false,
            };
            if !kept {
                return Err("a quantile needs the label `le`");
            }
            rates_of_buckets(&aggregate.expr)
        }
        Expr::Call(call) if is_rate(call.func.name) => {
            match call.args.args.first().map(|argument| &**argument) {
                Some(Expr::MatrixSelector(matrix))
                    if matrix
                        .vs
                        .name
                        .as_ref()
                        .is_some_and(|name| name.ends_with("_bucket")) =>
                {
                    Ok(())
                }
                _ => Err("a quantile is that of `_bucket` series"),
            }
        }
        _ => Err("a quantile of buckets without a rate is that of all time"),
    }
}

fn check_selector(selector: &VectorSelector, place: Place, problems: &mut Vec<Problem>) {
    let name = selector.name.as_deref().unwrap_or_default();
    let counter = ["_total", "_count", "_sum", "_bucket"]
        .iter()
        .any(|ending| name.ends_with(ending));
    if counter && !place.in_rate {
        let problem = format!("the counter `{name}` stands outside of rate() and increase()");
        problems.push(("target-counter-agg-rule", problem));
    }
    for (label, rule) in [
        ("job", "target-job-rule"),
        ("instance", "target-instance-rule"),
    ] {
        let wanted = format!("${label}");
        let found = matcher(&selector.matchers, label);
        if !found.is_some_and(|(op, value)| matches!(op, MatchOp::Re(_)) && value == wanted) {
            problems.push((rule, format!("`{name}` is not limited to {wanted}")));
        }
    }
    if let Err(problem) = check_variant(selector) {
        problems.push(("own-variant", format!("`{name}` {problem}")));
    }
}

fn matcher<'a>(matchers: &'a Matchers, label: &str) -> Option<(&'a MatchOp, &'a str)> {
    let found = matchers
        .matchers
        .iter()
        .find(|matcher| matcher.name == label)?;
    Some((&found.op, &found.value))
}

/// One variant each, and the baseline, where it is named, moved onto the axis of the other.
fn check_variant(selector: &VectorSelector) -> Result<(), &'static str> {
    let Some((MatchOp::Equal, variant)) = matcher(&selector.matchers, "variant") else {
        return Err("mixes the variants");
    };
    match (variant, &selector.offset) {
        ("baseline", Some(Offset::Pos(by))) if *by == SHIFT => Ok(()),
        ("baseline", _) => Err("is not moved by $baseline_shift"),
        ("optimized" | "$variant", None) => Ok(()),
        ("optimized" | "$variant", Some(_)) => Err("is moved"),
        _ => Err("names a variant that there is not"),
    }
}
