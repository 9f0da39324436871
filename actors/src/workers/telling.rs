//! A worker tells its party what it has counted.

use entente_metrics::{Counts, Registry};
use entente_wire::Encode;
use tokio::io::AsyncWrite;

use super::{
    Message,
    counted::{self, Counted},
    reception::write,
};
use crate::transport::LinkError;

/// Tells a party, over one connection, what is counted in a registry.
pub(super) struct Telling<'a> {
    registry: &'a Registry,
    /// What was told last, over whichever connection.
    told: &'a mut Counts,
    has_begun: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn new(registry: &'a Registry, told: &'a mut Counts) -> Self {
        Self {
            registry,
            told,
            has_begun: false,
        }
    }

    /// Whether anything was told over this connection.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Tells all that has been counted; first what was told before this connection.
    ///
    /// Only to a party that has said something over this connection: what is sent to one
    /// that does not listen would pass for told.
    pub(super) async fn tell<W: AsyncWrite + Unpin>(
        &mut self,
        writer: &mut W,
    ) -> Result<(), LinkError> {
        if !self.has_begun {
            say(writer, self.told.clone()).await?;
            self.has_begun = true;
        }
        let counts = self.registry.counts();
        say(writer, counts.clone()).await?;
        *self.told = counts;
        Ok(())
    }
}

async fn say<W: AsyncWrite + Unpin>(writer: &mut W, counts: Counts) -> Result<(), LinkError> {
    let bytes = Counted(counts).encoded();
    if bytes.len() > counted::MAX_BYTES {
        tracing::error!(
            bytes = bytes.len(),
            "too much is counted to be told; a defect"
        );
        return Ok(());
    }
    write(writer, Message::Counted(bytes)).await
}
