//! A TLS connection, made as the service makes it, and what was agreed on it.

use std::{
    io::{self, Read},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use entente_tls::{Credentials, Identity, Refusal, TlsError};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::finding::Finding;

/// How long a connection, a handshake and an answer may take, each.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was agreed on.
#[derive(Debug, Clone)]
pub(super) struct Agreed {
    version: String,
    cipher: String,
    key_exchange: String,
    identity: Identity,
    connected_in: Duration,
    handshake_in: Duration,
}

impl Agreed {
    /// In a line.
    pub(super) fn seen(&self) -> String {
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
pub(super) enum NoLine {
    /// Nobody takes the call.
    Unreachable(io::Error),
    /// Somebody does, and it comes to no agreement.
    Refused(TlsError),
}

impl NoLine {
    /// As a failure to reach `whom` at `address`.
    pub(super) fn finding(&self, check: String, whom: &str, address: &str) -> Finding {
        match self {
            Self::Unreachable(error) => Finding::failure(
                check,
                format!("{address}: {error}"),
                format!(
                    "see that {whom} runs, that {address} is its address, and that no firewall \
                     stands between"
                ),
            ),
            Self::Refused(error) => {
                let remedy = match error {
                    TlsError::Handshake { refusal, .. } => refused(*refusal),
                    _ => "have it reissued",
                };
                Finding::failure(check, format!("{address}: {error}"), remedy)
            }
        }
    }
}

fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::UnknownAuthority => {
            "its certificate is of an authority that [tls] ca does not have: exchange authorities"
        }
        Refusal::Expired => "its certificate has ended: tell its operator; or this clock is fast",
        Refusal::NotYetValid => "its certificate begins later: see to both machines' clocks",
        Refusal::WrongPeer => "another one answers there: see to the address and the name",
        Refusal::NotTls => "something else answers there: see to the address and to proxies",
        Refusal::ByPeer => {
            "it does not take our certificate: its log says why; its [tls] ca must have our \
             authority, and our certificate must be in date by its clock"
        }
        _ => "see the message, and its log",
    }
}

/// Connects to whoever must be `expected`.
///
/// # Errors
/// [`NoLine`].
pub(super) fn open(
    address: &str,
    credentials: &Credentials,
    expected: &Identity,
) -> Result<(StreamOwned<ClientConnection, TcpStream>, Agreed), NoLine> {
    let start = Instant::now();
    let mut tcp = connect(address).map_err(NoLine::Unreachable)?;
    let connected_in = start.elapsed();
    let refused = |error: io::Error| NoLine::Refused(TlsError::handshake(error));
    let name = tcp.peer_addr().map_err(NoLine::Unreachable)?.ip().into();
    let config = credentials.client_config(expected);
    let config = config.map_err(NoLine::Refused)?;
    let mut tls = ClientConnection::new(config, ServerName::IpAddress(name))
        .map_err(|error| refused(io::Error::other(error)))?;
    let start = Instant::now();
    while tls.is_handshaking() {
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
        identity: peer.identity().clone(),
        connected_in,
        handshake_in: start.elapsed(),
    };
    Ok((StreamOwned::new(tls, tcp), agreed))
}

fn none() -> String {
    "none".to_owned()
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The first `count` bytes that come. In TLS 1.3 this is where one learns that
/// the other side does not take one's certificate.
///
/// # Errors
/// [`NoLine::Refused`].
pub(super) fn read(
    line: &mut StreamOwned<ClientConnection, TcpStream>,
    count: usize,
) -> Result<Vec<u8>, NoLine> {
    let mut bytes = vec![0; count];
    let read = line.read_exact(&mut bytes);
    read.map_err(|error| NoLine::Refused(TlsError::handshake(error)))?;
    Ok(bytes)
}
