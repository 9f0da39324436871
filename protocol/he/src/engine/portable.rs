//! The tier for every machine: one number at a time.

use crypto_bigint::{
    BoxedUint, Odd, Uint, Word,
    modular::{FixedMontyForm, FixedMontyParams},
};
use zeroize::Zeroize;

use super::{
    kernel::{Kernel, Secrecy},
    line::{LINE_WORDS, Layout, Line},
    select::select,
};

/// crypto-bigint's constant-time arithmetic at a width fixed by the compiler.
///
/// Its heap-allocated sibling is as fast, but keeps the modulus in a shared
/// allocation that nobody can wipe; p^2 must not stay behind in memory. (What
/// a multiplication leaves on the stack, the next one overwrites.)
struct Fixed<const L: usize> {
    params: FixedMontyParams<L>,
    one: Vec<Line>,
    /// Of the modulus, as it was given.
    bits: u32,
}

impl<const L: usize> Fixed<L> {
    fn new(modulus: &BoxedUint, secrecy: Secrecy) -> Option<Self> {
        let mut words = [0; L];
        words
            .get_mut(..modulus.nlimbs())?
            .copy_from_slice(modulus.as_words());
        let odd: Odd<Uint<L>> = Odd::new(Uint::from_words(words)).into_option()?;
        words.zeroize();
        let params = match secrecy {
            Secrecy::Public => FixedMontyParams::new_vartime(odd),
            Secrecy::Secret => FixedMontyParams::new(odd),
        };
        let mut one = vec![Line::default(); L.div_ceil(LINE_WORDS)];
        store(&mut one, params.one());
        Some(Self {
            params,
            one,
            bits: modulus.bits_precision(),
        })
    }

    fn form(&self, x: &[Line]) -> FixedMontyForm<L> {
        FixedMontyForm::from_montgomery(load(x), &self.params)
    }
}

impl<const L: usize> Drop for Fixed<L> {
    fn drop(&mut self) {
        self.params.zeroize();
        self.one.zeroize();
    }
}

impl<const L: usize> Kernel for Fixed<L> {
    fn layout(&self) -> Layout {
        Layout {
            lanes: 1,
            lines: L.div_ceil(LINE_WORDS),
        }
    }

    fn scratch(&self) -> usize {
        0
    }

    /// A bit more would double the table: at six bits the scan is still a small
    /// part of the multiplication that follows it.
    fn window(&self) -> u32 {
        6
    }

    fn lookup(&self) -> usize {
        200
    }

    fn one(&self) -> &[Line] {
        &self.one
    }

    fn multiply(&self, acc: &mut [Line], by: &[Line], _: &mut [Line]) {
        let product = self.form(acc).mul(&self.form(by));
        store(acc, product.as_montgomery());
    }

    fn square(&self, acc: &mut [Line], _: &mut [Line]) {
        let square = self.form(acc).square();
        store(acc, square.as_montgomery());
    }

    fn enter(&self, block: &mut [Line], numbers: &[BoxedUint], _: &mut [Line]) {
        for number in numbers {
            let mut words = [0; L];
            for (to, from) in words.iter_mut().zip(number.as_words()) {
                *to = *from;
            }
            let form = FixedMontyForm::new(&Uint::from_words(words), &self.params);
            words.zeroize();
            store(block, form.as_montgomery());
        }
    }

    fn leave(&self, block: &mut [Line], _: &mut [Line]) -> Vec<BoxedUint> {
        let plain = self.form(block).retrieve();
        let words = plain.as_words().iter().copied();
        vec![BoxedUint::from_words_with_precision(words, self.bits)]
    }

    fn select_block(&self, out: &mut [Line], table: &[Line], digit: usize) {
        select(out, table, digit);
    }

    fn select_each(&self, out: &mut [Line], table: &[Line], digits: &[usize]) {
        let lines = self.layout().lines;
        for (out, &digit) in out.chunks_exact_mut(lines).zip(digits) {
            select(out, table, digit);
        }
    }
}

/// A number from the lines of a block.
fn load<const L: usize>(block: &[Line]) -> Uint<L> {
    let mut words = [0; L];
    for (words, line) in words.chunks_mut(LINE_WORDS).zip(block) {
        words.copy_from_slice(&line.0[..words.len()]);
    }
    Uint::from_words(words)
}

/// And back.
fn store<const L: usize>(block: &mut [Line], number: &Uint<L>) {
    for (line, words) in block.iter_mut().zip(number.as_words().chunks(LINE_WORDS)) {
        line.0[..words.len()].copy_from_slice(words);
    }
}

/// Evaluates for the narrowest width that holds a modulus of so many bits.
macro_rules! narrowest {
    ($given:expr, $width:ident => $then:expr) => {
        narrowest!(@ $given, $width, $then, 256 512 1024 2048 3072 4096 6144 8192)
    };
    (@ $given:expr, $width:ident, $then:expr, $($bits:literal)*) => {
        match $given {
            $(0..=$bits => {
                const $width: usize = $bits / Word::BITS as usize;
                $then
            })*
            _ => None,
        }
    };
}

/// The narrowest kernel that holds `modulus`, if there is one.
pub(super) fn kernel_for(modulus: &BoxedUint, secrecy: Secrecy) -> Option<Box<dyn Kernel>> {
    narrowest!(modulus.bits_precision(), L => {
        Some(Box::new(Fixed::<L>::new(modulus, secrecy)?))
    })
}

/// The bits that the narrowest kernel for a modulus of so many computes with.
#[cfg(target_arch = "x86_64")]
pub(super) fn width(bits: u32) -> Option<u32> {
    narrowest!(bits, L => Some(L as u32 * Word::BITS))
}

/// 2^e modulo a number for two exponents, ascending and no smaller than the
/// width of the narrowest kernel, as words: what another kernel starts from.
/// Doublings alone, so constant time as the kernel is, and nothing of a secret
/// modulus is left on the heap.
#[cfg(target_arch = "x86_64")]
pub(super) fn powers_of_two(
    modulus: &BoxedUint,
    secrecy: Secrecy,
    exponents: [u32; 2],
) -> Option<[zeroize::Zeroizing<Vec<Word>>; 2]> {
    narrowest!(modulus.bits_precision(), L => {
        let fixed = Fixed::<L>::new(modulus, secrecy)?;
        // One in Montgomery form is 2^width modulo the modulus, read as it is.
        let mut power = FixedMontyForm::one(&fixed.params);
        let mut exponent = L as u32 * Word::BITS;
        Some(exponents.map(|wanted| {
            while exponent < wanted {
                power = power.double();
                exponent += 1;
            }
            zeroize::Zeroizing::new(power.as_montgomery().as_words().to_vec())
        }))
    })
}
