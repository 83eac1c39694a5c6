//! What failed, under the names that `JMeter`'s dashboard gives it.

use std::collections::HashMap;

use super::Row;

/// Kinds of errors that are told apart, and samplers that have some.
const KINDS_MAX: usize = 2_000;
/// The kind of the errors whose kinds came too late to be told apart.
const OTHER: &str = "(other errors)";
/// Errors that are told of each sampler.
const PER_SAMPLER: usize = 5;

/// A kind of error and how often it came.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorCount {
    /// Response code and message, or what the assertion said.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// Of all errors, 0 to 1.
    pub share_of_errors: f64,
    /// Of all samples, 0 to 1.
    pub share_of_samples: f64,
}

/// The most frequent errors of a sampler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamplerErrors {
    /// Its label.
    pub label: String,
    /// Its samples.
    pub samples: u64,
    /// Its errors.
    pub errors: u64,
    /// The five most frequent kinds with their counts.
    pub top: Vec<(String, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct Errors {
    kinds: HashMap<String, u64>,
    samplers: HashMap<String, Sampler>,
}

#[derive(Debug, Default)]
struct Sampler {
    samples: u64,
    kinds: HashMap<String, u64>,
}

impl Errors {
    pub(super) fn add(&mut self, row: &Row<'_>) {
        if let Some(sampler) = self.samplers.get_mut(row.label) {
            sampler.samples += 1;
        } else if self.samplers.len() < KINDS_MAX {
            let sampler = Sampler {
                samples: 1,
                ..Sampler::default()
            };
            self.samplers.insert(row.label.to_owned(), sampler);
        }
        if row.success {
            return;
        }
        let kind = kind(row);
        count(&mut self.kinds, &kind);
        if let Some(sampler) = self.samplers.get_mut(row.label) {
            count(&mut sampler.kinds, &kind);
        }
    }

    /// All kinds, and the samplers that have some, of so many samples.
    pub(super) fn finish(self, samples: u64) -> (Vec<ErrorCount>, Vec<SamplerErrors>) {
        let all: u64 = self.kinds.values().sum();
        let kinds = sorted(self.kinds).into_iter();
        let kinds = kinds.map(|(kind, count)| ErrorCount {
            kind,
            count,
            share_of_errors: count as f64 / all as f64,
            share_of_samples: count as f64 / samples as f64,
        });
        let samplers = self.samplers.into_iter();
        let failing = samplers.filter(|(_, sampler)| !sampler.kinds.is_empty());
        let mut samplers: Vec<SamplerErrors> = failing
            .map(|(label, sampler)| {
                let errors = sampler.kinds.values().sum();
                let mut top = sorted(sampler.kinds);
                top.truncate(PER_SAMPLER);
                SamplerErrors {
                    label,
                    samples: sampler.samples,
                    errors,
                    top,
                }
            })
            .collect();
        samplers.sort_by(|a, b| b.errors.cmp(&a.errors).then_with(|| a.label.cmp(&b.label)));
        (kinds.collect(), samplers)
    }
}

fn count(kinds: &mut HashMap<String, u64>, kind: &str) {
    if let Some(count) = kinds.get_mut(kind) {
        *count += 1;
    } else {
        let kind = if kinds.len() < KINDS_MAX { kind } else { OTHER };
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
}

fn sorted(kinds: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    kinds
}

/// Of a sample that failed though its code says success, an assertion said so.
fn kind(row: &Row<'_>) -> String {
    let code = row.response_code;
    let says_success = code
        .parse::<u16>()
        .is_ok_and(|code| (200..400).contains(&code));
    let message = row.failure_message.trim();
    if says_success || code.is_empty() && !message.is_empty() {
        return match message {
            "" => "Assertion failed".to_owned(),
            _ => row.failure_message.to_owned(),
        };
    }
    match row.response_message {
        "" => code.to_owned(),
        message => format!("{code}/{message}"),
    }
}
