//! `JMeter` plans as documents: what a `.jmx` file says, before anybody runs it.
//!
//! [`document`] is the tree of elements with their properties and lines, [`template`] the texts in
//! them that hold `${variables}` and `${__functions()}`, [`registry`] what is known of elements and
//! functions and which of them run, and [`check`] tells whether a plan runs. The crate is pure: it reads bytes that it is
//! handed, opens no file, runs nothing, and must not know the load engine.

pub mod check;
pub mod document;
pub mod registry;
pub mod template;
