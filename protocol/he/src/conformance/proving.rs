//! That a key is taken for good on its owner's word, and on nobody else's.

use entente_wire::{Digest, Encode, decode_exactly};

use super::Bench;
use crate::{Backend, HeError, KeyOwner, Scheme};

impl<S: Scheme> Bench<S> {
    pub(super) fn proving(&mut self, backend: &dyn Backend<S>) {
        let contexts = [b"one", b"two"].map(|name| Digest::of("a context", &[name]));
        let proof = |owner: &dyn KeyOwner<S>| {
            let proof = owner.prove(contexts[0]).expect("its own key");
            decode_exactly::<_, S::KeyProof>(&self.bits, &proof.encoded())
                .expect("a proof survives the wire")
        };
        let (own, other) = (proof(&*self.owner), proof(&*self.stranger));
        let (key, stranger) = (self.owner.public_key(), self.stranger.public_key());

        assert_eq!(backend.certify(key, &own, contexts[0], None), Ok(()));
        assert_eq!(
            backend.certify(key, &own, contexts[0], Some(stranger)),
            Ok(())
        );
        refused(backend.certify(key, &own, contexts[1], None), "a context");
        refused(backend.certify(key, &other, contexts[0], None), "a proof");
        refused(
            backend.certify(key, &own, contexts[0], Some(key)),
            "the last key once more",
        );
        let bytes = own.encoded();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            if let Ok(proof) = decode_exactly::<_, S::KeyProof>(&self.bits, &damaged) {
                let got = backend.certify(key, &proof, contexts[0], None);
                refused(got, "a damaged proof");
            }
        }
        for cut in 0..bytes.len() {
            let got = decode_exactly::<_, S::KeyProof>(&self.bits, &bytes[..cut]);
            assert!(got.is_err(), "cut at {cut}");
        }
    }
}

fn refused(got: Result<(), HeError>, what: &str) {
    assert!(
        matches!(got, Err(HeError::BadKey { .. })),
        "another one was accepted: {what}, {got:?}"
    );
}
