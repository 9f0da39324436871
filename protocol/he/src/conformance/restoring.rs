//! An owner that is made again from what it saved is the same owner.

use entente_wire::{Masked, Secret};

use super::Bench;
use crate::{Backend, HeError, Scheme};

impl<S: Scheme> Bench<S> {
    pub(super) fn restoring(&mut self, backend: &dyn Backend<S>) {
        let saved = self.owner.secret_key();
        let restored = backend.restore(self.bits, &saved, self.bounds);
        let restored = restored.expect("what was saved can be read");
        assert!(
            restored.public_key() == self.owner.public_key(),
            "the restored key is another one"
        );
        assert_eq!(*restored.bounds(), self.bounds);
        assert!(
            restored.secret_key().expose() == saved.expose(),
            "saved again, the key is another one"
        );

        // Each opens what the other encrypted.
        let batch = self.bounds.batch;
        let a = self.within(self.activations_shape(batch), self.bounds.activation_bits);
        let w = self.uniform(self.weight_shape());
        let before = core::mem::replace(&mut self.owner, restored);
        let owners = [before, self.owner.clone()];
        for (encrypts, opens) in [(0, 1), (1, 0)] {
            self.owner = owners[encrypts].clone();
            let encrypted = self.encrypted_for_inference(&a);
            let mask = self.mask(self.logits_shape(batch));
            let product = self
                .evaluator
                .forward(&encrypted, &w, &mask, &mut self.rng)
                .expect("a forward product within its bounds");
            let product = self.travel(&product, self.logits_shape(batch));
            let opened = owners[opens].decrypt_forward(&product);
            assert_eq!(
                opened.expect("an honest product opens"),
                Masked::cover(&a.dot(&w.transposed()), &mask),
                "a restored key decrypts something else"
            );
        }
        self.owner = owners[1].clone();
        self.damaged_keys(backend, saved.expose());
    }

    /// Cut short or long it is no key. With another byte it may be one where
    /// keys have nothing to be recognised by, but never ends in a panic.
    fn damaged_keys(&mut self, backend: &dyn Backend<S>, saved: &[u8]) {
        let restore = |bytes: Vec<u8>| {
            let restored = backend.restore(self.bits, &Secret::new(bytes), self.bounds);
            restored.err()
        };
        let longer = [saved, &[0]].concat();
        let shorter = (0..saved.len()).map(|cut| saved[..cut].to_vec());
        for bytes in shorter.chain([longer]) {
            let length = bytes.len();
            let got = restore(bytes);
            assert!(
                matches!(got, Some(HeError::SavedKey { .. })),
                "{length} bytes of a key were answered with {got:?}"
            );
        }
        // Not all: to see that a long key is none takes a while.
        for at in (0..saved.len()).step_by(saved.len().div_ceil(16)) {
            let mut bytes = saved.to_vec();
            bytes[at] ^= 1 << (at % 8);
            let got = restore(bytes);
            assert!(
                matches!(got, None | Some(HeError::SavedKey { .. })),
                "a key with another byte {at} was answered with {got:?}"
            );
        }
    }
}
