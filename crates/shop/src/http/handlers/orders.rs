//! Orders.

use double11_store::{
    CancelOutcome, CancelRefusal, Order, OrderLines, OrderReceipt, OrderState, OrderView,
    PaymentMethod, PaymentView, PlaceOrder, PlaceOutcome, PlaceRefusal, payment::RefundState,
};
use double11_units::OrderId;

use crate::http::json::Object;
use crate::http::problem::{self, Problem};
use crate::http::reply::Reply;
use crate::http::request_body::Upload;
use crate::http::route::Route;
use crate::http::service::App;
use crate::http::wire::{self, RefusedOrder};
use crate::metrics::{Operation, OrderStatus};
use double11_store::Stopwatch;

pub(super) async fn place(app: &App, upload: &mut Upload<'_>) -> Reply {
    let stopwatch = Stopwatch::start();
    let command = match command(app, upload).await {
        Ok(command) => command,
        Err(RefusedOrder {
            problem,
            payment_method,
        }) => {
            app.metrics.order(OrderStatus::Invalid, payment_method);
            return super::refused(app, Route::PlaceOrder, &problem);
        }
    };
    let method = command.payment_method;
    let from_cart = matches!(command.lines, OrderLines::Cart(_));
    let outcome = app.orders.place(command).await;
    app.metrics.order_creation(stopwatch.elapsed());
    let (status, problem) = match outcome {
        Ok(PlaceOutcome::Placed(receipt)) => {
            app.metrics.order(OrderStatus::Success, method);
            if from_cart {
                app.metrics.cart_converted();
            }
            return receipt_reply(receipt);
        }
        Ok(PlaceOutcome::Replayed(receipt)) => {
            app.metrics.replay(Operation::Order);
            let mut reply = receipt_reply(receipt);
            reply.replayed = true;
            return reply;
        }
        Ok(PlaceOutcome::Refused(refusal)) => (refusal_status(refusal), refused(refusal)),
        Err(error) => {
            let problem = Problem::from(&error);
            let shed = problem.kind == problem::OVERLOADED;
            (
                if shed {
                    OrderStatus::Shed
                } else {
                    OrderStatus::Failed
                },
                problem,
            )
        }
    };
    app.metrics.order(status, method);
    super::refused(app, Route::PlaceOrder, &problem)
}

async fn command(app: &App, upload: &mut Upload<'_>) -> Result<PlaceOrder, RefusedOrder> {
    let unknown = |problem| RefusedOrder {
        problem,
        payment_method: PaymentMethod::Unspecified,
    };
    let key = wire::idempotency_key(upload.head.idempotency_key).map_err(unknown)?;
    let body = upload.read(app.body_limits()).await.map_err(unknown)?;
    wire::place_order(&body, key, app.settings.currency)
}

fn refusal_status(refusal: PlaceRefusal) -> OrderStatus {
    match refusal {
        PlaceRefusal::SoldOut(_) => OrderStatus::SoldOut,
        _ => OrderStatus::Invalid,
    }
}

fn refused(refusal: PlaceRefusal) -> Problem {
    match refusal {
        PlaceRefusal::UnknownProduct(product_id) => {
            Problem::from(problem::UNKNOWN_PRODUCT).product(product_id)
        }
        PlaceRefusal::UnknownCart => problem::UNKNOWN_CART.into(),
        PlaceRefusal::EmptyCart => problem::CART_EMPTY.into(),
        PlaceRefusal::CartAlreadyOrdered(order_id) => {
            Problem::from(problem::CART_ALREADY_ORDERED).order(order_id)
        }
        PlaceRefusal::CartOfAnotherUser => problem::CART_OF_ANOTHER_USER.into(),
        PlaceRefusal::SoldOut(product_id) => Problem::from(problem::SOLD_OUT).product(product_id),
        PlaceRefusal::TotalChanged(total) => Problem::from(problem::TOTAL_CHANGED).total(total),
        PlaceRefusal::TotalOutOfRange => problem::TOTAL_OUT_OF_RANGE.into(),
        PlaceRefusal::KeyReused => problem::KEY_REUSED.into(),
    }
}

/// Says what held when the order was placed, so that a replay is equal whatever happened since.
fn receipt_reply(receipt: OrderReceipt) -> Reply {
    let mut body = Vec::with_capacity(160);
    let mut object = Object::begin(&mut body);
    object
        .id("order_id", receipt.order_id.get())
        .text("status", OrderState::PendingPayment.name())
        .money("total", receipt.total)
        .text("currency", receipt.total.currency().code())
        .time("expires_at", receipt.expires_at);
    object.end();
    Reply::json(201, body)
}

pub(super) async fn read(app: &App, id: &str) -> Result<Reply, Problem> {
    let view = app.orders.read(order_id(id)?).await?;
    view.map(|view| view_reply(&view))
        .ok_or_else(|| problem::UNKNOWN_ORDER.into())
}

pub(super) async fn cancel(app: &App, id: &str) -> Result<Reply, Problem> {
    match app.orders.cancel(order_id(id)?).await? {
        CancelOutcome::Cancelled(order) => {
            app.payments.refund_queued();
            let mut body = Vec::with_capacity(256);
            let mut object = Object::begin(&mut body);
            order_members(&mut object, &order);
            object.end();
            Ok(Reply::json(200, body))
        }
        CancelOutcome::Refused(refusal) => Err(match refusal {
            CancelRefusal::UnknownOrder => problem::UNKNOWN_ORDER.into(),
            CancelRefusal::Paid => problem::ORDER_PAID.into(),
            CancelRefusal::Expired => {
                Problem::from(problem::ORDER_CLOSED).detail("the order has expired")
            }
            CancelRefusal::PaymentProcessing => problem::PAYMENT_PROCESSING.into(),
        }),
    }
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).map_err(|_| problem::UNKNOWN_ORDER.into())
}

fn view_reply(view: &OrderView) -> Reply {
    let mut body = Vec::with_capacity(320 + view.lines.len() * 64 + view.payments.len() * 128);
    let mut object = Object::begin(&mut body);
    order_members(&mut object, &view.order);
    object.array("items", &view.lines, |output, line| {
        let mut item = Object::begin(output);
        item.integer("product_id", line.product_id.get())
            .integer("quantity", line.quantity.get())
            .money("unit_price", line.unit_price);
        item.end();
    });
    object.array("payments", &view.payments, write_payment);
    object.end();
    Reply::json(200, body)
}

fn order_members(object: &mut Object<'_>, order: &Order) {
    object
        .id("order_id", order.order_id.get())
        .text("user_id", order.user_id.as_str())
        .text("status", order.state.name())
        .text("payment_method", order.payment_method.name())
        .money("total", order.total)
        .money("captured", order.captured)
        .money("processing", order.processing)
        .text("currency", order.total.currency().code())
        .time("created_at", order.created_at)
        .time("expires_at", order.expires_at);
}

fn write_payment(output: &mut Vec<u8>, payment: &PaymentView) {
    let mut object = Object::begin(output);
    object
        .id("payment_id", payment.attempt_id.get())
        .text("status", payment.state.name())
        .money("amount", payment.amount)
        .text("gateway", &payment.gateway)
        .time("created_at", payment.created_at);
    match payment.refund {
        None => object.null("refund"),
        Some(state) => object.text("refund", refund_name(state)),
    };
    object.end();
}

/// A refund's state on the wire.
pub(in crate::http) const fn refund_name(state: RefundState) -> &'static str {
    match state {
        RefundState::Pending => "pending",
        RefundState::Done => "done",
    }
}
