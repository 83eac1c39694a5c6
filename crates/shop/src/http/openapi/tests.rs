//! The document against the code's own tables.

use std::collections::BTreeSet;

use double11_units::Currency;
use serde_json::Value;

use super::{BEFORE_ROUTING, Facts, Place, Route, document, problem};

fn described(with_actuator: bool) -> Value {
    document(&Facts {
        version: "1.2.3",
        currency: Currency::Cny,
        gateway: "sandbox",
        products: 1_000,
        with_actuator,
    })
}

fn operation(document: &Value, place: Place) -> Value {
    document["paths"][place.path()][place.method()].clone()
}

fn statuses(operation: &Value) -> BTreeSet<u16> {
    let responses = operation["responses"].as_object().unwrap();
    responses
        .keys()
        .map(|status| status.parse().unwrap())
        .collect()
}

#[test]
fn metrics_and_description_know_the_same_statuses() {
    let document = described(true);
    let before: BTreeSet<u16> = BEFORE_ROUTING.iter().map(|kind| kind.status).collect();
    for route in Route::ALL
        .into_iter()
        .filter(|route| *route != Route::Other)
    {
        let described = statuses(&operation(&document, Place::Route(route)));
        let counted: BTreeSet<u16> = route.statuses().iter().copied().collect();
        assert!(described.is_superset(&counted), "{route:?}: {described:?}");
        // What more is described is what a request meets before its route is known.
        let other: BTreeSet<u16> = described.difference(&counted).copied().collect();
        assert!(other.is_subset(&before), "{route:?}: {other:?}");
    }
    let counted: BTreeSet<u16> = Route::Other.statuses().iter().copied().collect();
    assert!(before.is_subset(&counted));
}

#[test]
fn every_problem_code_is_described_under_its_status() {
    let document = described(true);
    let mut found = BTreeSet::new();
    for place in Place::all(true) {
        let operation = operation(&document, place);
        for (status, response) in operation["responses"].as_object().unwrap() {
            collect(status, response, &mut found);
        }
    }
    collect(
        "405",
        &document["components"]["responses"]["MethodNotAllowed"],
        &mut found,
    );
    let known: BTreeSet<(String, String)> = problem::ALL
        .iter()
        .map(|kind| (kind.status.to_string(), kind.code.to_owned()))
        .collect();
    assert_eq!(found, known);
}

fn collect(status: &str, response: &Value, into: &mut BTreeSet<(String, String)>) {
    let schema = &response["content"]["application/problem+json"]["schema"];
    for code in schema["properties"]["code"]["enum"]
        .as_array()
        .into_iter()
        .flatten()
    {
        into.insert((status.to_owned(), code.as_str().unwrap().to_owned()));
    }
}

#[test]
fn references_links_and_names_hold() {
    for with_actuator in [true, false] {
        let document = described(with_actuator);
        let mut identifiers = BTreeSet::new();
        let tags: BTreeSet<&str> = document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| tag["name"].as_str().unwrap())
            .collect();
        for place in Place::all(with_actuator) {
            let operation = operation(&document, place);
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(identifiers.insert(id), "{place:?} has the name of another");
            assert!(tags.contains(operation["tags"][0].as_str().unwrap()));
            for segment in place.path().split('/') {
                if let Some(name) = segment.strip_prefix('{') {
                    let name = name.trim_end_matches('}');
                    let reference = format!("#/components/parameters/{name}");
                    let parameters = operation["parameters"].as_array().unwrap();
                    assert!(
                        parameters.iter().any(|one| one["$ref"] == *reference),
                        "{place:?}"
                    );
                }
            }
        }
        each(&document, &mut |name, value| match name {
            "$ref" => {
                let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{pointer}");
            }
            "operationId" => assert!(identifiers.contains(value.as_str().unwrap()), "{value}"),
            _ => {}
        });
        assert_eq!(
            document.to_string().contains("/actuator/"),
            with_actuator,
            "what another address serves is not described"
        );
    }
}

/// Every member of every object.
fn each(value: &Value, look: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                look(name, member);
                each(member, look);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                each(element, look);
            }
        }
        _ => {}
    }
}
