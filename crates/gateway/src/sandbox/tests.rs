//! The sandbox gateway and its ledger: durable, idempotent, and never wrong.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use double11_store::SystemClock;
use double11_units::{AttemptId, Currency, Money, OrderId};

use double11_store::Stopwatch;

use crate::{
    AttemptStatus, Charge, ChargeResult, Gateway, GatewayError, Health, LedgerError,
    SandboxGateway, SandboxSettings,
};

/// What became of an attempt, as the gateway says.
async fn status(
    gateway: &dyn Gateway,
    attempt_id: AttemptId,
) -> Result<AttemptStatus, GatewayError> {
    let known = gateway.status(attempt_id).await?;
    Ok(known.status)
}

async fn void(gateway: &dyn Gateway, attempt_id: AttemptId) -> Result<AttemptStatus, GatewayError> {
    let known = gateway.void(attempt_id).await?;
    Ok(known.status)
}

fn id(number: i64) -> AttemptId {
    AttemptId::new(number).unwrap()
}

fn yuan(amount: i64) -> Money {
    Money::from_minor(amount * 100, Currency::Cny)
}

fn charge(attempt: i64, amount: i64) -> Charge {
    Charge {
        attempt_id: id(attempt),
        order_id: OrderId::new(7).unwrap(),
        amount: yuan(amount),
    }
}

/// A gateway without latency whose ledger is in `folder`.
fn sandbox(folder: &std::path::Path) -> SandboxGateway {
    SandboxGateway::open(sandbox_settings(folder), Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn answers_survive_a_crash_and_are_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = sandbox(folder.path());
    for _ in 0..2 {
        assert_eq!(
            gateway.charge(charge(1, 199)).await,
            Ok(ChargeResult::Captured)
        );
        assert_eq!(void(&gateway, id(2)).await, Ok(AttemptStatus::Voided));
        assert_eq!(
            gateway.charge(charge(2, 5)).await,
            Ok(ChargeResult::Declined)
        );
    }
    assert_eq!(
        gateway.charge(charge(3, 7)).await,
        Ok(ChargeResult::Captured)
    );
    assert_eq!(gateway.refund(id(3), yuan(7)).await, Ok(()));
    assert_eq!(
        gateway.refund(id(2), yuan(5)).await,
        Err(GatewayError::NotCaptured)
    );
    // What the file holds now is what a crash at this instant would leave, for nothing is answered
    // before it is synced.
    let path = folder.path().join("shop.gateway");
    let left_behind = fs::read(&path).unwrap();
    drop(gateway);
    assert_eq!(fs::read(&path).unwrap(), left_behind);

    let gateway = sandbox(folder.path());
    for (attempt, expected) in [
        (1, AttemptStatus::Captured),
        (2, AttemptStatus::Voided),
        (3, AttemptStatus::Captured),
        (4, AttemptStatus::NeverHeard),
    ] {
        assert_eq!(
            status(&gateway, id(attempt)).await,
            Ok(expected),
            "{attempt}"
        );
    }
    assert_eq!(
        gateway.charge(charge(1, 199)).await,
        Ok(ChargeResult::Captured)
    );
    assert_eq!(gateway.refund(id(3), yuan(7)).await, Ok(()));
    assert_eq!(
        fs::read(&path).unwrap(),
        left_behind,
        "repeats write nothing"
    );
}

#[tokio::test]
async fn the_ledger_has_the_documented_form() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = sandbox(folder.path());
    gateway.charge(charge(123, 199)).await.unwrap();
    gateway.refund(id(123), yuan(199)).await.unwrap();
    void(&gateway, id(124)).await.unwrap();
    drop(gateway);
    let text = fs::read_to_string(folder.path().join("shop.gateway")).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], serde_json::json!({"double11_gateway_ledger": 1}));
    let expected = [
        r#"{"event":"charge","attempt_id":"123","order_id":"7","amount":"199.00","currency":"CNY","result":"captured","at":0,"synced":0}"#,
        r#"{"event":"refund","attempt_id":"123","amount":"199.00","currency":"CNY","at":0,"synced":0}"#,
        r#"{"event":"void","attempt_id":"124","at":0,"synced":0}"#,
    ];
    let mut synced = text.find('\n').unwrap() + 1;
    for (number, expected) in (1..).zip(expected) {
        let mut line = lines[number].clone();
        // Each was answered, and so synced, before the next was asked for.
        assert_eq!(line["synced"], synced);
        line["synced"] = 0.into();
        synced += text.lines().nth(number).unwrap().len() + 1;
        assert!(line["at"].as_i64().unwrap() > 1_700_000_000_000_000);
        line["at"] = 0.into();
        assert_eq!(
            line,
            serde_json::from_str::<serde_json::Value>(expected).unwrap()
        );
    }
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    let gateway = sandbox(folder.path());
    gateway.charge(charge(1, 1)).await.unwrap();
    gateway.charge(charge(2, 2)).await.unwrap();
    drop(gateway);
    let whole = fs::read(&path).unwrap();
    let second = whole.len()
        - whole
            .iter()
            .rev()
            .skip(1)
            .position(|byte| *byte == b'\n')
            .unwrap()
        - 1;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let gateway = sandbox(folder.path());
        if length >= second {
            assert_eq!(
                status(&gateway, id(1)).await,
                Ok(AttemptStatus::Captured),
                "{length}"
            );
        }
        assert_eq!(
            status(&gateway, id(2)).await,
            Ok(AttemptStatus::NeverHeard),
            "{length}"
        );
        // What is written next must stand on a line of its own.
        assert_eq!(
            gateway.charge(charge(9, 9)).await,
            Ok(ChargeResult::Captured)
        );
        drop(gateway);
        let gateway = sandbox(folder.path());
        assert_eq!(
            status(&gateway, id(9)).await,
            Ok(AttemptStatus::Captured),
            "{length}"
        );
    }
}

