//! Additive homomorphic encryption over whole matrices.
//!
//! A scheme is asked for matrices, never for single ciphertexts: encrypt a
//! matrix for its later uses, the three products of a round with mask and
//! re-randomisation folded in, decrypt. Packing, lanes, tables and validation
//! are the scheme's own matter, so that Paillier with slots, a lattice scheme
//! and the transparent scheme of the tests stand behind one seam, and the
//! machines of the protocols never change.
//!
//! ```text
//!   KeyOwner (active)                              Evaluate (passive), no decrypt
//!   a: B x h ── encrypt_for_inference ────▶  forward          a W^T + S1      B x c
//!   a: B x h ── encrypt_activations ──────▶  forward
//!                                            weight_gradient  D^T a + S2      c x h
//!   E: c x h ── encrypt_share ────────────▶  input_gradient   D W - D E       B x h
//!   decrypt_*  ◀──────────────────────────   each re-randomised
//! ```
//!
//! Beside the seam, and of Paillier alone: linear layers whose weights are the
//! evaluator's own ([`LinearServer`]).
//!
//! Both ends are [`Ahead`]: what a round needs and does not depend on it can be
//! made before, by whoever has a thread to spare. And both keep a [`Tally`] of what they
//! do to single ciphertexts, for whoever wants to know where the time goes.
//!
//! # What is wiped, and what is not
//!
//! Every secret that this crate holds on to is wiped when it is dropped: keys
//! and their tables, exponents, scalars, plaintexts, masks, randomness that was
//! made ahead, the working memory of the kernels. What crypto-bigint puts aside
//! while one of its functions runs is not: on the stack (the portable tier's
//! multiplications; the next call writes over most of it), and on the heap
//! (division, inversion, primality tests; the allocator hands it on as it is).
//! Safe code cannot reach either, and a value that is moved leaves a copy that
//! nobody has a name for. An allocator that wipes what is freed catches the
//! heap's part; it has to be the whole program's, so it is not for a library to
//! choose: the `entente` binary has one, and a test that searches its memory for
//! the primes of a job that has ended.
//!
//! So memory of a running party is secret, all of it: no core dumps where
//! others can read them, and swap encrypted or off.
//!
//! Whatever stands behind the seam has to pass the `conformance` suite, which
//! like the transparent scheme exists under the feature `insecure-test-keys`
//! alone.

mod bounds;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod conformance;
mod engine;
mod extent;
pub mod paillier;
mod seam;
mod tally;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod transparent;

#[cfg(any(test, feature = "insecure-test-keys"))]
pub use engine::squared_products;
pub use engine::{KernelSpeed, PowerSpeed, Tier, TierError};
pub use extent::{Encrypted, Extent};
pub use paillier::{
    ExpectLinear, Exponents, Layout, LinearBounds, LinearClient, LinearInput, LinearOutput,
    LinearProducts, LinearServer, Paillier, PaillierBackend, PublicEncryptor, Randomness, Textbook,
    Windows,
};
pub use seam::{
    Ahead, Backend, CutBounds, Evaluate, Expect, HeError, KeyBits, KeyOwner, Rng, Scheme,
};
pub use tally::{Done, Primitive, Tallied, Tally};
#[cfg(any(test, feature = "insecure-test-keys"))]
pub use transparent::{Transparent, TransparentBackend};
