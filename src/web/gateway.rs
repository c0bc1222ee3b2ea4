//! `/gateway/NAME/WHAT`: receipts and texts from phones, as SMS gateways post them. And the gateways' counters.

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::time::timeout;

use super::{Engine, State};
use crate::sms::{Callback, CallbackAnswer, CircuitState, GatewayState};

/// Octets of a body at most; a gateway says little.
const MAX_BODY: usize = 64 << 10;

/// Hands on what a gateway posts.
pub(super) async fn callback<E: Engine>(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State<E>>,
) -> HttpResponse {
    let _running = state.running.enter();
    let (name, what) = path.into_inner();
    let Some(gateways) = state.engine.gateways() else {
        return response(CallbackAnswer::not_found());
    };
    let body = timeout(
        state.limits.request_timeout,
        payload.to_bytes_limited(MAX_BODY),
    );
    let Ok(Ok(Ok(body))) = body.await else {
        return HttpResponse::BadRequest().body("the body is too long, or did not come\n");
    };
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let callback = Callback {
        what: &what,
        query: request.query_string(),
        content_type: content_type.unwrap_or_default(),
        body: &body,
    };
    let answer = gateways.callback(&name, &callback).await;
    if answer.status >= 400 {
        tracing::warn!(
            sms.gateway = name,
            http.status = answer.status,
            "what came from the gateway was not taken: {}",
            answer.body.trim_end()
        );
    }
    response(answer)
}

fn response(answer: CallbackAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .content_type(answer.content_type)
        .body(answer.body)
}

/// Appends the gateways' counters in Prometheus' text format.
pub(super) fn counters(out: &mut String, states: &[GatewayState]) {
    if states.is_empty() {
        return;
    }
    let name = "candybar_gateway_up";
    let _ = writeln!(
        out,
        "# HELP {name} Whether messages go to the gateway; 0 while it is left alone.\n# TYPE {name} gauge"
    );
    for state in states {
        let up = u8::from(state.circuit == CircuitState::Closed);
        let _ = writeln!(out, "{name}{{gateway=\"{}\"}} {up}", state.name);
    }
    let name = "candybar_gateway_total";
    let _ = writeln!(
        out,
        "# HELP {name} SMS that the gateway took, messages that it did not take, and what it brought.\n# TYPE {name} counter"
    );
    for state in states {
        for (outcome, count) in [
            ("accepted", state.accepted),
            ("refused", state.refused),
            ("throttled", state.throttled),
            ("failed", state.failed),
            ("in_doubt", state.in_doubt),
            ("receipt", state.receipts),
            ("incoming", state.incoming),
        ] {
            let gateway = &state.name;
            let _ = writeln!(
                out,
                "{name}{{gateway=\"{gateway}\",outcome=\"{outcome}\"}} {count}"
            );
        }
    }
}
