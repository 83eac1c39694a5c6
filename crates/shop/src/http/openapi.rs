//! The description of the API, `OpenAPI` 3.1, made at the start from what the code decides by: the
//! routes, their problems, the bounds of fields and the settings of this shop.
//!
//! A route cannot be left out, since everything that depends on one is an exhaustive `match`; that
//! statuses and codes agree with what metrics count is tested.

mod examples;
mod operations;
mod parameters;
mod schemas;

use std::collections::BTreeMap;

use double11_units::Currency;
use serde_json::{Map, Value, json};

use super::contract::BEFORE_ROUTING;
use super::problem::{self, Kind};
use super::route::{Actuator, Reference, Route};
use operations::{Body, Operation, Success};

/// What the description depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'shop> {
    pub(super) version: &'shop str,
    pub(super) currency: Currency,
    pub(super) gateway: &'shop str,
    /// Products of the catalogue, ids from 1 to this number.
    pub(super) products: u32,
    /// Whether `/actuator` is on the same address.
    pub(super) with_actuator: bool,
}

/// Something that answers requests and is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Route(Route),
    Actuator(Actuator),
    Reference(Reference),
}

impl Place {
    fn all(with_actuator: bool) -> impl Iterator<Item = Self> {
        let routes = Route::ALL
            .into_iter()
            .filter(|route| *route != Route::Other);
        let pages = Actuator::ALL.into_iter().filter(move |_| with_actuator);
        // Script and style are parts of the page and nothing that a client calls.
        let references = [Reference::Description, Reference::Page];
        routes
            .map(Self::Route)
            .chain(pages.map(Self::Actuator))
            .chain(references.map(Self::Reference))
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Route(route) => route.template(),
            Self::Actuator(page) => page.path(),
            Self::Reference(file) => file.path(),
        }
    }

    fn method(self) -> String {
        match self {
            Self::Route(route) => route.method().to_ascii_lowercase(),
            Self::Actuator(_) | Self::Reference(_) => "get".to_owned(),
        }
    }

    /// Every problem that a request to this place can meet.
    fn problems(self) -> Vec<Kind> {
        let own: &[&[Kind]] = match self {
            Self::Route(route) => route.problems(),
            Self::Actuator(_) | Self::Reference(_) => &[],
        };
        let mut kinds: Vec<Kind> = own.iter().flat_map(|group| group.iter().copied()).collect();
        // An empty parameter makes another path, one that nothing is at.
        if self.path().contains('{') && !kinds.contains(&problem::NOT_FOUND) {
            kinds.push(problem::NOT_FOUND);
        }
        for kind in BEFORE_ROUTING {
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        kinds
    }
}

/// The whole document.
pub(super) fn document(facts: &Facts<'_>) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for place in Place::all(facts.with_actuator) {
        paths
            .entry(place.path())
            .or_default()
            .insert(place.method(), operation(place));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Double11 shop · 雙十一商店",
            "summary": "Browse, search, fill a cart, place orders that hold stock, and pay for them.",
            "description": ABOUT,
            "version": facts.version,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The shop that serves this description."}],
        "tags": tags(facts.with_actuator),
        "paths": paths,
        "components": {
            "schemas": schemas::all(facts),
            "parameters": parameters::all(facts),
            "headers": headers(),
            "responses": {"MethodNotAllowed": method_not_allowed()},
        },
    })
}

const ABOUT: &str = "JSON over HTTP/1.1. An amount is a decimal number in major units with two \
    places (`199.00`). It is neither written nor read through a binary fraction, so read it as a \
    decimal too; more places than two are rounded half away from zero. The ids of carts, orders and \
    payments are strings of digits. In a request `null` is the same as leaving a member out, and \
    members that are not listed are passed over. `HEAD` works wherever `GET` does. Every refusal is \
    `application/problem+json` (RFC 9457) with a stable `code`. A method that a path does not have \
    is answered by 405 with `Allow`, a path that does not exist by 404 `not_found`.";

