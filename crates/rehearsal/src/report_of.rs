//! From what was measured to what the report shows.

pub(crate) mod checks;
pub(crate) mod comparison;
pub(crate) mod facts;
pub(crate) mod heat;
pub(crate) mod phases;
pub(crate) mod prometheus;
pub(crate) mod remarks;
pub(crate) mod seconds;
pub(crate) mod variant;
