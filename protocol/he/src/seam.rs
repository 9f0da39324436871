//! The seam: what a scheme is asked for, by who may ask.

use std::{fmt::Debug, sync::Arc};

use entente_wire::{Decode, Digest, Mask, Masked, RingMatrix, Secret, Shape, Wire};
use thiserror::Error;

use crate::{Encrypted, Tallied, TierError};

/// The randomness that is handed in.
pub type Rng = dyn rand::CryptoRng + Send;

/// What is public of the cut, and what its integers stay within. A scheme
/// lays out its plaintexts by these bounds and refuses, by name, what does not
/// fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutBounds {
    /// B: the largest batch.
    pub batch: usize,
    /// h: the width of the cut.
    pub width: usize,
    /// c: classes.
    pub classes: usize,
    /// |a| < 2^this, for activations in fixed point.
    pub activation_bits: u32,
    /// What eta stands as on the grid of `eta Delta`, or more: the scalars of
    /// the weight gradient are at most this over the rows of the batch in
    /// size, and those of a class sum to this.
    pub step_unit: u64,
    /// What 1 stands as on the grid of Delta, or more: the scalars of the input
    /// gradient are at most this over the rows of the batch in size, and those
    /// of a sample sum to twice that.
    pub delta_unit: u64,
}

/// Bits of a key's modulus. 2048 at least: smaller keys exist behind a feature
/// for tests alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyBits(u32);

impl KeyBits {
    /// The default.
    pub const B2048: Self = Self(2048);
    /// About 128 bits of classical strength.
    pub const B3072: Self = Self(3072);
    /// For those who must.
    pub const B4096: Self = Self(4096);

    /// Parses a size from a specification.
    ///
    /// # Errors
    /// [`HeError::KeySize`] for anything but 2048, 3072 and 4096.
    pub fn new(bits: u32) -> Result<Self, HeError> {
        match bits {
            2048 | 3072 | 4096 => Ok(Self(bits)),
            _ => Err(HeError::KeySize { bits }),
        }
    }

    /// Any even size from 256 bits, for tests, which would crawl otherwise.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub fn insecure_for_tests(bits: u32) -> Self {
        assert!(
            bits >= 256 && bits.is_multiple_of(2),
            "too small for the masks"
        );
        Self(bits)
    }

    /// The number.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// What went wrong in a scheme, cut by who must act.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeError {
    /// The job asks for a key size that is not offered.
    #[error("a key of {bits} bits is not offered; use 2048, 3072 or 4096")]
    KeySize {
        /// What was asked for.
        bits: u32,
    },
    /// The job's shape or scales do not fit into a plaintext.
    #[error(
        "{what} needs {needed_bits} bits, there is room for {plaintext_bits}; use a longer key, a smaller batch or fewer fractional bits"
    )]
    DoesNotFit {
        /// Which product.
        what: &'static str,
        /// Bits that its largest value takes, mask room included.
        needed_bits: u32,
        /// Bits that there are.
        plaintext_bits: u32,
    },
    /// An operand outside the bounds that the layout was made for; or a product
    /// that decrypts to more than any within them, which no honest evaluator
    /// sends.
    #[error("{what} at row {row}, column {col} is outside its bound of {bits} bits")]
    OutOfRange {
        /// Which operand.
        what: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        col: usize,
        /// The bound.
        bits: u32,
    },
    /// Scalars that are each within their bound and together are not: they do
    /// not come from the loss that the bounds were made for.
    #[error("{what} {index} sum, in size, to more than their bound of {limit}")]
    SumOutOfRange {
        /// Which operand, by what it is summed over.
        what: &'static str,
        /// Which row or column of it.
        index: usize,
        /// The bound.
        limit: u128,
    },
    /// Operands whose shapes do not go together: a bug of the caller.
    #[error("{what} has shape {got}, expected {expected}")]
    Shape {
        /// Which operand.
        what: &'static str,
        /// Its shape.
        got: Shape,
        /// What the operation takes.
        expected: Shape,
    },
    /// A public key that cannot be one, or is not the one that the ciphertexts
    /// are under.
    #[error("the public key is not acceptable: {why}")]
    BadKey {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A secret key that was saved is none, or another size's or layout's.
    #[error("the saved secret key is not acceptable: {why}")]
    SavedKey {
        /// What is wrong with it.
        why: &'static str,
    },
    /// No key can be made here.
    #[error("no encryption key can be made here; this party's log says why")]
    NotMade,
    /// A computation with the secret key did not check out: faulty hardware,
    /// or an attempt to make it so. Nothing was released.
    #[error(
        "a computation with the secret key failed its check; suspect this machine's memory or processor"
    )]
    Fault,
    /// The kernels that this process was told to compute with cannot be had.
    #[error(transparent)]
    Tier(#[from] TierError),
}

