//! A POP3 client that shows every octet: for tests that need to know exactly.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::daemon::DEADLINE;
use super::pki::Pki;
use super::world::{HOST, User};

enum Wire {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A connection.
pub(crate) struct Client {
    wire: BufReader<Wire>,
    /// What the server said first.
    pub(crate) greeting: String,
}

impl Client {
    /// Connects without TLS and reads the greeting.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::greeted(Wire::Clear(dial(address)))
    }

    /// As [`Self::connect`], in the network whose file (`/proc/PID/ns/net`) this is.
    pub(crate) fn connect_in(network: &str, address: SocketAddr) -> Self {
        let network = File::open(network).expect("a network");
        // A thread of its own: it stays in that network, and so does what it has opened.
        let connecting = thread::spawn(move || {
            setns(network, CloneFlags::CLONE_NEWNET).expect("to enter the network; run as root");
            Self::connect(address)
        });
        connecting.join().expect("a connection")
    }

    /// The same, from this address: all of 127.0.0.0/8 is ours.
    pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let source = SocketAddr::from((source, 0));
        socket.bind(&source.into()).expect("an address of our own");
        socket
            .connect_timeout(&to.into(), DEADLINE)
            .unwrap_or_else(|error| panic!("{to}: {error}"));
        Self::greeted(Wire::Clear(patient(socket.into())))
    }

    /// Connects with implicit TLS, checks the certificate, reads the greeting.
    pub(crate) fn connect_tls(address: SocketAddr, pki: &Pki) -> Self {
        Self::greeted(encrypt(dial(address), pki))
    }

    /// Connects without TLS, then STLS.
    pub(crate) fn connect_stls(address: SocketAddr, pki: &Pki) -> Self {
        let mut client = Self::connect(address);
        client.ok("STLS");
        assert!(
            client.wire.buffer().is_empty(),
            "octets before the TLS handshake"
        );
        let Wire::Clear(stream) = client.wire.into_inner() else {
            panic!("TLS is on already")
        };
        Self {
            wire: BufReader::new(encrypt(stream, pki)),
            greeting: client.greeting,
        }
    }

    fn greeted(wire: Wire) -> Self {
        let mut client = Self {
            wire: BufReader::new(wire),
            greeting: String::new(),
        };
        client.greeting = client.line();
        assert!(
            client.greeting.starts_with("+OK"),
            "greeting: {}",
            client.greeting
        );
        client
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        let wire = self.wire.get_mut();
        wire.write_all(octets).expect("to send");
        wire.flush().expect("to send");
    }

    /// Reads a line; it must end in CRLF, which is taken off.
    pub(crate) fn line_octets(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.wire
            .read_until(b'\n', &mut line)
            .expect("a line from the server");
        assert!(
            line.ends_with(b"\r\n"),
            "a line without CRLF: {:?}",
            String::from_utf8_lossy(&line)
        );
        line.truncate(line.len() - 2);
        line
    }

    /// Reads a line of text.
    pub(crate) fn line(&mut self) -> String {
        String::from_utf8(self.line_octets()).expect("UTF-8")
    }

    /// Sends a command and reads one line.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes());
        self.line()
    }

    /// Sends a command to a server that may be gone by now: its answer, or none.
    pub(crate) fn try_ask(&mut self, command: &str) -> Option<String> {
        let octets = format!("{command}\r\n");
        self.wire.get_mut().write_all(octets.as_bytes()).ok()?;
        self.try_line()
    }

    /// Reads a line of text from a server that may be gone by now.
    pub(crate) fn try_line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.wire.read_line(&mut line).ok()?;
        line.strip_suffix("\r\n").map(str::to_owned)
    }

    /// Sends a command that must succeed.
    pub(crate) fn ok(&mut self, command: &str) -> String {
        let reply = self.ask(command);
        assert!(reply.starts_with("+OK"), "{command}: {reply}");
        reply
    }

    /// Sends a command that must be refused.
    pub(crate) fn refused(&mut self, command: &str) -> String {
        let reply = self.ask(command);
        assert!(reply.starts_with("-ERR"), "{command}: {reply}");
        reply
    }

    /// Sends a command with a multi-line answer and gives what comes after the status line: every
    /// line with its CRLF, the stuffed dots taken off, without the closing dot.
    pub(crate) fn body(&mut self, command: &str) -> Vec<u8> {
        self.try_body(command)
            .unwrap_or_else(|reply| panic!("{command}: {reply:?}"))
    }

    /// As [`Self::body`], from a server in trouble: the refusal when there is one, and nothing when
    /// the connection ends before the closing dot.
    pub(crate) fn try_body(&mut self, command: &str) -> Result<Vec<u8>, String> {
        let status = self.try_ask(command).unwrap_or_default();
        if !status.starts_with("+OK") {
            return Err(status);
        }
        self.rest().ok_or_else(String::new)
    }

    /// What follows a status line, without the closing dot; none when the connection ends before it.
    pub(crate) fn rest(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = self.wire.read_until(b'\n', &mut line);
            read.ok()?;
            let line = line.strip_suffix(b"\r\n")?;
            match line.strip_prefix(b".") {
                Some(b"") => return Some(body),
                Some(rest) => {
                    assert!(rest.starts_with(b"."), "a dot that is not stuffed");
                    body.extend_from_slice(rest);
                }
                None => body.extend_from_slice(line),
            }
            body.extend_from_slice(b"\r\n");
        }
    }

    /// As [`Self::body`], as lines of text.
    pub(crate) fn lines(&mut self, command: &str) -> Vec<String> {
        let body = String::from_utf8(self.body(command)).expect("UTF-8");
        body.lines().map(str::to_owned).collect()
    }

    /// The unique ids in order; message numbers must be 1, 2, 3 …
    pub(crate) fn uids(&mut self) -> Vec<String> {
        let lines = self.lines("UIDL");
        let split = lines.iter().enumerate().map(|(index, line)| {
            let (number, uid) = line.split_once(' ').expect("number and id");
            assert_eq!(number, (index + 1).to_string(), "UIDL leaves a number out");
            uid.to_owned()
        });
        split.collect()
    }

    /// USER and PASS.
    pub(crate) fn login(&mut self, user: User) {
        self.ok(&format!("USER {}", user.name));
        self.ok(&format!("PASS {}", user.password));
    }

    /// QUIT, which must succeed and end the connection.
    pub(crate) fn quit(mut self) {
        self.ok("QUIT");
        assert!(self.at_end(), "the server goes on after QUIT");
    }

    /// Whether the server has closed the connection. Waits for it, or for an octet.
    pub(crate) fn at_end(&mut self) -> bool {
        match self.wire.fill_buf() {
            Ok(octets) => octets.is_empty(),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => true,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
            Err(error) => panic!("waiting for the end: {error}"),
        }
    }
}

fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE)
        .unwrap_or_else(|error| panic!("{address}: {error}"));
    patient(stream)
}

/// Nothing is waited for longer than anything may take.
fn patient(stream: TcpStream) -> TcpStream {
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a time limit");
    stream
        .set_write_timeout(Some(DEADLINE))
        .expect("a time limit");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

fn encrypt(stream: TcpStream, pki: &Pki) -> Wire {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&pki.authority).expect("the authority"))
        .expect("a good authority");
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).expect("a host name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
    Wire::Tls(Box::new(StreamOwned::new(connection, stream)))
}
