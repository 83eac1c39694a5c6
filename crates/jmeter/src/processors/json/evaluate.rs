//! Following a `JSONPath` through a value, as Jayway's library does.

use super::Json;
use super::filter::number;
use super::path::{Function, Path, Step};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Found {
    /// The value of a path that leads to one.
    One(Json),
    /// The values of one that may lead to several.
    Many(Vec<Json>),
}

/// A path that leads nowhere, in the words of Jayway's library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in super::super) struct NotFound(pub(in super::super) String);

/// Follows a path from the root of a document.
pub(in super::super) fn evaluate(path: &Path, root: &Json) -> Result<Found, NotFound> {
    from(path, root, root)
}

/// Follows a path from what a filter looks at, or from the root.
pub(super) fn from(path: &Path, current: &Json, root: &Json) -> Result<Found, NotFound> {
    let start = if path.from_current { current } else { root };
    let mut walk = Walk {
        root,
        found: Vec::new(),
    };
    let place = Place {
        steps: &path.steps,
        definite: true,
    };
    walk.go(&place, start, if path.from_current { "@" } else { "$" })?;
    let mut found = walk.found;
    if let Some(function) = path.function {
        // Lengths are those of the values themselves, the last of which counts; the others are of all.
        let values = if path.is_definite() || function == Function::Length {
            found.pop()
        } else {
            Some(Json::List(found))
        };
        let result = values.and_then(|values| function.of(&values));
        return result.map(Found::One).ok_or_else(|| {
            NotFound(
                "Aggregation function attempted to calculate value using empty array".to_owned(),
            )
        });
    }
    if !path.is_definite() {
        return Ok(Found::Many(found));
    }
    match found.pop() {
        Some(value) => Ok(Found::One(value)),
        None => Err(NotFound(format!(
            "No results for path: {}",
            shown(&path.steps)
        ))),
    }
}

/// The steps that are still to go.
#[derive(Clone, Copy)]
struct Place<'p> {
    steps: &'p [Step],
    /// Whether all steps so far lead to one value each.
    definite: bool,
}

impl<'p> Place<'p> {
    fn next(self) -> Option<(&'p Step, Self)> {
        let (first, steps) = self.steps.split_first()?;
        let definite = self.definite && first.is_definite(steps.is_empty());
        Some((first, Self { steps, definite }))
    }
}

struct Walk<'v> {
    root: &'v Json,
    found: Vec<Json>,
}

impl Walk<'_> {
    /// Goes on from a value; `path` says where it stands.
    fn go(&mut self, place: &Place<'_>, value: &Json, path: &str) -> Result<(), NotFound> {
        let Some((step, after)) = place.next() else {
            self.found.push(value.clone());
            return Ok(());
        };
        match (step, value) {
            (Step::Members(names), Json::Object(_)) => self.members(names, value, &after, path),
            (Step::Members(_), other) if place.definite => Err(NotFound(format!(
                "Expected to find an object with property {} in path {path} but found '{}'. This is \
                 not a json object according to the JsonProvider: \
                 'com.jayway.jsonpath.spi.json.JsonSmartJsonProvider'.",
                shown_step(step),
                java_class(other),
            ))),
            (Step::Elements(places), Json::List(values)) => {
                for place in places {
                    self.element(values, *place, &after, path)?;
                }
                Ok(())
            }
            (Step::Slice(start, end), Json::List(values)) => {
                let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
                for place in slice(*start, *end, length) {
                    self.element(values, place, &after, path)?;
                }
                Ok(())
            }
            (Step::Elements(_) | Step::Slice(..), Json::Null) if place.definite => {
                Err(NotFound(format!("The path {path} is null")))
            }
            (Step::Elements(_) | Step::Slice(..), _) if place.definite => Err(NotFound(format!(
                "Filter: {} can only be applied to arrays. Current context is: {}",
                shown_step(step),
                value.written(),
            ))),
            (Step::Every, Json::List(values)) => self.each(values.iter(), &after, path),
            (Step::Every, Json::Object(members)) => {
                self.each(members.iter().map(|(_, value)| value), &after, path)
            }
            (Step::Below, _) => self.below(&after, value, path),
            (Step::Filter(filter), Json::List(values)) => {
                let root = self.root;
                let accepted = values.iter().filter(|own| filter.holds(own, root));
                self.each(accepted, &after, path)
            }
            (Step::Filter(filter), Json::Object(_)) if filter.holds(value, self.root) => {
                self.go(&after, value, path)
            }
            _ => Ok(()),
        }
    }

    fn members(
        &mut self,
        names: &[String],
        value: &Json,
        after: &Place<'_>,
        path: &str,
    ) -> Result<(), NotFound> {
        if let ([_, _, ..], true) = (names, after.steps.is_empty()) {
            // Several members at the end of a path make one object.
            let own = names.iter().filter_map(|name| {
                let value = value.member(name)?;
                Some((name.clone(), value.clone()))
            });
            self.found.push(Json::Object(own.collect()));
            return Ok(());
        }
        for name in names {
            match value.member(name) {
                Some(own) => self.go(after, own, &format!("{path}['{name}']"))?,
                None if after.steps.is_empty() || !after.definite => (),
                None => {
                    return Err(NotFound(format!(
                        "Missing property in path {path}['{name}']"
                    )));
                }
            }
        }
        Ok(())
    }

    fn element(
        &mut self,
        values: &[Json],
        place: i64,
        after: &Place<'_>,
        path: &str,
    ) -> Result<(), NotFound> {
        let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
        let own = if place < 0 { length + place } else { place };
        let value = usize::try_from(own).ok().and_then(|own| values.get(own));
        match value {
            Some(value) => self.go(after, value, &format!("{path}[{place}]")),
            None => Ok(()),
        }
    }

    fn each<'v>(
        &mut self,
        values: impl Iterator<Item = &'v Json>,
        after: &Place<'_>,
        path: &str,
    ) -> Result<(), NotFound> {
        for value in values {
            self.go(after, value, path)?;
        }
        Ok(())
    }

    /// The next step at this value and at all below it.
    fn below(&mut self, place: &Place<'_>, value: &Json, path: &str) -> Result<(), NotFound> {
        let Some((step, _)) = place.next() else {
            return Ok(());
        };
        let root = self.root;
        match value {
            Json::List(values) => {
                let asks = match step {
                    Step::Elements(_) | Step::Slice(..) | Step::Every => true,
                    Step::Filter(filter) => filter.holds(value, root),
                    Step::Members(_) | Step::Below => false,
                };
                if asks {
                    self.go(place, value, path)?;
                }
                values
                    .iter()
                    .try_for_each(|own| self.below(place, own, path))
            }
            Json::Object(members) => {
                let asked = match step {
                    Step::Members(names) => names.iter().all(|name| value.member(name).is_some()),
                    Step::Every => true,
                    Step::Filter(filter) => filter.holds(value, root),
                    Step::Elements(_) | Step::Slice(..) | Step::Below => false,
                };
                if asked {
                    self.go(place, value, path)?;
                }
                let mut values = members.iter().map(|(_, own)| own);
                values.try_for_each(|own| self.below(place, own, path))
            }
            _ => Ok(()),
        }
    }
}