impl HeError {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::KeySize { .. } => "key_size",
            Self::DoesNotFit { .. } => "does_not_fit",
            Self::OutOfRange { .. } | Self::SumOutOfRange { .. } => "out_of_range",
            Self::Shape { .. } => "shape",
            Self::BadKey { .. } => "bad_key",
            Self::SavedKey { .. } => "saved_key",
            Self::NotMade => "key_not_made",
            Self::Fault => "fault",
            Self::Tier(_) => "tier",
        }
    }
}

/// The context in which ciphertexts are decoded: validated once, here, against
/// the key that they must belong to, and never again.
#[derive(Debug)]
pub struct Expect<'a, S: Scheme> {
    /// The key that the ciphertexts are under.
    pub key: &'a S::PublicKey,
    /// The bounds that fix their layout.
    pub bounds: &'a CutBounds,
    /// The shape of the plaintext matrix.
    pub shape: Shape,
}

/// A scheme: a tag that ties its types together. How it computes is a
/// [`Backend`], a value, so that a measuring wrapper is not another scheme.
pub trait Scheme: Debug + Sized + Send + Sync + 'static {
    /// Its name in specifications, logs and metrics.
    const NAME: &'static str;
    /// The public key. Decoding checks its form against the agreed size.
    type PublicKey: Wire + Decode<KeyBits> + Debug + Clone + PartialEq + Send + Sync;
    /// What its owner shows of a public key that cannot be seen from outside.
    type KeyProof: Wire + Decode<KeyBits> + Debug + Send + Sync;
    /// Enc(a), `B x h`, in the layout of the forward product: all that inference
    /// needs.
    type ForwardActivations: Wire
        + for<'a> Decode<Expect<'a, Self>>
        + Encrypted
        + Debug
        + Send
        + Sync;
    /// Enc(a), `B x h`, in the layouts of its two uses, of which the first is
    /// the forward product.
    type Activations: Wire
        + for<'a> Decode<Expect<'a, Self>>
        + AsRef<Self::ForwardActivations>
        + Encrypted
        + Debug
        + Send
        + Sync;
    /// Enc(E), `c x h`, in the layout of the input gradient.
    type EncryptedShare: Wire + for<'a> Decode<Expect<'a, Self>> + Encrypted + Debug + Send + Sync;
    /// A forward product, `B x c`.
    type Forward: Wire + for<'a> Decode<Expect<'a, Self>> + Encrypted + Debug + Send + Sync;
    /// A weight gradient, `c x h`.
    type WeightGradient: Wire + for<'a> Decode<Expect<'a, Self>> + Encrypted + Debug + Send + Sync;
    /// An input gradient, `B x h`.
    type InputGradient: Wire + for<'a> Decode<Expect<'a, Self>> + Encrypted + Debug + Send + Sync;
}

/// Makes the two ends of a scheme.
pub trait Backend<S: Scheme>: Send + Sync {
    /// A fresh key, with its owner's tables.
    ///
    /// # Errors
    /// [`HeError::DoesNotFit`] when the bounds do not fit the key;
    /// [`HeError::Tier`].
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError>;

    /// The owner of a key that was made before: from what it gave out as
    /// [`KeyOwner::secret_key`], looked at as bytes from outside are.
    ///
    /// # Errors
    /// [`HeError::SavedKey`] for what is no such key of this size;
    /// [`HeError::DoesNotFit`], [`HeError::Tier`].
    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError>;

    /// Whether a key that came from a peer is what encryption under it needs it
    /// to be, as its owner shows it in this context ([`KeyOwner::prove`]); and
    /// whether it may follow the one that the peer had before.
    ///
    /// # Errors
    /// [`HeError::BadKey`], with what is wrong; [`HeError::Tier`].
    fn certify(
        &self,
        key: &S::PublicKey,
        proof: &S::KeyProof,
        context: Digest,
        last: Option<&S::PublicKey>,
    ) -> Result<(), HeError>;

    /// The evaluator for a key that came from a peer, and was certified.
    ///
    /// # Errors
    /// [`HeError::BadKey`], [`HeError::DoesNotFit`], [`HeError::Tier`].
    fn evaluator(
        &self,
        key: S::PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<S>>, HeError>;
}

/// Work of an end that needs nothing of a round, and so can be done before it:
/// randomness for ciphertexts to come. Nobody has to do it. What is not made
/// ahead is made when it is needed, and results are the same.
///
/// The scheme has no thread of its own, since it cannot know when a machine is
/// idle; whoever runs a job does, and needs to know nothing of schemes.
pub trait Ahead: Send + Sync {
    /// Does a piece that is small enough to be waited for; `false` when there
    /// is nothing to do until something is used up.
    fn advance(&self, rng: &mut Rng) -> bool;

    /// Values that lie ready, of one ciphertext each.
    fn depth(&self) -> usize;

    /// Values that there is room for.
    fn capacity(&self) -> usize;
}

/// What only the holder of the secret key can do (the active party).
pub trait KeyOwner<S: Scheme>: Ahead + Tallied {
    /// The public key.
    fn public_key(&self) -> &S::PublicKey;

