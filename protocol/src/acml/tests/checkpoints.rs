//! Checkpoints that are none, of something else, or damaged.

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::Secret;
use proptest::prelude::*;

use super::{
    Case,
    asked_models::{Asked, Trained},
};
use crate::{
    CheckpointError, Class, ProtocolError, Role,
    acml::{ActiveInference, ActiveRole, PassiveInference, PassiveRole, algebra::Corrected},
    checkpoint::seal,
    job::Keep,
    loopback::exchange,
};

/// Bytes of the digest at the end.
const SEAL: usize = 32;

/// The four roles in the middle of their jobs.
struct Resting<S: Scheme> {
    case: Case,
    trained: Trained,
    asked: Asked,
    backend: Arc<dyn Backend<S>>,
    checkpoints: [Vec<u8>; 4],
}

/// Goes through the first exchanges; both checkpoints after them.
fn after<L: Role, R: Role>(exchanges: u64, mut left: L, mut right: R) -> [Vec<u8>; 2] {
    for index in 0..exchanges {
        let (one, other) = exchange(index, left, right, &mut |_, _, _| {}).unwrap();
        (left, right) = (one.role, other.role);
    }
    [left.checkpoint(), right.checkpoint()].map(|checkpoint| checkpoint.expose().clone())
}

impl<S: Scheme> Resting<S> {
    fn new(backend: Arc<dyn Backend<S>>) -> Self {
        let case = Case {
            validation: 0.3,
            keep: Keep::Best,
            ..Case::small()
        };
        let job = case.job().with_insecure_key(512);
        let trained = Trained::new(&case, backend.clone(), 4);
        let asked = Asked::of(&case, "passive");
        // Two rounds and the look at the validation rows: an epoch is kept.
        let [active, passive] = after(
            4,
            case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 1),
            case.passive::<S, Corrected>(&job, backend.clone(), 1),
        );
        let [asks, answers] = after(
            2,
            trained.active(&asked, backend.clone()),
            trained.passive(&asked, backend.clone()),
        );
        Self {
            case,
            trained,
            asked,
            backend,
            checkpoints: [active, passive, asks, answers],
        }
    }

    /// The role of this number, resumed from these bytes, says its checkpoint.
    fn resumed(&self, role: usize, bytes: Vec<u8>) -> Result<Vec<u8>, ProtocolError> {
        let (case, backend, bytes) = (&self.case, self.backend.clone(), Secret::new(bytes));
        let job = case.job().with_insecure_key(512);
        let again = match role {
            0 => {
                let set_up = case.active_set_up(&job, backend, case.bottom(), 9);
                ActiveRole::resume(set_up, &bytes)?.checkpoint()
            }
            1 => PassiveRole::resume(case.passive_set_up(&job, backend, 9), &bytes)?.checkpoint(),
            2 => {
                let set_up = self.trained.active_set_up(&self.asked, backend);
                ActiveInference::resume(set_up, &bytes)?.checkpoint()
            }
            _ => {
                let set_up = self.trained.passive_set_up(&self.asked, backend);
                PassiveInference::resume(set_up, &bytes)?.checkpoint()
            }
        };
        Ok(again.expose().clone())
    }

    fn refused(&self, role: usize, bytes: Vec<u8>) -> CheckpointError {
        let error = self
            .resumed(role, bytes)
            .expect_err("no checkpoint of this");
        assert_eq!(
            (error.label(), error.class()),
            ("checkpoint", Class::Operator)
        );
        match error {
            ProtocolError::Checkpoint(error) => error,
            other => panic!("{other}"),
        }
    }
}

fn transparent() -> Resting<Transparent> {
    Resting::new(Arc::new(TransparentBackend))
}

