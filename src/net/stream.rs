//! The octets of one connection, in the clear or under TLS.
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::pop3::line::Lines;

/// How much is read at once, on the stack of one poll: an idle connection keeps no buffer.
const READ: usize = 4096;

/// What is thrown away at most of a client that goes on talking after our farewell.
const LINGER_OCTETS: usize = 256 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// The transport of a connection.
pub(super) enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Taken for a handshake that failed, or closed.
    Gone,
}

trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

impl Stream {
    fn octets(&mut self) -> io::Result<&mut dyn Octets> {
        match self {
            Self::Clear(tcp) => Ok(tcp),
            Self::Tls(tls) => Ok(tls.as_mut()),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Reads what is there, at least one octet, behind what `lines` holds. `false` is the end.
    pub(super) async fn read(&mut self, lines: &mut Lines) -> io::Result<bool> {
        let octets = self.octets()?;
        poll_fn(|context| {
            let mut memory = [0; READ];
            let mut buffer = ReadBuf::new(&mut memory);
            ready!(Pin::new(&mut *octets).poll_read(context, &mut buffer))?;
            lines.push(buffer.filled());
            Ok(!buffer.filled().is_empty()).into()
        })
        .await
    }

    /// Writes all; every part that the client takes starts the clock anew.
    pub(super) async fn write(&mut self, mut octets: &[u8], idle: Duration) -> io::Result<()> {
        let stream = self.octets()?;
        while !octets.is_empty() {
            match within(idle, stream.write(octets)).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => octets = octets.get(written..).unwrap_or_default(),
            }
        }
        within(idle, stream.flush()).await
    }

    /// Ends the connection so that our last line arrives: close_notify under TLS, then FIN, and a
    /// client that is still sending is heard out for a moment, since closing on unread octets
    /// would reset the connection and take our reply with it.
    pub(super) async fn close(&mut self) {
        let Ok(stream) = self.octets() else { return };
        let _ = timeout(LINGER_TIME, stream.shutdown()).await;
        let tcp = match self {
            Self::Clear(tcp) => tcp,
            Self::Tls(tls) => tls.get_mut().0,
            Self::Gone => return,
        };
        let _ = timeout(LINGER_TIME, hear_out(tcp)).await;
        *self = Self::Gone;
    }
}

/// As `timeout`, but what is done at once, which is the rule, costs no look at the clock.
async fn within<T>(idle: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut work = pin!(work);
    match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        Poll::Ready(done) => done,
        Poll::Pending => timeout(idle, work).await?,
    }
}

/// Nothing unread, which is the rule, costs one look.
async fn hear_out(tcp: &TcpStream) -> io::Result<()> {
    let mut left = LINGER_OCTETS;
    let mut heard = false;
    while left > 0 {
        match throw_away(tcp) {
            Ok(0) => break,
            Ok(octets) => {
                left = left.saturating_sub(octets);
                heard = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && heard => {
                tcp.readable().await?
            }
            Err(_) => break,
        }
    }
    Ok(())
}

/// Apart, so that its memory is on the stack and not in every connection.
fn throw_away(tcp: &TcpStream) -> io::Result<usize> {
    tcp.try_read(&mut [0; READ])
}
