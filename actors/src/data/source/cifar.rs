//! The binary version of CIFAR-10: records of a label and 3 x 32 x 32 bytes
//! (red, green, blue), without a header.

use super::{Array, Form, Found, More, Stream, at, row_of};
use crate::data::{Columns, error::Fault, store::Cell};

const PIXELS: usize = 3 * 32 * 32;
const CLASSES: u8 = 10;

/// A CIFAR-10 file, of which one half is read.
pub(in crate::data) struct Cifar {
    stream: Stream,
    half: Columns,
}

impl Cifar {
    /// There is no header: what is no such file shows in its labels or its
    /// length.
    pub(in crate::data) fn open(stream: Stream, half: Columns) -> Self {
        Self { stream, half }
    }
}

impl Array for Cifar {
    fn form(&self) -> Form {
        let (width, channels) = match self.half {
            Columns::Features => (PIXELS, 3),
            Columns::Labels | Columns::Ids => (1, 1),
        };
        Form {
            width,
            channels,
            cell: Cell::Byte,
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(&[f64]) -> Found<More>) -> Found<()> {
        let mut record = [0; 1 + PIXELS];
        let mut numbers = Vec::with_capacity(PIXELS);
        for row in 0.. {
            let place = row_of(self.stream.path(), row);
            let what = "a record of 3073 bytes";
            if !self.stream.fill_or_end(&mut record, place.clone(), what)? {
                break;
            }
            let [label, pixels @ ..] = &record;
            if *label >= CLASSES {
                let problem = format!(
                    "the record does not begin with a label from 0 to 9 ({label}): it is no \
                     CIFAR-10 file in the binary version"
                );
                return at(place, Fault::Format { problem });
            }
            let bytes = match self.half {
                Columns::Features => &pixels[..],
                Columns::Labels | Columns::Ids => std::slice::from_ref(label),
            };
            numbers.clear();
            numbers.extend(bytes.iter().map(|byte| f64::from(*byte)));
            if each(&numbers)? == More::Enough {
                break;
            }
        }
        Ok(())
    }
}