#[test]
fn a_checkpoint_comes_back_and_any_other_byte_is_damage() {
    let resting = transparent();
    for (role, bytes) in resting.checkpoints.iter().enumerate() {
        assert_eq!(resting.resumed(role, bytes.clone()).as_ref(), Ok(bytes));
        for cut in 0..bytes.len() {
            let error = resting.refused(role, bytes[..cut].to_vec());
            assert_eq!(error, CheckpointError::Damaged, "{role} cut at {cut}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            let error = resting.refused(role, bytes);
            assert_eq!(error, CheckpointError::Damaged, "{role} at {at}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(resting.refused(role, longer), CheckpointError::Damaged);
    }
}

#[test]
fn what_is_another_s_says_so() {
    let resting = transparent();
    let other = Case {
        learning_rate: 0.25,
        ..resting.case.clone()
    };
    for (role, bytes) in resting.checkpoints.iter().enumerate() {
        for (of, other) in resting
            .checkpoints
            .iter()
            .enumerate()
            .filter(|(of, _)| *of != role)
        {
            let error = resting.refused(role, other.clone());
            assert!(
                matches!(error, CheckpointError::OtherRole { .. }),
                "{of}: {error}"
            );
        }
        let mut newer = bytes[..bytes.len() - SEAL].to_vec();
        newer[19] += 1;
        seal(&mut newer);
        let got = u16::from(bytes[19]) + 1;
        assert_eq!(
            resting.refused(role, newer),
            CheckpointError::Version { got }
        );
    }
    let there = Resting {
        case: other,
        ..transparent()
    };
    for role in [0, 1] {
        let error = there.refused(role, resting.checkpoints[role].clone());
        assert_eq!(error, CheckpointError::OtherJob);
    }
    let asked = Asked::of(&resting.case, "active");
    let there = Resting {
        asked,
        ..transparent()
    };
    for role in [2, 3] {
        let error = there.refused(role, resting.checkpoints[role].clone());
        assert_eq!(error, CheckpointError::OtherJob);
    }
    let there = Resting {
        trained: Trained::new(&resting.case, resting.backend.clone(), 5),
        ..transparent()
    };
    for role in [2, 3] {
        let error = there.refused(role, resting.checkpoints[role].clone());
        assert_eq!(error, CheckpointError::OtherModel);
    }
}

/// Changed by somebody who closes it again: an error, or a role that says the
/// same; never a panic.
#[test]
fn changed_and_sealed_again() {
    let resting = transparent();
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 0..4);
    let cut = prop::option::weighted(0.3, any::<prop::sample::Index>());
    let tail = prop::collection::vec(any::<u8>(), 0..3);
    let config = ProptestConfig::with_cases(512);
    proptest!(config, |(role in 0_usize..4, changes in changes, cut in cut, tail in tail)| {
        let bytes = &resting.checkpoints[role];
        let mut bytes = bytes[..bytes.len() - SEAL].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(tail);
        seal(&mut bytes);
        if let Ok(again) = resting.resumed(role, bytes.clone()) {
            prop_assert_eq!(again, bytes);
        }
    });
}

/// A key of which a bit is another, in a checkpoint that is whole.
#[test]
fn a_secret_key_that_is_none_is_refused() {
    let resting = Resting::<Paillier>::new(Arc::new(PaillierBackend::default()));
    let sealed = &resting.checkpoints[0];
    assert_eq!(resting.resumed(0, sealed.clone()).as_ref(), Ok(sealed));
    // Title, version, role, digest, seed, epochs and the best of them; then the
    // key's number, its moment, its length, its layout, k of p, and p itself.
    let key = 18 + 2 + (4 + "acml active".len()) + 32 + 32 + (4 + 5);
    let prime = key + 4 + 8 + 8 + 1 + 8;
    for at in prime..prime + 32 {
        let mut bytes = sealed[..sealed.len() - SEAL].to_vec();
        bytes[at] ^= 1 << (at % 8);
        seal(&mut bytes);
        let error = resting.resumed(0, bytes).expect_err("no key");
        assert_eq!(
            (error.label(), error.class()),
            ("saved_key", Class::Operator),
            "{error}"
        );
    }
}
