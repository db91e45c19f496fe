//! A client that sends exactly the octets it is told, over TCP and over TLS.
//!
//! It knows no POP3. Every wait has an end.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::play::Connection;
use super::tls;

/// Longer than any answer takes on a busy machine, shorter than any timer of the server.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// One connection, in the clear or under TLS.
pub(crate) struct Client {
    stream: Stream,
    read: Vec<u8>,
    config: Arc<ClientConfig>,
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// A handshake failed; the connection is of no more use.
    Lost,
}

impl Client {
    /// Connects in the clear.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .map_err(|error| format!("connecting to {address}: {error}"))?;
        Self::from_stream(stream)
    }

    /// Takes over a connected socket, which a test has prepared.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn from_stream(stream: TcpStream) -> Result<Self, String> {
        let prepared = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
        prepared
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            stream: Stream::Clear(stream),
            read: Vec::new(),
            config: tls::client(),
        })
    }

    /// Connects to the implicit port.
    ///
    /// # Errors
    /// What the system or the handshake said.
    pub(crate) fn connect_tls(address: SocketAddr) -> Result<Self, String> {
        let mut client = Self::connect(address)?;
        client.start_tls()?;
        Ok(client)
    }

    /// Uses another TLS configuration for the handshake to come.
    pub(crate) fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.config = config;
        self
    }

    /// Makes the handshake, asking for this server name.
    ///
    /// # Errors
    /// What the handshake said.
    pub(crate) fn start_tls_as(&mut self, name: &str) -> Result<(), String> {
        self.handshake(name, None)
    }

    /// Makes the handshake, and does something else in the middle of the first message.
    ///
    /// # Errors
    /// What the handshake said.
    pub(crate) fn start_tls_pausing(&mut self, pause: &mut dyn FnMut()) -> Result<(), String> {
        self.handshake(tls::NAME, Some(pause))
    }

    fn handshake(&mut self, name: &str, pause: Option<&mut dyn FnMut()>) -> Result<(), String> {
        if !self.read.is_empty() {
            return Err("the server sent octets in the clear behind its answer to STLS".to_owned());
        }
        let Stream::Clear(mut socket) = std::mem::replace(&mut self.stream, Stream::Lost) else {
            return Err("TLS is already on".to_owned());
        };
        let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        let mut session =
            ClientConnection::new(self.config.clone(), name).map_err(|error| error.to_string())?;
        let failed = |error| format!("the TLS handshake: {error}");
        if let Some(pause) = pause {
            let mut hello = Vec::new();
            session.write_tls(&mut hello).map_err(failed)?;
            let (half, rest) = hello.split_at(hello.len() / 2);
            socket.write_all(half).map_err(failed)?;
            pause();
            socket.write_all(rest).map_err(failed)?;
        }
        while session.is_handshaking() {
            session.complete_io(&mut socket).map_err(failed)?;
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(session, socket)));
        Ok(())
    }

    /// The TLS session, when there is one.
    pub(crate) fn session(&self) -> Option<&ClientConnection> {
        match &self.stream {
            Stream::Tls(stream) => Some(&stream.conn),
            Stream::Clear(_) | Stream::Lost => None,
        }
    }

    /// Reads once; the number of octets that came. 0 is the end. A TLS stream that ends without
    /// close_notify is an error.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn fill(&mut self) -> std::io::Result<usize> {
        let mut block = [0; 16 * 1024];
        let count = match &mut self.stream {
            Stream::Clear(stream) => stream.read(&mut block),
            Stream::Tls(stream) => stream.read(&mut block),
            Stream::Lost => Ok(0),
        }?;
        self.read.extend_from_slice(&block[..count]);
        Ok(count)
    }

    /// Sends a line, and takes the first line of the answer, without its CRLF.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes())
            .expect("sending");
        self.answer()
    }

    /// The next line without its CRLF; `(closed)` at the end of the stream.
    pub(crate) fn answer(&mut self) -> String {
        match self.line().expect("a line in time") {
            Some(line) => String::from_utf8_lossy(&line)
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            None => "(closed)".to_owned(),
        }
    }

    /// The lines up to `.`, without their line ends and still dot-stuffed.
    pub(crate) fn list(&mut self) -> Vec<String> {
        std::iter::repeat_with(|| self.answer())
            .inspect(|line| assert_ne!(line, "(closed)", "the server closed inside a list"))
            .take_while(|line| line != ".")
            .collect()
    }

    /// Everything up to the line with a dot alone, as it came: for what is too long to be read line by
    /// line. The line before must not be missing.
    pub(crate) fn message(&mut self) -> Vec<u8> {
        while !self.read.ends_with(b"\r\n.\r\n") {
            let count = self.fill().expect("octets in time");
            assert_ne!(count, 0, "the server closed inside a message");
        }
        std::mem::take(&mut self.read)
    }

    fn socket(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Clear(stream) => Some(stream),
            Stream::Tls(stream) => Some(&stream.sock),
            Stream::Lost => None,
        }
    }
}

impl Connection for Client {
    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        let sent = match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(octets),
            Stream::Tls(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
            Stream::Lost => Ok(()),
        };
        match sent {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ) =>
            {
                Err(format!("sending: {error}"))
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(end) = self.read.iter().position(|&octet| octet == b'\n') {
                let rest = self.read.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            let ended = match self.fill() {
                Ok(count) => count == 0,
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::UnexpectedEof
                            | ErrorKind::ConnectionReset
                            | ErrorKind::BrokenPipe
                    ) =>
                {
                    true
                }
                Err(error) => return Err(format!("waiting for a line: {error}")),
            };
            if ended {
                return Ok((!self.read.is_empty()).then(|| std::mem::take(&mut self.read)));
            }
        }
    }

    fn start_tls(&mut self) -> Result<(), String> {
        self.start_tls_as(tls::NAME)
    }

    fn hang_up(self: Box<Self>, reset: bool) {
        let Some(socket) = self.socket() else { return };
        if reset {
            // A close with unsent data pending and no linger is a reset.
            socket2::SockRef::from(socket)
                .set_linger(Some(Duration::ZERO))
                .expect("linger");
        } else {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn unread(&self) -> &[u8] {
        &self.read
    }
}
