//! The words of the protocol, which client and service share. Amounts are decimal texts and ids texts of
//! digits, so that no reader turns them into binary fractions.

use double11_units::{AttemptId, Currency, Money, OrderId, UnixMicros};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{AttemptStatus, Charge, ChargeResult, KnownAttempt};

const STATUSES: [(AttemptStatus, &str); 4] = [
    (AttemptStatus::Captured, "captured"),
    (AttemptStatus::Declined, "declined"),
    (AttemptStatus::Voided, "voided"),
    (AttemptStatus::NeverHeard, "never_heard"),
];

fn status_name(status: AttemptStatus) -> &'static str {
    let mut known = STATUSES.into_iter();
    known
        .find(|(of, _)| *of == status)
        .map_or("never_heard", |(_, name)| name)
}

pub(crate) fn status_from_name(name: &str) -> Option<AttemptStatus> {
    let mut known = STATUSES.into_iter();
    known
        .find(|(_, known)| *known == name)
        .map(|(status, _)| status)
}

/// Where an attempt is asked for.
pub(crate) fn charge_path(attempt_id: AttemptId) -> String {
    format!("/v1/charges/{attempt_id}")
}

/// The body that asks for a charge.
pub(crate) fn charge(charge: Charge) -> Value {
    json!({
        "order_id": charge.order_id.to_string(),
        "amount": charge.amount.to_string(),
        "currency": charge.amount.currency().code(),
    })
}

/// What is known of an attempt.
pub(crate) fn known(attempt_id: AttemptId, known: KnownAttempt) -> Value {
    let mut body = json!({
        "attempt_id": attempt_id.to_string(),
        "status": status_name(known.status),
    });
    if let Some(order_id) = known.order_id {
        body["order_id"] = order_id.to_string().into();
    }
    if let Some(amount) = known.amount {
        body["amount"] = amount.to_string().into();
        body["currency"] = amount.currency().code().into();
    }
    body
}

/// The body of a callback.
pub(crate) fn callback(charge: Charge, result: ChargeResult, at: UnixMicros) -> Value {
    json!({
        "attempt_id": charge.attempt_id.to_string(),
        "order_id": charge.order_id.to_string(),
        "result": result.name(),
        "amount": charge.amount.to_string(),
        "currency": charge.amount.currency().code(),
        "at": at.get(),
    })
}

/// What a body asks for, its members still texts. Others are passed over.
#[derive(Deserialize)]
pub(crate) struct Asked {
    order_id: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
}

impl Asked {
    /// The order that is paid.
    pub(crate) fn order_id(&self) -> Result<OrderId, &'static str> {
        let text = self.order_id.as_deref();
        let text = text.ok_or("`order_id` is missing")?;
        OrderId::parse(text).map_err(|_| "`order_id` is not a text of digits")
    }

    /// An amount above zero.
    pub(crate) fn amount(&self) -> Result<Money, &'static str> {
        let code = self.currency.as_deref().ok_or("`currency` is missing")?;
        let currency = Currency::from_code(code).ok_or("`currency` is not known here")?;
        let text = self.amount.as_deref().ok_or("`amount` is missing")?;
        let amount =
            Money::parse(text, currency).map_err(|_| "`amount` is not a decimal text in range")?;
        if amount.minor_units() > 0 {
            Ok(amount)
        } else {
            Err("`amount` is not above zero")
        }
    }
}
