//! Addresses for people and monitors: `/`, `/healthz`, `/readyz`, `/metrics`.

use std::time::Duration;

use actix_web::{HttpResponse, web};

use super::{Engine, State};

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

/// The process lives.
pub(super) async fn health() -> HttpResponse {
    text("ok\n")
}

/// Messages can be answered: the database answers, and the server is not stopping.
pub(super) async fn ready<E: Engine>(state: web::Data<State<E>>) -> HttpResponse {
    let why = if *state.closing.borrow() {
        Some("the server is stopping".to_owned())
    } else {
        let engine = state.engine.clone();
        let answer = tokio::task::spawn_blocking(move || engine.ready());
        match tokio::time::timeout(READY_TIMEOUT, answer).await {
            Ok(Ok(answer)) => answer.err(),
            Ok(Err(_)) => Some("the check failed".to_owned()),
            Err(_) => Some("the database takes too long to answer".to_owned()),
        }
    };
    match why {
        None => text("ready\n"),
        Some(why) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(format!("not ready: {why}\n")),
    }
}

/// Counters for Prometheus.
pub(super) async fn metrics<E: Engine>(state: web::Data<State<E>>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.text())
}
