//! Answers that come over a dialled connection, and what a broken connection means for a call.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::DropGuard;
use tonic::{Code, Status};

/// The body of one answer; keeps the connection alive while it is read.
pub(super) struct Answer {
    inner: Incoming,
    /// The gRPC status has been seen, in the headers or the trailers, or its lack has been told.
    concluded: bool,
    _hold: Arc<DropGuard>,
}

impl Answer {
    pub fn of(response: http::Response<Incoming>, hold: Arc<DropGuard>) -> http::Response<tonic::body::Body> {
        let concluded = response.headers().contains_key(Status::GRPC_STATUS);
        response.map(|inner| tonic::body::Body::new(Self { inner, concluded, _hold: hold }))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame =
            std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)).map(|frame| frame.map_err(status));
        let concluded = std::mem::replace(&mut self.concluded, true);
        match frame {
            // hyper ends a body without error when GOAWAY preceded the cut.
            None if !concluded => Poll::Ready(Some(Err(unavailable()))),
            Some(Ok(frame)) => {
                self.concluded = concluded || frame.is_trailers();
                Poll::Ready(Some(Ok(frame)))
            }
            other => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// There is no connection: nothing is known of what became of the call, and it may be tried again on another one.
pub(super) fn unavailable() -> Status {
    Status::unavailable("the connection is closed")
}

/// What HTTP/2 broke off is UNAVAILABLE, GOAWAY and reset included: the call may be tried again on another connection.
/// Two reasons say more than that (gRPC over HTTP/2, "Errors"): too much load, and too weak a connection.
pub(super) fn status(error: hyper::Error) -> Status {
    let status = Status::from_error(Box::new(error));
    match status.code() {
        Code::ResourceExhausted | Code::PermissionDenied => status,
        _ => unavailable(),
    }
}
