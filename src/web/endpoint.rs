//! `POST /sync`: one SyncML message in, one out.

use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, guard, web};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};

use super::refusal::Refusal;
use super::{Engine, State, console, gateway, monitor};
use crate::exchange::{ExchangeError, Reply, Request, Summary};

/// Room for a body that is made before any of it came, whatever its Content-Length says.
const MAX_ROOM: usize = 256 << 10;

/// All addresses.
pub(super) fn routes<E: Engine>(app: &mut web::ServiceConfig, state: web::Data<State<E>>) {
    let read = || guard::Any(guard::Get()).or(guard::Head());
    app.app_data(state)
        .route("/", web::route().guard(read()).to(monitor::index))
        .route("/healthz", web::route().guard(read()).to(monitor::health))
        .route(
            "/readyz",
            web::route().guard(read()).to(monitor::ready::<E>),
        )
        .route(
            "/metrics",
            web::route().guard(read()).to(monitor::metrics::<E>),
        )
        .route("/sync", web::route().to(sync::<E>))
        .route("/sync/", web::route().to(sync::<E>))
        .route(
            "/gateway/{name}/{what}",
            web::route()
                .guard(read().or(guard::Post()))
                .to(gateway::callback::<E>),
        )
        .service(web::resource("/api/v1/{rest:.*}").to(console::api::<E>))
        .default_service(web::to(monitor::nothing));
}

async fn sync<E: Engine>(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State<E>>,
) -> HttpResponse {
    let _running = state.running.enter();
    let response = match answer(&request, payload, &state).await {
        Ok(reply) => HttpResponse::Ok()
            .content_type(reply.content_type)
            .body(reply.body),
        Err(refusal) => {
            log(&refusal);
            refusal.response()
        }
    };
    state.metrics.response(response.status().as_u16());
    response
}

fn log(refusal: &Refusal) {
    let status = refusal.status().as_u16();
    match refusal {
        Refusal::Unavailable(why) => {
            tracing::error!(http.status = status, "the database does not answer: {why}");
        }
        Refusal::Failed => {}
        _ => tracing::warn!(http.status = status, "request refused: {refusal}"),
    }
}

/// Headers in which a phone names the description of its model (WAP UAProf).
const PROFILE_HEADERS: [&str; 2] = ["x-wap-profile", "profile"];

async fn answer<E: Engine>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &web::Data<State<E>>,
) -> Result<Reply, Refusal> {
    if *state.closing.borrow() {
        return Err(Refusal::Closing);
    }
    if request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let body = body(request, payload, state).await?;
    let header = |name| {
        let value = request.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let incoming = Incoming {
        content_type: header(CONTENT_TYPE).unwrap_or_default(),
        user_agent: header(USER_AGENT),
        // Motorola calls it Profile.
        profile: PROFILE_HEADERS.iter().find_map(|name| {
            let value = request.headers().get(*name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        }),
        query: Some(request.query_string().to_owned()).filter(|query| !query.is_empty()),
        body,
    };
    let reply = work(Arc::new(incoming), state).await?;
    if let Some(name) = &reply.rejected {
        refused_password(name, state).await?;
    }
    Ok(reply)
}

/// A request, whole.
struct Incoming {
    content_type: String,
    user_agent: Option<String>,
    profile: Option<String>,
    query: Option<String>,
    body: web::Bytes,
}

impl Incoming {
    fn request(&self) -> Request<'_> {
        Request {
            content_type: &self.content_type,
            body: &self.body,
            user_agent: self.user_agent.as_deref(),
            profile_header: self.profile.as_deref(),
            query: self.query.as_deref(),
        }
    }
}

/// Has a message worked on. If that takes longer than a phone waits, the work goes on alone and the phone is told that
/// the server is busy; so it is if an earlier message of its session is not done.
async fn work<E: Engine>(
    incoming: Arc<Incoming>,
    state: &web::Data<State<E>>,
) -> Result<Reply, Refusal> {
    let patience = Instant::now() + state.limits.patience;
    loop {
        let done = state.done.notified();
        tokio::pin!(done);
        // From here on no end of any work is missed.
        done.as_mut().enable();
        let mut running = begin(Arc::clone(&incoming), state).await?;
        let outcome = match timeout_at(patience.into(), &mut running).await {
            Ok(outcome) => joined(outcome),
            Err(_) => match state.engine.busy(incoming.request()) {
                Some(reply) => {
                    let state = state.clone();
                    actix_web::rt::spawn(async move {
                        let _running = state.running.enter();
                        finish_alone(joined(running.await), &state);
                    });
                    return Ok(reply);
                }
                // It is done just now, or there is nothing to tell.
                None => joined(running.await),
            },
        };
        match outcome {
            Err(Refusal::InProgress) => {
                if timeout_at(patience.into(), done.as_mut()).await.is_err()
                    && let Some(reply) = state.engine.busy(incoming.request())
                {
                    return Ok(reply);
                }
            }
            Err(refusal) => return Err(refusal),
            Ok(reply) => {
                conclude(&reply, state);
                return Ok(reply);
            }
        }
    }
}

/// Takes a worker and hands it a message.
async fn begin<E: Engine>(
    incoming: Arc<Incoming>,
    state: &web::Data<State<E>>,
) -> Result<JoinHandle<Result<Reply, ExchangeError>>, Refusal> {
    let permit = timeout(
        state.limits.queue_timeout,
        Arc::clone(&state.workers).acquire_owned(),
    )
    .await
    .map_err(|_| Refusal::Busy)?
    .map_err(|_| Refusal::Closing)?;
    let state = state.clone();
    Ok(tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let begin = Instant::now();
        let outcome = state.engine.handle(incoming.request(), now());
        if let Ok(reply) = &outcome {
            state
                .metrics
                .message(begin.elapsed(), incoming.body.len(), reply.body.len());
        }
        state.done.notify_waiters();
        outcome
    }))
}

