//! Whether anything new begins.

use super::{Client, ClientError, at};
use crate::job::DrainView;

const PATH: &str = "/v1/drain";

impl Client {
    /// Whether the coordinator is being drained, and how far that has got.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn drained(&self) -> Result<DrainView, ClientError> {
        self.get(PATH).await
    }

    /// Has nothing new begin; for operators.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn drain(&self) -> Result<DrainView, ClientError> {
        self.ask(|base| self.http.post(at(base, PATH).as_str()).send())
            .await
    }

    /// Has things begin again; for operators.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn undrain(&self) -> Result<DrainView, ClientError> {
        self.ask(|base| self.http.delete(at(base, PATH).as_str()).send())
            .await
    }
}
