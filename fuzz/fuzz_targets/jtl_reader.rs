//! Any bytes: rows and located problems, and the figures of both readings.
#![no_main]

use double11_measure::jtl::{Limits, Reader, summarize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reader) = Reader::new(bytes) {
        let mut labels = 0;
        let read = reader.for_each(8, |row| labels += row.label.len());
        // A fatal problem is kept beside the first ones.
        assert!(read.problems.len() <= 9 && labels <= bytes.len());
    }
    let _ = summarize(bytes, Limits::default());
});
