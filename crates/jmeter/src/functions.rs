//! The functions that texts of a plan call: `${__name(arguments)}`.
//!
//! [`lookup`] finds a function by its name, [`call`] runs one call for a user, [`problems`] says what
//! of a text `JMeter` would refuse or this program cannot do. What a function keeps for one user is kept
//! at the place of the call; what all users share is shared through the run.
//!
//! Arguments are rendered when a function asks for them, as `JMeter` does: an argument that nobody
//! reads is not evaluated. A function that fails writes nothing and leaves a [`Trouble`] with the user.
//!
//! Source: the classes of `src/functions` of Apache `JMeter` 5.5 and 5.6, and those of the functions
//! plugin of jmeter-plugins.org.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every function of the table has the same signature"
)]

mod choosing;
mod dates;
mod digests;
mod entities;
pub mod expression;
mod files;
mod identity;
mod java;
mod logging;
mod patterns;
mod properties;
mod queues;
mod scripts;
mod sums;
mod texts;
mod times;
mod variables;
mod xpath;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use double11_jmx::template::{Call, Part, Template};

use crate::user::{Trouble, User};

/// A function: its name, how many arguments it takes, and what it does.
#[derive(Debug)]
pub struct Function {
    /// The name, the two underscores included.
    pub name: &'static str,
    /// Fewer arguments are an error.
    pub minimum: usize,
    /// More arguments are an error; `None` for as many as there are.
    pub maximum: Option<usize>,
    run: Run,
}

type Run = fn(&mut Invocation<'_>) -> Result<(), Trouble>;

/// One call of a function while it runs.
#[derive(Debug)]
struct Invocation<'a> {
    call: &'a Call,
    user: &'a mut User,
    out: &'a mut String,
}

/// The function of this name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name));
    at.ok().map(|at| &FUNCTIONS[at])
}

/// All functions, by name.
pub fn all() -> &'static [Function] {
    FUNCTIONS
}

/// Runs a call for a user and appends what it yields. A function that fails appends nothing and leaves
/// what happened in [`User::trouble`]; one that does not exist stands for itself.
pub fn call(call: &Call, user: &mut User, out: &mut String) {
    let Some(function) = lookup(&call.name) else {
        out.push_str(&call.source);
        return;
    };
    let start = out.len();
    let mut invocation = Invocation { call, user, out };
    if !function.takes(call.arguments.len()) {
        // Only texts that are made while the plan runs come here; JMeter yields nothing for them.
        return;
    }
    if let Err(trouble) = (function.run)(&mut invocation) {
        out.truncate(start);
        user.trouble.get_or_insert(trouble);
    }
}

/// Whether a text reads the last answer, whose body must be kept for it.
pub fn reads_last_answer(template: &Template) -> bool {
    let mut calls = template.calls().into_iter();
    // The seventh argument names a variable to read instead.
    calls.any(|call| &*call.name == "__regexFunction" && call.arguments.len() < 7)
}

/// What of a text `JMeter` would refuse, or cannot be done here; a sentence for each.
pub fn problems(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    collect(template, &mut found);
    found
}

fn collect(template: &Template, found: &mut Vec<String>) {
    for part in &template.parts {
        match part {
            Part::Text(_) => {}
            Part::Variable(name) => {
                let function = name.split('(').next().unwrap_or_default();
                if name.starts_with("__") && name.contains('(') {
                    found.push(format!("there is no function `{function}`"));
                }
            }
            Part::Call(call) => {
                match lookup(&call.name) {
                    None => found.push(format!("there is no function `{}`", call.name)),
                    Some(function) => {
                        found.extend(function.problem(call));
                        found.extend(scripts::problem(call));
                    }
                }
                for argument in &call.arguments {
                    collect(argument, found);
                }
            }
        }
    }
}

impl Function {
    const fn new(name: &'static str, minimum: usize, maximum: Option<usize>, run: Run) -> Self {
        Self {
            name,
            minimum,
            maximum,
            run,
        }
    }

    /// Whether it takes so many arguments.
    pub fn takes(&self, arguments: usize) -> bool {
        arguments >= self.minimum && self.maximum.is_none_or(|maximum| arguments <= maximum)
    }

    fn problem(&self, call: &Call) -> Option<String> {
        let given = call.arguments.len();
        if self.takes(given) {
            return None;
        }
        let expected = match self.maximum {
            Some(maximum) if maximum == self.minimum => format!("{maximum}"),
            Some(maximum) => format!("{} to {maximum}", self.minimum),
            None => format!("at least {}", self.minimum),
        };
        let name = self.name;
        Some(format!(
            "`{name}` is called with {given} arguments and takes {expected}"
        ))
    }
}

