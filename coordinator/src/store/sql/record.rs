//! A record, read back from its row.

use entente_protocol::job::{Task, TaskSpec};
use sqlx::{Row, any::AnyRow};

use crate::{
    clock::Millis,
    job::{JobRecord, Submission},
};

type Problem = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn read(row: &AnyRow) -> Result<JobRecord, Problem> {
    let text = |column| row.try_get::<String, _>(column);
    let number =
        |column| -> Result<u64, Problem> { Ok(row.try_get::<i64, _>(column)?.try_into()?) };
    let moment = |column| -> Result<Option<Millis>, Problem> {
        let number = row.try_get::<Option<i64>, _>(column)?;
        Ok(number.map(u64::try_from).transpose()?.map(Millis))
    };
    let spec: TaskSpec = serde_json::from_str(&text("spec")?)?;
    Ok(JobRecord {
        id: text("id")?.parse()?,
        task: Task::try_from(spec)?.into(),
        version: number("version")?,
        state: text("state")?.parse()?,
        since: Millis(number("since_ms")?),
        begun_at: moment("begun_at_ms")?,
        not_before: moment("not_before_ms")?,
        attempt: number("attempt")?.try_into()?,
        wire: number("wire")?.try_into()?,
        granted: number("granted")?,
        key_epoch: number("key_epoch")?.try_into()?,
        submitted_by: text("submitted_by")?.parse()?,
        submission: match row.try_get::<Option<String>, _>("idempotency_key")? {
            Some(key) => Some(Submission {
                key: key.parse()?,
                digest: text("submission_digest")?,
            }),
            None => None,
        },
        submitted_at: Millis(number("submitted_at_ms")?),
        started_at: moment("started_at_ms")?,
        ended_at: moment("ended_at_ms")?,
        sides: serde_json::from_str(&text("sides")?)?,
        failures: serde_json::from_str(&text("failures")?)?,
        attempts: serde_json::from_str(&text("attempts")?)?,
        approvals: serde_json::from_str(&text("approvals")?)?,
        tenure: serde_json::from_str(&text("tenure")?)?,
        priority: text("priority")?.parse()?,
        retry_of: match row.try_get::<Option<String>, _>("retry_of")? {
            Some(id) => Some(id.parse()?),
            None => None,
        },
    })
}
