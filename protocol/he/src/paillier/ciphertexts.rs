//! Matrices of ciphertexts, validated once: when they are read.

use crypto_bigint::{BoxedUint, Gcd};
use entente_wire::{Decode, DecodeError, Encode, Reader, Shape, sealed::Sealed};

use super::{
    Layout, Paillier, PublicKey, packing::Packing, packings::Packings, public_key::put_number,
};
use crate::{
    Encrypted, Expect, Extent, HeError,
    engine::{Residues, at_precision},
};

/// A matrix in ciphertexts, blocks by rows (see [`Packing`]), in the engine's
/// form. Every one of them is a unit modulo n^2.
#[derive(Debug)]
pub(super) struct Ciphertexts {
    key: PublicKey,
    shape: Shape,
    packing: Packing,
    cells: Residues,
}

impl Ciphertexts {
    /// Cells that were computed here.
    pub(super) fn new(key: PublicKey, shape: Shape, packing: Packing, cells: Residues) -> Self {
        debug_assert_eq!(cells.len(), packing.ciphertexts(shape));
        Self {
            key,
            shape,
            packing,
            cells,
        }
    }

    /// Rows and columns of the plaintext matrix.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// How it lies in the ciphertexts.
    pub(super) fn packing(&self) -> Packing {
        self.packing
    }

    /// To somebody who works under `key`.
    ///
    /// # Errors
    /// [`HeError::BadKey`] for another key: a bug of the caller.
    pub(super) fn cells(&self, key: &PublicKey) -> Result<&Residues, HeError> {
        if self.key == *key {
            return Ok(&self.cells);
        }
        Err(HeError::BadKey {
            why: "the ciphertexts are under another one",
        })
    }

    /// As [`Ciphertexts::cells`], to somebody who makes a product of them whose
    /// values need the room that `needed` has.
    ///
    /// # Errors
    /// As there; [`HeError::DoesNotFit`] naming `what`.
    pub(super) fn cells_with_room(
        &self,
        what: &'static str,
        key: &PublicKey,
        needed: Packing,
    ) -> Result<&Residues, HeError> {
        let cells = self.cells(key)?;
        let [needed, there] = [needed, self.packing].map(|packing| packing.slot().value_bits());
        if needed <= there {
            return Ok(cells);
        }
        Err(HeError::DoesNotFit {
            what,
            needed_bits: needed,
            plaintext_bits: there,
        })
    }

    /// Reads a matrix of a job, whose layout is what `packing` says of the bits
    /// that its values have room for.
    fn decode(
        expect: &Expect<'_, Paillier>,
        packing: impl FnOnce(&Packings, u32) -> Option<Packing>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let packing = |value_bits| Ok(packing(&packings(expect)?, value_bits));
        Self::read(expect.key, expect.shape, packing, input)
    }

