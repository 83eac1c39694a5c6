//! Any bytes: a plan that is read, checked and shown, or a refusal with its line.
#![no_main]

use double11_jmx::check::{AnyExpression, check};
use double11_jmx::document::{Limits, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match read(bytes, Limits::STANDARD) {
        Ok(document) => {
            let report = check(&document, &AnyExpression);
            assert!(report.text().ends_with(&format!("\n{}\n", report.verdict())));
            assert_eq!(report.json()["runs"], report.runs());
        }
        Err(error) => assert!(error.line() > 0 && !error.to_string().is_empty()),
    }
});
