//! The conformance suite: right behaviour of a store, in one place. (Being written.)
