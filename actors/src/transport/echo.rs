//! How much a line to a peer carries: an echo, for the doctor of the other side.
//!
//! ```text
//!   doctor of bank-a                                    party bank-b
//!   TLS, as a party's, offers entente-echo/1 ─────────▶ takes it: an echo, no link
//!   a run: up_bytes, down_bytes, and up_bytes of any ─▶ reads them, keeps none
//!          ◀─────────────────────────────── then sends down_bytes of zeros
//!   as many runs as the bounds allow
//! ```
//!
//! A doctor that greeted would take the place of the running party's link, since of
//! two links the newest counts; and a frame of its own within a link would need the
//! running party to send it. So the echo is a protocol beside the links', told from
//! them where TLS has a place for that: ALPN. A link is what offers nothing, as
//! before: a party that does not know the echo takes no protocol, and a doctor sees
//! that.
//!
//! It comes after the same handshake: the certificate, its revocation and the list of
//! peers decide who is served. A peer could send as much over a link; the bounds keep
//! a doctor that is in error, or started in a loop, from being felt.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use entente_protocol::job::PartyName;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

/// What a caller offers by ALPN that wants an echo. Later kinds of echo have another
/// number, and whoever offers one should offer this too: who knows none of what is
/// offered ends the handshake.
pub const PROTOCOL: &[u8] = b"entente-echo/1";

/// Each way at most in one echo, with what announces the runs.
pub const MAX_BYTES: u32 = 4 << 20;

/// How long an echo may take.
pub const MAX_TIME: Duration = Duration::from_secs(10);

/// Read and written at once. What a run announces takes no room.
const CHUNK_BYTES: usize = 16 << 10;
/// Nobody shortens them on the way: they are encrypted.
static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// What the caller sends, and gets once all of that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// From the caller.
    pub up_bytes: u32,
    /// To the caller.
    pub down_bytes: u32,
}

impl Run {
    /// Its announcement has so many bytes.
    pub const BYTES: usize = 8;

    /// As it is announced.
    #[must_use]
    pub fn announced(self) -> [u8; Self::BYTES] {
        let both = u64::from(self.up_bytes) << 32 | u64::from(self.down_bytes);
        both.to_be_bytes()
    }

    fn read(announced: [u8; Self::BYTES]) -> Self {
        let both = u64::from_be_bytes(announced);
        Self {
            up_bytes: (both >> 32) as u32,
            down_bytes: both as u32,
        }
    }
}

/// Why an echo has ended before the caller ended it.
#[derive(Debug, Error)]
pub(super) enum Cut {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("one echo at a time")]
    Busy,
    #[error("more than {MAX_BYTES} bytes one way")]
    TooMuch,
    #[error("longer than {} ms", .0.as_millis())]
    TooLong(Duration),
}

/// Whether a caller wants an echo.
pub(super) fn is_wanted(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(PROTOCOL)
}

/// Serves the peers, each one echo at a time.
pub(super) struct Echoes {
    free: BTreeMap<PartyName, Semaphore>,
}

impl Echoes {
    pub(super) fn new<'a>(peers: impl Iterator<Item = &'a PartyName>) -> Arc<Self> {
        let free = peers.map(|peer| (peer.clone(), Semaphore::new(1)));
        Arc::new(Self {
            free: free.collect(),
        })
    }

    /// Serves `peer`, whose certificate has been looked at, and hangs up.
    pub(super) async fn serve(&self, peer: &PartyName, stream: TlsStream<TcpStream>) {
        let end = match self.free.get(peer).map(Semaphore::try_acquire) {
            Some(Ok(_seat)) => within(MAX_TIME, stream).await,
            _ => Err(Cut::Busy),
        };
        match end {
            Ok(()) => tracing::debug!(%peer, "an echo was given"),
            Err(cut) => tracing::debug!(%peer, %cut, "an echo is cut"),
        }
    }
}

/// Serves until the caller ends it, for so long at most.
pub(super) async fn within(
    time: Duration,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<(), Cut> {
    let served = timeout(time, serve(stream)).await;
    served.map_err(|_| Cut::TooLong(time))?
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Cut> {
    let mut left = Run {
        up_bytes: MAX_BYTES,
        down_bytes: MAX_BYTES,
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let mut announced = [0; Run::BYTES];
        match stream.read_exact(&mut announced).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => drop(read?),
        }
        let run = Run::read(announced);
        left = left.after(run).ok_or(Cut::TooMuch)?;
        let mut missing = run.up_bytes as usize;
        while missing > 0 {
            let most = missing.min(CHUNK_BYTES);
            let read = stream.read(&mut chunk[..most]).await?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            missing -= read;
        }
        let mut missing = run.down_bytes as usize;
        while missing > 0 {
            let most = missing.min(CHUNK_BYTES);
            stream.write_all(&ZEROS[..most]).await?;
            missing -= most;
        }
        stream.flush().await?;
    }
}

impl Run {
    /// What is left of this after a run and its announcement, unless that is more.
    fn after(self, run: Self) -> Option<Self> {
        let up_bytes = self.up_bytes.checked_sub(Self::BYTES as u32)?;
        Some(Self {
            up_bytes: up_bytes.checked_sub(run.up_bytes)?,
            down_bytes: self.down_bytes.checked_sub(run.down_bytes)?,
        })
    }
}