impl<'a> Invocation<'a> {
    /// The argument at `index`, filled in; empty when there are fewer.
    fn argument(&mut self, index: usize) -> Cow<'a, str> {
        let call = self.call;
        match call.arguments.get(index) {
            Some(template) => self.user.render(template),
            None => Cow::Borrowed(""),
        }
    }

    /// The argument at `index`, filled in; `None` when there are fewer.
    fn given(&mut self, index: usize) -> Option<Cow<'a, str>> {
        (index < self.count()).then(|| self.argument(index))
    }

    fn count(&self) -> usize {
        self.call.arguments.len()
    }

    /// Yields `value` and, when the argument at `index` names a variable, keeps it there too.
    fn yields(&mut self, value: &str, index: usize) {
        let name = self.argument(index);
        self.store(name.trim(), value);
        self.out.push_str(value);
    }

    /// Keeps a value in a variable; nowhere when the name is empty.
    fn store(&mut self, name: &str, value: &str) {
        if !name.is_empty() {
            self.user.variables.set(name, value);
        }
    }

    /// A whole number as Java reads it.
    fn whole(&mut self, text: &str) -> Result<i64, Trouble> {
        let number = text.parse();
        number.map_err(|_| self.trouble(&format!("For input string: \"{text}\"")))
    }

    fn trouble(&self, what: &str) -> Trouble {
        Trouble::Failed(format!("{}: {what}", self.call.name))
    }
}

const fn function(name: &'static str, minimum: usize, maximum: usize, run: Run) -> Function {
    Function::new(name, minimum, Some(maximum), run)
}

const fn variadic(name: &'static str, minimum: usize, run: Run) -> Function {
    Function::new(name, minimum, None, run)
}

/// Sorted by name, as the search needs it.
static FUNCTIONS: &[Function] = &[
    function("__CSVRead", 2, 2, files::csv_read),
    function("__FileToString", 1, 3, files::file_to_string),
    variadic("__MD5", 1, digests::md5),
    function("__P", 1, 2, properties::p),
    function("__Random", 2, 3, choosing::random),
    function("__RandomDate", 3, 5, times::random_date),
    function(
        "__RandomFromMultipleVars",
        1,
        2,
        choosing::random_from_variables,
    ),
    function("__RandomString", 1, 3, choosing::random_string),
    function("__StringFromFile", 1, 4, files::string_from_file),
    function("__StringToFile", 2, 4, files::string_to_file),
    function("__TestPlanName", 0, 0, identity::test_plan_name),
    function("__UUID", 0, 0, choosing::uuid),
    function("__V", 1, 2, variables::v),
    function("__XPath", 2, 2, xpath::x_path),
    function("__base64Decode", 1, 2, digests::base64_decode),
    function("__base64Encode", 1, 2, digests::base64_encode),
    function("__caseFormat", 1, 3, texts::case_format),
    function("__changeCase", 1, 3, texts::change_case),
    variadic("__char", 1, texts::char),
    variadic("__chooseRandom", 3, choosing::choose_random),
    function("__counter", 1, 2, sums::counter),
    function("__dateTimeConvert", 3, 4, times::date_time_convert),
    function("__digest", 2, 5, digests::digest),
    variadic("__doubleSum", 2, sums::double_sum),
    function("__env", 1, 3, properties::env),
    function("__escapeHtml", 1, 1, texts::escape_html),
    function("__escapeOroRegexpChars", 1, 2, texts::escape_oro),
    function("__escapeXml", 1, 1, texts::escape_xml),
    function("__eval", 1, 1, variables::eval),
    function("__evalVar", 1, 1, variables::eval_variable),
    variadic("__fifoGet", 1, queues::get),
    variadic("__fifoPut", 2, queues::put),
    variadic("__fifoSize", 1, queues::size),
    function("__groovy", 1, 2, scripts::groovy),
    variadic("__if", 4, texts::if_equal),
    variadic("__intSum", 2, sums::int_sum),
    variadic("__isDefined", 1, variables::is_defined),
    function("__isPropDefined", 1, 1, properties::is_property_defined),
    function("__isVarDefined", 1, 1, variables::is_variable_defined),
    variadic("__iterationNum", 0, identity::iteration_number),
    function("__javaScript", 1, 2, scripts::java_script),
    function("__jexl", 1, 2, scripts::jexl2),
    function("__jexl2", 1, 2, scripts::jexl2),
    function("__jexl3", 1, 2, scripts::jexl3),
    function("__log", 1, 4, logging::log),
    function("__logn", 1, 3, logging::logn),
    variadic("__longSum", 2, sums::long_sum),
    variadic("__lowercase", 1, texts::lowercase),
    function("__machineIP", 0, 1, identity::machine_ip),
    function("__machineName", 0, 1, identity::machine_name),
    function("__property", 1, 3, properties::property),
    function("__regexFunction", 2, 7, patterns::regex_function),
    function("__samplerName", 0, 1, identity::sampler_name),
    function("__setProperty", 2, 3, properties::set_property),
    function("__split", 2, 3, variables::split),
    variadic("__strLen", 1, texts::length),
    variadic("__strReplace", 3, texts::replace),
    variadic("__strReplaceRegex", 3, patterns::replace),
    variadic("__substring", 3, texts::substring),
    function("__threadGroupName", 0, 0, identity::thread_group_name),
    function("__threadNum", 0, 0, identity::thread_number),
    function("__time", 0, 2, times::time),
    function("__timeShift", 4, 5, times::time_shift),
    function("__unescape", 1, 1, texts::unescape),
    function("__unescapeHtml", 1, 1, texts::unescape_html),
    variadic("__uppercase", 1, texts::uppercase),
    function("__urldecode", 1, 1, texts::url_decode),
    function("__urlencode", 1, 1, texts::url_encode),
];
