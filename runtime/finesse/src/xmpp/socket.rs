//! A socket with or without TLS. It has no buffers of its own: there are thousands of sessions.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use topoc_finesse_proto::xmpp::end::End;
use topoc_tls::tokio_rustls::TlsConnector;
use topoc_tls::tokio_rustls::client::TlsStream;
use topoc_tls::tokio_rustls::rustls::pki_types::ServerName;

use super::Server;

/// How long a write may take: the peer does not read, or the network is gone.
const WRITE: Duration = Duration::from_secs(10);

/// How much is read at a time, on the stack.
const READ: usize = 4 << 10;

/// A socket that is open.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Opens one: every address of the host's name in turn.
    pub(crate) async fn open(server: &Server, with_tls: bool) -> Result<Self, End> {
        let stream = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        if with_tls { Self::secure(stream, server).await } else { Ok(Self::Plain(stream)) }
    }

    async fn secure(stream: TcpStream, server: &Server) -> Result<Self, End> {
        let name = ServerName::try_from(server.host.clone())
            .map_err(|_| End::Tls(format!("no certificate can be for `{}`", server.host)))?;
        let connecting = TlsConnector::from(Arc::clone(&server.tls)).connect(name, stream);
        match Box::pin(connecting).await {
            Ok(stream) => Ok(Self::Tls(Box::new(stream))),
            // What rustls itself finds wrong; anything else is the network.
            Err(error) if error.get_ref().is_some() => Err(End::Tls(error.to_string())),
            Err(error) => Err(lost(error)),
        }
    }

    /// The same with TLS.
    pub(crate) async fn start_tls(self, server: &Server) -> Result<Self, End> {
        match self {
            Self::Plain(stream) => Self::secure(stream, server).await,
            Self::Tls(_) => Ok(self),
        }
    }

    /// Reads what there is and gives it to `take`. Nothing is lost when the future is dropped.
    pub(crate) async fn read<T>(&mut self, mut take: impl FnMut(&[u8]) -> T) -> Result<T, End> {
        poll_fn(|context| {
            let mut bytes = [0; READ];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *self).poll_read(context, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(lost(error))),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    Poll::Ready(Err(End::Lost("the server closed the connection".to_owned())))
                }
                Poll::Ready(Ok(())) => Poll::Ready(Ok(take(buffer.filled()))),
            }
        })
        .await
    }

    /// Whether nothing has come that nobody waits for: not even its end.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        poll_fn(|context| {
            let mut byte = [0; 1];
            let read = Pin::new(&mut *self).poll_read(context, &mut ReadBuf::new(&mut byte));
            Poll::Ready(read.is_pending())
        })
        .await
    }

    /// Writes everything, in a limited time.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let writing = async {
            self.write_all(bytes).await?;
            self.flush().await
        };
        match timeout(WRITE, writing).await {
            Ok(written) => written.map_err(lost),
            Err(_) => Err(End::Lost(format!("the server took nothing for {} s", WRITE.as_secs()))),
        }
    }

    /// Says that nothing more comes, as far as that still can be said.
    pub(crate) async fn shut(&mut self) {
        let _ = timeout(Duration::from_secs(1), self.shutdown()).await;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn lost(error: io::Error) -> End {
    End::Lost(error.to_string())
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
