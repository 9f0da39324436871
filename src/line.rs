//! A TLS connection, made as a service makes it, and what was agreed on it.
//!
//! Blocking, on the thread that asks: whoever looks at a service from outside (the
//! doctor, a probe) has one question at a time and needs no runtime for it.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use entente_tls::{Credentials, Identity, TlsError};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

/// A line that is open.
pub(crate) type Line = StreamOwned<ClientConnection, TcpStream>;

/// The deadline is looked at before each part.
const WRITTEN_AT_ONCE: usize = 16 << 10;

/// Until when there must be an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// In so long.
    pub(crate) fn within(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }
}

/// What was agreed on.
#[derive(Debug, Clone)]
pub(crate) struct Agreed {
    version: String,
    cipher: String,
    key_exchange: String,
    protocol: Option<Vec<u8>>,
    identity: Identity,
    connected_in: Duration,
    handshake_in: Duration,
}

impl Agreed {
    /// Whether the other side has taken this protocol of those that were offered.
    pub(crate) fn speaks(&self, protocol: &[u8]) -> bool {
        self.protocol.as_deref() == Some(protocol)
    }

    /// In a line.
    pub(crate) fn seen(&self) -> String {
        let Self {
            version,
            cipher,
            key_exchange,
            identity,
            ..
        } = self;
        let [connected, shaken] =
            [self.connected_in, self.handshake_in].map(|took| took.as_secs_f64() * 1e3);
        format!(
            "{identity}; {version}, {cipher}, {key_exchange}; connected in {connected:.1} ms, \
             handshake in {shaken:.1} ms"
        )
    }
}

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum NoLine {
    /// Nobody takes the call.
    Unreachable(io::Error),
    /// Somebody does, and it comes to no agreement.
    Refused(TlsError),
}

/// Where a service that listens at `listen` is reached from its own machine.
pub(crate) fn from_here(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

/// Connects to whoever must be `expected`, and shakes hands before the deadline.
///
/// # Errors
/// [`NoLine`].
pub(crate) fn open(
    address: &str,
    credentials: &Credentials,
    expected: &Identity,
    deadline: Deadline,
) -> Result<(Line, Agreed), NoLine> {
    open_for(&[], address, credentials, expected, deadline)
}

/// The same, for one of the protocols that are offered, or for none where the other
/// side knows nothing of protocols.
///
/// # Errors
/// [`NoLine`], also for a side that knows others only.
pub(crate) fn open_for(
    protocols: &[&[u8]],
    address: &str,
    credentials: &Credentials,
    expected: &Identity,
    deadline: Deadline,
) -> Result<(Line, Agreed), NoLine> {
    let start = Instant::now();
    let mut tcp = connect(address, deadline).map_err(NoLine::Unreachable)?;
    let connected_in = start.elapsed();
    let refused = |error: io::Error| NoLine::Refused(TlsError::handshake(error));
    let name = tcp.peer_addr().map_err(NoLine::Unreachable)?.ip().into();
    let config = credentials.client_config(expected);
    let mut config = Arc::unwrap_or_clone(config.map_err(NoLine::Refused)?);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let mut tls = ClientConnection::new(Arc::new(config), ServerName::IpAddress(name))
        .map_err(|error| refused(io::Error::other(error)))?;
    let start = Instant::now();
    while tls.is_handshaking() {
        wait_until(&tcp, deadline).map_err(refused)?;
        tls.complete_io(&mut tcp).map_err(refused)?;
    }
    let peer = credentials.peer(tls.peer_certificates());
    let peer = peer.map_err(NoLine::Refused)?;
    let agreed = Agreed {
        version: tls
            .protocol_version()
            .map_or_else(none, |v| format!("{v:?}")),
        cipher: tls
            .negotiated_cipher_suite()
            .map_or_else(none, |suite| format!("{:?}", suite.suite())),
        key_exchange: tls
            .negotiated_key_exchange_group()
            .map_or_else(none, |group| format!("{:?}", group.name())),
        protocol: tls.alpn_protocol().map(<[u8]>::to_vec),
        identity: peer.identity().clone(),
        connected_in,
        handshake_in: start.elapsed(),
    };
    Ok((StreamOwned::new(tls, tcp), agreed))
}

fn none() -> String {
    "none".to_owned()
}

/// Connects to the first of its addresses that answers.
///
/// # Errors
/// As the system says.
pub(crate) fn connect(address: &str, deadline: Deadline) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, deadline.left()?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Has whatever is read and written from now on end with the deadline.
fn wait_until(tcp: &TcpStream, deadline: Deadline) -> io::Result<()> {
    let left = Some(deadline.left()?);
    tcp.set_read_timeout(left)?;
    tcp.set_write_timeout(left)
}

/// The first `count` bytes that come before the deadline. In TLS 1.3 this is where
/// one learns that the other side does not take one's certificate.
///
/// # Errors
/// [`NoLine::Refused`].
pub(crate) fn read(line: &mut Line, count: usize, deadline: Deadline) -> Result<Vec<u8>, NoLine> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        let got = read_some(line, &mut bytes[filled..], deadline)?;
        if got == 0 {
            let ended = io::ErrorKind::UnexpectedEof.into();
            return Err(NoLine::Refused(TlsError::handshake(ended)));
        }
        filled += got;
    }
    Ok(bytes)
}

/// Sends all of it before the deadline.
///
/// # Errors
/// [`NoLine::Refused`].
pub(crate) fn write(line: &mut Line, bytes: &[u8], deadline: Deadline) -> Result<(), NoLine> {
    // Each part within what is left then.
    let mut parts = bytes.chunks(WRITTEN_AT_ONCE);
    let written = parts.try_for_each(|part| {
        wait_until(&line.sock, deadline)?;
        line.write_all(part)
    });
    let written = written.and_then(|()| line.flush());
    written.map_err(|error| NoLine::Refused(TlsError::handshake(error)))
}

/// What has come, at the latest by the deadline; nothing when the other side has
/// ended.
///
/// # Errors
/// [`NoLine::Refused`].
pub(crate) fn read_some(
    line: &mut Line,
    into: &mut [u8],
    deadline: Deadline,
) -> Result<usize, NoLine> {
    let read = wait_until(&line.sock, deadline).and_then(|()| line.read(into));
    read.map_err(|error| NoLine::Refused(TlsError::handshake(error)))
}
