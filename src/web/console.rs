//! `/api/v1/…`: carries requests to the API and its answers back.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::time::timeout;

use super::{Engine, State, monitor};
use crate::api::Request;

/// Hands a request on.
pub(super) async fn api<E: Engine>(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State<E>>,
) -> HttpResponse {
    let _running = state.running.enter();
    let authorization = request.headers().get(AUTHORIZATION);
    let path = request.path();
    let mut asked = Request {
        method: request.method().as_str().to_owned(),
        path: path.strip_prefix("/api/v1").unwrap_or(path).to_owned(),
        query: request.query_string().to_owned(),
        authorization: authorization
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: Vec::new(),
    };
    let Some(limit) = state.engine.api_limit(&asked) else {
        return monitor::nothing().await;
    };
    let body = timeout(
        state.limits.request_timeout,
        payload.to_bytes_limited(limit),
    );
    asked.body = match body.await {
        Ok(Ok(Ok(body))) => body.to_vec(),
        Ok(Err(_)) => return HttpResponse::PayloadTooLarge().body("the body is too long\n"),
        _ => return HttpResponse::BadRequest().body("the body did not come\n"),
    };
    let permit = timeout(
        state.limits.queue_timeout,
        Arc::clone(&state.workers).acquire_owned(),
    );
    let Ok(Ok(permit)) = permit.await else {
        return HttpResponse::ServiceUnavailable().body("all workers are taken\n");
    };
    let engine = state.engine.clone();
    let answer = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        engine.api(&asked)
    });
    match answer.await {
        Ok(Some(answer)) => {
            let status = StatusCode::from_u16(answer.status);
            HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
                .json(answer.body)
        }
        Ok(None) => monitor::nothing().await,
        Err(_) => HttpResponse::InternalServerError().body("the request failed\n"),
    }
}
