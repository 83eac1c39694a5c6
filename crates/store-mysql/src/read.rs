//! Reading what is stored, without locks. Each answer comes from one statement, so that it is of one
//! moment.

pub(crate) mod catalogue;
pub(crate) mod sales;
