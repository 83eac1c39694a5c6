//! Which endpoint of the shop each step of a plan asks, as the shop's metrics call it.

use std::collections::BTreeMap;

use double11_load::RunManifest;
use double11_load::engine::AskedPath;
use double11_load::plan::{Piece, Plan, Template};
use double11_monitor::cross_check::StepEndpoint;

/// The route templates of `docs/API.md` that a plan may ask; `{…}` stands for one segment.
const TEMPLATES: [&str; 10] = [
    "/api/products/random",
    "/api/products/{product_id}",
    "/api/products",
    "/api/search",
    "/api/cart",
    "/api/cart/{cart_id}",
    "/api/cart/{cart_id}/items/{product_id}",
    "/api/orders",
    "/api/orders/{order_id}",
    "/api/payments",
];

/// The endpoint of every step that sends something to the shop's API; a step that asks anything else
/// is left out, and the cross-check says so.
pub fn endpoints(plan: &Plan) -> Vec<StepEndpoint> {
    plan.requesting_steps()
        .filter_map(|step| {
            let request = step.request.as_ref()?;
            let path = path_pattern(&request.path);
            endpoint(&step.name, &request.method, &path)
        })
        .collect()
}

/// The endpoint of every step of which it was seen what it asks for.
pub fn endpoints_asked(asked: &BTreeMap<String, AskedPath>) -> Vec<StepEndpoint> {
    let found = asked
        .iter()
        .filter_map(|(step, asked)| endpoint(step, &asked.method, &asked.path));
    found.collect()
}

/// The endpoint that a path asks, with `{}` for what differs from request to request.
fn endpoint(step: &str, method: &str, path: &str) -> Option<StepEndpoint> {
    let mut templates = TEMPLATES.into_iter();
    let endpoint = templates.find(|template| matches(template, path))?;
    Some(StepEndpoint {
        step: step.to_owned(),
        method: method.to_owned(),
        endpoint: endpoint.to_owned(),
    })
}

/// The built-in plan that a run was made with; `None` for a plan of another content, whatever its name.
pub fn built_in_plan(manifest: &RunManifest) -> Option<Plan> {
    let parameters = manifest.plan.parameters.iter();
    let parameters: Vec<(&str, f64)> = parameters
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    Plan::built_in(&manifest.plan.name, &parameters)
        .ok()
        .filter(|plan| plan.hash() == manifest.plan.hash)
}

/// The path of a request with `{}` for what differs from shopper to shopper, without the query.
fn path_pattern(path: &Template) -> String {
    let mut pattern = String::new();
    for piece in &path.pieces {
        match piece {
            Piece::Literal(bytes) => pattern.push_str(&String::from_utf8_lossy(bytes)),
            Piece::Value { .. } => pattern.push_str("{}"),
        }
    }
    pattern.split('?').next().unwrap_or_default().to_owned()
}

fn matches(template: &str, path: &str) -> bool {
    let (wanted, given) = (template.split('/'), path.split('/'));
    wanted.clone().count() == given.clone().count()
        && wanted.zip(given).all(|(wanted, given)| {
            wanted == given || (wanted.starts_with('{') && given.contains("{}"))
        })
}

#[cfg(test)]
mod tests {
    use super::endpoints;
    use double11_load::plan::{BUILT_IN_NAMES, Plan};

    #[test]
    fn every_step_of_the_built_in_plans_has_an_endpoint() {
        for name in BUILT_IN_NAMES {
            let plan = Plan::built_in(name, &[]).unwrap();
            assert_eq!(
                endpoints(&plan).len(),
                plan.requesting_steps().count(),
                "{name}"
            );
        }
        let funnel = Plan::built_in("funnel", &[]).unwrap();
        let named: Vec<_> = endpoints(&funnel)
            .into_iter()
            .map(|step| format!("{} {} {}", step.step, step.method, step.endpoint))
            .collect();
        assert!(named.contains(&"view_detail GET /api/products/{product_id}".to_owned()));
        assert!(named.contains(&"browse GET /api/products/random".to_owned()));
        assert!(named.contains(&"search GET /api/search".to_owned()));
    }
}
