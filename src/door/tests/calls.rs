//! Deadlines, load, headers, draining.

use std::time::{Duration, Instant};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::house::{House, call, check, watch};
use crate::door::counters::Count;
use crate::door::shutdown::Stopped;
use crate::door::{Dialled, Limits};

async fn status(dialled: &Dialled, method: &str, headers: &[(&str, &str)]) -> Status {
    let response = call(dialled, method, headers).await;
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let mut body = response.into_body();
    loop {
        let frame = std::future::poll_fn(|cx| http_body::Body::poll_frame(std::pin::Pin::new(&mut body), cx));
        match frame.await {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    return Status::from_header_map(trailers).unwrap();
                }
            }
            Some(Err(status)) => return status,
            None => return Status::ok(""),
        }
    }
}

#[tokio::test]
async fn a_deadline_is_kept_before_and_within_the_answer() {
    let house =
        House::with(Limits { deadline: Duration::from_millis(300), ..Limits::default() }, |_, _| {}).await;
    let dialled = house.dial(&house.client).await.unwrap();
    for method in ["Never", "Endless"] {
        for headers in [&[("grpc-timeout", "50m")][..], &[][..], &[("grpc-timeout", "1H")][..]] {
            let begun = Instant::now();
            assert_eq!(status(&dialled, method, headers).await.code(), Code::DeadlineExceeded, "{method}");
            assert!(begun.elapsed() < Duration::from_secs(3));
        }
    }
    assert_eq!(house.counters.get(Count::DeadlineExceeded), 6);
    let malformed = status(&dialled, "Whoami", &[("grpc-timeout", "soon")]).await;
    assert_eq!(malformed.code(), Code::InvalidArgument);
    // Long-lived calls outlive the door's own deadline.
    let mut stream = watch(&dialled).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(600), stream.message()).await.is_err());
}

#[tokio::test]
async fn too_many_calls_are_turned_away_with_advice() {
    let house = House::with(Limits { requests_in_flight: 1, ..Limits::default() }, |_, _| {}).await;
    let dialled = house.dial(&house.client).await.unwrap();
    let busy = dialled.clone();
    let held = tokio::spawn(async move { status(&busy, "Never", &[("grpc-timeout", "10S")]).await });
    house.counted(Count::Calls, 1).await;
    let refused = status(&dialled, "Whoami", &[]).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    // Streams have places of their own, and an abandoned call gives its place back.
    check(&dialled).await.unwrap();
    held.abort();
    for _ in 0..200 {
        if call(&dialled, "Whoami", &[]).await.headers().contains_key("key") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place was not given back");
}

#[tokio::test]
async fn an_oversize_header_list_reaches_no_handler() {
    let house = House::new().await;
    let dialled = house.dial(&house.client).await.unwrap();
    let large = "x".repeat(20_000);
    let request = http::Request::post("/test.Slow/Whoami").header("large", large);
    let answer =
        tower::ServiceExt::oneshot(dialled.clone(), request.body(tonic::body::Body::empty()).unwrap()).await;
    assert!(answer.map_or(true, |response| !response.headers().contains_key("key")));
    assert_eq!(house.counters.get(Count::Calls), 0);
    house.is_well().await;
}

#[tokio::test]
async fn draining_tells_the_handlers_and_ends() {
    let house = House::new().await;
    let dialled = house.dial(&house.client).await.unwrap();
    let waiting = dialled.clone();
    let told = tokio::spawn(async move { status(&waiting, "Drain", &[]).await });
    house.counted(Count::Calls, 1).await;
    assert_eq!(house.shutdown.stop(Duration::from_secs(5)).await, Stopped::Drained);
    assert_eq!(told.await.unwrap().message(), "resume");
    house.served.await.unwrap();
    assert!(tokio::net::TcpStream::connect(house.address).await.is_err());
}

#[tokio::test]
async fn draining_with_an_open_stream_ends_by_the_deadline() {
    let house = House::new().await;
    let dialled = house.dial(&house.client).await.unwrap();
    let mut stream = watch(&dialled).await.unwrap();
    let begun = Instant::now();
    assert_eq!(house.shutdown.stop(Duration::from_millis(200)).await, Stopped::Cut);
    assert!(begun.elapsed() < Duration::from_secs(2));
    let ended = stream.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
    dialled.closed().await;
    assert_eq!(check(&dialled).await.unwrap_err().code(), Code::Unavailable);
}
