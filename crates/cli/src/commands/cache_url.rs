//! Cache URLs on the command line.

use double11_cache_redis::{CacheAddress, OpenError};

use crate::exit::Failure;

/// Reads the URL of a cache.
pub(crate) fn parse(url: &str) -> Result<CacheAddress, Failure> {
    url.parse()
        .map_err(|error: double11_cache_redis::AddressError| {
            Failure::usage(error).hint(
                "write `redis://HOST:PORT`, with TLS `rediss://…`, for a cluster \
             `redis://HOST:PORT?cluster=true`",
            )
        })
}

/// Why a cache could not be opened, with what to do about it.
pub(crate) fn failure(error: &OpenError) -> Failure {
    let hint = match error {
        OpenError::Refused { refusal, .. } => refusal.hint(),
        OpenError::Unreachable { .. } => "start it, or correct its address",
    };
    Failure::environment(error.clone()).hint(hint)
}
