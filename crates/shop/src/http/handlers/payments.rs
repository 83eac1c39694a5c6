//! Payments.

use double11_store::{AttemptState, OrderState, PayRefusal, PaymentReceipt, PreparePayment};
use double11_units::{AttemptId, Money, OrderId};

use crate::http::json::Object;
use crate::http::problem::{self, Problem};
use crate::http::reply::Reply;
use crate::http::request_body::Upload;
use crate::http::route::Route;
use crate::http::service::App;
use crate::http::wire;
use crate::metrics::{Operation, PaymentStatus};
use crate::payments::{CalledBack, Paid, PayAnswer, Told};

pub(super) async fn pay(app: &App, upload: &mut Upload<'_>) -> Reply {
    let command = match command(app, upload).await {
        Ok(command) => command,
        Err(problem) => {
            app.metrics.payment(PaymentStatus::Invalid);
            return super::refused(app, Route::Pay, &problem);
        }
    };
    let (order_id, amount) = (command.order_id, command.amount);
    let Paid { answer, replayed } = app.payments.pay(command).await;
    if replayed {
        app.metrics.replay(Operation::Payment);
    } else if matches!(answer, PayAnswer::Lost) {
        app.metrics.payment(PaymentStatus::Failed);
    }
    let gateway = app.payments.gateway_name();
    let mut reply = match refused(answer) {
        Outcome::Captured(receipt) => captured(gateway, receipt),
        Outcome::Pending(attempt_id) => pending(gateway, order_id, attempt_id, amount),
        Outcome::Problem(problem) => super::refused(app, Route::Pay, &problem),
    };
    reply.replayed = replayed;
    reply
}

async fn command(app: &App, upload: &mut Upload<'_>) -> Result<PreparePayment, Problem> {
    let key = wire::idempotency_key(upload.head.idempotency_key)?;
    let body = upload.read(app.body_limits()).await?;
    wire::payment(
        &body,
        key,
        app.settings.currency,
        app.payments.gateway_name(),
    )
}

/// An answer, sorted by what its reply looks like.
enum Outcome {
    Captured(PaymentReceipt),
    Pending(AttemptId),
    Problem(Problem),
}

fn refused(answer: PayAnswer) -> Outcome {
    let problem = match answer {
        PayAnswer::Captured(receipt) => return Outcome::Captured(receipt),
        PayAnswer::Pending(attempt_id) => return Outcome::Pending(attempt_id),
        PayAnswer::Declined => problem::DECLINED.into(),
        PayAnswer::InProcess => problem::PAYMENT_PROCESSING.into(),
        PayAnswer::Late => Problem::from(problem::ORDER_CLOSED)
            .detail("the money came too late and is being given back"),
        PayAnswer::Refused(refusal) => match refusal {
            PayRefusal::UnknownOrder => problem::UNKNOWN_ORDER.into(),
            PayRefusal::OrderClosed(state) => {
                Problem::from(problem::ORDER_CLOSED).detail(format!("it is {}", state.name()))
            }
            PayRefusal::PaymentProcessing => problem::PAYMENT_PROCESSING.into(),
            PayRefusal::AmountExceedsBalance { outstanding } => {
                Problem::from(problem::AMOUNT_EXCEEDS_BALANCE).outstanding(outstanding)
            }
            PayRefusal::KeyReused => problem::KEY_REUSED.into(),
        },
        PayAnswer::Store(error) => Problem::from(&error),
        PayAnswer::Lost => problem::INTERNAL.into(),
    };
    Outcome::Problem(problem)
}

fn captured(gateway: &str, receipt: PaymentReceipt) -> Reply {
    let PaymentReceipt {
        order_id,
        attempt_id,
        amount,
        order_state,
    } = receipt;
    let payment = Payment {
        attempt_id,
        order_id,
        status: "captured",
        amount,
        gateway,
    };
    payment.reply(201, Some(order_state))
}

fn pending(gateway: &str, order_id: OrderId, attempt_id: AttemptId, amount: Money) -> Reply {
    Payment {
        attempt_id,
        order_id,
        status: "processing",
        amount,
        gateway,
    }
    .reply(202, None)
}

/// A payment as the answer to making it.
struct Payment<'gateway> {
    attempt_id: AttemptId,
    order_id: OrderId,
    status: &'static str,
    amount: Money,
    gateway: &'gateway str,
}

impl Payment<'_> {
    fn reply(&self, status: u16, order_state: Option<OrderState>) -> Reply {
        let mut body = Vec::with_capacity(192);
        let mut object = Object::begin(&mut body);
        object
            .id("payment_id", self.attempt_id.get())
            .id("order_id", self.order_id.get())
            .text("status", self.status)
            .money("amount", self.amount)
            .text("currency", self.amount.currency().code())
            .text("gateway", self.gateway);
        if let Some(state) = order_state {
            object.text("order_status", state.name());
        }
        object.end();
        Reply::json(status, body)
    }
}

/// The gateway tells of an outcome. Whoever is not the gateway learns nothing but that.
pub(super) async fn called_back(
    app: &App,
    gateway: &str,
    upload: &mut Upload<'_>,
) -> Result<Reply, Problem> {
    if gateway != app.payments.gateway_name() {
        return Err(problem::NOT_FOUND.into());
    }
    let unsigned = |detail: &str| Problem::from(problem::INVALID_SIGNATURE).detail(detail);
    let secret = app.settings.callback_secret.as_ref();
    let secret = secret.ok_or_else(|| unsigned("this shop has no secret to check it with"))?;
    let signature = upload.head.signature;
    let signature = signature.ok_or_else(|| unsigned("there is none"))?;
    let body = upload.read(app.body_limits()).await?;
    secret
        .verify(signature, app.payments.now(), &body)
        .map_err(|error| unsigned(&error.to_string()))?;
    let told = wire::callback(&body, app.settings.currency)?;
    match app.payments.called_back(told).await {
        CalledBack::Heard(state) => Ok(heard(told, state)),
        CalledBack::UnknownAttempt => Err(problem::UNKNOWN_ATTEMPT.into()),
        CalledBack::OtherAmount => Err(problem::AMOUNT_MISMATCH.into()),
        CalledBack::Store(error) => Err(Problem::from(&error)),
        CalledBack::NotStored => Err(problem::INTERNAL.into()),
    }
}

fn heard(told: Told, state: AttemptState) -> Reply {
    let mut body = Vec::with_capacity(96);
    let mut object = Object::begin(&mut body);
    object
        .id("payment_id", told.attempt_id.get())
        .id("order_id", told.order_id.get())
        .text("status", state.name());
    object.end();
    Reply::json(200, body)
}
