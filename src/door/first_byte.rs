//! A stream that tells how its first read went.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// What the first read brought.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum First {
    /// Bytes: the other side speaks.
    Bytes,
    /// A TLS error, mostly the other side's alert.
    Tls(rustls::Error),
    /// The end, or an error of the network.
    End,
}

/// Passes everything through; the receiver resolves at the first read. HTTP/2 hides such errors, so they are caught here.
pub(super) struct FirstByte<S> {
    inner: S,
    arrived: Option<oneshot::Sender<First>>,
}

impl<S> FirstByte<S> {
    pub fn new(inner: S) -> (Self, oneshot::Receiver<First>) {
        let (arrived, told) = oneshot::channel();
        (Self { inner, arrived: Some(arrived) }, told)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstByte<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let first = match &read {
            Poll::Pending => return read,
            Poll::Ready(Ok(())) if buf.filled().len() > before => First::Bytes,
            Poll::Ready(Ok(())) => First::End,
            Poll::Ready(Err(error)) => inner_tls(error).map_or(First::End, |tls| First::Tls(tls.clone())),
        };
        if let Some(arrived) = self.arrived.take() {
            // Nobody may be waiting any more.
            let _ = arrived.send(first);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstByte<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// The TLS error that an I/O error carries.
pub(super) fn inner_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
