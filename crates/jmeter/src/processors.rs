//! What plans hang around samplers: config elements that read data, pre-processors, post-processors,
//! assertions, and what reacts to results.
//!
//! Each of [`DataConfig`], [`PreProcessor`], [`PostProcessor`], [`Assertion`] and [`Reaction`] is compiled
//! from an element; the answer `None` says that the element is of another kind. What cannot be run as
//! the plan says is refused to the compiler, never left out in silence.

mod assertion;
mod boundary_extractor;
mod counter;
mod csv_data_set;
mod csv_file;
mod data;
mod debug_post_processor;
mod duration_assertion;
mod fifo;
mod html_extractor;
mod jmes_assertion;
mod jmes_path;
mod json;
mod json_assertion;
mod json_expectation;
mod json_extractor;
mod json_path_text;
mod matches;
mod md5_assertion;
mod number_format;
mod pattern;
mod post_processor;
mod pre_processor;
mod random_csv;
mod random_variable;
mod reaction;
mod regex_extractor;
mod response_assertion;
mod result_saver;
mod scope;
mod size_assertion;
mod subject;
mod user_parameters;
pub(crate) mod xpath;
mod xpath_assertion;
mod xpath_extractor;

pub use assertion::Assertion;
pub use data::{DataConfig, Next};
pub(crate) use fifo::Queue;
pub use pattern::{BadPattern, Pattern};
pub use post_processor::PostProcessor;
pub use pre_processor::PreProcessor;
pub use reaction::{OnError, Reaction};

#[cfg(test)]
mod tests;

/// A whole number as `JMeter` reads one from a property: `0` for everything that is none.
fn whole_number(text: &str) -> i64 {
    text.parse().unwrap_or_default()
}
