//! From the text of a plan to its compiled form, with every problem located.

mod profile;
mod request;
mod retry;
mod sources;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use super::file::{Amount, DelayedFile, PauseFile, PlanFile, StepFile};
use super::problem::Problems;
use super::{
    Delayed, Pause, Plan, PlanError, Problem, ProfileOverrides, STEPS_MAX, Source, Step, Variable,
    built_in,
};

/// Weights are decimal fractions; what differs by less than this is equal.
const WEIGHT_TOLERANCE: f64 = 1e-9;
const PAUSE_SECONDS_MAX: f64 = 86_400.0;

pub(super) fn compile(
    source: &str,
    text: &str,
    parameters: &[(&str, f64)],
) -> Result<Plan, PlanError> {
    let mut file = read(source, text)?;
    let mut problems = Problems::new(text);
    for (name, value) in parameters {
        match file.parameters.get_mut(*name) {
            Some(parameter) => *parameter = *value,
            None => problems.anywhere(format!("the plan has no parameter `{name}`")),
        }
    }
    let mut compiler = Compiler::new(problems, &file.parameters);
    compiler.check_head(&file);
    compiler.declare_data(&file);
    compiler.compile_data(&file);
    compiler.compile_steps(&file.step);
    let profile = file
        .profile
        .as_ref()
        .and_then(|profile| compiler.profile(profile.get_ref(), &profile.span()));
    if !compiler.problems.is_empty() {
        return Err(compiler.problems.into_error(source));
    }
    let hash = hash(&file);
    let (steps, variables) = (compiler.steps, compiler.variables);
    Ok(Plan {
        name: file.name.into_inner(),
        description: file.description,
        steps,
        variables,
        parameters: file.parameters,
        profile,
        overrides: ProfileOverrides::default(),
        hash,
    })
}

fn read(source: &str, text: &str) -> Result<PlanFile, PlanError> {
    toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => {
            let mut problems = Problems::new(text);
            problems.at(&span, error.message());
            problems.into_error(source)
        }
        None => PlanError {
            source_name: source.to_owned(),
            problems: vec![Problem {
                place: None,
                message: error.message().to_owned(),
            }],
        },
    })
}

/// Hashes the content, not the layout: the parsed file with its parameters, and the lists it names.
fn hash(file: &PlanFile) -> String {
    let mut content = serde_json::to_vec(file).unwrap_or_default();
    for data in file.data.values() {
        if let super::file::DataFile::List {
            built_in: Some(name),
            ..
        } = data.get_ref()
        {
            for value in built_in::list(name).unwrap_or_default() {
                content.push(b'\n');
                content.extend_from_slice(value.as_bytes());
            }
        }
    }
    format!("{:032x}", xxh3_128(&content))
}

struct Compiler<'a> {
    problems: Problems<'a>,
    parameters: &'a BTreeMap<String, f64>,
    variables: Vec<Variable>,
    names: HashMap<String, usize>,
    steps: Vec<Step>,
}

impl<'a> Compiler<'a> {
    fn new(problems: Problems<'a>, parameters: &'a BTreeMap<String, f64>) -> Self {
        let shopper = Variable {
            name: "shopper".to_owned(),
            source: Source::Shopper,
        };
        Self {
            problems,
            parameters,
            names: HashMap::from([(shopper.name.clone(), 0)]),
            variables: vec![shopper],
            steps: Vec::new(),
        }
    }

    fn check_head(&mut self, file: &PlanFile) {
        if *file.format.get_ref() != 1 {
            self.problems.at(&file.format.span(), "`format` must be 1");
        }
        if !is_name(file.name.get_ref()) {
            self.problems.at(&file.name.span(), NAME_RULE);
        }
        let weighs = |step: &StepFile| step.request.is_some() && step.weight.get_ref().abs() > 0.0;
        if !file.step.iter().any(weighs) {
            self.problems
                .anywhere("no step with a weight above 0 sends a request");
        }
        if file.step.len() > STEPS_MAX {
            self.problems
                .anywhere(format!("a plan has at most {STEPS_MAX} steps"));
        }
    }

    /// Gives a new variable its index; a second one of the same name is a problem.
    fn declare(&mut self, name: &str, span: &Range<usize>, source: Source) -> usize {
        let index = self.variables.len();
        if !is_name(name) {
            self.problems.at(span, NAME_RULE);
        }
        if self.names.insert(name.to_owned(), index).is_some() {
            self.problems.at(span, format!("`{name}` is defined twice"));
        }
        self.variables.push(Variable {
            name: name.to_owned(),
            source,
        });
        index
    }

    /// The value of a number that may be given by the name of a parameter.
    fn amount(&mut self, amount: &Amount, span: &Range<usize>) -> Option<f64> {
        match amount {
            Amount::Number(number) => Some(*number),
            Amount::Parameter(name) => {
                let value = self.parameters.get(name).copied();
                if value.is_none() {
                    self.problems
                        .at(span, format!("there is no parameter `{name}`"));
                }
                value
            }
        }
    }

