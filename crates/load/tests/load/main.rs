//! The load engine against small servers whose behaviour is known.

#[cfg(test)]
mod closed;
#[cfg(test)]
mod determinism;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod support;
#[cfg(test)]
mod thresholds;
#[cfg(test)]
mod timing;
#[cfg(test)]
mod tls;
