//! A tensor with a name, as it stands in files.

use core::fmt;

use entente_wire::{Decode, DecodeError, Encode, Reader};

/// The longest name, the most axes, and the most values of a tensor.
const MAX_NAME_BYTES: usize = 200;
const MAX_AXES: usize = 8;
const MAX_VALUES: usize = 1 << 28;

/// Numbers of a network under the name that PyTorch gives them (`0.weight`).
#[derive(Clone, PartialEq)]
pub struct NamedTensor {
    /// The name.
    pub name: String,
    /// The length along each axis.
    pub shape: Vec<usize>,
    /// The values, last axis fastest.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// Whether name, shape and every bit are the same (of a NaN, too).
    pub fn is_bit_identical(&self, other: &Self) -> bool {
        let bits = |tensor: &Self| -> Vec<u32> {
            tensor.values.iter().map(|value| value.to_bits()).collect()
        };
        (&self.name, &self.shape) == (&other.name, &other.shape) && bits(self) == bits(other)
    }
}

/// Weights are private: name and shape only.
impl fmt::Debug for NamedTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedTensor({} {:?}, ..)", self.name, self.shape)
    }
}

impl Encode for NamedTensor {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.name.len() as u32).encode(out);
        out.extend_from_slice(self.name.as_bytes());
        (self.shape.len() as u32).encode(out);
        for axis in &self.shape {
            (*axis as u32).encode(out);
        }
        for value in &self.values {
            value.to_bits().encode(out);
        }
    }
}

impl Decode for NamedTensor {
    fn decode(_: &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = input.bytes("tensor name", MAX_NAME_BYTES)?;
        let name = core::str::from_utf8(name).map_err(|_| DecodeError::Invalid {
            what: "tensor name",
            why: "not UTF-8",
        })?;
        let axes = input.count("tensor axes", MAX_AXES)?;
        let shape = (0..axes)
            .map(|_| input.u32("tensor axis").map(|axis| axis as usize))
            .collect::<Result<Vec<_>, _>>()?;
        let count = shape.iter().copied().try_fold(1, usize::checked_mul);
        let count = count
            .filter(|count| *count <= MAX_VALUES)
            .ok_or(DecodeError::Invalid {
                what: "tensor shape",
                why: "more values than a tensor may have",
            })?;
        // Taken before anything is allocated: so it is there.
        let mut values = Reader::new(input.take("tensor values", count.saturating_mul(4))?);
        let values = (0..count)
            .map(|_| values.u32("tensor value").map(f32::from_bits))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.to_owned(),
            shape,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::decode_exactly;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_bit_comes_back(
            name in "[a-z0-9.]{0,20}", rows in 0_usize..4, columns in 0_usize..4, bits: [u32; 9],
        ) {
            let values = bits.into_iter().map(f32::from_bits).take(rows * columns).collect();
            let tensor = NamedTensor { name, shape: vec![rows, columns], values };
            let back: NamedTensor = decode_exactly(&(), &tensor.encoded()).unwrap();
            prop_assert!(back.is_bit_identical(&tensor));
        }
    }

    #[test]
    fn a_shape_without_its_values_is_refused_before_memory_is_taken() {
        for axes in [vec![u32::MAX, u32::MAX, u32::MAX], vec![1 << 28], vec![3]] {
            let mut bytes = Vec::new();
            0_u32.encode(&mut bytes);
            (axes.len() as u32).encode(&mut bytes);
            axes.iter().for_each(|axis| axis.encode(&mut bytes));
            assert!(decode_exactly::<(), NamedTensor>(&(), &bytes).is_err());
        }
    }
}