/// Three attempts of one group: their lines say that only what is before the group was synced.
fn group(before: &str) -> [String; 3] {
    [11, 12, 13].map(|attempt| {
        format!(
            "{{\"event\":\"charge\",\"attempt_id\":\"{attempt}\",\"amount\":\"1.00\",\
             \"currency\":\"CNY\",\"result\":\"captured\",\"at\":1,\"synced\":{}}}\n",
            before.len()
        )
    })
}

/// Any bytes of the last group may be missing after a power failure, whole lines behind them or not.
#[tokio::test]
async fn a_torn_group_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    let gateway = sandbox(folder.path());
    gateway.charge(charge(1, 1)).await.unwrap();
    drop(gateway);
    let before = fs::read_to_string(&path).unwrap();
    let whole = [&before, group(&before).concat().as_str()].concat();
    let line = (whole.len() - before.len()) / 3;
    for start in (before.len()..whole.len()).step_by(7) {
        let mut torn = whole.clone().into_bytes();
        let end = (start + 100).min(torn.len());
        torn[start..end].fill(0);
        fs::write(&path, &torn).unwrap();
        let gateway = sandbox(folder.path());
        let kept = (start - before.len()) / line;
        for (attempt, number) in [(11, 0), (12, 1), (13, 2)] {
            let expected = if number < kept {
                AttemptStatus::Captured
            } else {
                AttemptStatus::NeverHeard
            };
            assert_eq!(
                status(&gateway, id(attempt)).await,
                Ok(expected),
                "{attempt} with {start}..{end} torn"
            );
        }
        assert_eq!(status(&gateway, id(1)).await, Ok(AttemptStatus::Captured));
    }
}

/// What a later line says to have been synced must be there.
#[tokio::test]
async fn damage_before_the_last_sync_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    drop(sandbox(folder.path()));
    let before = fs::read_to_string(&path).unwrap();
    let first = [&before, group(&before).concat().as_str()].concat();
    let whole = [&first, group(&first).concat().as_str()].concat();
    let mut damaged = whole.into_bytes();
    damaged[first.len() - 20..first.len() - 10].fill(0);
    fs::write(&path, &damaged).unwrap();
    let settings = SandboxSettings::serve(path.clone(), 1);
    let opened = SandboxGateway::open(settings, Arc::new(SystemClock)).map(drop);
    assert!(
        matches!(opened, Err(LedgerError::BadLine { line: 4, .. })),
        "{opened:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), damaged, "nothing was cut off");
}

