//! The body of an answer, with what its call holds and the deadline it must keep.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

/// Passes the inner body on; at the deadline it ends with `late`'s status in the trailers. What the call holds is given
/// back when the body ends or is dropped.
pub(super) struct Guarded<H> {
    inner: Body,
    deadline: Option<Pin<Box<Sleep>>>,
    late: fn(&H) -> Status,
    /// `None` once the body has ended.
    held: Option<H>,
}

impl<H> Guarded<H> {
    pub fn new(inner: Body, deadline: Option<Pin<Box<Sleep>>>, held: H, late: fn(&H) -> Status) -> Self {
        Self { inner, deadline, late, held: Some(held) }
    }
}

impl<H: Unpin> http_body::Body for Guarded<H> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(held) = &this.held else { return Poll::Ready(None) };
        // The deadline is asked first: a handler that always has more to say must not outlive it.
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            let trailers = trailers(&(this.late)(held));
            this.held = None;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if frame.is_none() {
            this.held = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Only a text that is no header value fails; the code alone always is one.
        trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from(i32::from(status.code())));
    }
    trailers
}
