//! What the servers share: how they stop, and connections that a fault can cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long requests that are still running may take when everything stops. Ctrl-C ends everything within a second.
const GRACE: Duration = Duration::from_millis(300);

/// Tells tasks to stop, and waits for them.
#[derive(Debug)]
pub(crate) struct Stop {
    signal: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Stop {
    pub(crate) fn new(signal: watch::Sender<bool>, tasks: Vec<JoinHandle<()>>) -> Self {
        Self { signal, tasks }
    }

    /// Waits for the tasks for a short while, then drops them.
    pub(crate) async fn stop(mut self) {
        let _ = self.signal.send(true);
        let end = tokio::time::Instant::now() + GRACE;
        for task in &mut self.tasks {
            if tokio::time::timeout_at(end, &mut *task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        let _ = self.signal.send(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Serves `router` on `listener` until the signal comes. Handlers can take `ConnectInfo<Line>`.
pub(crate) fn serve(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let shutdown = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        // `axum::serve` never returns an error.
        let _ = axum::serve(
            Lines(listener),
            router.into_make_service_with_connect_info::<Line>(),
        )
        .with_graceful_shutdown(shutdown)
        .await;
    })
}

/// A handle to the connection that a request came over.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    peer: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Line {
    /// Who is at the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Cuts the connection before another byte is written: the caller sees a reset.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

struct Lines(TcpListener);

impl Listener for Lines {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (
            Cuttable {
                stream,
                line: Line {
                    peer,
                    cut: Arc::new(AtomicBool::new(false)),
                },
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().line.clone()
    }
}

struct Cuttable {
    stream: TcpStream,
    line: Line,
}

impl Cuttable {
    fn check(&self) -> io::Result<()> {
        if self.line.cut.load(Ordering::SeqCst) {
            // With a linger of zero the close is a reset, as when a machine goes away.
            let _ = self.stream.set_zero_linger();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