/// The power failed after the file had grown and before its first line was there.
#[tokio::test]
async fn a_first_line_of_zeros_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    drop(sandbox(folder.path()));
    let whole = fs::read(&path).unwrap();
    for start in 0..whole.len() {
        let mut torn = whole.clone();
        torn[start..].fill(0);
        fs::write(&path, torn).unwrap();
        drop(sandbox(folder.path()));
        assert_eq!(fs::read(&path).unwrap(), whole, "{start}");
    }
}

/// Ledgers of the version before do not say what was synced.
#[tokio::test]
async fn lines_without_the_synced_length_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    let text = "{\"double11_gateway_ledger\":1}\n\
                {\"event\":\"void\",\"attempt_id\":\"5\",\"at\":1}\n";
    fs::write(&path, text).unwrap();
    let gateway = sandbox(folder.path());
    assert_eq!(status(&gateway, id(5)).await, Ok(AttemptStatus::Voided));
}

#[tokio::test]
async fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.gateway");
    let open = || {
        let settings = SandboxSettings::serve(path.clone(), 1);
        SandboxGateway::open(settings, Arc::new(SystemClock)).map(drop)
    };
    fs::write(&path, "{\"double11_gateway_ledger\":2}\n{}\n").unwrap();
    assert!(matches!(open(), Err(LedgerError::BadLine { line: 1, .. })));
    fs::write(
        &path,
        "{\"double11_gateway_ledger\":1}\nrubbish\n{\"event\":\"void\"}\n",
    )
    .unwrap();
    assert!(matches!(open(), Err(LedgerError::BadLine { line: 2, .. })));
    fs::remove_file(&path).unwrap();
    let first = sandbox(folder.path());
    assert!(matches!(open(), Err(LedgerError::InUse { .. })));
    drop(first);
    assert!(open().is_ok());
}

#[tokio::test]
async fn many_charges_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Arc::new(sandbox(folder.path()));
    let mut charges = tokio::task::JoinSet::new();
    for number in 1..=2_000 {
        let gateway = Arc::clone(&gateway);
        charges.spawn(async move { gateway.charge(charge(number, 1)).await });
    }
    let mut captured = 0;
    while let Some(charged) = charges.join_next().await {
        assert_eq!(charged.unwrap(), Ok(ChargeResult::Captured));
        captured += 1;
    }
    assert_eq!(captured, 2_000);
    drop(gateway);
    let text = fs::read_to_string(folder.path().join("shop.gateway")).unwrap();
    assert_eq!(text.lines().count(), 2_001);
}

#[tokio::test]
async fn a_failed_disk_means_not_knowing() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = sandbox(folder.path());
    gateway.charge(charge(1, 1)).await.unwrap();
    drop(gateway);
    let gateway = SandboxGateway::open_broken(sandbox_settings(folder.path()));
    assert_eq!(gateway.health(), Health::Up);
    assert_eq!(
        status(&gateway, id(1)).await,
        Ok(AttemptStatus::Captured),
        "read before the fault"
    );
    assert_eq!(
        gateway.charge(charge(2, 2)).await,
        Err(GatewayError::OutcomeUnknown)
    );
    assert!(matches!(gateway.health(), Health::Down(_)));
    for attempt in [1, 2, 3] {
        assert_eq!(
            status(&gateway, id(attempt)).await,
            Err(GatewayError::OutcomeUnknown)
        );
    }
    drop(gateway);
    let gateway = sandbox(folder.path());
    assert_eq!(status(&gateway, id(1)).await, Ok(AttemptStatus::Captured));
    assert_eq!(status(&gateway, id(2)).await, Ok(AttemptStatus::NeverHeard));
}

fn sandbox_settings(folder: &std::path::Path) -> SandboxSettings {
    SandboxSettings {
        latency_median: Duration::ZERO,
        ..SandboxSettings::serve(folder.join("shop.gateway"), 5)
    }
}

