//! The conformance suite against seekdb, the single-node engine of OceanBase.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its store has failed"
)]

#[path = "mysql/common.rs"]
mod common;

use std::sync::OnceLock;

use double11_servers::{SeekDb, Tool};
use double11_store::Variant;
use double11_store::conformance::Conditions;
use double11_store_mysql::migrate;

use common::{Fresh, fresh_name, needs, open_at};

fn database() -> String {
    static SERVER: OnceLock<SeekDb> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        needs(Tool::SeekDb);
        SeekDb::start().unwrap()
    });
    let url = server.create_database(&fresh_name()).unwrap();
    migrate(&url, None).unwrap();
    url
}

async fn baseline(conditions: Conditions) -> Fresh {
    open_at(database(), &conditions, Variant::Baseline.levers())
}

async fn optimized(conditions: Conditions) -> Fresh {
    open_at(database(), &conditions, Variant::Optimized.levers())
}

mod with_baseline {
    double11_store::conformance_suite!(super::super::baseline);
}
mod with_optimized {
    double11_store::conformance_suite!(super::super::optimized);
}
