//! Why an HTTP server gave no answer, in the words that a user reads.

/// The reason in a few words; the address is for the caller to name.
pub(super) fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        other => other.to_string(),
    }
}
