//! A step that is gone through again has the same masks, and one that hears
//! something else has others.

use std::sync::Arc;

use entente_he::{Backend, Transparent, TransparentBackend};
use entente_wire::Secret;

use super::Case;
use crate::{
    Machine, Next, Outbox, Role,
    acml::{ActiveRole, PassiveRole, algebra::Corrected},
    loopback::{Speaker, exchange},
};

type Said = Vec<(Speaker, &'static str, Vec<u8>)>;

/// Both sides before the first round.
struct AtRest {
    case: Case,
    backend: Arc<dyn Backend<Transparent>>,
    checkpoints: [Secret<Vec<u8>>; 2],
}

impl AtRest {
    fn new() -> Self {
        let case = Case::small();
        let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
        let active = case.active::<_, Corrected>(&case.job(), backend.clone(), case.bottom(), 1);
        let passive = case.passive::<_, Corrected>(&case.job(), backend.clone(), 1);
        let (active, passive) = exchange(0, active, passive, &mut |_, _, _| {}).unwrap();
        Self {
            checkpoints: [active.role.checkpoint(), passive.role.checkpoint()],
            case,
            backend,
        }
    }

    /// With fresh randomness, which `start` stands for.
    fn active(&self, start: u64) -> ActiveRole<Transparent> {
        let (case, backend) = (&self.case, self.backend.clone());
        let set_up = case.active_set_up(&case.job(), backend, case.bottom(), start);
        ActiveRole::resume(set_up, &self.checkpoints[0]).unwrap()
    }

    fn passive(&self, start: u64) -> PassiveRole<Transparent> {
        let (case, backend) = (&self.case, self.backend.clone());
        let set_up = case.passive_set_up(&case.job(), backend, start);
        PassiveRole::resume(set_up, &self.checkpoints[1]).unwrap()
    }

    /// The first round, and all that is said in it.
    fn round(&self, start: u64) -> Said {
        let mut said = Vec::new();
        let mut see = |speaker: Speaker, name: &'static str, payload: &mut Vec<u8>| {
            said.push((speaker, name, payload.clone()));
        };
        exchange(1, self.active(start), self.passive(start), &mut see).unwrap();
        said
    }
}

/// What one side says when it is handed again what the other said.
fn again<R: Role>(role: R, speaker: Speaker, said: &Said) -> Vec<(&'static str, Vec<u8>)> {
    let mut out = Outbox::new();
    let mut next = role.begin(1, &mut out).unwrap();
    for (_, _, payload) in said.iter().filter(|(by, ..)| *by != speaker) {
        let Next::Continue(machine) = next else {
            panic!("a message after the end")
        };
        next = machine.handle(payload, &mut out).unwrap();
    }
    let sent = out.drain().into_iter();
    sent.map(|sent| (sent.name, sent.payload)).collect()
}

/// The masked value in a message of the transparent scheme: its entries.
fn masked(name: &str, payload: &[u8]) -> Option<Vec<u64>> {
    // Behind the kind: the key and the fresh number of what stands for a
    // ciphertext, then rows and columns.
    let shape = match name {
        "masked_product" | "encrypted_weight_gradient" => 2 + 16,
        "masked_logits" | "update_and_share" => 2,
        _ => return None,
    };
    let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap()) as usize;
    let entries = number(shape) * number(shape + 4);
    let words = payload[shape + 8..].chunks_exact(8).take(entries);
    Some(
        words
            .map(|word| u64::from_be_bytes(word.try_into().unwrap()))
            .collect(),
    )
}

#[test]
fn heard_again_the_same_is_answered_under_the_same_masks() {
    let parties = AtRest::new();
    let said = parties.round(2);
    let active = again(parties.active(3), Speaker::Left, &said);
    let passive = again(parties.passive(3), Speaker::Right, &said);
    let (mut values, mut fresh) = (0, 0);
    for (speaker, repeated) in [(Speaker::Left, active), (Speaker::Right, passive)] {
        let own: Vec<_> = said.iter().filter(|(by, ..)| *by == speaker).collect();
        assert_eq!(own.len(), repeated.len());
        for ((_, name, before), (again, after)) in own.into_iter().zip(&repeated) {
            assert_eq!(name, again);
            assert_eq!(masked(name, before), masked(again, after), "{name}");
            values += usize::from(masked(name, before).is_some());
            fresh += usize::from(before != after);
        }
    }
    // Of six messages, those under S1, under S1 again, S2 and e_w; all but the
    // masked logits have a ciphertext in them, of other randomness.
    assert_eq!((values, fresh), (4, 5));
}

/// Both disks are put back to an old copy, say: what is encrypted anew is heard
/// as something else, and no mask hides two values.
#[test]
fn what_is_heard_differently_is_answered_under_other_masks() {
    let parties = AtRest::new();
    let (one, other) = (parties.round(2), parties.round(3));
    let mut values = 0;
    for ((_, name, one), (_, _, other)) in one.iter().zip(&other) {
        let (Some(one), Some(other)) = (masked(name, one), masked(name, other)) else {
            continue;
        };
        values += 1;
        let same = one.iter().zip(&other).filter(|(one, other)| one == other);
        assert_eq!((one.len(), same.count()), (other.len(), 0), "{name}");
    }
    assert_eq!(values, 4);
}