    /// Reads a matrix of `shape` under `key`, whose layout is what `packing`
    /// says of the bits that its values have room for.
    pub(super) fn read(
        key: &PublicKey,
        shape: Shape,
        packing: impl FnOnce(u32) -> Result<Option<Packing>, DecodeError>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        if Layout::decode(WHAT, input)? != key.layout() {
            return Err(invalid("one end packs its plaintexts, the other does not"));
        }
        if input.u64(WHAT)? != key.mark() {
            return Err(invalid("it is under another key"));
        }
        shape.expect(WHAT, input)?;
        let value_bits = input.u32(WHAT)?;
        let packing = packing(value_bits)?
            .ok_or(invalid("its slots are not of the width that the job has"))?;

        let bytes = key.ciphertext_bytes();
        let count = packing.ciphertexts(shape);
        let cells = input
            .take(WHAT, count.saturating_mul(bytes))?
            .chunks_exact(bytes)
            .map(|cell| {
                let cell = BoxedUint::from_be_slice_truncated(cell, 8 * bytes as u32);
                let cell = at_precision(&cell, key.n_squared().bits_precision());
                (cell < *key.n_squared())
                    .then_some(cell)
                    .ok_or(invalid("a ciphertext is not below n^2"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let cells = key.modulus().import(&cells);

        // A factor of n in any ciphertext is a factor of their product.
        let product = key.modulus().export(&key.modulus().product_of_all(&cells));
        let coprime = product.iter().all(|product| {
            let product = product.rem_vartime(key.n());
            product.gcd_vartime(key.n().as_ref()).is_one().to_bool()
        });
        if !coprime {
            return Err(invalid("a ciphertext has a factor in common with n"));
        }
        Ok(Self::new(key.clone(), shape, packing, cells))
    }
}

const WHAT: &str = "ciphertext matrix";

pub(super) fn invalid(why: &'static str) -> DecodeError {
    DecodeError::Invalid { what: WHAT, why }
}

/// The layouts of the job that something is received in.
fn packings(expect: &Expect<'_, Paillier>) -> Result<Packings, DecodeError> {
    let key = expect.key;
    Packings::new(expect.bounds, key.bits(), key.layout())
        .map_err(|_| invalid("the job does not fit its key"))
}

impl Encode for Ciphertexts {
    /// Layout (u8), mark of the key (u64), shape (2 x u32), bits of a value
    /// (u32), ciphertexts, each in twice the bytes of n.
    fn encode(&self, out: &mut Vec<u8>) {
        let bytes = self.key.ciphertext_bytes();
        self.key.layout().encode(out);
        self.key.mark().encode(out);
        self.shape.encode(out);
        self.packing.slot().value_bits().encode(out);
        out.reserve(bytes * self.cells.len());
        for cell in self.key.modulus().export(&self.cells) {
            put_number(&cell, bytes, out);
        }
    }
}

impl Encrypted for Ciphertexts {
    fn extent(&self) -> Extent {
        /// What stands before the ciphertexts.
        const HEAD_BYTES: usize = 1 + 8 + 8 + 4;
        let ciphertexts = self.cells.len();
        Extent {
            ciphertexts,
            bytes: HEAD_BYTES + ciphertexts * self.key.ciphertext_bytes(),
            values: self.shape.len(),
            room: ciphertexts * self.packing.slots(),
        }
    }
}

/// Enc(a), `B x h`, for its two uses.
#[derive(Debug)]
pub struct Activations {
    /// Packed over samples, for the forward product.
    pub(super) over_samples: ForwardActivations,
    /// Packed over features, for the weight gradient.
    pub(super) over_features: Ciphertexts,
}

impl Activations {
    /// One value to a plaintext serves both uses: the same ciphertexts, by
    /// rows and by columns.
    pub(super) fn unpacked(by_rows: ForwardActivations, over_features: Packing) -> Self {
        let ForwardActivations(cells) = &by_rows;
        let shape = cells.shape;
        let by_columns = cells.cells.transposed(shape.rows, shape.cols);
        Self {
            over_features: Ciphertexts::new(cells.key.clone(), shape, over_features, by_columns),
            over_samples: by_rows,
        }
    }
}

/// What is encrypted for training will do for inference; not the other way.
impl AsRef<ForwardActivations> for Activations {
    fn as_ref(&self) -> &ForwardActivations {
        &self.over_samples
    }
}

impl Sealed for Activations {}

impl Encode for Activations {
    /// The matrix packed over samples and, unless that is all, the one packed
    /// over features.
    fn encode(&self, out: &mut Vec<u8>) {
        self.over_samples.encode(out);
        match self.over_features.key.layout() {
            Layout::Unpacked => {}
            Layout::Packed => self.over_features.encode(out),
        }
    }
}

impl Encrypted for Activations {
    /// Of both, where there are two.
    fn extent(&self) -> Extent {
        let over_samples = self.over_samples.extent();
        match self.over_features.key.layout() {
            Layout::Unpacked => over_samples,
            Layout::Packed => over_samples + self.over_features.extent(),
        }
    }
}

impl Decode<Expect<'_, Paillier>> for Activations {
    fn decode(expect: &Expect<'_, Paillier>, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let over_samples = ForwardActivations::decode(expect, input)?;
        match expect.key.layout() {
            Layout::Unpacked => {
                let over_features = packings(expect)?.weight_gradient();
                Ok(Self::unpacked(over_samples, over_features))
            }
            Layout::Packed => Ok(Self {
                over_samples,
                over_features: Ciphertexts::decode(expect, Packings::weight_gradient_of, input)?,
            }),
        }
    }
}

/// A type of its own for each message, so that none can stand for another.
macro_rules! ciphertext_matrix {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Debug)]
        pub struct $name(pub(super) Ciphertexts);

        impl Sealed for $name {}

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Encrypted for $name {
            fn extent(&self) -> Extent {
                self.0.extent()
            }
        }
    )*};
}

/// Those of a job, each with its layout.
macro_rules! ciphertext_matrix_of_a_job {
    ($(#[$doc:meta] $name:ident: $packing:ident)*) => {
        ciphertext_matrix! { $(#[$doc] $name)* }
    $(
        impl Decode<Expect<'_, Paillier>> for $name {
            fn decode(
                expect: &Expect<'_, Paillier>,
                input: &mut Reader<'_>,
            ) -> Result<Self, DecodeError> {
                Ciphertexts::decode(expect, Packings::$packing, input).map(Self)
            }
        }
    )*};
}

ciphertext_matrix_of_a_job! {
    /// Enc(a), `B x h`, packed over samples.
    ForwardActivations: forward_of
    /// Enc(E), `c x h`.
    EncryptedShare: input_gradient_of
    /// Enc(a W^T + S1), `B x c`.
    Forward: forward_of
    /// Enc(D^T a + S2), `c x h`.
    WeightGradient: weight_gradient_of
    /// Enc(D W - D E), `B x h`.
    InputGradient: input_gradient_of
}

ciphertext_matrix! {
    /// Enc(x), `B x N`, packed over samples: what a linear layer takes.
    LinearInput
    /// Enc(y), `B x PO`, packed over samples: what a linear layer makes.
    LinearOutput
}
