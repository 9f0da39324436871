//! Frames on a stream: a u32 length, then the frame.

use std::{io, time::Duration};

use entente_wire::{Frame, MAX_FRAME_BYTES, decode_exactly};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::LinkError;

/// Room that is made at once while a frame comes in. A length is a claim: a
/// peer that announces a large frame has to send it before it takes room.
const CHUNK_BYTES: usize = 64 << 10;
/// The largest frame before the peer has introduced itself.
pub(super) const MAX_GREETING_BYTES: usize = 1 << 10;

/// Reads frames, each within `limit` bytes, with no silence in between.
pub(crate) struct FrameReader<R> {
    stream: R,
    silence: Duration,
    limit: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// For greetings; see [`FrameReader::greeted`].
    pub(crate) fn new(stream: R, silence: Duration) -> Self {
        Self {
            stream,
            silence,
            limit: MAX_GREETING_BYTES,
        }
    }

    /// From now on frames may have their full size.
    pub(super) fn greeted(&mut self) {
        self.allow(MAX_FRAME_BYTES);
    }

    /// From now on frames may have so many bytes.
    pub(crate) fn allow(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> Result<Frame, LinkError> {
        Ok(decode_exactly(&(), &self.next_bytes().await?)?)
    }

    /// The bytes of the next frame, whatever it is.
    pub(crate) async fn next_bytes(&mut self) -> Result<Vec<u8>, LinkError> {
        let mut length = Vec::new();
        self.fill(&mut length, 4).await?;
        let length = length
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length > self.limit {
            return Err(LinkError::Oversized {
                got: length,
                limit: self.limit,
            });
        }
        let mut frame = Vec::new();
        self.fill(&mut frame, length).await?;
        Ok(frame)
    }

    async fn fill(&mut self, buffer: &mut Vec<u8>, count: usize) -> Result<(), LinkError> {
        while buffer.len() < count {
            let missing = count - buffer.len();
            buffer.reserve(missing.min(CHUNK_BYTES));
            let mut stream = (&mut self.stream).take(missing as u64);
            let read = timeout(self.silence, stream.read_buf(buffer)).await;
            if read.map_err(|_| LinkError::Silent(self.silence))?? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(())
    }
}

/// Writes a frame that is encoded already.
pub(super) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
) -> io::Result<()> {
    write_frame_of(stream, [frame]).await
}

/// Writes a frame that lies in pieces.
pub(crate) async fn write_frame_of<const N: usize>(
    stream: &mut (impl AsyncWrite + Unpin),
    pieces: [&[u8]; N],
) -> io::Result<()> {
    // Whoever makes a packet holds it against the limit, far below u32.
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    stream.write_all(&(length as u32).to_be_bytes()).await?;
    for piece in pieces {
        stream.write_all(piece).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::Encode;

    use super::*;

    fn reader(bytes: &[u8]) -> FrameReader<&[u8]> {
        let mut reader = FrameReader::new(bytes, Duration::from_secs(5));
        reader.greeted();
        reader
    }

    #[tokio::test]
    async fn frames_come_back_as_they_were_written() {
        let mut stream = Vec::new();
        for number in 0..3 {
            let frame = Frame::Ping(number).encoded();
            write_frame(&mut stream, &frame).await.unwrap();
        }
        let mut reader = reader(&stream);
        for number in 0..3 {
            assert_eq!(reader.next().await.unwrap(), Frame::Ping(number));
        }
        assert!(matches!(reader.next().await, Err(LinkError::Io(_))));
    }

    #[tokio::test]
    async fn a_length_beyond_the_limit_is_refused_before_anything_is_read() {
        let length = (MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
        assert!(matches!(
            reader(&length).next().await,
            Err(LinkError::Oversized { .. })
        ));
        let greeting = (MAX_GREETING_BYTES as u32 + 1).to_be_bytes();
        let mut stranger = FrameReader::new(greeting.as_slice(), Duration::from_secs(5));
        assert!(matches!(
            stranger.next().await,
            Err(LinkError::Oversized { .. })
        ));
    }

    #[tokio::test]
    async fn a_lying_length_takes_no_more_room_than_what_comes() {
        let mut buffer = Vec::new();
        let sent = [7; 1000];
        let result = reader(&sent).fill(&mut buffer, MAX_FRAME_BYTES).await;
        assert!(matches!(result, Err(LinkError::Io(_))));
        assert!(buffer.capacity() <= 4 * CHUNK_BYTES);
    }

    #[tokio::test]
    async fn silence_in_the_middle_of_a_frame_is_noticed() {
        let (mut ours, theirs) = tokio::io::duplex(64);
        let mut reader = FrameReader::new(theirs, Duration::from_millis(20));
        ours.write_all(&[0, 0]).await.unwrap();
        assert!(matches!(reader.next().await, Err(LinkError::Silent(_))));
    }
}