    /// A proof that the public key is well formed. It is one in this context
    /// alone: another session, or another key of this one, has another.
    ///
    /// # Errors
    /// [`HeError::Fault`].
    fn prove(&self, context: Digest) -> Result<S::KeyProof, HeError>;

    /// The secret key, for its owner's own checkpoint and nobody else:
    /// [`Backend::restore`] makes the owner again.
    fn secret_key(&self) -> Secret<Vec<u8>>;

    /// The bounds that the layout was made for.
    fn bounds(&self) -> &CutBounds;

    /// Encrypts `a` (`B x h`, signed, |a| < 2^activation_bits) for its two
    /// later uses.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`], [`HeError::Shape`].
    fn encrypt_activations(&self, a: &RingMatrix, rng: &mut Rng)
    -> Result<S::Activations, HeError>;

    /// Encrypts `a` as [`KeyOwner::encrypt_activations`] does, for the forward
    /// product alone: where nothing is learnt from it, half of the work and of
    /// the bytes would be for nothing.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`], [`HeError::Shape`].
    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::ForwardActivations, HeError>;

    /// Encrypts the share `E` (`c x h`, any ring element), for the input
    /// gradient of a batch of `rows` samples: a smaller batch has larger
    /// scalars, which need more room.
    ///
    /// # Errors
    /// [`HeError::Shape`].
    fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<S::EncryptedShare, HeError>;

    /// `a W^T + S1` (`B x c`) modulo 2^64: masked by the peer, and so fit to
    /// be sent back.
    ///
    /// # Errors
    /// [`HeError::Fault`]; [`HeError::OutOfRange`] for what no honest evaluator
    /// sends; [`HeError::BadKey`] for ciphertexts under another key.
    fn decrypt_forward(&self, product: &S::Forward) -> Result<Masked, HeError>;

    /// `D^T a + S2` (`c x h`) modulo 2^64: masked by the peer.
    ///
    /// # Errors
    /// [`HeError::Fault`]; [`HeError::OutOfRange`] for what no honest evaluator
    /// sends; [`HeError::BadKey`] for ciphertexts under another key.
    fn decrypt_weight_gradient(&self, product: &S::WeightGradient) -> Result<Masked, HeError>;

    /// `D W - D E` (`B x h`) modulo 2^64: meant for the key owner, not masked.
    ///
    /// # Errors
    /// [`HeError::Fault`]; [`HeError::OutOfRange`] for what no honest evaluator
    /// sends; [`HeError::BadKey`] for ciphertexts under another key.
    fn decrypt_input_gradient(
        &self,
        product: &S::InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError>;
}

/// What anyone with the public key can do (the passive party). There is no
/// decrypt. **Every product is re-randomised before it is returned**: adding a
/// mask as a plaintext leaves the ciphertext's randomness a function of the
/// scalars, and the key owner can extract it (acml, rule 5).
pub trait Evaluate<S: Scheme>: Ahead + Tallied {
    /// The public key.
    fn public_key(&self) -> &S::PublicKey;

    /// The bounds that the layout was made for.
    fn bounds(&self) -> &CutBounds;

    /// Enc(a W^T + S1): `a` is `B x h`, `w` is `c x h` (any ring element), the
    /// mask `B x c`. Over the integers the mask is widened by a random
    /// multiple of 2^64 so that nothing shows of the carries; it is both
    /// together that hide them, so the mask has to be what a [`Mask`] is:
    /// uniform, and of this one use.
    ///
    /// # Errors
    /// [`HeError::Shape`]; [`HeError::BadKey`] for ciphertexts under another key.
    fn forward(
        &self,
        a: &S::ForwardActivations,
        w: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<S::Forward, HeError>;

    /// Enc(D^T a + S2): `d` is `B x c` within the bounds of steps
    /// ([`CutBounds::step_bits`], [`CutBounds::step_norm`]), the mask `c x h`.
    ///
    /// # Errors
    /// [`HeError::Shape`], [`HeError::OutOfRange`], [`HeError::SumOutOfRange`];
    /// [`HeError::BadKey`] for ciphertexts under another key.
    fn weight_gradient(
        &self,
        a: &S::Activations,
        d: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<S::WeightGradient, HeError>;

    /// Enc(D W - D E) plus a random multiple of 2^64: `d` is `B x c` within the
    /// bounds of deltas ([`CutBounds::delta_bits`], [`CutBounds::delta_norm`]),
    /// `w` is `c x h`.
    ///
    /// # Errors
    /// [`HeError::Shape`], [`HeError::OutOfRange`], [`HeError::SumOutOfRange`];
    /// [`HeError::BadKey`] for ciphertexts under another key;
    /// [`HeError::DoesNotFit`] for a share that was encrypted for a larger
    /// batch.
    fn input_gradient(
        &self,
        e: &S::EncryptedShare,
        d: &RingMatrix,
        w: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::InputGradient, HeError>;
}