fn joined(
    outcome: Result<Result<Reply, ExchangeError>, tokio::task::JoinError>,
) -> Result<Reply, Refusal> {
    match outcome {
        Ok(outcome) => outcome.map_err(Refusal::from),
        Err(error) => {
            // A panic: its place went to standard error already.
            tracing::error!("a message made the engine fail: {error}");
            Err(Refusal::Failed)
        }
    }
}

/// The end of work for which no phone waits any more; its reply is stored.
fn finish_alone<E>(outcome: Result<Reply, Refusal>, state: &State<E>) {
    match outcome {
        Ok(reply) => conclude(&reply, state),
        Err(refusal) => log(&refusal),
    }
}

fn conclude<E>(reply: &Reply, state: &State<E>) {
    if let Some(summary) = &reply.summary {
        state.metrics.session(summary);
        let delays = state.delays.lock();
        delays
            .unwrap_or_else(PoisonError::into_inner)
            .accepted(&summary.account);
        ended(summary);
    }
}

/// One line of log for each session and datastore.
fn ended(summary: &Summary) {
    if summary.views.is_empty() {
        tracing::info!(
            account.name = summary.account,
            device.id = summary.device,
            session.id = summary.session,
            "session ended without a synchronisation"
        );
    }
    // What is zero is left out.
    let some = |number: u32| (number > 0).then_some(number);
    for view in &summary.views {
        let counts = &view.counts;
        tracing::info!(
            account.name = summary.account,
            device.id = summary.device,
            session.id = summary.session,
            alert = view.mode,
            received.added = some(counts.received_added),
            received.replaced = some(counts.received_replaced),
            received.deleted = some(counts.received_deleted),
            received.equal = some(counts.received_equal),
            received.refused = some(counts.received_refused),
            sent.added = some(counts.sent_added),
            sent.replaced = some(counts.sent_replaced),
            sent.deleted = some(counts.sent_deleted),
            sent.refused = some(counts.sent_refused),
            conflicts = some(counts.conflicts),
            "synchronised {}",
            view.datastore
        );
    }
}

/// Reads the body, as far as it is small enough.
async fn body<E>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State<E>,
) -> Result<web::Bytes, Refusal> {
    let limit = state.limits.body_bytes;
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Refusal::TooLarge(limit));
    }
    let expected = announced.and_then(|length| usize::try_from(length).ok());
    let room = expected.unwrap_or(0).min(MAX_ROOM);
    timeout(state.limits.request_timeout, gathered(payload, room, limit))
        .await
        .unwrap_or(Err(Refusal::Slow))
}

/// The pieces of a body of at most `limit` bytes, with room for as many as `room` from the start.
async fn gathered(
    mut payload: web::Payload,
    room: usize,
    limit: usize,
) -> Result<web::Bytes, Refusal> {
    let mut body = web::BytesMut::with_capacity(room);
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Refusal::Cut)?;
        if piece.len() > limit - body.len() {
            return Err(Refusal::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Holds the refusal back for a while; no worker is held, and a stopping server lets it go at once.
async fn refused_password<E>(name: &str, state: &State<E>) -> Result<(), Refusal> {
    state.metrics.rejected();
    let wait = state
        .delays
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .refused(name, Instant::now());
    if wait.is_zero() {
        // Phones begin so if their nonce is outdated.
        tracing::debug!(account.name = name, "credentials refused");
        return Ok(());
    }
    tracing::warn!(
        account.name = name,
        delay.seconds = wait.as_secs_f64(),
        "credentials refused again and again"
    );
    let _place = state.delayed.try_acquire().map_err(|_| Refusal::Busy)?;
    let _counted = state.metrics.delayed();
    let mut closing = state.closing.subscribe();
    // Either end is fine: the time is over, or the server closes.
    let _unused = timeout(wait, closing.wait_for(|closing| *closing)).await;
    Ok(())
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or_default()
}
