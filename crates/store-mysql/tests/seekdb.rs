//! The conformance suite against seekdb, the single-node engine of OceanBase.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its store has failed"
)]

#[path = "mysql/common.rs"]
mod common;
#[path = "mysql/hopes.rs"]
mod hopes;

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

/// The random histories are by themselves below: with those the program would take two minutes.
mod with_baseline {
    double11_store::conformance_suite!(@cases super::super::baseline, stock: sells_and_refuses
        all_or_nothing cancelling_gives_back expiry_gives_back refuses_unknown_products
        refuses_a_changed_total lists_what_is_sold_out finds_products);
    double11_store::conformance_suite!(@cases super::super::baseline, keys: replays_the_first_answer
        another_body_is_refused refusals_claim_nothing users_do_not_share_keys
        payment_keys_replay_join_and_release);
    double11_store::conformance_suite!(@cases super::super::baseline, payments: full_payment_sells
        deposit_and_balance finalizing_twice_changes_nothing a_payment_in_process_holds_the_order
        closing_refunds_every_capture a_late_capture_is_refunded);
    double11_store::conformance_suite!(@cases super::super::baseline, races:
        flash_sale_sells_exactly_the_stock one_order_per_key one_payment_for_the_balance
        payment_against_expiry);
}
mod with_optimized {
    double11_store::conformance_suite!(@cases super::super::optimized, stock: sells_and_refuses
        all_or_nothing cancelling_gives_back expiry_gives_back refuses_unknown_products
        refuses_a_changed_total lists_what_is_sold_out finds_products);
    double11_store::conformance_suite!(@cases super::super::optimized, keys: replays_the_first_answer
        another_body_is_refused refusals_claim_nothing users_do_not_share_keys
        payment_keys_replay_join_and_release);
    double11_store::conformance_suite!(@cases super::super::optimized, payments: full_payment_sells
        deposit_and_balance finalizing_twice_changes_nothing a_payment_in_process_holds_the_order
        closing_refunds_every_capture a_late_capture_is_refunded);
    double11_store::conformance_suite!(@cases super::super::optimized, races:
        flash_sale_sells_exactly_the_stock one_order_per_key one_payment_for_the_balance
        payment_against_expiry);
}

#[ignore = "takes minutes where the machine is busy; passes"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories() {
    use double11_store::conformance::histories::{concurrent, crowd, sequential};
    sequential(optimized).await;
    concurrent(optimized).await;
    crowd(optimized).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hope_that_fails_is_an_exact_answer() {
    hopes::fail(database()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shops_sell_out_what_they_hoped_for_exactly() {
    hopes::end(database()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_because_of_what_is_remembered() {
    hopes::low(database()).await;
}
