//! One call: standing, place, deadline; then the handler.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::accept::DoorSettings;
use super::budget::{Drawn, Metered};
use super::connection::{Active, Session};
use super::counters::Count;
use super::deadline;
use super::guarded::Guarded;
use super::refusal::Refusal;

/// The refusal is boxed: it is rare and large.
type Admitted = Result<(Held, Option<Instant>), Box<Refusal>>;

/// What an open call holds until its answer has been sent.
struct Held {
    session: Arc<Session>,
    _permit: OwnedSemaphorePermit,
    drawn: Option<Arc<Drawn>>,
    _active: Active,
}

/// Answers one call; a refusal is an answer too.
pub(super) async fn answer(
    session: Arc<Session>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let grpc = is_grpc(request.headers());
    let (held, deadline) = match admit(session, &request) {
        Ok(admitted) => admitted,
        Err(refusal) => return Ok(refused(grpc, &refusal)),
    };
    let session = &held.session;
    session.door.count(Count::Calls);
    let mut request = request.map(|body| match held.drawn.clone() {
        Some(drawn) => Body::new(Metered::new(Body::new(body), drawn)),
        None => Body::new(body),
    });
    request.extensions_mut().insert(session.identity.clone());
    request.extensions_mut().insert(session.draining.clone());
    let handled = session.door.routes.clone().oneshot(request);
    let Some(deadline) = deadline else {
        let response = handled.await.unwrap_or_else(|never: Infallible| match never {});
        return Ok(response.map(|body| Body::new(Guarded::new(body, None, held, late))));
    };
    let mut deadline: Pin<Box<Sleep>> = Box::pin(sleep_until(deadline));
    let response = tokio::select! {
        response = handled => response.unwrap_or_else(|never: Infallible| match never {}),
        () = deadline.as_mut() => {
            session.door.count(Count::DeadlineExceeded);
            return Ok(refused(grpc, &Refusal::deadline_exceeded()));
        }
    };
    Ok(response.map(|body| Body::new(Guarded::new(body, Some(deadline), held, late))))
}

fn admit(session: Arc<Session>, request: &Request<Incoming>) -> Admitted {
    let active = session.activity.begin();
    if !session.standing.holds(SystemTime::now()) {
        let told = "the session's certificate is no longer accepted";
        return Err(Box::new(Refusal::new(Code::Unauthenticated, "CERTIFICATE_NOT_ACCEPTED", told)));
    }
    let asked = deadline::asked(request.headers()).map_err(|error| {
        Box::new(Refusal::new(Code::InvalidArgument, "GRPC_TIMEOUT_MALFORMED", error.to_string()))
    })?;
    let settings = &session.door.settings;
    let long = is_long_lived(settings, request.uri().path());
    let places = if long { &session.door.streams } else { &session.door.requests };
    let Ok(permit) = places.clone().try_acquire_owned() else {
        session.door.count(Count::Overloaded);
        return Err(Box::new(Refusal::overloaded()));
    };
    let deadline = allowed(settings, long, asked).and_then(|time| Instant::now().checked_add(time));
    let drawn = (!long).then(|| session.door.budget.begin());
    Ok((Held { session, _permit: permit, drawn, _active: active }, deadline))
}

/// A long-lived call has the time the client gave, or any; another no more than the door's.
fn allowed(settings: &DoorSettings, long: bool, asked: Option<Duration>) -> Option<Duration> {
    if long {
        return asked;
    }
    let most = settings.limits.deadline;
    Some(asked.map_or(most, |asked| asked.min(most)))
}

fn is_long_lived(settings: &DoorSettings, path: &str) -> bool {
    settings
        .long_lived
        .iter()
        .any(|known| path == *known || (known.ends_with('/') && path.starts_with(known)))
}

fn late(held: &Held) -> Status {
    held.session.door.count(Count::DeadlineExceeded);
    Refusal::deadline_exceeded().status()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// A gRPC client reads the status; any other reads the HTTP code alone.
fn refused(grpc: bool, refusal: &Refusal) -> Response<Body> {
    if grpc {
        return refusal.status().into_http();
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = match refusal.code {
        Code::Unauthenticated => StatusCode::FORBIDDEN,
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    response
}
