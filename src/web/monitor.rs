//! Addresses for people and monitors: `/`, `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use tokio::time::timeout;

use super::{Engine, State, gateway};

/// How long `/readyz` waits for the database.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

fn text(body: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(body.into())
}

/// What a browser shows that was pointed here.
pub(super) async fn index() -> HttpResponse {
    text(concat!(
        "candybar ",
        env!("CARGO_PKG_VERSION"),
        ": a SyncML server. Phones synchronise with this address followed by /sync.\n"
    ))
}

/// Any other address.
pub(super) async fn nothing() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("there is nothing here; phones synchronise with /sync\n")
}

/// The process lives.
pub(super) async fn health() -> HttpResponse {
    text("ok\n")
}

/// Messages can be answered: the database answers, and the server is not stopping.
pub(super) async fn ready<E: Engine>(state: web::Data<State<E>>) -> HttpResponse {
    let why = why_not_ready(&state).await;
    match why {
        None => text("ready\n"),
        Some(why) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(format!("not ready: {why}\n")),
    }
}

async fn why_not_ready<E: Engine>(state: &State<E>) -> Option<String> {
    if *state.closing.borrow() {
        return Some("the server is stopping".to_owned());
    }
    // One check at a time: a database that hangs must not take a thread with every question.
    let check = async {
        let permit = Arc::clone(&state.ready_checks).acquire_owned().await.ok()?;
        let engine = state.engine.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            engine.ready()
        });
        match answer.await {
            Ok(answer) => answer.err(),
            Err(_) => Some("the check failed".to_owned()),
        }
    };
    timeout(READY_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Some("the database takes too long to answer".to_owned()))
}

/// Counters for Prometheus.
pub(super) async fn metrics<E: Engine>(state: web::Data<State<E>>) -> HttpResponse {
    let mut text = state.metrics.text();
    if let Some(gateways) = state.engine.gateways() {
        gateway::counters(&mut text, &gateways.states());
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}
