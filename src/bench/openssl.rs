//! The yardstick: OpenSSL's constant-time exponentiation, on this machine and
//! in this run, when its library is there. Loaded at run time: no dependency.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_void},
    ptr,
    time::Instant,
};

use libloading::{Library, Symbol};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// Microseconds of one constant-time exponentiation: the least of many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Yardstick {
    pub(super) modulus_bits: u32,
    pub(super) exponent_bits: u32,
    pub(super) microseconds: f64,
}

/// The size that a quiet machine is known by.
pub(super) const KNOWN_BITS: (u32, u32) = (2048, 1024);

/// What an exponentiation of that size takes on the quiet machine that the
/// promises were made for.
pub(super) const KNOWN_MICROSECONDS: f64 = 976.0;

impl Yardstick {
    /// Whichever of two measurements was disturbed less.
    pub(super) fn or_faster(self, other: Self) -> Self {
        let microseconds = self.microseconds.min(other.microseconds);
        Self {
            microseconds,
            ..self
        }
    }
}

type Number = *mut c_void;
type New = unsafe extern "C" fn() -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type Random = unsafe extern "C" fn(Number, c_int, c_int, c_int) -> c_int;
type SetModulus = unsafe extern "C" fn(*mut c_void, Number, *mut c_void) -> c_int;
type Power =
    unsafe extern "C" fn(Number, Number, Number, Number, *mut c_void, *mut c_void) -> c_int;

/// Repetitions, of which the fastest counts.
const REPETITIONS: usize = 21;

/// Measures `base ^ exponent mod modulus` for random numbers of these sizes.
///
/// # Errors
/// [`Failure::Runtime`] when there is no libcrypto, or it is not OpenSSL's, or this
/// is the static binary of the image: what a static binary loads brings a second C
/// library along, and the two do not know of each other.
pub(super) fn measure(modulus_bits: u32, exponent_bits: u32) -> Result<Yardstick, Failure> {
    if cfg!(target_feature = "crt-static") {
        return Err(Failure::runtime(
            "this binary is static and cannot load OpenSSL's libcrypto: measure against it with \
             one from `cargo build --release`",
        ));
    }
    let missing = |error: libloading::Error| {
        Failure::Runtime(format!(
            "OpenSSL's libcrypto cannot be used: {error}; install libssl3"
        ))
    };
    // SAFETY: loading libcrypto runs its initialisers, which it is made for;
    // nothing else of that name is expected in the loader's path.
    let library = unsafe {
        Library::new("libcrypto.so.3")
            .or_else(|_| Library::new("libcrypto.so.1.1"))
            .map_err(missing)?
    };
    // SAFETY: the types are those of openssl/bn.h, the same since 1.1.
    let (new, free, context_new, context_free, random, mont_new, mont_free, mont_set, power) = unsafe {
        let new: Symbol<'_, New> = library.get(b"BN_new\0").map_err(missing)?;
        let free: Symbol<'_, Free> = library.get(b"BN_free\0").map_err(missing)?;
        let context_new: Symbol<'_, New> = library.get(b"BN_CTX_new\0").map_err(missing)?;
        let context_free: Symbol<'_, Free> = library.get(b"BN_CTX_free\0").map_err(missing)?;
        let random: Symbol<'_, Random> = library.get(b"BN_rand\0").map_err(missing)?;
        let mont_new: Symbol<'_, New> = library.get(b"BN_MONT_CTX_new\0").map_err(missing)?;
        let mont_free: Symbol<'_, Free> = library.get(b"BN_MONT_CTX_free\0").map_err(missing)?;
        let mont_set: Symbol<'_, SetModulus> =
            library.get(b"BN_MONT_CTX_set\0").map_err(missing)?;
        let power: Symbol<'_, Power> = library
            .get(b"BN_mod_exp_mont_consttime\0")
            .map_err(missing)?;
        (
            new,
            free,
            context_new,
            context_free,
            random,
            mont_new,
            mont_free,
            mont_set,
            power,
        )
    };
    let mut seconds = Vec::with_capacity(REPETITIONS);
    // SAFETY: every pointer comes from the library's own constructors, is
    // checked before use, and is freed once, below, on the one way out.
    let complete = unsafe {
        let (modulus, base, exponent, result) = (new(), new(), new(), new());
        let (context, mont) = (context_new(), mont_new());
        let whole = ![modulus, base, exponent, result, context, mont].contains(&ptr::null_mut());
        // Top bit set, and odd (the last argument) for the modulus.
        let drawn = whole
            && random(modulus, modulus_bits as c_int, 0, 1) == 1
            && random(base, modulus_bits as c_int - 1, 0, 0) == 1
            && random(exponent, exponent_bits as c_int, 0, 0) == 1
            && mont_set(mont, modulus, context) == 1;
        let mut complete = drawn;
        for _ in 0..REPETITIONS {
            if !complete {
                break;
            }
            let since = Instant::now();
            complete = power(result, base, exponent, modulus, context, mont) == 1;
            seconds.push(since.elapsed().as_secs_f64());
        }
        for number in [modulus, base, exponent, result] {
            free(number);
        }
        mont_free(mont);
        context_free(context);
        complete
    };
    if !complete {
        return Err(Failure::runtime("OpenSSL's libcrypto refused to compute"));
    }
    Ok(Yardstick {
        modulus_bits,
        exponent_bits,
        microseconds: 1e6 * seconds.into_iter().fold(f64::INFINITY, f64::min),
    })
}