    fn compile_steps(&mut self, files: &[StepFile]) {
        for (index, file) in files.iter().enumerate() {
            let step = self.compile_step(index, file, files);
            self.steps.push(step);
        }
        for index in (0..self.steps.len().min(STEPS_MAX)).rev() {
            let below = self.steps[index].descendants | (1 << index);
            if let Some(parent) = self.steps[index].parent {
                self.steps[parent].descendants |= below;
            }
        }
    }

    fn compile_step(&mut self, index: usize, file: &StepFile, files: &[StepFile]) -> Step {
        let name = file.name.get_ref();
        if !is_name(name) {
            self.problems.at(&file.name.span(), NAME_RULE);
        }
        if self.steps.iter().any(|step| step.name == *name) {
            self.problems
                .at(&file.name.span(), format!("there are two steps `{name}`"));
        }
        let parent = self.parent(index, file, files);
        let (weight, peak_weight) = self.weights(file, parent);
        let think_time = file.think_time.as_ref().and_then(|spanned| {
            let PauseFile { min_s, max_s } = *spanned.get_ref();
            self.pause(min_s, max_s, &spanned.span())
        });
        let delayed = file
            .delayed
            .as_ref()
            .and_then(|spanned| self.delayed(spanned.get_ref(), &spanned.span()));
        let request = file
            .request
            .as_ref()
            .map(|request| self.request(request, index, parent));
        let retry = file
            .retry
            .as_ref()
            .and_then(|spanned| self.retry(spanned.get_ref(), &spanned.span(), request.as_ref()));
        let descendants = 0;
        let name = name.clone();
        Step {
            name,
            weight,
            peak_weight,
            parent,
            descendants,
            request,
            think_time,
            delayed,
            retry,
        }
    }

    /// The step that `within` names. It must stand above, so nothing can be nested in itself.
    fn parent(&mut self, index: usize, file: &StepFile, files: &[StepFile]) -> Option<usize> {
        let within = file.within.as_ref()?;
        let wanted = within.get_ref();
        let found = files
            .iter()
            .position(|other| other.name.get_ref() == wanted);
        let message = match found {
            None => format!("there is no step `{wanted}`"),
            Some(parent) if parent < index => return Some(parent),
            Some(parent) if leads_to(parent, index, files) => {
                format!(
                    "`{}` is nested in itself through `{wanted}`",
                    file.name.get_ref()
                )
            }
            Some(_) => format!("`{wanted}` must stand above the steps within it"),
        };
        self.problems.at(&within.span(), message);
        None
    }

    fn weights(&mut self, file: &StepFile, parent: Option<usize>) -> (f64, f64) {
        let weight = *file.weight.get_ref();
        let span = file.weight.span();
        if !(0.0..=1.0).contains(&weight) {
            self.problems
                .at(&span, "a weight is a share of visits, from 0 to 1");
        }
        let factor = file
            .peak_factor
            .as_ref()
            .map_or(1.0, |factor| *factor.get_ref());
        if let Some(spanned) = &file.peak_factor
            && !(factor.is_finite() && factor >= 0.0)
        {
            self.problems
                .at(&spanned.span(), "a peak factor is a number from 0");
        }
        let mut ceiling = 1.0;
        if let Some(parent) = parent.and_then(|index| self.steps.get(index)) {
            ceiling = parent.peak_weight;
            if weight > parent.weight + WEIGHT_TOLERANCE {
                let message = format!(
                    "the weight {weight} is a share of all visits and cannot be above the {} of `{}`, \
                     within which the step happens",
                    parent.weight, parent.name
                );
                self.problems.at(&span, message);
            }
        }
        (weight, (weight * factor).min(ceiling))
    }

    fn pause(&mut self, min_s: f64, max_s: f64, span: &Range<usize>) -> Option<Pause> {
        if !(0.0 <= min_s && min_s <= max_s && max_s <= PAUSE_SECONDS_MAX) {
            let rule = "a pause needs 0 ≤ `min_s` ≤ `max_s` ≤ 86400";
            self.problems.at(span, rule);
            return None;
        }
        Some(Pause {
            min: Duration::from_secs_f64(min_s),
            max: Duration::from_secs_f64(max_s),
        })
    }

    fn delayed(&mut self, file: &DelayedFile, span: &Range<usize>) -> Option<Delayed> {
        let share = self.amount(&file.share, span)?;
        if !(0.0..=1.0).contains(&share) {
            self.problems.at(span, "`share` is from 0 to 1");
        }
        let pause = self.pause(file.min_s, file.max_s, span)?;
        let expected_refusals = self.refusals(&file.expected_refusals, span);
        Some(Delayed {
            share,
            pause,
            expected_refusals,
        })
    }
}

const NAME_RULE: &str = "a name consists of a–z, 0–9, `_` and `-` and starts with a letter";

/// Names go into file names, labels and templates, so they are kept plain.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'_' | b'-'))
}

/// Whether following `within` from step `from` arrives at step `to`.
fn leads_to(from: usize, to: usize, files: &[StepFile]) -> bool {
    let mut at = Some(from);
    for _ in 0..=files.len() {
        match at {
            Some(index) if index == to => return true,
            Some(index) => {
                let within = files[index].within.as_ref().map(toml::Spanned::get_ref);
                at = files
                    .iter()
                    .position(|file| Some(file.name.get_ref()) == within);
            }
            None => return false,
        }
    }
    false
}
