//! What happened to a job.

use entente_protocol::job::JobId;
use url::Url;

use super::{Client, ClientError, at};
use crate::{
    api::{JobLog, LARGEST_PAGE},
    job::LogEntry,
};

impl Client {
    /// A job's log behind an entry, 0 for all of it; oldest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn log(&self, id: JobId, after: u64) -> Result<Vec<LogEntry>, ClientError> {
        let mut entries = Vec::new();
        let mut next = Some(after);
        while let Some(after) = next {
            let page = |base: &Url| {
                let mut url = at(base, &format!("/v1/jobs/{id}/log"));
                url.query_pairs_mut()
                    .append_pair("limit", &LARGEST_PAGE.to_string())
                    .append_pair("after", &after.to_string());
                self.http.get(String::from(url)).send()
            };
            let page: JobLog = self.ask(page).await?;
            entries.extend(page.entries);
            next = page.next;
        }
        Ok(entries)
    }
}
