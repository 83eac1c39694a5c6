//! `/actuator`: metrics, health and facts, in the forms that Spring Boot made known.

use std::time::Duration;

use double11_gateway::Health;

use crate::http::json::{self, Object};
use crate::http::reply::{ContentType, Reply};
use crate::http::route::Actuator;
use crate::http::service::App;

/// The longest that the store may take to answer a health check.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

pub(in crate::http) async fn answer(app: &App, page: Actuator) -> Reply {
    match page {
        Actuator::Prometheus => Reply::new(200, ContentType::Metrics, app.metrics.render()),
        Actuator::Health => health(app).await,
        // Readiness tells of this process only: a lost store must not take every replica away.
        Actuator::Readiness if app.is_draining() => status(503, "OUT_OF_SERVICE"),
        Actuator::Liveness | Actuator::Readiness => status(200, "UP"),
        Actuator::Info => info(app),
    }
}

fn status(code: u16, status: &str) -> Reply {
    let mut body = Vec::with_capacity(32);
    let mut object = Object::begin(&mut body);
    object.text("status", status);
    object.end();
    Reply::json(code, body)
}

async fn health(app: &App) -> Reply {
    let pinged = tokio::time::timeout(PING_TIMEOUT, app.store.ping()).await;
    let store = if matches!(pinged, Ok(Ok(()))) {
        "UP"
    } else {
        "DOWN"
    };
    let (gateway, gateway_fault) = match app.payments.gateway_health() {
        Health::Up => ("UP", None),
        Health::Down(why) => ("DOWN", Some(why)),
    };
    let readiness = if app.is_draining() {
        "OUT_OF_SERVICE"
    } else {
        "UP"
    };
    let (code, overall) = match (store, gateway, readiness) {
        ("UP", "UP", "UP") => (200, "UP"),
        ("UP", "UP", _) => (503, "OUT_OF_SERVICE"),
        _ => (503, "DOWN"),
    };
    let mut body = Vec::with_capacity(192);
    let mut object = Object::begin(&mut body);
    object
        .text("status", overall)
        .object("components", |components| {
            components.object("store", |component| {
                component
                    .text("status", store)
                    .object("details", |details| {
                        details.text("kind", app.store.kind());
                    });
            });
            // Without it the shop is slower and as right, so that it does not change the whole.
            if let Some(cache) = &app.cache {
                components.object("cache", |component| {
                    component
                        .text("status", if cache.is_up() { "UP" } else { "DOWN" })
                        .object("details", |details| {
                            details.text("kind", cache.kind());
                        });
                });
            }
            components.object("gateway", |component| {
                component
                    .text("status", gateway)
                    .object("details", |details| {
                        details.text("name", app.payments.gateway_name());
                        if let Some(fault) = gateway_fault {
                            details.text("reason", fault);
                        }
                    });
            });
            components.object("readinessState", |component| {
                component.text("status", readiness);
            });
        });
    object.end();
    Reply::json(code, body)
}

fn info(app: &App) -> Reply {
    let settings = &app.settings;
    let levers: Vec<&str> = settings
        .levers
        .iter()
        .map(double11_store::Lever::name)
        .collect();
    let mut body = Vec::with_capacity(384);
    let mut object = Object::begin(&mut body);
    object
        .object("build", |build| {
            build
                .text("name", "double11")
                .text("version", &settings.version);
        })
        .object("shop", |shop| {
            shop.text("variant", &settings.variant)
                .array("levers", &levers, |output, lever| {
                    json::write_text(output, lever);
                })
                .text("store", app.store.kind())
                .text("gateway", app.payments.gateway_name())
                .text("currency", settings.currency.code())
                .integer("products", settings.products)
                .integer("seed", settings.seed)
                .integer("payment_window_ms", settings.payment_window.as_millis())
                .boolean("sale", settings.sale);
        });
    object.end();
    Reply::json(200, body)
}
