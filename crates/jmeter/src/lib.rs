//! Runs `JMeter` plans: the virtual users of a `.jmx` file on the load engine's tasks and transport.
//!
//! A plan is read by `double11-jmx`, compiled once ([`compiler`]) into an immutable tree that all users
//! share, and walked by one task per user. The order in which things happen, the words in results and
//! the meaning of every element are `JMeter`'s; where a sentence of its manual and its program differ,
//! the program counts, and a differential test against the real one decides.
//!
//! What belongs where: [`user`] is one virtual user's memory, [`run`] what all share, [`sample`] what came
//! of a request,
//! [`results`] what becomes of it. [`measured_run`] makes of a plan a run as the load engine makes them. It prints nothing, reads no environment and knows no shop.

pub mod compiler;
pub mod engine;
pub mod functions;
pub mod groups;
mod html;
pub mod http;
mod java_random;
pub mod log;
pub mod measured_run;
pub mod plan;
pub mod plan_file;
pub mod processors;
pub mod properties;
pub mod render;
pub mod results;
pub mod run;
pub mod sample;
pub mod samplers;
pub mod timers;
pub mod user;
pub mod walk;