fn tags(with_actuator: bool) -> Value {
    let tags = [
        ("products", "The catalogue · 商品"),
        ("carts", "Carts · 購物車"),
        (
            "orders",
            "Orders, which hold stock until they are paid, cancelled or expire · 訂單",
        ),
        ("payments", "Payments, in full or in parts · 付款"),
        (
            "reference",
            "This description and the page that shows it · 說明",
        ),
        (
            "actuator",
            "Health, metrics and facts of the running shop · 維運",
        ),
    ];
    tags.iter()
        .filter(|(name, _)| with_actuator || *name != "actuator")
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect()
}

fn headers() -> Value {
    json!({
        "IdempotentReplayed": {
            "description": "The answer was first given to an earlier request with the same \
                `Idempotency-Key`. Absent otherwise.",
            "schema": {"const": "true"},
        },
        "RetryAfter": {
            "description": "Seconds after which to ask again.",
            "required": true,
            "schema": {"type": "integer", "minimum": 0},
        },
        "Allow": {
            "description": "The methods of the path.",
            "required": true,
            "schema": {"type": "string"},
        },
        "ETag": {
            "description": "Names this very content; send it back as `If-None-Match`.",
            "required": true,
            "schema": {"type": "string", "pattern": "^\"[0-9a-f]{16}\"$"},
        },
    })
}

fn operation(place: Place) -> Value {
    let Operation {
        id,
        tag,
        summary,
        description,
        parameters,
        request,
        successes,
    } = operations::of(place);
    let mut responses = Map::new();
    for success in successes {
        responses.insert(success.status.to_string(), success_response(success));
    }
    for (status, kinds) in by_status(&place.problems()) {
        responses.insert(status.to_string(), problem_response(status, &kinds));
    }
    let references: Vec<Value> = parameters
        .iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect();
    let mut operation = json!({
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "description": description,
        "parameters": references,
        "responses": responses,
    });
    if let Some(schema) = request {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {
                "schema": schemas::reference(schema),
                "examples": examples::of_request(schema),
            }},
        });
    }
    operation
}

fn success_response(success: Success) -> Value {
    let Success {
        description,
        body,
        headers,
        links,
        ..
    } = success;
    let mut response = json!({"description": description});
    match body {
        Body::Json(schema) => {
            let mut content = json!({"schema": schemas::reference(schema)});
            if let Some(example) = examples::of_answer(schema) {
                content["example"] = example;
            }
            response["content"] = json!({"application/json": content});
        }
        Body::Document => {
            let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
            response["content"] = json!({"application/json": {"schema": schema}});
        }
        Body::Text(media_type) => {
            let schema = json!({"type": "string"});
            response["content"] = json!({media_type: {"schema": schema}});
        }
        Body::None => {}
    }
    if !headers.is_empty() {
        response["headers"] = headers
            .iter()
            .map(|(name, component)| ((*name).to_owned(), header(component)))
            .collect::<Map<_, _>>()
            .into();
    }
    if let Some(links) = links {
        response["links"] = links;
    }
    response
}

fn header(component: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{component}")})
}

fn by_status(kinds: &[Kind]) -> BTreeMap<u16, Vec<Kind>> {
    let mut sorted: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        let of_status = sorted.entry(kind.status).or_default();
        // Two kinds may share a code, since they differ in their title alone.
        if !of_status.iter().any(|known| known.code == kind.code) {
            of_status.push(*kind);
        }
    }
    sorted
}

fn problem_response(status: u16, kinds: &[Kind]) -> Value {
    let mut description = String::new();
    for kind in kinds {
        if !description.is_empty() {
            description.push('\n');
        }
        description.extend(["- `", kind.code, "`: ", kind.title]);
    }
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    let example = kinds.first().map(|kind| {
        json!({"type": "about:blank", "title": kind.title, "status": status, "code": kind.code})
    });
    let mut response = json!({
        "description": description,
        "content": {"application/problem+json": {
            "schema": {
                "allOf": [schemas::reference("Problem")],
                "properties": {"status": {"const": status}, "code": {"enum": codes}},
            },
            "example": example,
        }},
    });
    if status == 503 {
        response["headers"] = json!({"Retry-After": header("RetryAfter")});
    }
    response
}

/// No operation answers this, since it is what the missing ones answer.
fn method_not_allowed() -> Value {
    let mut response = problem_response(405, &[problem::METHOD_NOT_ALLOWED]);
    response["headers"] = json!({"Allow": header("Allow")});
    response
}

#[cfg(test)]
mod tests;
