//! Vector registers, and lines in and out of them.

use core::{
    arch::x86_64::{
        __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
        _mm512_load_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_mov_epi64,
        _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_srai_epi64,
        _mm512_srli_epi64, _mm512_store_si512, _mm512_sub_epi64,
    },
    cell::Cell,
};

use crate::engine::{ifma::LIMB, line::Line};

/// Eight words.
pub(super) type Vector = __m512i;
/// Eight bits.
pub(super) type Lanes = __mmask8;

/// A line to a register.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(line: &Line) -> Vector {
    // SAFETY: a reference to a `Line` is valid for reads of its 64 bytes, which
    // are aligned to 64 by its representation; any bits are a vector.
    unsafe { _mm512_load_si512(core::ptr::from_ref(line).cast()) }
}

/// A line of working memory to a register.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn peek(line: &Cell<Line>) -> Vector {
    // SAFETY: as in `load`; the cell is not shared with another thread (it is
    // not `Sync`), and no reference to what is in it is ever made.
    unsafe { _mm512_load_si512(line.as_ptr().cast_const().cast()) }
}

/// A register to a line of working memory.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn poke(line: &Cell<Line>, value: Vector) {
    // SAFETY: as in `peek`, and a cell may be written through a shared
    // reference; any 64 bytes are a `Line`.
    unsafe { _mm512_store_si512(line.as_ptr().cast(), value) }
}

/// A register to a line.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(line: &mut Line, value: Vector) {
    poke(Cell::from_mut(line), value);
}

/// A word in every lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn spread(word: u64) -> Vector {
    _mm512_set1_epi64(word.cast_signed())
}

/// c and the lower half of the product of two limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn lo(c: Vector, a: Vector, b: Vector) -> Vector {
    _mm512_madd52lo_epu64(c, a, b)
}

/// c and the upper half of the product of two limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn hi(c: Vector, a: Vector, b: Vector) -> Vector {
    _mm512_madd52hi_epu64(c, a, b)
}

/// a + b
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi64(a, b)
}

/// a - b
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sub(a: Vector, b: Vector) -> Vector {
    _mm512_sub_epi64(a, b)
}

/// a & b
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn and(a: Vector, b: Vector) -> Vector {
    _mm512_and_si512(a, b)
}

/// What a signed column carries to the next: a / 2^52, rounded down.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn carried(a: Vector) -> Vector {
    _mm512_srai_epi64::<LIMB>(a)
}

/// a / 16
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sixteenths(a: Vector) -> Vector {
    _mm512_srli_epi64::<4>(a)
}

/// Where a and b are the same.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn equal(a: Vector, b: Vector) -> Lanes {
    _mm512_cmpeq_epi64_mask(a, b)
}

/// `then` in the lanes that are set, `otherwise` in the others.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn choose(set: Lanes, then: Vector, otherwise: Vector) -> Vector {
    _mm512_mask_mov_epi64(otherwise, set, then)
}

/// In each lane the word that its index says, modulo eight.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn look_up_8(words: Vector, indices: Vector) -> Vector {
    _mm512_permutexvar_epi64(indices, words)
}

/// In each lane the word that its index says, modulo sixteen.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn look_up_16(words: [Vector; 2], indices: Vector) -> Vector {
    let [low, high] = words;
    _mm512_permutex2var_epi64(low, indices, high)
}