/// The places of a slice.
fn slice(start: Option<i64>, end: Option<i64>, length: i64) -> std::ops::Range<i64> {
    let whole = |place: i64| if place < 0 { length + place } else { place };
    match (start, end) {
        (Some(start), None) => whole(start).max(0)..length,
        (None, Some(end)) => 0..whole(end).min(length),
        // Both as they are: places below zero count from the end, one by one.
        (Some(start), Some(end)) => start.max(-length)..end.min(length),
        (None, None) => 0..length,
    }
}

impl Function {
    fn of(self, value: &Json) -> Option<Json> {
        let numbers = || match value {
            Json::List(values) => values.iter().filter_map(number).collect(),
            _ => Vec::new(),
        };
        let fold = |pick: fn(f64, f64) -> f64| numbers().into_iter().reduce(pick).map(Json::Float);
        match (self, value) {
            (Self::Length, Json::List(values)) => integer(values.len()),
            (Self::Length, Json::Object(members)) => integer(members.len()),
            (Self::Length, Json::Text(text)) => integer(text.encode_utf16().count()),
            (Self::Length, _) => Some(Json::Null),
            (Self::Min, _) => fold(f64::min),
            (Self::Max, _) => fold(f64::max),
            (Self::Sum, _) => fold(|a, b| a + b),
            (Self::Average, _) => {
                let numbers = numbers();
                let sum = numbers.iter().copied().reduce(|a, b| a + b)?;
                Some(Json::Float(sum / numbers.len() as f64))
            }
            (Self::Keys, Json::Object(members)) => {
                let names = members.iter().map(|(name, _)| Json::Text(name.clone()));
                Some(Json::List(names.collect()))
            }
            (Self::First, Json::List(values)) => values.first().cloned(),
            (Self::Last, Json::List(values)) => values.last().cloned(),
            _ => None,
        }
    }
}

fn integer(length: usize) -> Option<Json> {
    i64::try_from(length).ok().map(Json::Integer)
}

/// The path as Jayway's library writes it.
fn shown(steps: &[Step]) -> String {
    std::iter::once("$".to_owned())
        .chain(steps.iter().map(shown_step))
        .collect()
}

fn shown_step(step: &Step) -> String {
    match step {
        Step::Members(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            format!("[{}]", names.join(","))
        }
        Step::Elements(places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            format!("[{}]", places.join(","))
        }
        Step::Slice(start, end) => {
            let shown = |end: &Option<i64>| end.map(|end| end.to_string()).unwrap_or_default();
            format!("[{}:{}]", shown(start), shown(end))
        }
        Step::Every => "[*]".to_owned(),
        Step::Below => "..".to_owned(),
        Step::Filter(_) => "[?]".to_owned(),
    }
}

/// The class that Java has for a value, as messages name it.
fn java_class(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "java.lang.Boolean",
        Json::Integer(number) if i32::try_from(*number).is_ok() => "java.lang.Integer",
        Json::Integer(_) => "java.lang.Long",
        Json::Float(_) => "java.lang.Double",
        Json::Big(text) if text.contains(['.', 'e', 'E']) => "java.math.BigDecimal",
        Json::Big(_) => "java.math.BigInteger",
        Json::Text(_) => "java.lang.String",
        Json::List(_) => "net.minidev.json.JSONArray",
        Json::Object(_) => "java.util.LinkedHashMap",
    }
}
