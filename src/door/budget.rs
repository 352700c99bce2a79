//! How many bytes of requests a door holds at once.
//!
//! Each unary call draws on the budget as its request arrives and gives back when the call ends. A call that would
//! exceed it is refused with RESOURCE_EXHAUSTED; long-lived streams are bounded by their own windows.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::refusal::Refusal;

/// The bytes of requests that a door may hold.
#[derive(Debug)]
pub(super) struct Budget {
    free: AtomicUsize,
}

/// What one call has drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    budget: Arc<Budget>,
    bytes: AtomicUsize,
}

/// A request's body that draws as it arrives.
pub(super) struct Metered {
    inner: Body,
    drawn: Arc<Drawn>,
}

impl Budget {
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(bytes) })
    }

    /// Begins a call that has drawn nothing.
    pub fn begin(self: &Arc<Self>) -> Arc<Drawn> {
        Arc::new(Drawn { budget: self.clone(), bytes: AtomicUsize::new(0) })
    }

    fn take(&self, bytes: usize) -> bool {
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(bytes)).is_ok()
    }
}

impl Drawn {
    fn draw(&self, bytes: usize) -> bool {
        let taken = self.budget.take(bytes);
        if taken {
            self.bytes.fetch_add(bytes, Ordering::AcqRel);
        }
        taken
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.budget.free.fetch_add(*self.bytes.get_mut(), Ordering::AcqRel);
    }
}

impl Metered {
    pub fn new(inner: Body, drawn: Arc<Drawn>) -> Self {
        Self { inner, drawn }
    }
}

impl http_body::Body for Metered {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(bytes::Bytes::len));
        Poll::Ready(match bytes {
            Some(bytes) if !self.drawn.draw(bytes) => Some(Err(Refusal::overloaded().status())),
            _ => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_comes_back_and_no_more_than_there_is_is_drawn() {
        let budget = Budget::new(100);
        let (one, other) = (budget.begin(), budget.begin());
        assert!(one.draw(60) && one.draw(30) && !other.draw(11) && other.draw(10));
        drop(one);
        assert!(other.draw(90) && !other.draw(1));
        drop(other);
        assert_eq!(budget.free.load(Ordering::Acquire), 100);
    }

    #[tokio::test]
    async fn a_request_beyond_the_budget_is_refused_while_it_arrives() {
        use http_body_util::BodyExt as _;
        let budget = Budget::new(10);
        let body = |len: usize| Body::new(http_body_util::Full::new(bytes::Bytes::from(vec![0; len])));
        let fits = Metered::new(body(10), budget.begin()).collect().await;
        assert_eq!(fits.unwrap().to_bytes().len(), 10);
        let status = Metered::new(body(11), budget.begin()).collect().await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    }
}
