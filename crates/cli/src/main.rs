//! The `double11` program.
fn main() {}
