//! What a store must do with its lease.

use super::{Violation, change, expect, record, suite, wrong};
use crate::{
    audit::{Deed, verify},
    clock::Millis,
    job::JobState,
    store::{Lead, Leases, Store as _, StoreError, Taking, Token},
};

/// Checks the lease of a kind of store; `empty` makes a new one without jobs that
/// nobody leads.
///
/// # Errors
/// The first [`Violation`].
pub async fn check_leases<L: Leases>(mut empty: impl AsyncFnMut() -> L) -> Result<(), Violation> {
    let leases = empty().await;
    each_taking_has_a_larger_token(&leases).await?;
    leases.close().await;

    let leases = empty().await;
    who_led_once_writes_nothing(&leases).await?;
    leases.close().await;
    Ok(())
}

async fn taken<L: Leases>(leases: &L, address: &str) -> Result<L::Lead, Violation> {
    match leases.take(address).await? {
        Taking::Taken { store, .. } => Ok(store),
        Taking::Held { by } => Err(Violation::Wrong(format!("{by:?} leads, and should not"))),
    }
}

async fn each_taking_has_a_larger_token<L: Leases>(leases: &L) -> Result<(), Violation> {
    let mut last = Token(0);
    for address in ["https://one/", "https://two/", "https://one/"] {
        let store = taken(leases, address).await?;
        if store.token() <= last {
            let text = format!("after token {last:?} came {:?}", store.token());
            return Err(Violation::Wrong(text));
        }
        last = store.token();
        store.renew().await?;
        store.release().await?;
        let given_back = store.renew().await;
        if !matches!(given_back, Err(StoreError::Deposed(_))) {
            return Err(wrong("to renew what was given back", &given_back));
        }
    }
    Ok(())
}

async fn who_led_once_writes_nothing<L: Leases>(leases: &L) -> Result<(), Violation> {
    let (kept, late) = (record(1, "kept")?, record(2, "late")?);
    let old = taken(leases, "https://old/").await?;
    old.insert(&kept).await?;
    old.release().await?;
    let new = taken(leases, "https://new/").await?;

    let alice = kept.submitted_by.clone();
    let deed = Deed::refused(alice, "DELETE /v1".into(), None, Millis(8));
    let reserved = change(&kept, JobState::Reserved)?;
    for (what, outcome) in [
        ("an insertion", old.insert(&late).await),
        ("a change", old.write(&reserved).await),
        ("an entry of the log", old.append(&deed).await),
        ("a renewal", old.renew().await),
    ] {
        if !matches!(outcome, Err(StoreError::Deposed(token)) if token == old.token()) {
            return Err(wrong(&format!("{what} by who led once"), &outcome));
        }
    }
    // It is not its to give back, either.
    old.release().await?;
    new.renew().await?;
    let log = new.audit(0, 10).await?;
    verify(&log, None).map_err(suite)?;
    if log.len() != 1 {
        return Err(Violation::Wrong(format!("the log tells {log:#?}")));
    }
    expect("what was kept", &new.load().await?, &vec![kept])?;
    new.write(&reserved).await?;
    expect(
        "what who leads has written",
        &new.load().await?,
        &vec![reserved.record().clone()],
    )
}
