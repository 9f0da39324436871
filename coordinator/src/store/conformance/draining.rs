//! What a store must do with a drain.

use super::{Violation, expect, record};
use crate::{
    audit::{Deed, What},
    clock::Millis,
    engine::Draining,
    store::Store,
};

pub(super) async fn whether_anything_begins_is_kept(store: &impl Store) -> Result<(), Violation> {
    let by = record(1, "any")?.submitted_by;
    let draining = |since| Draining {
        since: Millis(since),
        by: by.clone(),
    };
    let deed = |what| Deed::at_large(what, by.clone(), Millis(7));
    let steps = [
        (None, None),
        (Some(draining(7)), Some(What::Drained)),
        (Some(draining(8)), Some(What::Drained)),
        (None, Some(What::Undrained)),
    ];
    let mut told = Vec::new();
    for (draining, what) in steps {
        if let Some(what) = what {
            store.drain(draining.as_ref(), &deed(what)).await?;
            told.push(deed(what));
        }
        expect(
            "whether anything begins",
            &store.draining().await?,
            &draining,
        )?;
        let log = store.audit(0, 10).await?;
        let log: Vec<Deed> = log.into_iter().map(|entry| entry.deed).collect();
        expect("what the log tells of it", &log, &told)?;
    }
    Ok(())
}