#[tokio::test]
async fn latency_and_refusals_follow_the_seed() {
    let mut refusals = Vec::new();
    for seed in [1, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let settings = SandboxSettings {
            decline_rate: 0.3,
            latency_median: Duration::ZERO,
            ..SandboxSettings::serve(folder.path().join("ledger"), seed)
        };
        let gateway = SandboxGateway::open(settings, Arc::new(SystemClock)).unwrap();
        let mut refused = Vec::new();
        for number in 1..=300 {
            if gateway.charge(charge(number, 1)).await == Ok(ChargeResult::Declined) {
                refused.push(number);
            }
        }
        assert!((50..130).contains(&refused.len()), "{}", refused.len());
        refusals.push(refused);
    }
    assert_eq!(refusals[0], refusals[1]);
    assert_ne!(refusals[0], refusals[2]);

    let folder = tempfile::tempdir().unwrap();
    let settings = SandboxSettings::serve(folder.path().join("ledger"), 1);
    let gateway = SandboxGateway::open(settings, Arc::new(SystemClock)).unwrap();
    let stopwatch = Stopwatch::start();
    for number in 1..=30 {
        gateway.charge(charge(number, 1)).await.unwrap();
    }
    assert!(
        stopwatch.elapsed() >= Duration::from_millis(30),
        "{:?}",
        stopwatch.elapsed()
    );
}

/// Of a database that was restored from a backup, or another one on the same ledger: what became of the first
/// charge says nothing of one for another order or amount, and its money is not given back.
#[tokio::test]
async fn an_attempt_of_another_order_or_amount_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = sandbox(folder.path());
    let first = charge(1, 199);
    assert_eq!(gateway.charge(first).await, Ok(ChargeResult::Captured));
    let other_amount = charge(1, 198);
    let other_order = Charge {
        order_id: OrderId::new(8).unwrap(),
        ..first
    };
    let path = folder.path().join("shop.gateway");
    let left_behind = fs::read(&path).unwrap();
    drop(gateway);
    for _ in 0..2 {
        let gateway = sandbox(folder.path());
        assert_eq!(gateway.charge(first).await, Ok(ChargeResult::Captured));
        let known = gateway.status(id(1)).await.unwrap();
        assert_eq!(known.status_of(first), Ok(AttemptStatus::Captured));
        assert_eq!(known.order_id, Some(first.order_id));
        assert_eq!(known.amount, Some(first.amount));
        for other in [other_amount, other_order] {
            let refused = Err(GatewayError::OtherCharge);
            assert_eq!(gateway.charge(other).await, refused, "{other:?}");
            assert_eq!(known.status_of(other), Err(GatewayError::OtherCharge));
        }
        let refund = gateway.refund(id(1), other_amount.amount).await;
        assert_eq!(refund, Err(GatewayError::OtherCharge));
        assert_eq!(fs::read(&path).unwrap(), left_behind, "nothing is written");
    }
    // After its refund the order is still known, also when the ledger is read again.
    let gateway = sandbox(folder.path());
    assert_eq!(gateway.refund(id(1), first.amount).await, Ok(()));
    drop(gateway);
    let gateway = sandbox(folder.path());
    let refused = Err(GatewayError::OtherCharge);
    assert_eq!(gateway.charge(other_order).await, refused);
}

/// Ledgers of the version before do not say the order; the amount is compared all the same.
#[tokio::test]
async fn lines_without_the_order_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{\"double11_gateway_ledger\":1}\n\
                {\"event\":\"charge\",\"attempt_id\":\"1\",\"amount\":\"199.00\",\"currency\":\"CNY\",\
                \"result\":\"captured\",\"at\":1,\"synced\":30}\n";
    fs::write(folder.path().join("shop.gateway"), text).unwrap();
    let gateway = sandbox(folder.path());
    let captured = gateway.charge(charge(1, 199)).await;
    assert_eq!(captured, Ok(ChargeResult::Captured));
    let other = gateway.charge(charge(1, 200)).await;
    assert_eq!(other, Err(GatewayError::OtherCharge));
}
