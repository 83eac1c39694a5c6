//! From what was measured to what the report shows.

pub(crate) mod checks;
pub(crate) mod heat;
pub(crate) mod phases;
pub(crate) mod seconds;
