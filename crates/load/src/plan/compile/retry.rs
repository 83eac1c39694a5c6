//! Compiling retries.

use std::ops::Range;
use std::time::Duration;

use super::Compiler;
use crate::plan::file::RetryFile;
use crate::plan::{Request, Retry};

const ATTEMPTS_MAX: u32 = 10;
const RETRY_AFTER_SECONDS_MAX: f64 = 3_600.0;

impl Compiler<'_> {
    /// Compiles the retries of a step, which must be safe: a server that has carried out the first
    /// attempt has to recognise the second.
    pub(super) fn retry(
        &mut self,
        file: &RetryFile,
        span: &Range<usize>,
        request: Option<&Request>,
    ) -> Option<Retry> {
        let Some(request) = request else {
            self.problems
                .at(span, "a step without a request has nothing to try again");
            return None;
        };
        let repeats_safely = matches!(request.method.as_str(), "GET" | "PUT" | "DELETE");
        if !repeats_safely && !request.idempotency_key {
            let message = format!(
                "a {} request is only tried again under a key: set `idempotency_key = true`",
                request.method
            );
            self.problems.at(span, message);
        }
        let attempts = u8::try_from(file.attempts)
            .ok()
            .filter(|_| (2..=ATTEMPTS_MAX).contains(&file.attempts));
        if attempts.is_none() {
            self.problems.at(
                span,
                "`attempts` counts the first one too and is from 2 to 10",
            );
        }
        if file.statuses.is_empty() && !file.transport {
            self.problems.at(
                span,
                "a retry needs `statuses`, `transport = true`, or both",
            );
        }
        for status in &file.statuses {
            if !(300..600).contains(status) || request.success.contains(status) {
                let message = format!("{status} is no failure of this step");
                self.problems.at(span, message);
            }
        }
        let retry_after_max = file.retry_after_max_s;
        if !(0.0..=RETRY_AFTER_SECONDS_MAX).contains(&retry_after_max) {
            self.problems
                .at(span, "`retry_after_max_s` is from 0 to 3600");
            return None;
        }
        let pause = self.pause(file.min_s, file.max_s, span)?;
        Some(Retry {
            attempts: attempts?,
            statuses: file.statuses.clone(),
            transport: file.transport,
            pause,
            retry_after_max: Duration::from_secs_f64(retry_after_max),
        })
    }
}
